"""Forecasts between units are told between regions of the day: parts of a unit sum to it, newcomers are estimated."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import flow_history, sums_by
from models.flow_models import StructureModel
from models.flow_placement import Placed, in_present_regions, in_units
from models.forecaster import MigrationForecaster
from tests.tables import dataset_of, flows_country, regions_of, table

CODES = ["North", "South", "West", "East"]
YEARS = range(2010, 2021)
SPLIT = table("""
    year  predecessor  successor
    2018  South        Turkistan
    2018  South        Shymkent
""")
PART = {"Turkistan": 0.75, "Shymkent": 0.25}
INSIDE = [("Turkistan", "Shymkent", 400), ("Shymkent", "Turkistan", 300)]


def split_country() -> dict[str, pd.DataFrame]:
    """From 2018 on South is counted in two parts, of which Turkistan has three quarters of everything."""
    tables = flows_country(CODES, YEARS)
    flows, indicators = tables["flows"], tables["indicators"]
    for column in ("origin", "destination"):
        flows = divided(flows, column, "persons")
    inside = [(*pair, year, persons) for *pair, persons in INSIDE for year in range(2018, 2021)]
    return {
        "regions": pd.concat([tables["regions"], regions_of(*PART)], ignore_index=True),
        "indicators": divided(indicators[indicators["indicator"] == "population"], "region", "value"),
        "flows": pd.concat([flows, pd.DataFrame(inside, columns=flows.columns)], ignore_index=True),
        "boundary_changes": SPLIT,
    }


def divided(rows: pd.DataFrame, column: str, value: str) -> pd.DataFrame:
    touched = (rows[column] == "South") & (rows["year"] >= 2018)
    first = rows[touched].assign(
        **{column: "Turkistan", value: (rows[value] * PART["Turkistan"]).round().astype("int64")}
    )
    second = rows[touched].assign(**{column: "Shymkent", value: rows[value] - first[value]})
    return pd.concat([rows[~touched], first, second], ignore_index=True)


def new(tables: dict[str, pd.DataFrame], since: int = 2019) -> dict[str, pd.DataFrame]:
    """The population of East is known from a year on, its flows are not."""
    return tables | {
        "flows": tables["flows"].query("origin != 'East' and destination != 'East'"),
        "indicators": tables["indicators"].query(f"region != 'East' or year >= {since}"),
    }


def placed(dataset: Dataset) -> tuple[Placed, Placed]:
    """The structure between the regions of the day, and between units."""
    known = dataset.as_of(2020)
    points = StructureModel().predict(known, 2020, (1, 2))
    units = flow_history(known).regions
    return in_present_regions(known, 2020, points, units, None), in_units(known, points)


def matrix(one: Placed, horizon: int = 1) -> pd.DataFrame:
    names = pd.Index(one.pairs.regions)
    cells = np.zeros((len(names), len(names)))
    cells[one.pairs.origin, one.pairs.destination] = one.point[horizon - 1]
    return pd.DataFrame(cells, names, names)


@pytest.fixture(scope="module")
def split() -> tuple[Placed, Placed]:
    return placed(dataset_of(**split_country()))


# --- units that were split ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("horizon", [1, 2])
def test_parts_of_a_unit_sum_to_it(split, horizon):
    parts, units = (matrix(one, horizon) for one in split)
    others = ["East", "North", "West"]

    np.testing.assert_allclose(parts.loc[list(PART), others].sum(), units.loc["South", others])
    np.testing.assert_allclose(parts.loc[others, list(PART)].sum(axis=1), units.loc[others, "South"])
    np.testing.assert_allclose(parts.loc[others, others], units.loc[others, others])


def test_each_part_has_its_share_of_the_last_year(split):
    parts = matrix(split[0])

    share = parts.loc["Turkistan", ["East", "North", "West"]] / parts.loc[list(PART), ["East", "North", "West"]].sum()

    np.testing.assert_allclose(share, PART["Turkistan"], atol=0.01)


def test_flows_between_the_parts_of_a_unit_stay_as_last_recorded(split):
    parts = matrix(split[0])

    assert {(one, other): parts.loc[one, other] for one, other, _ in INSIDE} == {
        (one, other): persons for one, other, persons in INSIDE
    }


def test_what_touches_a_part_is_estimated_and_nothing_else(split):
    pairs, basis = split[0].pairs, split[0].basis
    names = np.array(pairs.regions)
    touched = np.isin(names[pairs.origin], list(PART)) | np.isin(names[pairs.destination], list(PART))

    assert set(basis[touched]) == {"estimated"}
    assert set(basis[~touched]) == {"official"}


def test_regions_that_no_longer_stand_are_not_listed(split):
    assert split[0].pairs.regions == ("East", "North", "Shymkent", "Turkistan", "West")
    assert split[1].pairs.regions == ("East", "North", "South", "West")


def test_parts_share_the_shocks_of_their_unit(split):
    pairs, units = split[0].pairs, split[1].pairs.regions
    names = np.array(pairs.regions)
    unit = {origin: units[of] for origin, of in zip(names[pairs.origin], pairs.unit_origin, strict=True)}

    assert unit == {one: "South" if one in PART else one for one in names}


def test_pairs_are_sorted(split):
    for one in split:
        assert (np.diff(one.pairs.origin * len(one.pairs.regions) + one.pairs.destination) > 0).all()


def test_without_boundary_changes_nothing_is_placed_elsewhere():
    regions, units = placed(dataset_of(**flows_country(CODES, YEARS)))

    pd.testing.assert_frame_equal(matrix(regions), matrix(units))
    assert set(regions.basis) == {"official"}


# --- in whole forecasts ---------------------------------------------------------------------------------------------


def forecast(tables: dict[str, pd.DataFrame]):
    served = {("flow", horizon): "margins" for horizon in (1, 2)}
    dataset = dataset_of(**tables)
    return MigrationForecaster(served, (1, 2), draws=100).fit(dataset, 2020).predict(dataset, 2020, (1, 2))


def test_flows_inside_a_unit_are_part_of_the_sums_of_its_parts():
    said = forecast(split_country())
    flows, out = said.flows, said.targets["out_migration"]

    np.testing.assert_array_equal(sums_by(flows.origin, flows.draws(), 5), out.draws)
    assert {out.basis[part] for part in PART} == {"estimated"}
    assert out.basis["North"] == "official"


@pytest.fixture(scope="module")
def newcomer():
    return forecast(new(flows_country(CODES, YEARS)))


def test_a_region_without_a_history_gets_estimated_flows(newcomer):
    flows = newcomer.flows
    east = flows.regions.index("East")
    touched = (flows.origin == east) | (flows.destination == east)

    assert flows.regions == ("East", "North", "South", "West")
    assert set(flows.basis[touched]) == {"estimated"}
    assert set(flows.basis[~touched]) == {"official"}
    assert (flows.median[:, touched].sum(axis=1) > 0).all()
    assert newcomer.targets["inflow"].basis["East"] == "estimated"


def test_a_region_that_was_there_all_along_without_a_flow_is_no_newcomer():
    flows = forecast(new(flows_country(CODES, YEARS), since=YEARS[0])).flows

    assert "estimated" not in set(flows.basis)
    assert len(flows.origin) == 6


def test_flows_of_the_others_are_as_they_would_be_without_it(newcomer):
    tables = new(flows_country(CODES, YEARS))
    without = tables | {
        "regions": tables["regions"].query("region != 'East'"),
        "indicators": tables["indicators"].query("region != 'East'"),
    }

    alone = forecast(without).flow_table()
    beside = newcomer.flow_table().query("origin != 'East' and destination != 'East'")

    middle, other = (
        one[one["quantile"] == 0.5].astype({"origin": "str", "destination": "str"}).reset_index(drop=True)
        for one in (alone, beside)
    )
    assert middle["origin"].tolist() == other["origin"].tolist()
    np.testing.assert_allclose(other["value"], middle["value"], rtol=0.05, atol=5)


def test_parts_of_a_split_unit_are_no_newcomers():
    """East has no history; the parts of South have that of their unit, and each pair is told once."""
    flows = forecast(new(split_country())).flows
    pairs = pd.DataFrame({"origin": flows.origin, "destination": flows.destination})

    assert not pairs.duplicated().any()
    assert len(pairs) == 5 * 4


def test_a_region_that_lost_all_its_flows_is_listed():
    """West had flows until 2015 and none since."""
    tables = flows_country(CODES, YEARS)
    touched = (tables["flows"]["origin"] == "West") | (tables["flows"]["destination"] == "West")
    faded = tables["flows"][~touched | (tables["flows"]["year"] <= 2015)]

    said = forecast(tables | {"flows": faded})

    assert said.flows.regions == ("East", "North", "South", "West")
    assert said.targets["inflow"].quantiles((0.5,))[0, :, 3].tolist() == [0, 0]
