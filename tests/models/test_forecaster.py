"""MigrationForecaster: whole forecasts that add up, for every kind of dataset the format allows."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from models.forecaster import MigrationForecaster, fallback, forecastable_targets
from tests.tables import dataset_of, flows_country, kazakhstan, net_country, population_of, regions_of, table

CODES = ["A", "B", "C", "D"]
YEARS = range(2013, 2021)
TARGETS = ("net_migration", "inflow", "out_migration")


def forecast(dataset: Dataset, cutoff: int = 2020, horizons=(1, 2, 3), model: str | None = None):
    served = {(target, horizon): model for target in TARGETS for horizon in horizons} if model else {}
    return MigrationForecaster(served, horizons, draws=100).fit(dataset, cutoff).predict(dataset, cutoff, horizons)


@pytest.fixture(scope="module")
def flows():
    return dataset_of(**flows_country(CODES, YEARS))


@pytest.fixture(scope="module")
def of_flows(flows):
    return forecast(flows)


@pytest.fixture(scope="module")
def of_kazakhstan():
    return forecast(kazakhstan(), cutoff=2024)


# --- what adds up ---------------------------------------------------------------------------------------------------


def test_in_every_draw_what_leaves_arrives(of_flows):
    inflow, out_migration = of_flows.targets["inflow"].draws, of_flows.targets["out_migration"].draws

    np.testing.assert_array_equal(inflow.sum(axis=2), out_migration.sum(axis=2))
    assert min(inflow.min(), out_migration.min()) >= 0


def test_in_every_draw_net_is_inflow_less_out_migration(of_flows):
    draws = {target: one.draws for target, one in of_flows.targets.items()}

    np.testing.assert_array_equal(draws["net_migration"], draws["inflow"] - draws["out_migration"])


def test_internal_balances_cancel_in_every_draw():
    movements = net_country(CODES, YEARS)["movements"].assign(scope="between_regions")
    nation = movements.groupby("year")["persons"].transform("sum").where(movements["region"] == "D", 0)
    dataset = dataset_of(
        regions=regions_of(*CODES),
        indicators=population_of(CODES, YEARS),
        movements=movements.assign(persons=movements["persons"] - nation),
    )

    assert (forecast(dataset).targets["net_migration"].draws.sum(axis=2) == 0).all()


def test_people_are_whole_numbers_and_quantiles_never_cross(of_kazakhstan):
    for target in of_kazakhstan.targets.values():
        assert target.draws.dtype == np.int64
        assert (np.diff(target.quantiles(), axis=0) >= 0).all()


def test_the_table_has_a_row_for_every_target_region_horizon_and_quantile(of_flows):
    rows = of_flows.table((0.1, 0.5, 0.9))

    assert len(rows) == 3 * 4 * 3 * 3
    assert not rows.duplicated(["target", "region", "horizon", "quantile"]).any()
    assert (rows["year"] == 2020 + rows["horizon"]).all()
    assert rows.drop(columns=["origin", "destination"]).notna().all(axis=None)


def test_kazakhstan_is_forecast_in_the_regions_of_today(of_kazakhstan):
    regions = kazakhstan().regions
    assert list(of_kazakhstan.targets["net_migration"].regions) == sorted(
        regions.loc[regions["valid_to"].isna(), "region"]
    )


def test_regions_of_today_sum_to_their_units():
    dataset = kazakhstan()
    fitted = MigrationForecaster(draws=100).fit(dataset, 2024)

    regions = fitted.predict(dataset, 2024, (1, 2)).targets["net_migration"].draws.sum(axis=2)
    units = fitted.predict_units(dataset, 2024, (1, 2)).targets["net_migration"].draws.sum(axis=2)

    np.testing.assert_allclose(regions, units, atol=20)


def test_a_region_that_is_part_of_a_unit_is_estimated(of_kazakhstan):
    basis = of_kazakhstan.targets["net_migration"].basis

    assert {code for code, told in basis.items() if told == "estimated"} == {
        *("KZ-10", "KZ-19", "KZ-33", "KZ-35", "KZ-61", "KZ-62", "KZ-63", "KZ-79")
    }
    assert basis["KZ-71"] == "official"


def test_the_median_is_the_point_forecast(flows):
    dataset = dataset_of(**net_country(CODES, YEARS))
    last = dataset.movements[dataset.movements["year"] == 2020].sort_values("region")["persons"]

    median = forecast(dataset, model="persistence").targets["net_migration"].quantiles((0.5,))[0]

    np.testing.assert_allclose(median[0], last, atol=2)


# --- what does not matter -------------------------------------------------------------------------------------------


def test_the_order_of_rows_does_not_matter(flows, of_flows):
    shuffled = {name: frame.sample(frac=1, random_state=3) for name, frame in flows_country(CODES, YEARS).items()}

    other = forecast(dataset_of(**shuffled))

    for target, one in of_flows.targets.items():
        np.testing.assert_array_equal(other.targets[target].draws, one.draws)


def test_one_horizon_alone_is_the_same_as_among_others(flows):
    fitted = MigrationForecaster(draws=100).fit(flows, 2020)

    alone, among = fitted.predict(flows, 2020, [2]), fitted.predict(flows, 2020, [1, 2, 3])

    for target, one in alone.targets.items():
        np.testing.assert_array_equal(one.draws[:, 0], among.targets[target].draws[:, 1])


def test_the_seed_chooses_futures_and_not_their_middle(flows):
    one, other = (
        MigrationForecaster(draws=4000, seed=seed).fit(flows, 2020).predict(flows, 2020, [1]) for seed in (1, 2)
    )

    assert (one.targets["inflow"].draws != other.targets["inflow"].draws).any()
    medians = [one.targets["inflow"].quantiles((0.5,)), other.targets["inflow"].quantiles((0.5,))]
    np.testing.assert_allclose(*medians, rtol=0.03)


def test_doubling_every_person_doubles_the_forecast():
    tables = net_country(CODES, YEARS)
    doubled = tables | {
        "indicators": tables["indicators"].assign(value=2 * tables["indicators"]["value"]),
        "movements": tables["movements"].assign(persons=2 * tables["movements"]["persons"]),
    }

    once, twice = (forecast(dataset_of(**one), model="persistence") for one in (tables, doubled))

    medians = [one.targets["net_migration"].quantiles((0.5,)) for one in (once, twice)]
    np.testing.assert_allclose(medians[1], 2 * medians[0], atol=3)


# --- hard cases -----------------------------------------------------------------------------------------------------


def cut(tables: dict[str, pd.DataFrame], condition: str) -> dict[str, pd.DataFrame]:
    return {name: frame if name == "regions" else frame.query(condition) for name, frame in tables.items()}


def without_moves_of(code: str) -> dict[str, pd.DataFrame]:
    tables = flows_country(CODES, YEARS)
    moved = (tables["flows"]["origin"] == code) | (tables["flows"]["destination"] == code)
    return tables | {"flows": tables["flows"].assign(persons=tables["flows"]["persons"].where(~moved, 0))}


def late_region() -> dict[str, pd.DataFrame]:
    tables = flows_country(CODES, YEARS)
    early = tables["flows"]["year"] < 2017
    flows = tables["flows"][~(early & ((tables["flows"]["origin"] == "D") | (tables["flows"]["destination"] == "D")))]
    population = tables["indicators"].query("region != 'D' or year >= 2017")
    return tables | {"flows": flows, "indicators": population}


def late_population(tables: dict[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Moves of D are known all along, its inhabitants only lately."""
    return tables | {"indicators": tables["indicators"].query("region != 'D' or year >= 2018")}


def margins(scope: str, codes: list[str] = CODES, left: list[str] = CODES) -> dict[str, pd.DataFrame]:
    """Arrivals of all, departures of those that are `left`."""
    flows = flows_country(codes, YEARS)
    arrivals = flows["flows"].groupby(["destination", "year"], as_index=False)["persons"].sum()
    departures = flows["flows"].groupby(["origin", "year"], as_index=False)["persons"].sum()
    rows = [
        arrivals.rename(columns={"destination": "region"}).assign(measure="arrivals"),
        departures.rename(columns={"origin": "region"}).query("region in @left").assign(measure="departures"),
    ]
    abroad = 500 if scope == "all" else 0
    movements = pd.concat(rows).assign(scope=scope)
    movements["persons"] += abroad * (movements["measure"] == "arrivals")
    return {"regions": flows["regions"], "indicators": flows["indicators"], "movements": movements}


def collapsed_region() -> dict[str, pd.DataFrame]:
    tables = flows_country(CODES, YEARS)
    ended = (tables["flows"]["year"] == 2020) & (tables["flows"]["origin"] == "B")
    return tables | {"flows": tables["flows"].assign(persons=tables["flows"]["persons"].where(~ended, 0))}


HARD = [
    *(
        pytest.param(cut(flows_country(CODES, YEARS), f"year > 2020 - {n}"), id=f"flows_of_{n}_years")
        for n in (2, 3, 4)
    ),
    *(
        pytest.param(cut(net_country(CODES, YEARS), f"year > 2020 - {n}"), id=f"balance_of_{n}_years")
        for n in (2, 3, 4)
    ),
    pytest.param(late_region(), id="a_region_with_moves_only_lately"),
    pytest.param(
        net_country(CODES, YEARS)
        | cut({"movements": net_country(CODES, YEARS)["movements"]}, "region != 'D' or year > 2016"),
        id="a_region_with_a_balance_only_lately",
    ),
    pytest.param(late_population(flows_country(CODES, YEARS)), id="a_region_with_a_population_only_lately"),
    pytest.param(margins("between_regions"), id="arrivals_and_departures"),
    pytest.param(margins("between_regions", left=CODES[:3]), id="departures_of_some"),
    pytest.param(without_moves_of("C"), id="a_region_where_nobody_moves"),
    pytest.param(collapsed_region(), id="a_region_that_nobody_left_last_year"),
    pytest.param(cut(flows_country(CODES, YEARS), "year < 2020"), id="last_year_not_published"),
    pytest.param(cut(net_country(CODES, YEARS), "year < 2019"), id="last_two_years_not_published"),
    pytest.param(flows_country(["A", "B"], YEARS), id="two_regions"),
    pytest.param(net_country(["A"], YEARS), id="one_region"),
    pytest.param(flows_country(CODES, YEARS) | {"regions": regions_of(*CODES, kind="city")}, id="cities_only"),
]


def published_late(tables: dict[str, pd.DataFrame], name: str) -> dict[str, pd.DataFrame]:
    return tables | {name: tables[name].assign(published=tables[name]["year"] + 1)}


@pytest.mark.parametrize("name", ["movements", "indicators"])
def test_figures_that_are_published_a_year_late_are_forecast_from(name):
    late = dataset_of(**published_late(net_country(CODES, range(2008, 2021)), name))

    assert forecast(late, model="combination").targets["net_migration"].draws.shape == (100, 3, 4)


def test_flows_that_never_change_are_forecast_with_hardly_any_spread():
    tables = flows_country(CODES, YEARS)
    constant = dataset_of(**tables | {"flows": tables["flows"].assign(persons=10)})

    quantiles = forecast(constant).targets["inflow"].quantiles()
    assert (np.abs(quantiles - 30) <= 10).all()


def test_a_break_after_quiet_years_is_replayed_at_its_own_size():
    tables = net_country(CODES, range(2000, 2021))
    rng = np.random.default_rng(1)
    quiet = tables["movements"].assign(persons=1000 + rng.integers(-20, 21, len(tables["movements"])))
    broken = quiet["persons"].where(~((quiet["region"] == "A") & (quiet["year"] >= 2016)), quiet["persons"] + 4000)

    said = forecast(dataset_of(**tables | {"movements": quiet.assign(persons=broken)}), model="persistence")
    draws = said.targets["net_migration"].draws
    assert np.abs(draws[:, :, 1:]).max() < 10_000
    assert np.abs(np.median(draws[:, :, 0], axis=0) - 5000).max() < 100


@pytest.mark.parametrize("tables", HARD)
def test_hard_cases_are_forecast_within_reason(tables):
    """By the combination, of which every other model is a member."""
    said = forecast(dataset_of(**tables), horizons=(1, 2, 3, 5), model="combination")

    known = tables.get("flows", tables.get("movements"))["persons"].abs()
    for target in said.targets.values():
        assert target.draws.shape == (100, 4, len(target.regions))
        assert target.quantiles().shape == (7, 4, len(target.regions))
        assert np.abs(target.draws).max() < 100 * known.max()


def test_before_its_first_population_a_region_has_no_rate_and_is_left_out():
    dataset = dataset_of(**late_population(margins("between_regions")))

    assert forecast(dataset, 2017).targets["inflow"].regions == ("A", "B", "C")
    assert forecast(dataset, 2020).targets["inflow"].regions == ("A", "B", "C", "D")


def test_flows_of_a_region_are_forecast_before_its_first_population():
    """Flows are persons, no rates; without them what leaves the others would not arrive."""
    dataset = dataset_of(**late_population(flows_country(CODES, YEARS)))

    assert forecast(dataset, 2017).targets["inflow"].regions == ("A", "B", "C", "D")


def test_arrivals_from_abroad_are_no_departures_of_a_region():
    """500 persons a year come to each region from abroad: the nation gains them in every draw's middle."""
    said = forecast(dataset_of(**margins("all")), model="persistence").targets

    np.testing.assert_array_equal(said["net_migration"].draws, said["inflow"].draws - said["out_migration"].draws)
    assert np.median(said["net_migration"].draws.sum(axis=2)) == pytest.approx(4 * 500, rel=0.15)


@pytest.mark.parametrize(
    ("tables", "cutoff"),
    [
        pytest.param(net_country(CODES, range(2020, 2021)), 2020, id="one_year"),
        pytest.param(net_country(CODES, YEARS), 2000, id="before_the_data"),
        pytest.param(net_country(CODES, YEARS), 2024, id="long_after_the_data"),
    ],
)
def test_where_nothing_can_be_said_it_is_said(tables, cutoff):
    with pytest.raises(ValueError, match="no target has two years of values"):
        forecast(dataset_of(**tables), cutoff)


@pytest.mark.parametrize("horizons", [pytest.param([], id="none"), pytest.param([4], id="not_fitted")])
def test_a_horizon_that_was_not_fitted_is_refused(flows, horizons):
    fitted = MigrationForecaster(draws=100).fit(flows, 2020)

    with pytest.raises(ValueError, match=r"must be some of \[1, 2, 3\]"):
        fitted.predict(flows, 2020, horizons)


def test_targets_that_are_recorded_too_shortly_are_left_out():
    tables = net_country(CODES, YEARS)
    arrivals = table("""
        region  year  measure     scope           persons
        A       2020  arrivals    within_country  5
        A       2020  departures  within_country  5
    """)
    dataset = dataset_of(**tables | {"movements": pd.concat([tables["movements"], arrivals])})

    assert forecastable_targets(dataset, 2020) == ["net_migration"]
    assert list(forecast(dataset).targets) == ["net_migration"]


def test_the_fallback_is_persistence_but_for_a_balance_without_recorded_moves(flows):
    assert [fallback(flows, target) for target in TARGETS] == ["persistence"] * 3
    assert fallback(kazakhstan(), "net_migration") == "long_mean_pull"
    assert fallback(kazakhstan(), "inflow") == "persistence"
