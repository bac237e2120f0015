"""Futures of flows are as wide as past forecasts missed, and wider where few were made."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.flows import flow_history, sums_by
from models.flow_calibration import LEVEL_PRIOR, Factors, FlowCalibration, calibrated
from models.flow_models import FlowPersistence, StructureModel
from models.flow_record import SIZES, FlowRecord, flow_cutoffs, size_class
from models.size_curve import SizeCurve
from tests.tables import dataset_of, flows_country, population_of, regions_of
from training.backtest import score
from training.flow_backtest import score_flows

CODES = [f"R{number:02d}" for number in range(14)]
YEARS = range(2000, 2021)
MODELS = (FlowPersistence(), StructureModel("margins", smoothed=True))


def noisy(level: float = 0.04, share: float = 0.05, seed: int = 0, years: range = YEARS) -> Dataset:
    """A country that is drawn from what a future is: shocks to the level and to shares that last, counts around it."""
    rng = np.random.default_rng(seed)
    size = np.geomspace(8, 1, len(CODES))
    mean, rows = 30 * np.outer(size, size), []
    for year in years:
        shocks = rng.normal(0, share, (2, len(CODES)))
        mean = mean * np.exp(rng.normal(0, level)) * np.exp(shocks[0])[:, None] * np.exp(shocks[1])
        flows = rng.poisson(mean)
        rows += [
            (one, other, year, flows[i, j]) for i, one in enumerate(CODES) for j, other in enumerate(CODES) if i != j
        ]
    flows = pd.DataFrame(rows, columns=["origin", "destination", "year", "persons"])
    return dataset_of(regions=regions_of(*CODES), indicators=population_of(CODES, years), flows=flows)


def record_of(dataset: Dataset, last: int = YEARS[-1], horizons: tuple[int, ...] = (1,)) -> FlowRecord:
    cutoffs = tuple(flow_cutoffs(dataset, last))
    points = {
        cutoff: {model.name: model.predict(dataset, cutoff, horizons).astype(np.float32) for model in MODELS}
        for cutoff in cutoffs
    }
    return FlowRecord(cutoffs, horizons, points)


def calibration(
    dataset: Dataset, cutoff: int = YEARS[-1], horizon: int = 1, horizons: tuple[int, ...] = (1,)
) -> FlowCalibration:
    """Of persistence."""
    known = dataset.as_of(cutoff)
    history = flow_history(known)
    totals = tuple(sums_by(end, history.known[-1], len(CODES)) for end in (history.origin, history.destination))
    record = record_of(dataset, cutoff, horizons)
    return calibrated(record, known, "persistence", horizon, cutoff, history.regions, totals)


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return noisy()


@pytest.fixture(scope="module")
def record(dataset) -> FlowRecord:
    return record_of(dataset)


# --- coverage -------------------------------------------------------------------------------------------------------

CUTOFFS = range(2007, 2020)


@pytest.fixture(scope="module")
def covered(dataset, record) -> pd.DataFrame:
    """Scores of `margins` by target and cutoff, of a country that is drawn as futures are."""
    scored = [score_flows(dataset, record, "margins", cutoff, 200, score) for cutoff in CUTOFFS]
    return pd.DataFrame([row for one in scored for row in one.rows])


@pytest.mark.parametrize(("level", "slack"), [(50, 0.08), (80, 0.06), (90, 0.05)])
@pytest.mark.parametrize("target", ["flow", "net_migration"])
def test_intervals_cover_what_they_say_at_past_cutoffs(covered, target, level, slack):
    of_target = covered[covered["target"] == target]

    assert len(of_target) == len(CUTOFFS)
    assert of_target[f"coverage_{level}"].mean() == pytest.approx(level / 100, abs=slack)


@pytest.mark.parametrize("target", ["inflow", "out_migration"])
def test_intervals_of_totals_that_share_a_level_cover_about_what_they_say(covered, target):
    """All totals of a year miss together, so that thirteen cutoffs say less of them."""
    assert covered.loc[covered["target"] == target, "coverage_80"].mean() == pytest.approx(0.8, abs=0.12)


@pytest.mark.parametrize("half", [slice(0, 6), slice(6, 13)], ids=["early", "late"])
def test_flows_are_covered_early_as_late(covered, half):
    flows = covered[covered["target"] == "flow"].sort_values("cutoff")

    assert flows["coverage_80"].iloc[half].mean() == pytest.approx(0.8, abs=0.08)


# --- widths ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calm", "restless", "wider"),
    [
        pytest.param({"level": 0.02}, {"level": 0.2}, lambda one: one.level_width(), id="level"),
        pytest.param({"share": 0.02}, {"share": 0.15}, lambda one: np.median(one.out * one.share_width()), id="shares"),
        pytest.param({"share": 0.02}, {"share": 0.15}, lambda one: np.median(one.into * one.share_width()), id="into"),
    ],
)
def test_larger_errors_are_wider_futures(calm, restless, wider):
    narrow, wide = (wider(calibration(noisy(**shocks))) for shocks in (calm, restless))

    assert wide > 2 * narrow


def test_noise_is_wider_the_larger_a_cell(dataset):
    size = np.array([5.0, 30.0, 100.0, 400.0, 1500.0])

    width = calibration(dataset).cell_width(size)

    assert (np.diff(width) > 0).all()
    assert (np.diff(width / size) < 0).all()


def test_the_noise_of_one_outcome_is_replayed_at_its_size(dataset):
    (errors,) = record_of(dataset, 2001).errors(dataset, "persistence", 1, 2001).values()
    curve = SizeCurve.fit(errors.size, errors.cell)
    standard = errors.cell / np.sqrt(np.maximum(curve.variance(errors.size), 1.0))

    shape = calibration(dataset, 2001).shape

    assert len(standard) < 200
    np.testing.assert_allclose(shape[:, 512], np.quantile(standard, 512.5 / 1024), rtol=1e-4)
    np.testing.assert_allclose(shape.max(axis=1), np.quantile(standard, 1 - 0.5 / 1024), rtol=1e-4)


def test_n_outcomes_widen_the_level_by_one_and_an_nth(dataset):
    even = Factors(1.0, np.ones(len(SIZES) + 1), np.ones(len(SIZES) + 1))
    learnt = calibration(dataset)
    one, four, many = (learnt.widened(even, 1.0, cutoffs) for cutoffs in (1, 4, 10**9))

    np.testing.assert_allclose(one.level, np.minimum(2 * many.level, many.level[-1]))
    np.testing.assert_allclose(four.level, np.minimum(1.25 * many.level, many.level[-1]))
    np.testing.assert_array_equal(one.out, many.out)
    np.testing.assert_array_equal(one.shape, many.shape)


@pytest.mark.parametrize("cutoff", [2001, 2006, 2020])
def test_no_error_of_the_level_is_replayed_beyond_the_largest_that_was_seen(cutoff):
    """Or beyond a bad year of what stands beside them, where less was seen."""
    dataset = noisy(level=0.3)
    told = record_of(dataset, cutoff).errors(dataset, "persistence", 1, cutoff)

    level = calibration(dataset, cutoff).level

    largest = max(abs(errors.level) for errors in told.values())
    assert level.max() == pytest.approx(max(largest, 2.2414 * LEVEL_PRIOR), rel=1e-4)
    assert level.min() == 0
    assert (np.diff(level) >= 0).all()


@pytest.mark.parametrize("cutoff", [2001, 2010])
def test_no_share_shock_is_larger_than_its_total(cutoff):
    found = calibration(noisy(share=1.0), cutoff)

    assert found.out.max() <= 1
    assert found.into.max() <= 1


def test_a_horizon_without_an_outcome_grows_from_the_longest_that_has_one(dataset):
    one, two, three = (calibration(dataset, 2002, horizon, (1, 2, 3)) for horizon in (1, 2, 3))

    assert flow_history(dataset.as_of(2002)).known.shape[0] == 3
    np.testing.assert_allclose(three.shape, two.shape * np.sqrt(3 / 2), rtol=1e-5)
    assert three.curve == two.curve
    assert one.curve != two.curve


def test_without_any_outcome_it_is_said(dataset):
    known = dataset.as_of(2000)
    totals = np.ones(14), np.ones(14)

    with pytest.raises(ValueError, match="at least two years of flows are needed"):
        calibrated(record_of(dataset, 2000), known, "persistence", 1, 2000, flow_history(known).regions, totals)


def test_what_comes_after_the_cutoff_does_not_count(dataset, record):
    """A calibration from the whole record is that from the record before the cutoff."""
    known = dataset.as_of(2010)
    history = flow_history(known)
    totals = tuple(sums_by(end, history.known[-1], 14) for end in (history.origin, history.destination))

    whole, part = (
        calibrated(one, told, "persistence", 1, 2010, history.regions, totals)
        for one, told in ((record, known), (record_of(dataset, 2010), known))
    )

    for name in ("level", "out", "into", "share", "together", "shape"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(part, name))


def test_a_region_without_a_past_is_calibrated_as_its_size_lets_expect():
    tables = flows_country(["A", "B", "C", "D"], range(2010, 2021))
    dataset = dataset_of(**tables)
    history = flow_history(dataset)
    totals = tuple(np.append(sums_by(end, history.known[-1], 4), 1.0) for end in (history.origin, history.destination))

    found = calibrated(
        record_of(dataset, 2020), dataset.as_of(2020), "persistence", 1, 2020, (*history.regions, "New"), totals
    )

    assert found.regions == ("A", "B", "C", "D", "New")
    assert np.isfinite(found.out).all()
    assert np.isfinite(found.into).all()
    assert found.out[-1] > 0


# --- the record -----------------------------------------------------------------------------------------------------


def test_a_perfect_forecast_missed_nothing(dataset):
    history = flow_history(dataset)
    record = FlowRecord((2019,), (1,), {2019: {"oracle": history.year(2020)[None].astype(np.float32)}})

    (errors,) = record.errors(dataset, "oracle", 1, 2020).values()

    assert errors.level == 0
    for name in ("out", "into", "out_missed", "into_missed", "missed"):
        np.testing.assert_array_equal(getattr(errors, name), 0)
    assert np.abs(errors.cell).max() < 0.1


def test_a_forecast_that_misses_the_level_alone_misses_no_share(dataset):
    outcome = flow_history(dataset).year(2020)
    record = FlowRecord((2019,), (1,), {2019: {"half": outcome[None] / 2}})

    (errors,) = record.errors(dataset, "half", 1, 2020).values()

    assert errors.level == pytest.approx(np.log(2))
    np.testing.assert_allclose(errors.out, 0, atol=1e-6)
    np.testing.assert_allclose(errors.out_missed, errors.out_total)


def test_only_outcomes_that_are_known_are_errors(dataset, record):
    assert list(record.errors(dataset, "persistence", 1, 2005)) == [2000, 2001, 2002, 2003, 2004]
    assert list(record.before(2003).errors(dataset, "persistence", 1, 2005)) == [2000, 2001, 2002]
    assert not record.taught(dataset, 2000)
    assert record.taught(dataset, 2001)


def test_classes_of_size_are_of_the_forecast():
    assert size_class(np.array([0.0, 0.4, 0.5, 19.9, 20, 49, 50, 20_000])).tolist() == [0, 0, 1, 1, 2, 2, 3, 7]
