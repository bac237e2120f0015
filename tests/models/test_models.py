"""What every model of a region's target must do, and what each does of its own."""

import numpy as np
import pandas as pd
import pytest

from features.dataset import Dataset
from features.targets import target_history
from models.baselines import ExponentialSmoothing, MeanOfYears, Persistence
from models.boosted import BoostedRateChange
from models.net_migration import ExpertAverage, LongMeanPull
from models.track_record import models_of
from tests.tables import dataset_of, flows_country, kazakhstan, net_country, population_of, regions_of

HORIZONS = (1, 2, 3)
MODELS = [pytest.param(model, id=model.name) for model in models_of("net_migration")]
YEARS = range(2008, 2021)


def said(model, dataset: Dataset, target: str = "net_migration", cutoff: int = 2020) -> pd.DataFrame:
    return model.fit(dataset, target, cutoff, HORIZONS).predict(dataset, target, cutoff, HORIZONS)


def net_of(**series: list[int]) -> Dataset:
    """A country of regions with 100,000 inhabitants and the given balances up to 2020."""
    years = range(2021 - len(next(iter(series.values()))), 2021)
    rows = [
        (code, year, "net", "all", persons)
        for code, values in series.items()
        for year, persons in zip(years, values, strict=True)
    ]
    return dataset_of(
        regions=regions_of(*series),
        indicators=population_of(list(series), years),
        movements=pd.DataFrame(rows, columns=["region", "year", "measure", "scope", "persons"]),
    )


# --- every model ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", MODELS)
def test_a_constant_rate_stays(model):
    dataset = net_of(North=[-500] * 13, South=[700] * 13)

    np.testing.assert_allclose(said(model, dataset).loc[["North", "South"]], [[-500.0] * 3, [700.0] * 3], rtol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_regions_have_no_order(model):
    """Other codes, in another order, give the same answers under other names."""
    tables = net_country([f"R{i}" for i in range(8)], YEARS)
    other = {f"R{i}": f"R{(5 * i + 3) % 8}" for i in range(8)}
    renamed = {
        name: frame.assign(region=frame["region"].map(other)).sample(frac=1, random_state=2)
        for name, frame in tables.items()
    }

    before, after = said(model, dataset_of(**tables)), said(model, dataset_of(**renamed))

    # Trees are fitted on a sample of rows, which follows their order.
    tolerance = {"atol": 250} if model.name == "boosted" else {"rtol": 1e-9}
    np.testing.assert_allclose(after.loc[[other[code] for code in before.index]], before, **tolerance)


@pytest.mark.parametrize("model", MODELS)
def test_doubling_every_person_doubles_the_answer(model):
    tables = net_country(["A", "B", "C", "D"], YEARS)
    doubled = tables | {
        "indicators": tables["indicators"].assign(value=2 * tables["indicators"]["value"]),
        "movements": tables["movements"].assign(persons=2 * tables["movements"]["persons"]),
    }

    np.testing.assert_allclose(said(model, dataset_of(**doubled)), 2 * said(model, dataset_of(**tables)), rtol=1e-6)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("years", [1, 2, 3, 4])
def test_short_series_are_answered(model, years):
    dataset = net_of(North=list(range(-years, 0)), South=list(range(years)))

    assert np.isfinite(said(model, dataset)).all(axis=None)


@pytest.mark.parametrize("model", MODELS)
def test_a_region_that_appears_late_is_answered(model):
    tables = net_country(["A", "B", "C"], YEARS)
    late = {
        name: frame[(frame["region"] != "C") | (frame["year"] > 2017)]
        for name, frame in tables.items()
        if "year" in frame
    }

    answer = said(model, dataset_of(**tables | late))

    assert answer.index.tolist() == ["A", "B", "C"]
    assert np.isfinite(answer).all(axis=None)


@pytest.mark.parametrize("model", MODELS)
def test_a_trailing_year_that_is_not_published_leaves_the_last_value(model):
    dataset = net_of(North=[-500] * 12, South=[700] * 12)

    answer = said(model, dataset, cutoff=2021)

    np.testing.assert_allclose(answer.loc["North"], -500, rtol=1e-9)


@pytest.mark.parametrize("model", MODELS)
def test_a_region_without_any_move_is_answered(model):
    answer = said(model, net_of(North=[0] * 10, South=[0] * 10))

    assert (answer == 0).all(axis=None)


# --- baselines ------------------------------------------------------------------------------------------------------


def test_persistence_gives_the_last_rate_of_the_last_population():
    dataset = kazakhstan()
    history = target_history(dataset.as_of(2020), "net_migration")

    answer = said(Persistence(), dataset)

    expected = history.rate.loc[2020] * history.population.loc[2020] / 1000
    for horizon in HORIZONS:
        np.testing.assert_allclose(answer[horizon], expected)


def test_mean_of_years_is_of_three():
    assert said(MeanOfYears(), net_of(North=[999, 100, 200, 600])).loc["North"].tolist() == pytest.approx([300] * 3)


def test_smoothing_of_a_walk_stays_at_the_last_value():
    rng = np.random.default_rng(3)
    walk = np.cumsum(rng.normal(0, 100, 40)).round().astype(int).tolist()

    assert said(ExponentialSmoothing(), net_of(North=walk)).loc["North", 1] == pytest.approx(walk[-1], abs=30)


def test_smoothing_of_noise_goes_to_the_mean():
    noise = np.random.default_rng(3).normal(500, 100, 60).round().astype(int).tolist()

    assert said(ExponentialSmoothing(), net_of(North=noise)).loc["North", 1] == pytest.approx(500, abs=60)


# --- the balance ----------------------------------------------------------------------------------------------------


def test_the_pull_to_the_long_mean_is_frozen():
    answer = said(LongMeanPull(), net_of(North=[0, 0, 0, 400]))

    assert answer.loc["North"].tolist() == pytest.approx([400, 0.9 * 400 + 0.1 * 100, 0.8 * 400 + 0.2 * 100])


@pytest.mark.parametrize(
    ("losses", "best"),
    [
        pytest.param([[0, 0, 0], [9, 9, 9], [9, 9, 9]], 0, id="persistence"),
        pytest.param([[9] * 9, [9] * 9, [0] * 9], 2, id="long_mean"),
    ],
)
def test_expert_weights_go_to_the_better_expert(losses, best):
    weights = ExpertAverage()._weights(np.array(losses, dtype=float))

    assert weights.sum() == pytest.approx(1)
    assert weights.argmax() == best


def test_expert_weights_without_a_past_are_the_prior():
    assert ExpertAverage()._weights(np.empty((3, 0))).tolist() == [0.5, 0.25, 0.25]


def test_experts_weigh_alike_whatever_the_size_of_losses():
    losses = np.random.default_rng(1).random((3, 12))

    np.testing.assert_allclose(ExpertAverage()._weights(losses), ExpertAverage()._weights(losses * 1e6))


def test_the_average_leaves_persistence_where_rates_return_to_their_mean():
    swings = [1000 if year % 2 else -1000 for year in range(30)]

    assert abs(said(ExpertAverage(), net_of(North=swings)).loc["North", 1]) < 300


# --- trees ----------------------------------------------------------------------------------------------------------


def test_trees_learn_what_comes_back_every_time():
    """A rate that swings about its mean falls when it is high: trees see that, persistence does not."""
    rng = np.random.default_rng(0)
    series = {f"R{i}": rng.normal(0, 1000, 25).round().astype(int).tolist() for i in range(12)}
    dataset = net_of(**series)
    last = pd.Series({code: values[-1] for code, values in series.items()}).sort_index()

    change = said(BoostedRateChange(), dataset)[1] - last

    assert np.corrcoef(change, last)[0, 1] < -0.7


def test_trees_say_what_persistence_says_where_the_past_is_short():
    dataset = dataset_of(**net_country(["A", "B", "C"], range(2017, 2021)))

    pd.testing.assert_frame_equal(said(BoostedRateChange(), dataset), said(Persistence(), dataset))


def test_trees_are_the_same_every_time():
    dataset = dataset_of(**flows_country(["A", "B", "C", "D"], YEARS))

    pd.testing.assert_frame_equal(
        said(BoostedRateChange(), dataset, "inflow"), said(BoostedRateChange(), dataset, "inflow"), check_exact=True
    )


@pytest.mark.parametrize(("target", "sign"), [("inflow", 1), ("out_migration", -1)])
def test_a_higher_wage_never_lowers_inflow_nor_raises_out_migration(target, sign):
    tables = flows_country([f"R{i}" for i in range(8)], YEARS)
    dataset = dataset_of(**tables)
    fitted = BoostedRateChange().fit(dataset, target, 2020, HORIZONS)
    wages = tables["indicators"].assign(
        value=lambda rows: rows["value"].where(
            (rows["indicator"] != "average_wage") | (rows["region"] != "R3") | (rows["year"] < 2020),
            rows["value"] * 1.5,
        )
    )
    richer = dataset_of(**tables | {"indicators": wages})

    change = fitted.predict(richer, target, 2020, HORIZONS) - fitted.predict(dataset, target, 2020, HORIZONS)

    assert (sign * change.loc["R3"] >= -1e-9).all()
