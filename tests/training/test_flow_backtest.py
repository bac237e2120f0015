"""Scores of flows: as served then, against the last value itself, by class of size."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import carried, flow_history
from features.part_years import with_running_year
from features.targets import target_history
from models.flow_models import FROZEN
from models.flow_record import FlowRecord
from tests.tables import dataset_of, flows_country, net_country
from training.backtest import Backtest, backtest, score
from training.flow_backtest import (
    FEWEST_DRAWS,
    SIZE_COLUMNS,
    STRUCTURE_COLUMNS,
    score_flows,
    scored_draws,
    structural_cutoffs,
    structural_scores,
)

CODES = ["A", "B", "C", "D", "E"]
YEARS = range(2010, 2021)
HORIZONS = (1, 2)
TARGETS = ("flow", "inflow", "net_migration", "out_migration")


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(**flows_country(CODES, YEARS))


@pytest.fixture(scope="module")
def tested(dataset) -> Backtest:
    return backtest(dataset, HORIZONS, draws=100)


def only(rows: list[dict] | pd.DataFrame, **told) -> pd.Series:
    frame = pd.DataFrame(rows)
    (place,) = np.flatnonzero(np.logical_and.reduce([frame[name] == value for name, value in told.items()]))
    return frame.iloc[place]


# --- what is served -------------------------------------------------------------------------------------------------


def test_what_is_served_scores_as_the_model_that_the_gate_chose(tested):
    for cutoff, decisions in tested.choices.items():
        for decision in decisions:
            cell = {"target": decision.target, "cutoff": cutoff, "horizon": decision.horizon}
            rows = tested.scores[(tested.scores[list(cell)] == list(cell.values())).all(axis=1)].set_index("model")
            if len(rows):
                assert rows.loc["served"].equals(rows.loc[decision.model])


def test_before_the_past_can_speak_the_fullest_frozen_model_is_served(tested):
    first = {cutoff: decisions for cutoff, decisions in tested.choices.items() if cutoff < 2015}

    assert {decision.model for decisions in first.values() for decision in decisions} == {FROZEN[0]}
    assert {decision.target for decisions in first.values() for decision in decisions} == set(TARGETS)


def test_flows_and_their_sums_are_served_by_one_model(tested):
    for decisions in tested.choices.values():
        for horizon in HORIZONS:
            assert len({decision.model for decision in decisions if decision.horizon == horizon}) == 1


def test_classes_of_size_and_structure_have_what_is_served_too(tested):
    assert "served" in set(tested.by_size["model"])
    assert "served" in set(tested.structure["model"])
    assert list(tested.by_size.columns) == SIZE_COLUMNS
    assert list(tested.structure.columns) == STRUCTURE_COLUMNS


def test_a_model_that_is_offered_late_is_scored_once_it_has_a_past():
    """Months of the running year are recorded from 2016 on: the level of the running year is known from 2016."""
    tables = flows_country(CODES, YEARS)
    arrivals = tables["flows"].query("year >= 2016").groupby(["destination", "year"], as_index=False)["persons"].sum()
    months = arrivals.rename(columns={"destination": "region"}).merge(pd.DataFrame({"month": [1, 2, 3]}), how="cross")
    months = months.assign(measure="arrivals", scope="between_regions").astype({"month": "Int64"})
    dataset = with_running_year(dataset_of(**tables, movements=months), 2019)

    tested = backtest(dataset, (1,), draws=20)

    late, every = (
        tested.scores.loc[tested.scores["model"] == model, "cutoff"] for model in ("corrected_part_year", "corrected")
    )
    assert late.min() == 2017
    assert every.min() == 2011


# --- the error of persistence ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("horizon", HORIZONS)
def test_persistence_misses_by_what_changed_since_the_last_value(dataset, tested, target, horizon):
    cutoff = 2016
    history = flow_history(dataset)
    values = (
        {year: history.year(year) for year in YEARS}
        if target == "flow"
        else target_history(dataset, target).persons.T.to_dict("series")
    )

    row = only(tested.scores, model="persistence", target=target, cutoff=cutoff, horizon=horizon)

    assert row["abs_error"] == pytest.approx(np.abs(values[cutoff + horizon] - values[cutoff]).sum())
    assert row["abs_actual"] == pytest.approx(np.abs(values[cutoff + horizon]).sum())


def test_moves_between_pairs_that_nobody_knew_are_errors_too():
    """A → B has flows in the last year alone."""
    flows = flows_country(CODES, YEARS)["flows"]
    new = (flows["origin"] == "A") & (flows["destination"] == "B")
    dataset = dataset_of(**flows_country(CODES, YEARS) | {"flows": flows[~new | (flows["year"] == 2020)]})
    known, history = flow_history(dataset.as_of(2019)), flow_history(dataset)

    row = only(backtest(dataset, (1,), draws=20).scores, model="persistence", target="flow", cutoff=2019)

    last = carried(known.year(2019), known, history)
    assert len(known.origin) == 19
    assert row["n"] == 19
    assert row["abs_error"] == np.abs(history.year(2020) - last).sum()
    assert row["abs_actual"] == history.year(2020).sum()


# --- a perfect forecast ---------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def oracle(dataset) -> FlowRecord:
    """Says what came, and before 2019 too, from the first cutoff on."""
    history = flow_history(dataset)
    points = {cutoff: {"oracle": history.year(cutoff + 1)[None].astype(np.float32)} for cutoff in range(2010, 2020)}
    return FlowRecord(tuple(points), (1,), points)


def test_a_perfect_forecast_shares_every_mover_and_misses_few(dataset, oracle):
    scored = score_flows(dataset, oracle, "oracle", 2019, 200, score)
    flow, matrix = only(scored.rows, target="flow"), only(scored.structure)

    assert matrix["cpc"] == pytest.approx(1, abs=0.001)
    assert matrix["r2"] == pytest.approx(1, abs=0.001)
    assert flow["abs_error"] < 0.001 * flow["abs_actual"]
    assert flow["sign_agreement"] == flow["coverage_80"] == 1


def test_persistence_is_no_perfect_forecast(tested):
    persistence = tested.structure[tested.structure["model"] == "persistence"]

    assert persistence["cpc"].between(0.7, 0.999).all()
    assert (persistence["regions"] == 5).all()


# --- by size --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("target", "cells"), [("flow", 20), ("inflow", 5), ("out_migration", 5), ("net_migration", 5)])
def test_classes_of_size_are_all_cells(tested, target, cells):
    own = tested.by_size[tested.by_size["target"] == target]
    key = ["model", "cutoff", "horizon"]

    by_size = own.groupby(key)[["n", "abs_actual"]].sum()
    every = tested.scores[tested.scores["target"] == target].set_index(key).sort_index()

    assert (by_size["n"] == cells).all()
    np.testing.assert_allclose(by_size["abs_actual"], every["abs_actual"])


def test_errors_by_class_of_size_are_the_error(tested):
    own = tested.by_size[tested.by_size["target"] == "flow"]
    key = ["model", "cutoff", "horizon"]

    by_size = own.groupby(key)["abs_error"].sum()

    flows = tested.scores[tested.scores["target"] == "flow"].set_index(key)["abs_error"].sort_index()
    np.testing.assert_allclose(by_size, flows)


def test_persistence_has_one_error_for_all_classes_and_for_the_sums(tested):
    """By class of size too, persistence is the last value itself."""
    key = ["target", "cutoff", "horizon"]
    by_size = tested.by_size.query("model == 'persistence'").groupby(key)["abs_error"].sum()
    every = tested.scores.query("model == 'persistence'").set_index(key)["abs_error"].sort_index()

    np.testing.assert_allclose(by_size, every, rtol=0.001)


def test_shares_inside_are_shares(tested):
    shares = tested.by_size[["coverage_50", "coverage_80", "coverage_90", "mass_80"]]

    assert shares.min(axis=None) >= 0
    assert shares.max(axis=None) <= 1
    assert (shares["coverage_50"] <= shares["coverage_80"]).all()
    assert (shares["coverage_80"] <= shares["coverage_90"]).all()


# --- draws ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("draws", [20, 100, 1000])
def test_a_small_country_is_scored_from_all_draws(dataset, draws):
    assert scored_draws(dataset, draws) == draws


@pytest.mark.parametrize(
    ("cells", "draws"),
    [pytest.param(20_000, 1000, id="a_thousand_each"), pytest.param(20 * 333, 332, id="even"), (1, FEWEST_DRAWS)],
)
def test_a_large_country_is_scored_from_fewer_draws(monkeypatch, dataset, cells, draws):
    """20 pairs here: cells × draws are bounded, and draws come in mirrored pairs."""
    monkeypatch.setattr("training.flow_backtest.CELL_DRAWS", cells)

    assert scored_draws(dataset, 1000) == draws


# --- flows without a past -------------------------------------------------------------------------------------------


def test_models_that_see_no_past_flows_are_scored_over_the_whole_matrix(dataset):
    scored = structural_scores(dataset, [2018])

    assert list(scored.columns) == STRUCTURE_COLUMNS
    assert set(scored["model"]) == {"structural_gravity", "structural_boosted"}
    assert scored["cpc"].between(0.3, 1).all()
    assert (scored["regions"] == 5).all()


def test_the_structural_models_see_no_outcome(dataset):
    flows = dataset.flows.assign(persons=dataset.flows["persons"].where(dataset.flows["year"] < 2019, 7))
    other = dataset_of(**flows_country(CODES, YEARS) | {"flows": flows[["origin", "destination", "year", "persons"]]})

    before, after = (structural_scores(one, [2017]) for one in (dataset, other))

    pd.testing.assert_frame_equal(before, after)


@pytest.mark.parametrize(
    ("years", "cutoffs"),
    [
        pytest.param(YEARS, [2015, 2016, 2017, 2018, 2019], id="the_last_five"),
        pytest.param(range(2017, 2021), [2019], id="two_years_before"),
        pytest.param(range(2019, 2021), [], id="too_short"),
    ],
)
def test_structural_models_are_scored_at_the_last_cutoffs(years, cutoffs):
    assert structural_cutoffs(dataset_of(**flows_country(CODES, years))) == cutoffs


def test_a_dataset_without_flows_has_no_scores_of_them():
    tested = backtest(dataset_of(**net_country(CODES, YEARS)), (1,), draws=20)

    assert tested.flows is None
    assert len(tested.structure) == 0
    assert set(tested.by_size["target"]) == {"net_migration"}
    every = tested.scores.set_index(["model", "cutoff"])
    sums = tested.by_size.assign(inside=tested.by_size["coverage_80"] * tested.by_size["n"])
    sums = sums.groupby(["model", "cutoff"])[["n", "abs_error", "inside"]].sum().loc[every.index]
    assert (sums["n"] == every["n"]).all()
    np.testing.assert_allclose(sums["abs_error"], every["abs_error"])
    np.testing.assert_allclose(sums["inside"] / sums["n"], every["coverage_80"])
