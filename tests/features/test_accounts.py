"""The balanced record: flows that agree with what is stated, in which regions can be split and merged."""

from dataclasses import replace
from functools import cache

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from features import account_gravity
from features.account_estimate import MOST_PARTS, estimate
from features.accounts import BalancedRecord, balanced_record, summed
from features.dataset import Dataset
from features.evidence import EvidenceError, evidence
from tests.tables import dataset_of, kazakhstan, population_of, regions_of

DRAWS = 4
FIRST, LAST = 2015, 2019


@cache
def country(changes: tuple[tuple[int, str, str], ...], regions: str, seed: int = 0, scope: str = "all") -> Dataset:
    """Balances that cancel, of the regions of each year; all have as many inhabitants. changes: year, before, after."""
    rng = np.random.default_rng(seed)
    ends = {code: [year for year, before, _ in changes if before == code] for code in regions.split()}
    starts = {code: [year for year, _, after in changes if after == code] for code in regions.split()}
    rows, people = [], []
    for year in range(FIRST, LAST + 1):
        standing = [
            code
            for code in regions.split()
            if year >= min(starts[code], default=FIRST) and year < min(ends[code], default=LAST + 1)
        ]
        balances = rng.integers(-900, 900, len(standing))
        balances[-1] -= balances.sum()
        rows += [(code, year, "net", scope, int(one)) for code, one in zip(standing, balances, strict=True)]
        people += [population_of([code], range(year, year + 1)) for code in standing]
    boundaries = pd.DataFrame(changes, columns=["year", "predecessor", "successor"])
    return dataset_of(
        regions=regions_of(*regions.split()),
        indicators=pd.concat(people, ignore_index=True),
        movements=pd.DataFrame(rows, columns=["region", "year", "measure", "scope", "persons"]),
        **({"boundary_changes": boundaries} if changes else {}),
    )


SPLIT = ((2017, "B", "B1"), (2017, "B", "B2"))
SPLIT_AGAIN = ((2018, "B2", "B3"), (2018, "B2", "B4"))
MERGED = ((2018, "C", "CD"), (2018, "D", "CD"))
SPLITS_AND_MERGES = [
    pytest.param((), "A B C D", id="none"),
    pytest.param(SPLIT, "A B B1 B2 C", id="split"),
    pytest.param(MERGED, "A B C D CD", id="merge"),
    pytest.param((*SPLIT, *SPLIT_AGAIN), "A B B1 B2 B3 B4 C", id="split_twice"),
    pytest.param((*SPLIT, *MERGED), "A B B1 B2 C D CD", id="split_and_merge"),
    pytest.param(((2017, "B", "X"),), "A B C X", id="renamed"),
]


@pytest.fixture(scope="module")
def embedded() -> BalancedRecord:
    return balanced_record(kazakhstan(), since=2021, draws=DRAWS)


def regional(record: BalancedRecord, year: int) -> np.ndarray:
    """Table of a year between its regions and, last, abroad; whole persons."""
    return summed(record.tables[record.years.index(year)], record.groups(record.told.standing[year]))


# --- what is stated -------------------------------------------------------------------------------------------------


def test_official_balances_are_met_to_the_person(embedded):
    movements = kazakhstan().movements
    stated = movements[(movements["measure"] == "net") & (movements["scope"] == "all")]
    stated = stated.set_index(["year", "region"])["persons"]

    for year in embedded.years:
        table = regional(embedded, year)
        found = dict(zip(embedded.told.standing[year], (table.sum(axis=0) - table.sum(axis=1))[:-1], strict=True))
        assert found == stated[year].to_dict()


def test_moves_from_and_to_abroad_are_the_country_s_to_the_person(embedded):
    rows = kazakhstan().statements
    rows = rows[(rows["scope"] == "abroad") & rows["region"].isna()]
    stated = rows.set_index(["year", "measure"])["persons"]

    for year in embedded.years:
        table = regional(embedded, year)
        assert table[-1].sum() == stated[year, "arrivals"]
        assert table[:, -1].sum() == stated[year, "departures"]


def test_arrivals_and_departures_with_moves_inside_are_met_to_the_person(embedded):
    movements = kazakhstan().movements
    stated = movements[(movements["scope"] == "within_country") & (movements["year"] == 2024)]
    stated = stated.set_index(["measure", "region"])["persons"]
    table = regional(embedded, 2024)[:-1, :-1]

    regions = embedded.told.standing[2024]
    assert dict(zip(regions, table.sum(axis=0), strict=True)) == stated["arrivals"].to_dict()
    assert dict(zip(regions, table.sum(axis=1), strict=True)) == stated["departures"].to_dict()


def test_no_cell_is_negative_and_all_are_whole_persons(embedded):
    assert embedded.tables.dtype.kind == "i"
    assert embedded.tables.min() >= 0
    assert embedded.draws.min() >= 0


def test_every_flow_lies_in_most_cases_between_its_bounds(embedded):
    flows = embedded.flows()

    assert (flows["lower"] <= flows["upper"]).all()
    assert set(flows["basis"]) == {"estimated"}
    assert len(flows) == sum(len(one) * (len(one) - 1) for one in embedded.told.standing.values())


# --- recorded flows -------------------------------------------------------------------------------------------------


def with_register(record: BalancedRecord, seed: int = 1) -> Dataset:
    """The embedded data with a register whose flows are near the record's, and agree with nothing exactly."""
    flows = record.flows()
    persons = np.random.default_rng(seed).poisson(flows["persons"])
    register = flows.assign(persons=persons, published=flows["year"], source="register")
    register["basis"] = pd.Series("official", register.index, dtype="category")
    return replace(kazakhstan(), flows=register.drop(columns=["lower", "upper"]), _known={}, _whole=None)


def test_what_a_register_records_stands_also_of_regions_that_were_split_later(embedded):
    register = with_register(embedded)
    assert "KZ-19o" in set(register.flows["origin"])

    found = balanced_record(register, since=2021, draws=DRAWS).flows()

    key = ["year", "origin", "destination"]
    pd.testing.assert_frame_equal(found[[*key, "persons"]], register.flows[[*key, "persons"]], check_dtype=False)
    assert set(found["basis"]) == {"official"}
    np.testing.assert_array_equal(found["lower"], found["persons"])
    np.testing.assert_array_equal(found["upper"], found["persons"])


def test_estimates_give_way_to_records_cell_by_cell(embedded):
    register = with_register(embedded)
    register = replace(register, flows=register.flows[register.flows["year"] >= 2023], _known={})
    known = register.flows["destination"] == "KZ-71"
    basis = np.where(known, "official", "estimated")
    some = replace(register, flows=register.flows.assign(basis=pd.Categorical(basis)), _known={})

    record = balanced_record(some, since=2023, draws=DRAWS)

    found = record.flows().set_index(["year", "origin", "destination"])
    told = register.flows[known].set_index(["year", "origin", "destination"])["persons"]
    pd.testing.assert_series_equal(found.loc[told.index, "persons"], told, check_dtype=False)
    assert (found["basis"] == "official").sum() == known.sum()
    column = record.parts.index("KZ-71")
    np.testing.assert_array_equal(np.ptp(np.delete(record.draws[:, -1, :-1, column], column, axis=1), axis=0), 0)


# --- regions that are split or merged -------------------------------------------------------------------------------


def region_of(record: BalancedRecord, year: int, part: str) -> str:
    return next(one for one in record.told.standing[year] if part in record.told.members[one])


@pytest.mark.parametrize(("changes", "regions"), SPLITS_AND_MERGES)
def test_flows_of_regions_of_the_time_are_sums_of_those_of_their_parts(changes, regions):
    record = balanced_record(country(changes, regions), draws=DRAWS)
    parts = record.flows(present=True)

    part_of = {
        (year, part): one
        for year in record.years
        for one in record.told.standing[year]
        for part in record.told.members[one]
    }
    for end in ("origin", "destination"):
        parts[end] = [part_of[key] for key in zip(parts["year"], parts[end], strict=True)]
    sums = parts[parts["origin"] != parts["destination"]].groupby(["year", "origin", "destination"])["persons"].sum()

    pd.testing.assert_series_equal(record.flows().set_index(sums.index.names)["persons"].sort_index(), sums)


@given(st.sampled_from(SPLITS_AND_MERGES), st.integers(0, 2))
@settings(max_examples=5, deadline=None)
def test_splitting_or_merging_changes_no_national_total_and_nothing_between_neighbours(case, seed):
    """A table in the regions of one year and of another: what is in both keeps its flows, its arrivals and departures,
    and its moves from and to abroad; moves in the country and abroad stay, only what is inside a region changes."""
    record = balanced_record(country(*case.values, seed=seed), draws=DRAWS)
    for before in record.told.standing.values():
        for after in record.told.standing.values():
            both = [region for region in before if region in after]
            for table in (*record.tables, *record.draws[0]):
                one, other = (summed(table, record.groups(regions)) for regions in (before, after))
                kept_one, kept_other = ([*map(regions.index, both), -1] for regions in (before, after))
                assert_same = np.testing.assert_allclose
                assert_same(one[np.ix_(kept_one, kept_one)], other[np.ix_(kept_other, kept_other)], rtol=1e-12)
                assert_same(one.sum(axis=0)[kept_one], other.sum(axis=0)[kept_other], rtol=1e-12)
                assert_same(one.sum(axis=1)[kept_one], other.sum(axis=1)[kept_other], rtol=1e-12)
                assert_same(one[:-1, :-1].sum(), other[:-1, :-1].sum(), rtol=1e-12)


# --- what must not matter -------------------------------------------------------------------------------------------


def renamed(dataset: Dataset, names: dict[str, str]) -> Dataset:
    """With other codes, and rows in another order."""
    tables = {
        name: _shuffled(table.assign(**{end: table[end].map(names) for end in _ends(table)}))
        for name, table in dataset.tables().items()
    }
    return dataset_of(**tables)


def _ends(table: pd.DataFrame) -> list[str]:
    return [one for one in ("region", "predecessor", "successor") if one in table]


def _shuffled(table: pd.DataFrame) -> pd.DataFrame:
    return table.sample(frac=1, random_state=3)


def test_names_and_order_do_not_matter():
    changes, regions = SPLITS_AND_MERGES[1].values
    dataset = country(changes, regions)
    names = dict(zip(regions.split(), ("Z", "Y", "X", "W", "V"), strict=True))
    other = renamed(dataset, names)
    told, told_other = evidence(dataset), evidence(other)

    one = estimate(dataset, told, 1, 1).tables[0]
    found = estimate(other, told_other, 1, 1).tables[0]

    place = [told_other.parts.index(names[part]) for part in told.parts] + [len(told.parts)]
    np.testing.assert_allclose(found[:, place][:, :, place], one, rtol=1e-6, atol=1e-6)


def test_all_numbers_times_ten_give_the_record_times_ten():
    """But for the last digit to which official figures are taken."""
    one, ten = (
        replace(
            dataset,
            movements=dataset.movements.assign(persons=by * dataset.movements["persons"]),
            indicators=dataset.indicators.assign(value=by * dataset.indicators["value"]),
            _known={},
        )
        for dataset in [country((), "A B C D")]
        for by in (1, 10)
    )

    tables = [estimate(dataset, evidence(dataset), 1, 1).tables[0] for dataset in (one, ten)]

    np.testing.assert_allclose(tables[1], 10 * tables[0], rtol=1e-3, atol=1)


@pytest.mark.parametrize("power", [0.5, -2.0])
def test_relative_income_cannot_move_a_record_whose_balances_are_known(monkeypatch, power):
    dataset = country((), "A B C D", scope="between_regions")
    told = evidence(dataset)
    without = estimate(dataset, told, 1, 1).tables[0]
    income, plain = np.array([1.0, 1.7, 0.6, 2.2]), account_gravity.Surroundings.gravity

    def with_income(around, *noise):
        shares = plain(around, *noise) * (income / income[:, None]) ** power
        return shares / shares.sum(axis=(2, 3), keepdims=True)

    monkeypatch.setattr(account_gravity.Surroundings, "gravity", with_income)

    np.testing.assert_allclose(estimate(dataset, told, 1, 1).tables[0], without, rtol=1e-3, atol=0.1)


def test_the_same_seed_gives_the_same_record_and_another_one_other_draws_alone():
    changes, regions = SPLITS_AND_MERGES[1].values
    datasets = [replace(country(changes, regions), _known={}) for _ in range(3)]
    one, again = (balanced_record(some, draws=DRAWS, seed=1) for some in datasets[:2])
    other = balanced_record(datasets[2], draws=DRAWS, seed=2)

    np.testing.assert_array_equal(one.tables, again.tables)
    np.testing.assert_array_equal(one.draws, again.draws)
    np.testing.assert_array_equal(one.tables, other.tables)
    assert not np.array_equal(one.draws, other.draws)


# --- what is not known yet ------------------------------------------------------------------------------------------


def test_a_vintage_knows_nothing_of_later_years():
    """Everything of a later year, or told later, is multiplied or taken away."""
    cutoff, dataset, changed = 2018, kazakhstan(), {}
    for name in ("indicators", "movements", "monthly_movements", "statements"):
        rows, value = getattr(dataset, name), "value" if name == "indicators" else "persons"
        later = (rows["year"] > cutoff) | (rows["published"] > cutoff)
        rows = rows.assign(**{value: rows[value].where(~later, 3 * rows[value] + 7)})
        changed[name] = rows[~later | (np.arange(len(rows)) % 2 == 0)]
    other = replace(dataset, **changed, _known={}, _whole=None)

    one, two = (balanced_record(some.as_of(cutoff), since=2017, draws=DRAWS) for some in (dataset, other))

    assert one.years == [2017, 2018]
    np.testing.assert_array_equal(one.tables, two.tables)
    np.testing.assert_array_equal(one.draws, two.draws)


# --- errors ---------------------------------------------------------------------------------------------------------


def test_a_dataset_with_too_few_figures_is_one_clear_error():
    whole = country((), "A B C")
    few = replace(whole, movements=whole.movements[whole.movements["region"] == "A"], _known={})

    with pytest.raises(
        EvidenceError, match="example: no year has a balance, or arrivals and departures, of every region"
    ):
        balanced_record(few)


def test_more_regions_than_can_be_estimated_are_one_clear_error():
    many = country((), " ".join(f"R{place:03}" for place in range(MOST_PARTS + 1)))

    with pytest.raises(
        EvidenceError, match=f"example: {MOST_PARTS + 1} regions; at most {MOST_PARTS} can be estimated"
    ):
        balanced_record(many)
