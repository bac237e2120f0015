"""Flows that are estimated: they agree with every balance, carry the record's uncertainty, and say what they are."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from models.bundle import Bundle, load_bundle, manifest_of, save_bundle
from models.coherence import settled
from models.estimated_flows import NAME, EstimatedFlows, estimates_flows, sums_of_record
from models.forecast import Forecast
from models.forecaster import MigrationForecaster
from tests.tables import dataset_of, population_of, regions_of

YEARS = range(2010, 2021)
REGIONS = ["A", "B", "C", "D"]


@cache
def country(scope: str = "all", counts: str = "within_country", first_count: int = 2018) -> Dataset:
    """Four regions with balances of a scope in every year, and arrivals and departures in the last ones."""
    rng, rows = np.random.default_rng(1), []
    for year in YEARS:
        inside = np.array([900, -300, -400, -200]) + 10 * rng.integers(-10, 10) * np.array([1, -1, 1, -1])
        abroad = rng.integers(-50, 100, size=4) if scope == "all" else np.zeros(4, dtype=int)
        for region, own, beside in zip(REGIONS, inside, abroad, strict=True):
            rows.append((region, year, "net", scope, own + beside))
            if year >= first_count and counts:
                rows.append((region, year, "arrivals", counts, 5000 + own))
                rows.append((region, year, "departures", counts, 5000))
    movements = pd.DataFrame(rows, columns=["region", "year", "measure", "scope", "persons"])
    if scope == counts:
        told = movements[movements["year"] >= first_count].pivot(
            index=["region", "year"], columns="measure", values="persons"
        )
        assert (told["arrivals"] - told["departures"] == told["net"]).all()
    return dataset_of(
        regions=regions_of(*REGIONS), indicators=population_of(REGIONS, range(2010, 2022)), movements=movements
    )


@cache
def forecast(scope: str = "all", counts: str = "within_country", first_count: int = 2018) -> Forecast:
    dataset = country(scope, counts, first_count)
    forecaster = MigrationForecaster(horizons=(1, 2), draws=100).fit(dataset, 2020)
    return forecaster.predict(dataset, 2020, [1, 2])


def balance_of_flows(made: Forecast) -> np.ndarray:
    """(draw, horizon, region), added up from the draws of flows."""
    assert made.flows is not None
    draws, regions = made.flows.draws(), range(len(made.flows.regions))
    into = np.stack([draws[:, :, made.flows.destination == region].sum(axis=2) for region in regions], axis=2)
    out = np.stack([draws[:, :, made.flows.origin == region].sum(axis=2) for region in regions], axis=2)
    return into - out


def test_flows_and_moves_abroad_make_the_forecast_balance_in_every_draw():
    made = forecast()
    assert made.flows is not None
    assert made.flows.abroad is not None

    np.testing.assert_array_equal(balance_of_flows(made) + made.flows.abroad, made.targets["net_migration"].draws)
    np.testing.assert_array_equal(balance_of_flows(made).sum(axis=2), 0)


@pytest.mark.parametrize("scope", ["within_country", "between_regions"])
def test_balances_of_one_country_are_those_of_its_flows_in_every_draw(scope):
    made = forecast(scope, "within_country")

    np.testing.assert_array_equal(balance_of_flows(made), made.targets["net_migration"].draws)


def test_sums_of_flows_are_the_targets():
    made = forecast()
    difference = made.targets["inflow"].draws - made.targets["out_migration"].draws

    np.testing.assert_array_equal(difference, balance_of_flows(made))
    assert {made.targets[target].scope for target in ("inflow", "out_migration")} == {"between_regions"}


def test_what_is_estimated_says_so():
    made = forecast()
    assert made.flows is not None

    assert set(made.flows.basis) == {"estimated"}
    assert set(made.targets["inflow"].basis.values()) == {"estimated"}
    assert set(made.targets["out_migration"].models.values()) == {NAME}
    assert NAME not in made.targets["net_migration"].models.values()


def test_counts_between_regions_keep_their_own_forecast_and_flows_have_its_margins():
    dataset = country("between_regions", "between_regions", 2010)
    made = forecast("between_regions", "between_regions", 2010)
    own = replace(MigrationForecaster(horizons=(1, 2), draws=100).fit(dataset, 2020), estimated=None)
    alone = own.predict(dataset, 2020, [1, 2])

    for target in ("inflow", "out_migration"):
        assert made.targets[target].models == alone.targets[target].models
        # Rounding moves each of a region's flows by half a person at most.
        np.testing.assert_allclose(made.targets[target].draws, alone.targets[target].draws, atol=6)
    np.testing.assert_array_equal(made.targets["net_migration"].draws, balance_of_flows(made))


def test_what_is_not_known_of_the_record_widens_the_forecast():
    dataset = country()
    fitted = MigrationForecaster(horizons=(1,), draws=200).fit(dataset, 2020)
    assert fitted.estimated is not None
    one_record = replace(fitted.estimated, tables=np.median(fitted.estimated.tables, axis=0)[None])

    def width(forecaster: MigrationForecaster) -> float:
        flows = forecaster.predict(dataset, 2020, [1]).flows
        assert flows is not None
        return float((flows.quantiles[5] - flows.quantiles[1]).sum())

    assert width(fitted) > 1.2 * width(replace(fitted, estimated=one_record))


def test_a_bundle_gives_the_same_draws(tmp_path):
    forecaster = MigrationForecaster(horizons=(1, 2), draws=100).fit(country(), 2020)
    manifest = manifest_of(country(), 2020, [], {}, (1, 2))
    made = Bundle(manifest, forecaster, country(), pd.DataFrame({"score": []}), pd.DataFrame({"score": []}))

    read = load_bundle(save_bundle(made, tmp_path))

    for flows in (made.forecast.flows, read.forecast.flows):
        assert flows is not None
        np.testing.assert_array_equal(flows.draws(), forecast().flows.draws())  # pyright: ignore


@pytest.mark.parametrize(
    ("dataset", "cutoff"),
    [
        pytest.param(country(counts=""), 2020, id="nothing_counts_moves"),
        pytest.param(country(), 2022, id="the_record_ended"),
        pytest.param(country().as_of(2017), 2017, id="not_counted_yet"),
    ],
)
def test_flows_are_not_estimated_where_there_is_too_little_to_tell_them_from(dataset, cutoff):
    assert not estimates_flows(dataset, cutoff)
    assert sums_of_record(dataset, cutoff) == []


def test_the_record_is_of_the_vintage():
    early = EstimatedFlows.fit(country().as_of(2019))

    assert early.year == 2019
    np.testing.assert_array_equal(early.tables, EstimatedFlows.fit(changed_after(2019).as_of(2019)).tables)


def changed_after(year: int) -> Dataset:
    dataset = country()
    later = dataset.movements["year"] > year
    movements = dataset.movements.assign(persons=dataset.movements["persons"].where(~later, 7))
    return replace(dataset, movements=movements, _known={}, _whole=None)


def test_whole_flows_are_settled_to_any_balances():
    rng = np.random.default_rng(0)
    flows = rng.integers(0, 50, size=(40, 5, 5))
    balances = rng.integers(-100, 100, size=(40, 5))
    balances[:, -1] -= balances.sum(axis=1)

    done = settled(flows, balances)

    np.testing.assert_array_equal(done.sum(axis=1) - done.sum(axis=2), balances)
    assert (done >= flows).all()
