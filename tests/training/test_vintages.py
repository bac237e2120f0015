"""Sealed forecasts: written once, found out when changed, scored when new figures come."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from features.dataset import load_dataset
from tests.tables import flows_country, net_country, write_folder
from training.config import load_config
from training.run import train
from training.scoreboard import read_scoreboard, vintage_scores, write_scoreboard
from training.vintages import INDEX, VintageError, read_vintage, seal, vintages
from training.vintages_command import score_metrics, score_report

CODES = ["A", "B", "C", "D"]
WHO = {"model": "qonys-example", "version": "1", "run_id": "run", "reason": "there was no champion"}


def until(year: int, tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """What is known of the tables at the end of a year."""
    return {name: table[table["year"] <= year] if "year" in table else table for name, table in tables.items()}


def trained_on(folder, horizons: str, **tables: pd.DataFrame):
    settings = ["draws=40", f"horizons={horizons}", "boosted.rounds=5", "advice=false"]
    bundle, _ = train(load_config(settings, data=write_folder(folder, **tables)))
    return bundle


@pytest.fixture(scope="module")
def country() -> dict[str, pd.DataFrame]:
    return net_country(CODES, range(2008, 2021))


@pytest.fixture(scope="module")
def bundle(country, tmp_path_factory):
    """Trained when 2018 was the last year."""
    return trained_on(tmp_path_factory.mktemp("known"), "[1, 2]", **until(2018, country))


@pytest.fixture(scope="module")
def later(country, tmp_path_factory):
    return load_dataset(write_folder(tmp_path_factory.mktemp("later"), **country))


def test_a_forecast_is_sealed_once(bundle, tmp_path):
    first = seal(bundle, tmp_path, **WHO)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}

    assert seal(bundle, tmp_path, **(WHO | {"version": "2"})) == first
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == files
    assert vintages(tmp_path) == [first]
    assert first.name.startswith("2018-")
    assert first.data_until == 2018


def test_a_clock_that_is_set_back_loses_no_vintage_and_changes_no_order(bundle, tmp_path, monkeypatch):
    other = replace(bundle, forecaster=replace(bundle.forecaster, seed=bundle.forecaster.seed + 1))
    clock = iter((datetime(2030, 1, 1, tzinfo=UTC), datetime(2001, 1, 1, tzinfo=UTC)))

    class Clock(datetime):
        @classmethod
        def now(cls, tz=None):  # noqa: ARG003
            return next(clock)

    monkeypatch.setattr("training.vintages.datetime", Clock)
    sealed = [seal(bundle, tmp_path, **WHO), seal(other, tmp_path, **(WHO | {"version": "2"}))]

    assert vintages(tmp_path) == sealed
    assert [vintage.sealed[:4] for vintage in sealed] == ["2030", "2001"]
    assert all(len(read_vintage(vintage, tmp_path)) for vintage in sealed)


def test_a_sealing_that_was_stopped_is_completed_by_the_next(bundle, tmp_path):
    sealed = seal(bundle, tmp_path, **WHO)
    (tmp_path / INDEX).unlink()

    assert seal(bundle, tmp_path, **(WHO | {"version": "2"})) == sealed
    assert vintages(tmp_path) == [sealed]


def test_what_is_sealed_is_the_forecast_and_the_value_that_would_stay(bundle, country, tmp_path):
    sealed = read_vintage(seal(bundle, tmp_path, **WHO), tmp_path).query("horizon == 1").set_index("region")
    last = country["movements"].query("year == 2018").set_index("region")["persons"]

    assert np.allclose(sealed["persistence"], last[sealed.index], atol=0.06)
    assert list(sealed["q50"]) == bundle.forecast.targets["net_migration"].quantiles()[3, 0].tolist()


def test_a_change_after_sealing_is_found_out(bundle, tmp_path):
    vintage = seal(bundle, tmp_path, **WHO)
    path = vintage.path(tmp_path, ".parquet")
    table = pd.read_parquet(path)
    path.unlink()
    table.assign(q50=table["q50"] + 1).to_parquet(path, index=False)

    with pytest.raises(VintageError, match=r"2018-.*\.parquet: was changed after it was sealed"):
        read_vintage(vintage, tmp_path)


def test_a_line_that_is_no_vintage_is_named(tmp_path):
    (tmp_path / INDEX).write_text('{"dataset": "example"}\n', "utf-8")

    with pytest.raises(VintageError, match="line 1"):
        vintages(tmp_path)


def test_new_figures_score_it_beside_persistence(bundle, later, country, tmp_path):
    vintage = seal(bundle, tmp_path, **WHO)
    sealed = read_vintage(vintage, tmp_path).query("horizon == 2").set_index("region")
    came = country["movements"].query("year == 2020").set_index("region")["persons"]

    scores = vintage_scores([vintage], tmp_path, later).set_index("horizon")

    assert list(scores["year"]) == [2019, 2020]
    assert not scores["hindsight"].any()
    error, last = ((came - sealed[name]).abs().sum() for name in ("q50", "persistence"))
    assert scores.loc[2, "abs_error"] == pytest.approx(error)
    assert scores.loc[2, "skill"] == pytest.approx(1 - error / last)
    inside = came.between(sealed["q10"], sealed["q90"])
    assert scores.loc[2, "coverage_80"] == inside.mean()


def test_without_new_figures_there_is_nothing_to_score(bundle, tmp_path):
    scores = vintage_scores([seal(bundle, tmp_path, **WHO)], tmp_path, bundle.dataset)

    assert len(scores) == 0
    assert score_report(scores) == "no outcome of a sealed forecast is known yet"


def test_what_was_known_when_it_was_sealed_is_hindsight(bundle, later, tmp_path):
    """The same cutoff, when figures up to 2020 were there already."""
    scores = vintage_scores([seal(replace(bundle, dataset=later), tmp_path, **WHO)], tmp_path, later)

    assert scores["hindsight"].all()
    assert "in hindsight" in score_report(scores)
    assert score_metrics(scores) == {"vintages": 1}


def test_a_region_that_was_split_since_is_summed(bundle, later, country, tmp_path):
    vintage = seal(bundle, tmp_path, **WHO)
    place = country["regions"].query("region == 'D'")
    parts = {
        "regions": pd.concat([country["regions"], *(place.replace("D", name) for name in ("D1", "D2"))]),
        "boundary_changes": pd.DataFrame({"year": [2019, 2019], "predecessor": ["D", "D"], "successor": ["D1", "D2"]}),
    }
    for name, value in (("movements", "persons"), ("indicators", "value")):
        rows = country[name]
        own = rows[(rows["region"] == "D") & (rows["year"] >= 2019)]
        first = own.assign(region="D1", **{value: own[value] // 2})
        second = own.assign(region="D2", **{value: own[value] - own[value] // 2})
        parts[name] = pd.concat([rows.drop(own.index), first, second])
    split = load_dataset(write_folder(tmp_path / "split", **parts))

    scores = vintage_scores([vintage], tmp_path, split)

    pd.testing.assert_frame_equal(scores, vintage_scores([vintage], tmp_path, later))


def test_flows_are_scored_too(tmp_path):
    tables = flows_country(CODES, range(2014, 2021))
    made = trained_on(tmp_path / "known", "[1]", **until(2019, tables))
    vintage = seal(made, tmp_path, **WHO)

    scores = vintage_scores([vintage], tmp_path, load_dataset(write_folder(tmp_path / "later", **tables)))

    flow = scores.set_index("target").loc["flow"]
    assert (flow["n"], flow["n_persistence"], flow["year"]) == (12, 12, 2020)
    assert set(scores["target"]) == {"flow", "inflow", "out_migration", "net_migration"}
    last, came = (
        tables["flows"].query(f"year == {year}").set_index(["origin", "destination"]) for year in (2019, 2020)
    )
    assert flow["error_persistence"] == pytest.approx((came["persons"] - last["persons"]).abs().sum())


def test_the_scoreboard_keeps_other_datasets(bundle, later, tmp_path):
    vintage = seal(bundle, tmp_path, **WHO)
    scores = vintage_scores([vintage], tmp_path, later)
    assert read_scoreboard(tmp_path)["scores"] == []
    write_scoreboard(scores.assign(dataset="other"), [vintage], tmp_path, replace(later, name="other"))

    write_scoreboard(scores, [vintage], tmp_path, later)

    board = json.loads((tmp_path / "scoreboard.json").read_text("utf-8"))
    assert [row["dataset"] for row in board["scores"]] == ["other", "other", "example", "example"]
    assert set(board["datasets"]) == {"other", "example"}
    assert board["vintages"][0]["name"] == vintage.name
