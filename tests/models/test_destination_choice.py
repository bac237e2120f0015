"""The structure of flows: cells smoothed by their size, with last year's totals and level."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import flow_history, sums_by
from models.destination_choice import structure
from models.out_migration import last_totals, smoothed_totals
from tests.tables import dataset_of, flows_country

CODES = ["A", "B", "C", "D", "E"]
YEARS = range(2012, 2021)


def country(codes: list[str] = CODES, years: range = YEARS, below: int = 0, times: int = 1) -> Dataset:
    """Flows `times` as large, without those below a number of persons."""
    tables = flows_country(codes, years)
    flows = tables["flows"].assign(persons=tables["flows"]["persons"] * times)
    return dataset_of(**tables | {"flows": flows[flows["persons"] >= below]})


def steady(mean: float, seed: int = 0) -> Dataset:
    """Flows of one size between all regions, that are counted anew every year."""
    tables = flows_country(CODES, YEARS)
    persons = np.random.default_rng(seed).poisson(mean, len(tables["flows"]))
    return dataset_of(**tables | {"flows": tables["flows"].assign(persons=persons)})


DATASETS = [pytest.param(country(), id="every_pair"), pytest.param(country(below=400), id="withheld")]


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_structure_has_last_years_totals(dataset):
    history, shape = flow_history(dataset), structure(dataset)

    for end, total in zip((history.origin, history.destination), last_totals(history), strict=True):
        np.testing.assert_allclose(sums_by(end, shape.raked, 5), total, rtol=1e-4)


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_structure_has_last_years_level(dataset):
    history, shape = flow_history(dataset), structure(dataset)

    for flows in (shape.raked, shape.smoothed):
        assert flows.sum() == pytest.approx(history.known[-1].sum())


@pytest.mark.parametrize("dataset", DATASETS)
def test_smoothed_totals_leave_as_many_as_arrive(dataset):
    history = flow_history(dataset)
    out, into = smoothed_totals(history)

    assert out.sum() == pytest.approx(into.sum())
    np.testing.assert_allclose(sums_by(history.destination, structure(dataset).smoothed, 5), into, rtol=1e-4)


def test_one_year_of_flows_is_what_is_expected():
    dataset = country(years=range(2020, 2021))
    shape = structure(dataset)

    for flows in (shape.raked, shape.smoothed, shape.before):
        np.testing.assert_allclose(flows, flow_history(dataset).known[-1])


def test_small_flows_of_a_steady_country_are_told_better_than_by_their_last_value():
    dataset = steady(mean=15)

    missed, missed_by_last = (
        np.abs(flows - 15).sum() for flows in (structure(dataset).smoothed, flow_history(dataset).known[-1])
    )

    assert missed < 0.75 * missed_by_last


def test_large_flows_follow_their_last_value():
    dataset = country(times=1000)

    np.testing.assert_allclose(structure(dataset).smoothed, flow_history(dataset).known[-1], rtol=0.01)


def test_doubling_every_flow_doubles_the_totals():
    once, twice = country(), country(times=2)
    history = flow_history(once)

    for end in (history.origin, history.destination):
        one, two = (sums_by(end, structure(dataset).raked, 5) for dataset in (once, twice))
        np.testing.assert_allclose(two, 2 * one, rtol=1e-4)
    assert structure(twice).smoothed.sum() == pytest.approx(2 * structure(once).smoothed.sum())


def test_relabelling_regions_permutes_the_structure():
    names = dict(zip(CODES, ["E", "C", "A", "B", "D"], strict=True))
    tables = flows_country(CODES, YEARS)
    renamed = {
        name: frame.assign(**{c: frame[c].map(names) for c in ("region", "origin", "destination") if c in frame})
        for name, frame in tables.items()
    }

    one, other = (matrix(dataset_of(**told)) for told in (tables, renamed))

    pd.testing.assert_frame_equal(one.rename(index=names, columns=names).sort_index().sort_index(axis=1), other)


def matrix(dataset: Dataset) -> pd.DataFrame:
    history = flow_history(dataset)
    flows = np.zeros((5, 5))
    flows[history.origin, history.destination] = structure(dataset).smoothed
    return pd.DataFrame(flows, list(history.regions), list(history.regions))


def test_what_the_source_would_withhold_is_expected_to_be_zero():
    """A → B was just above what is told nine years ago, and has not been told since."""
    flows = flows_country(CODES, YEARS)["flows"].query("persons >= 400")
    first, other = (flows["origin"] == "A") & (flows["destination"] == "B"), flows["year"] > YEARS[0]
    faded = flows.assign(persons=flows["persons"].where(~first, 400))[~(first & other)]

    shape = structure(dataset_of(**flows_country(CODES, YEARS) | {"flows": faded}))

    assert shape.raked[0] == shape.smoothed[0] == 0


def test_the_surprise_of_the_last_year_is_not_expected_before_it():
    """Who leaves and who arrives is as it was; only where to is another in the last year."""
    dataset = country()
    flows, last = dataset.flows, dataset.flows["year"] == 2020
    turn = {("A", "C"): 500, ("A", "D"): -500, ("B", "C"): -500, ("B", "D"): 500}
    pairs = pd.Series(list(zip(flows["origin"], flows["destination"], strict=True)))
    other = flows.assign(persons=flows["persons"] + pairs.map(turn).fillna(0).astype("int64").where(last, 0))
    tables = flows_country(CODES, YEARS) | {"flows": other[["origin", "destination", "year", "persons"]]}

    one, turned = structure(dataset), structure(dataset_of(**tables))

    np.testing.assert_allclose(turned.before, one.before)
    assert turned.raked[1] > one.raked[1] + 300
