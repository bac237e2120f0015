"""Nothing that was not known at a cutoff changes what is forecast from it, to the bit."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from models.advice import advice_of
from models.forecaster import MigrationForecaster
from tests.models.attracted_country import country
from tests.tables import dataset_of, flows_country, kazakhstan, net_country
from training.backtest import backtest

VALUES = {
    "indicators": "value",
    "flows": "persons",
    "movements": "persons",
    "monthly_movements": "persons",
    "statements": "persons",
    "population_by_age": "persons",
}


def with_another_future(dataset: Dataset, cutoff: int, seed: int) -> Dataset:
    """The dataset with every value of a later year, or published later, changed; rows deleted, and rows added.

    Months of the running year that are known stay.
    """
    rng = np.random.default_rng(seed)
    tables = {
        name: _another_future(getattr(dataset, name), value, cutoff, dataset.running, rng)
        for name, value in VALUES.items()
    }
    return replace(dataset, **tables, _known={}, _whole=None)


def _another_future(
    table: pd.DataFrame, value: str, cutoff: int, running: int, rng: np.random.Generator
) -> pd.DataFrame:
    later = table["year"] > cutoff
    if "published" in table:
        later |= table["published"] > cutoff
    if "month" in table:
        later &= (table["year"] != cutoff + 1) | (table["month"] > running) | (table["published"] > cutoff + 1)
    past, future = table[~later], table[later]
    whole = table[value].dtype.kind == "i"
    other = future[value] * rng.uniform(0.1, 5, len(future)) + rng.integers(1, 10_000, len(future))
    future = future.assign(**{value: other.round().astype("int64") if whole else other})
    kept = future[rng.random(len(future)) > 0.2]
    last = table[table["year"] == table["year"].max()]
    added = last.assign(year=last["year"] + 1, **({"published": last["published"] + 1} if "published" in last else {}))
    told_later = (
        past[past["year"] == cutoff].sample(frac=0) if "published" not in table else _revealed_later(past, cutoff)
    )
    return pd.concat([kept.sample(frac=1, random_state=1), added, past, told_later], ignore_index=True)


def _revealed_later(past: pd.DataFrame, cutoff: int) -> pd.DataFrame:
    """Rows of years before the cutoff that are published only after it: of years that had none before."""
    first = past[past["year"] == past["year"].min()]
    return first.assign(year=first["year"] - 1, published=cutoff + 1)


def flows_and_months(codes: list[str], years: range) -> dict[str, pd.DataFrame]:
    """Flows by year, and the arrivals of every month."""
    tables = flows_country(codes, years)
    arrivals = tables["flows"].groupby(["destination", "year"], as_index=False)["persons"].sum()
    months = arrivals.rename(columns={"destination": "region"}).merge(
        pd.DataFrame({"month": range(1, 13)}), how="cross"
    )
    months["persons"] = (months["persons"] * (6 + months["month"]) / 150).round().astype("int64")
    months = months.assign(measure="arrivals", scope="between_regions").astype({"month": "Int64"})
    return tables | {"movements": months}


def running(dataset: Dataset, months: int) -> Dataset:
    return replace(dataset, running=months, _known={})


def sparse(tables: dict[str, pd.DataFrame], below: int) -> dict[str, pd.DataFrame]:
    return tables | {"flows": tables["flows"][tables["flows"]["persons"] >= below]}


FLOWS = [
    pytest.param(dataset_of(**flows_country(["A", "B", "C", "D"], range(2008, 2021))), 2014, id="flows"),
    pytest.param(
        dataset_of(**sparse(flows_country(["A", "B", "C", "D"], range(2008, 2021)), 500)), 2015, id="flows_withheld"
    ),
    pytest.param(
        running(dataset_of(**flows_and_months(["A", "B", "C"], range(2008, 2021))), 3), 2014, id="flows_and_months"
    ),
]
DATASETS = [
    pytest.param(kazakhstan(), 2012, id="kazakhstan_2012"),
    pytest.param(kazakhstan(), 2019, id="kazakhstan_2019", marks=pytest.mark.long),
    *FLOWS,
    pytest.param(dataset_of(**net_country(["A", "B", "C"], range(2008, 2021))), 2014, id="net_only"),
]


@pytest.mark.parametrize(("dataset", "cutoff"), DATASETS)
def test_another_future_changes_no_forecast(dataset, cutoff):
    other = with_another_future(dataset, cutoff, seed=7)
    assert len(other.indicators) != len(dataset.indicators)

    said, said_other = (
        MigrationForecaster(served_everywhere(one, "combination"), draws=100)
        .fit(one, cutoff)
        .predict(one, cutoff, (1, 2, 3))
        for one in (dataset, other)
    )

    assert said.targets.keys() == said_other.targets.keys()
    for target, forecast in said.targets.items():
        assert forecast.regions == said_other.targets[target].regions
        np.testing.assert_array_equal(forecast.draws, said_other.targets[target].draws)


@pytest.mark.parametrize(
    ("dataset", "cutoff", "model"),
    [
        *(
            pytest.param(*one.values, model, id=f"{one.id}_{model}")
            for one in FLOWS
            for model in ("corrected", "corrected_drift")
        ),
        pytest.param(*FLOWS[-1].values, "corrected_part_year", id="flows_and_months_part_year"),
    ],
)
def test_another_future_changes_no_flow(dataset, cutoff, model):
    other = with_another_future(dataset, cutoff, seed=9)
    assert not other.flows.equals(dataset.flows)

    said, said_other = (
        MigrationForecaster({("flow", horizon): model for horizon in (1, 2, 3)}, draws=100)
        .fit(one, cutoff)
        .predict(one, cutoff, (1, 2, 3))
        .flows
        for one in (dataset, other)
    )

    assert said.models == dict.fromkeys((1, 2, 3), model)
    assert said.regions == said_other.regions
    for name in ("origin", "destination", "basis", "quantiles"):
        np.testing.assert_array_equal(getattr(said, name), getattr(said_other, name))
    np.testing.assert_array_equal(said.draws(), said_other.draws())


def test_another_future_changes_no_advice():
    dataset, cutoff = dataset_of(**country(pull=1.5, hold=0.5, years=range(2006, 2018))), 2015
    other = with_another_future(dataset, cutoff, seed=13)

    said, said_other = (
        advice_of(
            one, cutoff, MigrationForecaster(horizons=(1, 2), draws=20).fit(one, cutoff).predict(one, cutoff, (1, 2))
        )
        for one in (dataset, other)
    )

    assert said.scenario_model.to_texts() == said_other.scenario_model.to_texts()
    for name, table in said.drivers.tables().items():
        pd.testing.assert_frame_equal(table, said_other.drivers.tables()[name])


def test_months_of_the_future_are_changed_too():
    dataset, cutoff = FLOWS[-1].values
    other = with_another_future(dataset, cutoff, seed=9)
    key = ["region", "year", "month"]

    known, known_other = (
        one.as_of(cutoff).monthly_movements.sort_values(key, ignore_index=True) for one in (dataset, other)
    )

    assert known.loc[known["year"] == cutoff + 1, "month"].unique().tolist() == [1, 2, 3]
    pd.testing.assert_frame_equal(known, known_other)
    assert not other.monthly_movements.equals(dataset.monthly_movements)


def served_everywhere(dataset: Dataset, model: str) -> dict[tuple[str, int], str]:
    return {
        (target, horizon): model for target in ("net_migration", "inflow", "out_migration") for horizon in (1, 2, 3)
    }


@pytest.mark.parametrize(
    ("dataset", "cutoff"),
    [
        pytest.param(kazakhstan().as_of(2014), 2010, id="kazakhstan"),
        pytest.param(dataset_of(**flows_country(["A", "B", "C", "D"], range(2007, 2017))), 2012, id="flows"),
    ],
)
def test_another_future_changes_no_score_and_no_choice_of_the_past(dataset, cutoff):
    other = with_another_future(replace(dataset, cutoff=None, _known={}, _whole=None), cutoff, seed=8)
    last = int(dataset.indicators["year"].max()) - 1

    tested, tested_other = (backtest(one, (1, 2), last=last, draws=100) for one in (dataset, other))

    known, known_other = (
        run.scores[run.scores["cutoff"] + run.scores["horizon"] <= cutoff].reset_index(drop=True)
        for run in (tested, tested_other)
    )
    assert (known["model"] == "served").any()
    pd.testing.assert_frame_equal(known, known_other, check_exact=True)
    for past in [past for past in tested.choices if past <= cutoff]:
        assert tested.choices[past] == tested_other.choices[past]
