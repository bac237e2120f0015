"""The national level of mobility stays, drifts, or goes with the running year's months."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import flow_history
from features.part_years import part_year_level, with_running_year
from models.flow_models import CorrectedModel, flow_model, flow_models
from models.forecaster import MigrationForecaster
from models.level import CAUTION, DriftLevel, LastLevel, PartYearLevel
from tests.tables import dataset_of, flows_country, population_of, regions_of

CODES = ["A", "B", "C"]
YEARS = range(2015, 2021)


def growing(yearly: float, years: int = 9) -> Dataset:
    """A country whose every flow grows by a factor each year."""
    pairs = [(one, other) for one in CODES for other in CODES if one != other]
    rows = [(*pair, 2000 + t, round(1_000_000 * yearly**t)) for pair in pairs for t in range(years)]
    population = population_of(CODES, range(2000, 2000 + years), 100_000_000)
    flows = pd.DataFrame(rows, columns=["origin", "destination", "year", "persons"])
    return dataset_of(regions=regions_of(*CODES), indicators=population, flows=flows)


def ratio(level, dataset: Dataset, horizons=(1, 2, 3)) -> np.ndarray:
    return level.ratio(dataset, flow_history(dataset), horizons)


@pytest.mark.parametrize("yearly", [0.9, 1.0, 1.1])
def test_the_last_level_stays_whatever_the_past(yearly):
    assert ratio(LastLevel(), growing(yearly)).tolist() == [1, 1, 1]


@pytest.mark.parametrize(
    ("yearly", "sign"), [pytest.param(0.9, -1, id="falling"), (1.0, 0), pytest.param(1.1, 1, id="rising")]
)
def test_a_drift_goes_on_in_its_direction(yearly, sign):
    drift = np.log(ratio(DriftLevel(), growing(yearly)))

    np.testing.assert_array_equal(np.sign(drift.round(9)), sign)
    np.testing.assert_allclose(drift, drift[0] * np.array([1, 2, 3]), atol=1e-12)


def test_a_drift_is_drawn_to_none_the_more_the_less_was_seen():
    """After n changes by 10 % it goes on with n / (n + CAUTION) of it."""
    seen = {years - 1: np.log(ratio(DriftLevel(), growing(1.1, years))[0]) for years in (2, 5, 9)}

    for changes, drift in seen.items():
        assert drift == pytest.approx(np.log(1.1) * changes / (changes + CAUTION), rel=1e-4)


def test_one_odd_year_is_no_drift():
    dataset = growing(1.0)
    odd = dataset.flows["persons"].where(dataset.flows["year"] != 2004, 3_000_000)
    tables = {name: dataset.tables()[name] for name in ("regions", "indicators")}

    odd_year = dataset_of(**tables, flows=dataset.flows.assign(persons=odd))

    assert ratio(DriftLevel(), odd_year)[0] == pytest.approx(1)


def test_one_year_has_no_drift():
    assert ratio(DriftLevel(), growing(1.1, years=1)).tolist() == [1, 1, 1]


# --- months ---------------------------------------------------------------------------------------------------------


def with_months(running: float, first: int = 2020) -> Dataset:
    """Flows up to 2020, and the arrivals of each month from `first` to April 2021, these `running` times as many."""
    tables = flows_country(CODES, YEARS)
    last = tables["flows"].query("year == 2020").groupby("destination")["persons"].sum()
    months = [
        (code, year, month, "arrivals", "between_regions", round(persons * part))
        for code, persons in last.items()
        for year, part, until in (*((year, 1.0, 12) for year in range(first, 2021)), (2021, running, 4))
        for month in range(1, until + 1)
    ]
    columns = ["region", "year", "month", "measure", "scope", "persons"]
    return dataset_of(**tables, movements=pd.DataFrame(months, columns=columns).astype({"month": "Int64"}))


@pytest.mark.parametrize("running", [0.8, 1.25])
def test_months_of_the_running_year_are_its_level(running):
    vintage = with_months(running).as_of(2020, month=3)

    level = part_year_level(vintage)
    assert level is not None
    assert level.months == 3
    np.testing.assert_allclose(ratio(PartYearLevel(), vintage), [running] * 3, rtol=1e-3)


@pytest.mark.parametrize(
    ("vintage", "offered"),
    [
        pytest.param(with_months(1.25).as_of(2020, month=3), True, id="months_asked_for"),
        pytest.param(with_running_year(with_months(1.25), 2020).as_of(2020), True, id="months_of_a_running_year"),
        pytest.param(with_months(1.25).as_of(2020), False, id="months_not_asked_for"),
        pytest.param(with_months(1.25).as_of(2019, month=3), False, id="no_months_of_the_year_before"),
        pytest.param(dataset_of(**flows_country(CODES, YEARS)).as_of(2020, month=3), False, id="no_months"),
    ],
)
def test_the_model_of_the_running_year_is_offered_where_its_months_are_known(vintage, offered):
    names = [model.name for model in flow_models(vintage)]

    assert ("corrected_part_year" in names) == offered
    assert "corrected" in names


def test_without_months_the_level_stays():
    vintage = with_months(1.25).as_of(2020)

    assert ratio(PartYearLevel(), vintage).tolist() == [1, 1, 1]


def test_a_model_at_another_level_is_the_same_model_times_its_ratio():
    dataset = dataset_of(**flows_country(CODES, YEARS))
    last, drift = (CorrectedModel(level=level).fit(dataset, 2020, (1, 2)) for level in (LastLevel(), DriftLevel()))

    times = drift.predict(dataset, 2020, (1, 2)) / last.predict(dataset, 2020, (1, 2))

    np.testing.assert_allclose(times, np.tile(ratio(DriftLevel(), dataset, (1, 2))[:, None], (1, 6)))


@pytest.mark.parametrize("running", [0.8, 1.25])
def test_the_model_of_the_running_year_forecasts_at_the_level_of_its_months(running):
    dataset = with_running_year(with_months(running), 2020)
    model = flow_model("corrected_part_year").fit(dataset, 2020, (1, 2))

    levels = model.predict(dataset, 2020, (1, 2)).sum(axis=1)

    np.testing.assert_allclose(levels, running * flow_history(dataset).known[-1].sum(), rtol=1e-3)


def test_the_running_year_reaches_whole_forecasts():
    dataset = with_running_year(with_months(1.25, first=2015), 2020)
    served = {("flow", 1): "corrected_part_year"}

    said = MigrationForecaster(served, (1,), draws=100).fit(dataset, 2020).predict(dataset, 2020, (1,))

    last = flow_history(dataset).known[-1].sum()
    assert said.flows.models == {1: "corrected_part_year"}
    assert said.flows.median.sum() == pytest.approx(1.25 * last, rel=0.03)
