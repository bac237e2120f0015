"""An audit finds what is wrong with a record, and nothing where nothing is."""

from dataclasses import replace

import pytest

from features.accounts import balanced_record
from features.audit import audit
from tests.tables import dataset_of, flows_country, small_country


@pytest.fixture(scope="module")
def dataset():
    return dataset_of(**small_country())


@pytest.fixture(scope="module")
def record(dataset):
    return balanced_record(dataset, draws=4)


def moved(record, origin: str, destination: str, persons: int):
    """A record with more persons in a flow of its first year."""
    tables = record.tables.copy()
    tables[0, record.parts.index(origin), record.parts.index(destination)] += persons
    return replace(record, tables=tables)


def test_a_balanced_record_has_no_fault(record, dataset):
    found = audit(record, dataset)

    assert (found.faults, found.identity_gap, found.balance_gap) == ((), 0, 0)
    assert found.balances == 9
    assert found.contradictions.empty


def test_a_balance_that_is_not_as_stated_is_a_fault(record, dataset):
    found = audit(moved(record, "North", "South", 7), dataset)

    assert found.faults == (
        "North, 2018: balance of scope all is -507; must be -500",
        "South, 2018: balance of scope all is -293; must be -300",
    )
    assert found.balance_gap == 7


def test_a_recorded_flow_that_is_changed_is_a_fault():
    tables = flows_country(["A", "B", "C"], range(2019, 2021))
    dataset = dataset_of(**tables)
    record = balanced_record(dataset, draws=2)

    (fault,) = audit(moved(record, "A", "B", 5), dataset).faults

    assert audit(record, dataset).faults == ()
    assert fault.startswith("A → B, 2019:")
    assert fault.endswith(f"{tables['flows']['persons'].iloc[0]:,}, as recorded")
