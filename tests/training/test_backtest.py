"""The backtest forecasts from past cutoffs as if each were now."""

import numpy as np
import pandas as pd
import pytest

from features.targets import target_history
from models.forecaster import MigrationForecaster
from tests.tables import dataset_of, flows_country, net_country
from training.backtest import COLUMNS, SERVED, backtest, gate_at, last_value_year, systems
from training.metrics import wape

YEARS = range(2008, 2021)
HORIZONS = (1, 2)
SUMS = ("net_migration", "inflow", "out_migration")
TARGETS = ("flow", *SUMS)


@pytest.fixture(scope="module")
def flows():
    return dataset_of(**flows_country(["A", "B", "C", "D"], YEARS))


@pytest.fixture(scope="module")
def tested(flows):
    return backtest(flows, HORIZONS, draws=100)


def test_there_is_one_row_per_target_model_cutoff_and_horizon(tested):
    assert list(tested.scores.columns) == COLUMNS
    assert not tested.scores.duplicated(["target", "model", "cutoff", "horizon"]).any()
    assert set(tested.scores["target"]) == set(TARGETS)


def test_every_row_has_an_outcome(tested):
    assert (tested.scores["cutoff"] + tested.scores["horizon"] <= 2020).all()
    assert tested.scores.notna().all(axis=None)
    assert (tested.scores["n"] == tested.scores["target"].map({"flow": 12}).fillna(4)).all()


def test_every_model_is_scored_on_the_same_cells(tested):
    cells = tested.scores.groupby(["target", "cutoff", "horizon"])[["n", "abs_actual"]].nunique()

    assert (cells == 1).all(axis=None)


def test_a_score_is_that_of_the_forecast_that_would_have_been_made(flows, tested):
    served = {("flow", horizon): "structure" for horizon in HORIZONS}
    fitted = MigrationForecaster(served, HORIZONS, draws=100).fit(flows, 2016)
    median = fitted.predict(flows, 2016, HORIZONS).targets["inflow"].quantiles((0.5,))[0, 1]
    outcome = target_history(flows, "inflow").persons.loc[2018].to_numpy()

    rows = tested.scores.set_index(["target", "model", "cutoff", "horizon"])
    row = rows.loc[("inflow", "structure", 2016, 2)]

    assert row["abs_error"] / row["abs_actual"] == pytest.approx(wape(outcome, median))


def test_what_is_served_scores_as_the_model_that_the_gate_chose(tested):
    rows = tested.scores.set_index(["target", "model", "cutoff", "horizon"])["abs_error"]
    for cutoff, decisions in tested.choices.items():
        chosen = {decision.model for decision in decisions}
        if len(chosen) > 1:  # what is served is then no model alone
            continue
        for decision in decisions:
            key = (decision.target, cutoff, decision.horizon)
            if (key[0], SERVED, *key[1:]) in rows:
                assert rows[(key[0], SERVED, *key[1:])] == rows[(key[0], decision.model, *key[1:])]


def test_the_gate_sees_only_outcomes_that_are_known(flows, tested):
    """Scores of outcomes after a cutoff, however good, leave its decisions unchanged."""
    late = tested.scores["cutoff"] + tested.scores["horizon"] > 2015
    marvellous = tested.scores["abs_error"].where(~late | (tested.scores["model"] == "persistence"), 0.0)

    decisions = gate_at(flows, tested.scores.assign(abs_error=marvellous), 2015, TARGETS, HORIZONS)

    assert decisions == tested.choices[2015]
    assert max(decision.cutoffs for decision in decisions) == 2015 - 2008 - 1


def test_a_backtest_up_to_a_year_is_the_part_of_a_longer_one_that_was_known(flows, tested):
    shorter = backtest(flows, HORIZONS, last=2016, draws=100)

    known = tested.scores[tested.scores["cutoff"] + tested.scores["horizon"] <= 2016].reset_index(drop=True)
    pd.testing.assert_frame_equal(shorter.scores, known, check_exact=True)


def test_targets_that_add_up_are_decided_together(flows):
    assert systems(flows, TARGETS) == [("flow", "inflow", "out_migration", "net_migration")]
    assert systems(flows, SUMS) == [SUMS]
    assert systems(flows, ["inflow", "out_migration"]) == [("inflow",), ("out_migration",)]
    net_only = dataset_of(**net_country(["A", "B"], YEARS))
    assert systems(net_only, ["net_migration"]) == [("net_migration",)]


def test_the_last_year_is_that_of_the_last_value():
    tables = net_country(["A", "B"], YEARS)
    unpublished = tables | {"movements": tables["movements"].query("year < 2020")}

    assert last_value_year(dataset_of(**tables)) == 2020
    assert last_value_year(dataset_of(**unpublished)) == 2019


def test_a_past_too_short_to_score_leaves_no_rows():
    tested = backtest(dataset_of(**net_country(["A", "B"], range(2018, 2020))), HORIZONS, draws=100)

    assert len(tested.scores) == 0
    assert list(tested.scores.columns) == COLUMNS


def test_progress_is_told(flows):
    told = []

    backtest(flows, (1,), last=2012, progress=told.append, draws=20)

    assert "flows: models at cutoff 2010" in told
    assert np.char.startswith(told, "scores at cutoff").any()
