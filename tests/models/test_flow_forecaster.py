"""Where flows are recorded every target is a sum of them, in hard cases too."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from models.flow_forecaster import flow_targets
from models.flow_models import DEFAULT, MODELS
from models.forecast import FLOW, QUANTILES, Forecast
from models.forecaster import ForecastError, MigrationForecaster
from tests.tables import dataset_of, flows_country, net_country, regions_of

CODES = ["A", "B", "C", "D"]
YEARS = range(2012, 2021)
HORIZONS = (1, 2, 3)


def country(codes: list[str] = CODES, years: range = YEARS, **tables: pd.DataFrame) -> Dataset:
    return dataset_of(**flows_country(codes, years) | tables)


def flows_of(codes: list[str] = CODES, years: range = YEARS) -> pd.DataFrame:
    return flows_country(codes, years)["flows"]


def forecast(dataset: Dataset, model: str | None = None, cutoff: int = 2020, horizons=HORIZONS) -> Forecast:
    served = {(FLOW, horizon): model for horizon in horizons} if model else {}
    return MigrationForecaster(served, horizons, draws=100).fit(dataset, cutoff).predict(dataset, cutoff, horizons)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return country()


@pytest.fixture(scope="module")
def said(dataset) -> Forecast:
    return forecast(dataset)


def test_every_target_is_a_sum_of_flows(said):
    flows = said.flows.draws()
    told = {name: one.draws for name, one in said.targets.items()}

    assert set(told) == {"inflow", "out_migration", "net_migration"}
    for region in range(4):
        np.testing.assert_array_equal(
            told["out_migration"][:, :, region], flows[:, :, said.flows.origin == region].sum(axis=2)
        )
        np.testing.assert_array_equal(
            told["inflow"][:, :, region], flows[:, :, said.flows.destination == region].sum(axis=2)
        )
    assert (told["net_migration"].sum(axis=2) == 0).all()


def test_what_nobody_chose_is_served_by_the_frozen_model(said):
    assert said.flows.models == dict.fromkeys(HORIZONS, DEFAULT)
    assert said.targets["inflow"].models == said.flows.models


@pytest.mark.parametrize("model", [model.name for model in MODELS if model.name != "corrected_part_year"])
def test_every_model_can_be_served(dataset, model):
    one = forecast(dataset, model, horizons=(1,))

    assert one.flows.models == {1: model}
    assert one.flows.draws().min() >= 0


def test_each_horizon_is_served_by_its_own_model(dataset):
    served = {(FLOW, 1): "persistence", (FLOW, 2): "structure"}
    mixed = MigrationForecaster(served, (1, 2), draws=100).fit(dataset, 2020).predict(dataset, 2020, (1, 2))
    alone = [forecast(dataset, model, horizons=(1, 2)) for model in ("persistence", "structure")]

    for h, one in enumerate(alone):
        np.testing.assert_array_equal(mixed.flows.quantiles[:, h], one.flows.quantiles[:, h])


def test_some_horizons_are_the_same_as_among_all(dataset):
    fitted = MigrationForecaster(horizons=HORIZONS, draws=100).fit(dataset, 2020)
    every, two = (fitted.predict(dataset, 2020, horizons) for horizons in (HORIZONS, (1, 3)))

    np.testing.assert_array_equal(two.flows.quantiles, every.flows.quantiles[:, [0, 2]])
    np.testing.assert_array_equal(two.flows.draws(), every.flows.draws()[:, [0, 2]])
    np.testing.assert_array_equal(two.targets["inflow"].draws, every.targets["inflow"].draws[:, [0, 2]])


def test_the_table_of_flows_has_every_pair_horizon_and_quantile(said):
    rows = said.flow_table()

    assert not rows.duplicated(["origin", "destination", "horizon", "quantile"]).any()
    assert len(rows) == 12 * len(HORIZONS) * len(QUANTILES)
    row = rows[(rows["origin"] == "A") & (rows["destination"] == "C") & (rows["year"] == 2022)]
    assert row["value"].tolist() == said.flows.quantiles[:, 1, 1].tolist()


@pytest.mark.parametrize("horizons", [pytest.param([], id="none"), pytest.param([4], id="not_fitted")])
def test_a_horizon_that_was_not_fitted_is_refused(dataset, horizons):
    fitted = MigrationForecaster({(FLOW, 1): "margins"}, (1,), draws=100).fit(dataset, 2020)

    with pytest.raises(ForecastError, match=r"must be some of \[1\]"):
        fitted.predict(dataset, 2020, horizons)


def test_relabelling_regions_permutes_the_forecast():
    """Points alone: which region has which draw depends on its place."""
    names = dict(zip(CODES, ["C", "A", "D", "B"], strict=True))
    tables = {
        name: frame.assign(**{c: frame[c].map(names) for c in ("region", "origin", "destination") if c in frame})
        for name, frame in flows_country(CODES, YEARS).items()
    }

    medians = [medians_of(forecast(dataset, "margins")) for dataset in (country(), dataset_of(**tables))]

    for (one, other), median in medians[0].items():
        np.testing.assert_allclose(medians[1][names[one], names[other]], median, rtol=0.03)


def medians_of(said: Forecast) -> dict[tuple[str, str], np.ndarray]:
    flows = said.flows
    pairs = [
        (flows.regions[one], flows.regions[other]) for one, other in zip(flows.origin, flows.destination, strict=True)
    ]
    return dict(zip(pairs, flows.median.T, strict=True))


# --- hard cases -----------------------------------------------------------------------------------------------------


def collapsed(told: bool) -> pd.DataFrame:
    """Nobody left A in the last year."""
    flows = flows_of()
    ended = (flows["origin"] == "A") & (flows["year"] == 2020)
    return flows.assign(persons=flows["persons"].where(~ended, 0)) if told else flows[~ended]


def without(origin: str, destination: str) -> pd.DataFrame:
    flows = flows_of()
    never = (flows["origin"] == origin) & (flows["destination"] == destination)
    return flows.assign(persons=flows["persons"].where(~never, 0))


HARD = [
    pytest.param(country(flows=collapsed(told=True)), id="nobody_left_last_year"),
    pytest.param(country(flows=collapsed(told=False)), id="no_row_of_departures_last_year"),
    pytest.param(country(["A", "B"]), id="two_regions"),
    pytest.param(country(flows=without("A", "B")), id="a_pair_that_is_always_zero"),
    pytest.param(country(flows=flows_of().query("persons >= 400")), id="withheld"),
    pytest.param(country(flows=flows_of().query("origin == 'A'")), id="all_leave_one_region"),
    pytest.param(country(flows=flows_of().assign(persons=flows_of()["persons"] // 200)), id="very_small"),
    pytest.param(country(flows=flows_of().query("year < 2020")), id="last_year_not_there"),
    *(pytest.param(country(years=range(2021 - n, 2021)), id=f"{n}_years") for n in (2, 3, 4)),
    pytest.param(country(regions=regions_of(*CODES, "Empty")), id="a_region_without_population_or_flows"),
]


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("dataset", HARD)
def test_hard_cases_are_forecast_within_reason(dataset):
    said = forecast(dataset)
    draws, largest = said.flows.draws(), dataset.flows["persons"].max()

    assert draws.min() >= 0
    assert draws.max() < 30 * largest
    assert (np.diff(said.flows.quantiles, axis=0) >= 0).all()
    np.testing.assert_array_equal(
        said.targets["inflow"].draws.sum(axis=2), said.targets["out_migration"].draws.sum(axis=2)
    )


def test_a_region_that_nobody_left_last_year_is_left_by_nobody():
    flows = forecast(country(flows=collapsed(told=True))).flows

    assert (flows.median[:, flows.origin == 0] == 0).all()
    assert (flows.median[:, flows.origin != 0] > 0).any()


def test_a_pair_that_never_had_a_flow_has_none():
    said = forecast(country(flows=without("A", "B")))

    assert (said.flows.draws(slice(0, 1)) == 0).mean() > 0.9
    assert said.flows.median[:, 0].tolist() == [0, 0, 0]


def test_a_year_that_was_not_collected_is_left_out():
    gap = {"years": [2016], "reason": "not collected"}
    dataset = dataset_of({"flows": [gap]}, **flows_country(CODES, YEARS) | {"flows": flows_of().query("year != 2016")})

    said = forecast(dataset)

    last = dataset.flows.query("year == 2020")["persons"].sum()
    np.testing.assert_allclose(said.flows.median.sum(axis=1), last, rtol=0.05)


@pytest.mark.parametrize("lag", [1, 2])
def test_flows_that_are_published_late_are_forecast_from(lag):
    dataset = country(flows=flows_of().assign(published=flows_of()["year"] + lag))

    said = forecast(dataset)

    last = dataset.flows.query(f"year == 2020 - {lag}")["persons"].sum()
    np.testing.assert_allclose(said.flows.median.sum(axis=1), last, rtol=0.1)


@pytest.mark.parametrize(
    ("dataset", "cutoff"),
    [
        pytest.param(dataset_of(**net_country(CODES, YEARS)), 2020, id="balances_alone"),
        pytest.param(country(years=range(2020, 2021)), 2020, id="one_year"),
        pytest.param(country(), 2023, id="ended_long_before"),
        pytest.param(country(), 2011, id="before_the_first"),
    ],
)
def test_flows_that_are_too_short_or_too_old_are_not_forecast(dataset, cutoff):
    assert flow_targets(dataset.as_of(cutoff), cutoff) == []


def test_where_nothing_can_be_said_it_is_said():
    with pytest.raises(ForecastError, match="no target has two years of values"):
        forecast(country(years=range(2020, 2021)))
