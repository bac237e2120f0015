"""The correction learns what the last years say of the next, and leaves who arrives and how many move as they are."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import flow_history, sums_by
from models.destination_choice import structure
from models.flow_correction import MIN_CUTOFFS, fitted_correction, momentum
from models.flow_models import CorrectedModel, StructureModel
from tests.tables import dataset_of, flows_country, population_of, regions_of

CODES = list("ABCDEFGHIJ")
YEARS = range(2005, 2021)


def lasting(seed: int = 0, growth: float = 0.05) -> Dataset:
    """Departures of each region go on as they went: each region's share grows or falls for all years."""
    rng = np.random.default_rng(seed)
    trend = rng.normal(0, growth, len(CODES))
    size = rng.lognormal(0, 0.6, len(CODES))
    rows = []
    for t, year in enumerate(YEARS):
        leaving = size * np.exp(trend * t)
        flows = rng.poisson(2_000 * np.outer(leaving / leaving.mean(), size / size.mean()))
        rows += [
            (origin, destination, year, flows[i, j])
            for i, origin in enumerate(CODES)
            for j, destination in enumerate(CODES)
            if i != j
        ]
    flows = pd.DataFrame(rows, columns=["origin", "destination", "year", "persons"])
    return dataset_of(regions=regions_of(*CODES), indicators=population_of(CODES, YEARS), flows=flows)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(**flows_country(["A", "B", "C", "D", "E"], YEARS))


@pytest.fixture(scope="module")
def growing() -> Dataset:
    return lasting()


def missed(dataset: Dataset, model, cutoff: int, horizon: int) -> float:
    """Sum of absolute errors at last year's level, by which the level's own error is left out."""
    said = model.fit(dataset, cutoff, (horizon,)).predict(dataset, cutoff, (horizon,))[0]
    outcome = flow_history(dataset).year(cutoff + horizon)
    return float(np.abs(said * outcome.sum() / said.sum() - outcome).sum())


@pytest.mark.parametrize("horizon", [1, 2])
def test_arrivals_and_the_level_are_those_of_the_structure(dataset, horizon):
    known = dataset.as_of(2018)
    history, shape = flow_history(known), structure(known).smoothed

    corrected = fitted_correction(known, horizon).applied(known)

    arriving = sums_by(history.destination, shape, 5)
    np.testing.assert_allclose(sums_by(history.destination, corrected, 5), arriving)
    assert corrected.sum() == pytest.approx(shape.sum())
    assert np.abs(corrected / shape - 1).max() > 0.001


def test_a_correction_is_never_more_than_a_factor(dataset):
    known = dataset.as_of(2018)

    times = fitted_correction(known, 1).applied(known) / structure(known).smoothed

    assert times.max() <= 4
    assert times.min() >= 1 / 4


@pytest.mark.parametrize(
    ("years", "horizon", "learnt"),
    [
        pytest.param(1, 1, None, id="one_year"),
        pytest.param(MIN_CUTOFFS + 1, 1, None, id="one_cutoff_too_few"),
        pytest.param(MIN_CUTOFFS + 2, 1, MIN_CUTOFFS, id="just_enough"),
        pytest.param(MIN_CUTOFFS + 2, 2, None, id="a_later_outcome_is_not_known_yet"),
    ],
)
def test_too_few_past_cutoffs_correct_nothing(dataset, years, horizon, learnt):
    known = dataset.as_of(YEARS[0] + years - 1)

    correction = fitted_correction(known, horizon)

    assert (None if correction is None else correction.cutoffs) == learnt


def test_a_model_without_a_correction_is_the_structure(dataset):
    cutoff = YEARS[2]

    corrected, margins = (
        model.fit(dataset, cutoff, (1, 2)).predict(dataset, cutoff, (1, 2))
        for model in (CorrectedModel(), StructureModel(smoothed=True))
    )

    np.testing.assert_array_equal(corrected, margins)


@pytest.mark.parametrize(("horizon", "skill"), [(1, 0.1), (3, 0.1)])
def test_departures_that_go_on_as_they_went_are_found(growing, horizon, skill):
    corrected, margins = (
        sum(missed(growing, model, cutoff, horizon) for cutoff in (2015, 2016, 2017))
        for model in (CorrectedModel(), StructureModel(smoothed=True))
    )

    assert 1 - corrected / margins > skill


def test_where_nothing_lasts_hardly_anything_is_lost():
    steady = lasting(growth=0)

    corrected, margins = (
        sum(missed(steady, model, cutoff, 1) for cutoff in (2016, 2017, 2018, 2019))
        for model in (CorrectedModel(), StructureModel(smoothed=True))
    )

    assert corrected < 1.03 * margins


def test_what_happens_after_the_cutoff_is_not_learnt_from(dataset):
    flows = dataset.flows
    later = flows["year"] > 2016
    other = flows.assign(persons=flows["persons"].where(~later, 7 * flows["persons"].to_numpy()[::-1] + 11))
    tables = flows_country(["A", "B", "C", "D", "E"], YEARS)
    turned = dataset_of(**tables | {"flows": other[["origin", "destination", "year", "persons"]]})

    one, another = (CorrectedModel().fit(told, 2016, (1, 2)).predict(told, 2016, (1, 2)) for told in (dataset, turned))

    np.testing.assert_array_equal(one, another)


def test_what_the_past_says_does_not_depend_on_the_unit_of_counting_of_large_flows(growing):
    """Ratios are of flows at one level: ten times as many persons say the same of the next year."""
    flows = growing.flows.assign(persons=growing.flows["persons"] * 10)
    tables = {name: growing.tables()[name] for name in ("regions", "indicators")}
    tenfold = dataset_of(**tables, flows=flows[["origin", "destination", "year", "persons"]])

    one, ten = momentum(growing), momentum(tenfold)

    np.testing.assert_allclose(ten[:, 0] - one[:, 0], np.log(10), atol=0.05)
    np.testing.assert_allclose(ten[:, 9:17], one[:, 9:17], atol=0.01)


def test_the_order_of_rows_does_not_matter(dataset):
    tables = flows_country(["A", "B", "C", "D", "E"], YEARS)
    shuffled = dataset_of(**{name: frame.sample(frac=1, random_state=5) for name, frame in tables.items()})

    one, other = (CorrectedModel().fit(told, 2018, (1,)).predict(told, 2018, (1,)) for told in (dataset, shuffled))

    np.testing.assert_array_equal(one, other)
