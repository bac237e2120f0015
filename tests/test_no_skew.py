"""What is served is what was trained: a bundle that is saved and loaded forecasts the same, to the bit."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from features.contracts import TABLES
from features.dataset import load_dataset, read_saved, save_dataset
from features.part_years import with_running_year
from models.bundle import Bundle, BundleError, load_bundle, manifest_of, save_bundle
from models.forecast import FlowForecast
from models.forecaster import MigrationForecaster
from tests.tables import dataset_of, flows_country, kazakhstan, write_folder
from training.config import load_config
from training.run import train

SCORES = pd.DataFrame({"cutoff": [2015]})


def content(folder: Path) -> dict[str, bytes]:
    """Bytes by file, below the one content folder, whose name is part of every path."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != "manifest.json"
    }


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = write_folder(tmp_path_factory.mktemp("data"), **flows_country(["A", "B", "C", "D"], range(2008, 2021)))
    return load_config(["draws=100", "horizons=[1, 2]"], data=folder)


@pytest.fixture(scope="module")
def trained(config):
    return train(config)[0]


@pytest.fixture(scope="module")
def saved(trained, tmp_path_factory):
    return save_bundle(trained, tmp_path_factory.mktemp("bundle"))


def assert_same_draws(one: Bundle, other: Bundle) -> None:
    """Those that a loaded bundle keeps, and those that its models make."""
    for loaded in (other.forecast, other.forecast_again()):
        assert one.forecast.targets.keys() == loaded.targets.keys()
        for target, forecast in one.forecast.targets.items():
            again = loaded.targets[target]
            np.testing.assert_array_equal(again.draws, forecast.draws)
            assert (again.regions, again.models, again.basis) == (forecast.regions, forecast.models, forecast.basis)
            assert (again.scope, again.horizons, again.cutoff) == (forecast.scope, forecast.horizons, forecast.cutoff)


def test_a_bundle_loaded_gives_the_draws_it_was_saved_with(trained, saved):
    assert_same_draws(trained, load_bundle(saved))


def test_a_bundle_loaded_gives_the_scores_and_the_manifest_it_was_saved_with(trained, saved):
    loaded = load_bundle(saved)

    assert loaded.manifest == trained.manifest
    pd.testing.assert_frame_equal(loaded.scores, trained.scores, check_exact=True)


@pytest.mark.parametrize("model", ["boosted", "combination", "expert_average"])
def test_models_that_learn_are_kept_whole(model, tmp_path):
    dataset = kazakhstan().as_of(2016)
    served = {("net_migration", horizon): model for horizon in (1, 2)}
    fitted = MigrationForecaster(served, (1, 2), draws=100).fit(dataset, 2016)
    bundle = Bundle(manifest_of(dataset, 2016, [], {}, (1, 2)), fitted, dataset, SCORES, SCORES)

    assert_same_draws(bundle, load_bundle(save_bundle(bundle, tmp_path)))


def country(years: range = range(2008, 2021), newcomer: bool = False) -> dict[str, pd.DataFrame]:
    """Flows between four regions; of D only its population of the last year is known where it is a newcomer."""
    tables = flows_country(["A", "B", "C", "D"], years)
    if not newcomer:
        return tables
    flows = tables["flows"].query("origin != 'D' and destination != 'D'")
    return tables | {"flows": flows, "indicators": tables["indicators"].query("region != 'D' or year == 2020")}


def with_months() -> dict[str, pd.DataFrame]:
    """Arrivals of January to March, in 2021 a fifth more than in the years before."""
    tables = country()
    last = tables["flows"].query("year == 2020").groupby("destination")["persons"].sum()
    rows = [
        (code, year, month, "arrivals", "between_regions", round(persons * part))
        for code, persons in last.items()
        for year, part in (*((year, 0.1) for year in range(2015, 2021)), (2021, 0.12))
        for month in (1, 2, 3)
    ]
    months = pd.DataFrame(rows, columns=["region", "year", "month", "measure", "scope", "persons"])
    return tables | {"movements": months.astype({"month": "Int64"})}


def bundle_of_flows(tables: dict[str, pd.DataFrame], *models: str) -> Bundle:
    """Served at each horizon by a model."""
    dataset = with_running_year(dataset_of(**tables), 2020)
    horizons = tuple(range(1, len(models) + 1))
    served = {("flow", horizon): model for horizon, model in zip(horizons, models, strict=True)}
    fitted = MigrationForecaster(served, horizons, draws=100).fit(dataset, 2020)
    return Bundle(manifest_of(dataset, 2020, [], {}, horizons), fitted, dataset, SCORES, SCORES)


BUNDLES = [
    pytest.param(country(), ["corrected", "margins", "structure", "persistence"], id="a_model_for_each_horizon"),
    pytest.param(country(), ["corrected_drift", "corrected"], id="two_that_share_corrections"),
    pytest.param(country(), ["mean_of_years"], id="nothing_learnt"),
    pytest.param(country(range(2018, 2021)), ["corrected", "corrected"], id="nothing_to_learn_from"),
    pytest.param(country(newcomer=True), ["corrected", "margins"], id="a_newcomer"),
    pytest.param(with_months(), ["corrected_part_year", "corrected"], id="the_level_of_the_running_year"),
]


@pytest.mark.parametrize(("tables", "models"), BUNDLES)
def test_a_bundle_of_flows_loaded_gives_the_flows_it_was_saved_with(tables, models, tmp_path):
    bundle = bundle_of_flows(tables, *models)

    loaded = load_bundle(save_bundle(bundle, tmp_path))

    for flows in (loaded.forecast.flows, loaded.forecast_again().flows):
        assert list(flows.models.values()) == models
        assert_same_flows(flows, bundle.forecast.flows)
    assert_same_draws(bundle, loaded)


def assert_same_flows(one: FlowForecast | None, other: FlowForecast | None) -> None:
    assert one is not None
    assert other is not None
    assert (one.models, one.regions) == (other.models, other.regions)
    for name in ("origin", "destination", "basis", "quantiles"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    np.testing.assert_array_equal(one.draws(), other.draws())
    np.testing.assert_array_equal(one.draws(slice(1, 3)), other.draws(slice(1, 3)))


def test_futures_that_are_too_many_to_be_kept_are_made_again(tmp_path, monkeypatch):
    monkeypatch.setattr("models.forecast_bundle.MOST_KEPT", 0)
    bundle = bundle_of_flows(country(), "margins")

    assert_same_flows(load_bundle(save_bundle(bundle, tmp_path)).forecast.flows, bundle.forecast.flows)


def test_a_dataset_that_was_checked_when_it_was_saved_is_read_as_it_would_be_checked(tmp_path):
    known = kazakhstan()
    save_dataset(known, tmp_path)

    read, checked = read_saved(tmp_path), load_dataset(tmp_path)

    for name in (*TABLES, "monthly_movements"):
        pd.testing.assert_frame_equal(getattr(read, name), getattr(checked, name), check_exact=True)
    for name in ("name", "title", "licenses", "origins", "sha256", "gaps", "revisions", "releases"):
        assert getattr(read, name) == getattr(checked, name)


@pytest.mark.parametrize(("tables", "models"), BUNDLES)
def test_nothing_in_a_bundle_of_flows_is_code(tables, models, tmp_path):
    names = content(save_bundle(bundle_of_flows(tables, *models), tmp_path))

    assert {Path(name).suffix for name in names} <= {".json", ".npz", ".txt", ".csv", ".parquet"}
    assert any("flows_calibration_h1.npz" in name for name in names)


def test_the_model_of_newcomers_is_kept_where_there_are_any(tmp_path):
    with_one, without = (
        content(save_bundle(bundle_of_flows(country(newcomer=one), "margins"), tmp_path / str(one)))
        for one in (True, False)
    )

    assert any("flows_newcomers" in name for name in with_one)
    assert not any("flows_newcomers" in name for name in without)


def test_a_bundle_of_flows_saved_twice_is_the_same_bytes(tmp_path):
    one, other = (content(save_bundle(bundle_of_flows(country(), "corrected"), tmp_path / name)) for name in "ab")

    assert one == other


def test_two_trainings_with_one_seed_leave_the_same_bytes(config, saved, tmp_path):
    again = save_bundle(train(config)[0], tmp_path)

    assert content(again) == content(saved)


@pytest.mark.long
def test_another_seed_leaves_other_bytes_but_the_same_decisions(config, trained, saved, tmp_path):
    other = load_config(["draws=100", "horizons=[1, 2]", "seed=21"], data=config.data)
    bundle = train(other)[0]

    assert content(save_bundle(bundle, tmp_path)) != content(saved)
    assert [decision.model for decision in bundle.manifest.decisions] == [
        decision.model for decision in trained.manifest.decisions
    ]


def test_training_where_nothing_was_changed_leaves_the_bundle_as_it_is(trained, saved):
    before = content(saved)

    save_bundle(trained, saved)

    assert content(saved) == before


def test_nothing_in_a_bundle_is_code(saved):
    suffixes = {Path(name).suffix for name in content(saved)}

    assert suffixes <= {".json", ".npz", ".txt", ".csv", ".parquet"}


@pytest.mark.parametrize(
    ("harm", "told"),
    [
        pytest.param(
            lambda path: path.write_bytes(path.read_bytes() + b" "), "was changed after training", id="changed"
        ),
        pytest.param(lambda path: path.unlink(), "is missing", id="missing"),
    ],
)
def test_a_damaged_bundle_is_refused(trained, tmp_path, harm, told):
    folder = save_bundle(trained, tmp_path)
    harm(next(folder.rglob("scores.csv")))

    with pytest.raises(BundleError, match=f"scores.csv: {told}"):
        load_bundle(folder)


def test_a_manifest_that_names_other_files_is_refused(trained, tmp_path):
    """Whoever changes a table and its sha256 by hand goes past what was checked."""
    folder = save_bundle(trained, tmp_path)
    table, manifest = next(folder.rglob("indicators.parquet")), folder / "manifest.json"
    before = hashlib.sha256(table.read_bytes()).hexdigest()
    table.write_bytes(table.read_bytes() + b" ")
    manifest.write_text(manifest.read_text().replace(before, hashlib.sha256(table.read_bytes()).hexdigest()))

    with pytest.raises(BundleError, match=r"manifest.json: was changed after training"):
        load_bundle(folder)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param(None, "no bundle there", id="no_manifest"),
        pytest.param("{", "must be JSON", id="half_written"),
        pytest.param('{"format": 99}', "format is 99; this version reads", id="another_format"),
    ],
)
def test_a_folder_that_is_no_bundle_is_refused(tmp_path, text, told):
    if text is not None:
        (tmp_path / "manifest.json").write_text(text)

    with pytest.raises(BundleError, match=told):
        load_bundle(tmp_path)
