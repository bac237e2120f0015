"""Structural models: flows from indicators and geography alone."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from features.dataset import YEARLY, Dataset, load_dataset
from features.pair_features import Pairs, pairs_at, regions_of
from models import structural
from models.structural import StructuralBoosted, StructuralGravity, national_level, observed_years, sign_of
from tests.tables import dataset_of, flows_country, population_of

CODES = [f"R{number:02}" for number in range(14)]
CUTOFF = 2015
MODELS = [StructuralGravity(), StructuralBoosted()]
each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.name)


def country(flow_factor: int = 1, codes: list[str] | None = None) -> dict[str, pd.DataFrame]:
    """Tables of fourteen scattered regions; small flows are withheld."""
    tables = flows_country(CODES, range(2008, 2018))
    rng = np.random.default_rng(3)
    places = {"latitude": rng.uniform(40, 50, len(CODES)), "longitude": rng.uniform(0, 12, len(CODES))}
    told = tables["flows"][tables["flows"]["persons"] > 500]
    tables |= {
        "regions": tables["regions"].assign(**places),
        "flows": told.assign(persons=told["persons"] * flow_factor),
    }
    return {name: _renamed(frame, dict(zip(CODES, codes or CODES, strict=True))) for name, frame in tables.items()}


def _renamed(frame: pd.DataFrame, names: dict[str, str]) -> pd.DataFrame:
    return frame.assign(
        **{
            column: frame[column].map(names)
            for column in ("region", "name", "origin", "destination")
            if column in frame
        }
    )


@pytest.fixture(scope="module")
def dataset() -> Dataset:
    return dataset_of(**country())


@pytest.fixture(scope="module")
def fitted(dataset) -> dict[str, StructuralGravity | StructuralBoosted]:
    return {model.name: model.fit(dataset, CUTOFF) for model in MODELS}


# --- what is forecast -----------------------------------------------------------------------------------------------


@each_model
def test_a_forecast_sums_to_the_last_known_year_and_nobody_moves_to_where_they_are(model, dataset, fitted):
    flows = fitted[model.name].predict(dataset, CUTOFF)

    assert flows.shape == (14, 14)
    assert flows.dtype == np.float32
    assert flows.sum(dtype="float64") == pytest.approx(national_level(dataset, CUTOFF), rel=1e-5)
    assert (np.diag(flows) == 0).all()
    assert (flows >= 0).all()


@each_model
def test_destination_choice_of_every_origin_sums_to_one(model, dataset, fitted):
    choice = fitted[model.name].destination_choice(pairs_at(dataset, CUTOFF))

    assert choice.sum(axis=1) == pytest.approx(np.ones(14), rel=1e-5)


@each_model
def test_a_forecast_is_level_times_origin_share_times_destination_choice(model, dataset, fitted):
    flows = fitted[model.name].predict(dataset, CUTOFF)

    choice = fitted[model.name].destination_choice(pairs_at(dataset, CUTOFF))

    assert flows.sum(axis=1)[:, None] * choice == pytest.approx(flows, rel=1e-4)


@each_model
def test_what_is_not_known_at_the_cutoff_changes_nothing(model, dataset, fitted):
    other = _with_another_future(dataset)

    assert np.array_equal(model.fit(other, CUTOFF).predict(other, CUTOFF), fitted[model.name].predict(dataset, CUTOFF))


def _with_another_future(dataset: Dataset) -> Dataset:
    tables = {name: getattr(dataset, name) for name in YEARLY if len(getattr(dataset, name))}
    values = {"indicators": "value", "flows": "persons"}
    changed = {
        name: frame.assign(**{values[name]: frame[values[name]].where(frame["published"] <= CUTOFF, 12_345)})
        for name, frame in tables.items()
    }
    return replace(dataset, **changed, _known={}, _whole=None)


@pytest.mark.parametrize(
    ("model", "common_part"),
    [
        pytest.param(StructuralGravity(), 0.9999, id="structural_gravity"),
        # Of splits that part few regions equally well, the trees take either, by the last digit of a sum.
        pytest.param(StructuralBoosted(), 0.98, id="structural_boosted"),
    ],
)
def test_other_names_and_another_order_of_regions_permute_the_answer(model, common_part, dataset, fitted):
    renamed = dataset_of(**country(codes=CODES[::-1]))

    flows = model.fit(renamed, CUTOFF).predict(renamed, CUTOFF)[::-1, ::-1]

    as_before = fitted[model.name].predict(dataset, CUTOFF)
    assert np.minimum(flows, as_before).sum() > common_part * as_before.sum()


@each_model
def test_doubling_all_flows_doubles_the_forecast(model, dataset, fitted):
    doubled = dataset_of(**country(flow_factor=2))

    flows = model.fit(doubled, CUTOFF).predict(doubled, CUTOFF)

    assert flows == pytest.approx(2 * fitted[model.name].predict(dataset, CUTOFF), rel=1e-5)


@each_model
def test_the_saved_text_forecasts_the_same(model, dataset, fitted):
    texts = fitted[model.name].to_texts()

    again = type(model).from_texts(texts)

    assert np.array_equal(again.predict(dataset, CUTOFF), fitted[model.name].predict(dataset, CUTOFF))


@each_model
def test_a_region_without_history_is_forecast_but_not_learnt_from(model, dataset, fitted):
    tables = country()
    new = tables["regions"].tail(1).assign(region="R99", name="R99", longitude=6.0, latitude=45.0)
    people = pd.concat([tables["indicators"], population_of(["R99"], range(2008, 2018), 300_000)])
    larger = dataset_of(**tables | {"regions": pd.concat([tables["regions"], new]), "indicators": people})

    model = model.fit(larger, CUTOFF)
    flows = model.predict(larger, CUTOFF)

    assert regions_of(larger, CUTOFF)[-1] == "R99"
    assert (flows[-1, :-1] > 0).all()
    assert (flows[:-1, -1] > 0).all()
    assert "R99" not in observed_years(larger, CUTOFF)[-1].pairs.table.index


@each_model
@pytest.mark.parametrize(
    ("codes", "only_population"),
    [
        pytest.param(["A", "B"], True, id="two_alike_regions"),
        pytest.param(["A", "B", "C", "D"], False, id="four_regions"),
        pytest.param(CODES, True, id="nothing_but_population"),
    ],
)
def test_a_country_of_which_little_is_known_is_forecast(model, codes, only_population):
    tables = flows_country(codes, range(2012, 2016))
    if only_population:
        tables["indicators"] = population_of(codes, range(2012, 2016))
    small = dataset_of(**tables)

    flows = model.fit(small, 2014).predict(small, 2014)

    assert flows.sum() == pytest.approx(national_level(small, 2014), rel=1e-4)


@each_model
@pytest.mark.parametrize(
    "nothing",
    [
        pytest.param(lambda: (load_dataset(), 2020), id="balances_only"),
        pytest.param(lambda: (dataset_of(**country()), 2008), id="population_of_the_year_before_unknown"),
    ],
)
def test_without_flows_to_learn_from_the_user_is_told(model, nothing):
    dataset, cutoff = nothing()

    with pytest.raises(ValueError, match=rf"{dataset.name}: no flows up to {cutoff}"):
        model.fit(dataset, cutoff)


# --- gravity --------------------------------------------------------------------------------------------------------


def test_gravity_is_what_statsmodels_fits(dataset, fitted):
    statsmodels = pytest.importorskip("statsmodels.api")
    gravity = fitted["structural_gravity"].gravity
    years = observed_years(dataset, CUTOFF)
    features, flows, weights = structural.training_rows(
        years, [structural.all_pairs(y) for y in years], gravity.columns
    )
    used = np.array(gravity.coefficients) != 0
    table = statsmodels.add_constant(np.nan_to_num(features[:, used].astype("float64")))

    other = statsmodels.GLM(flows, table, family=statsmodels.families.Poisson(), freq_weights=weights).fit()

    assert used.sum() >= 6
    ours = [gravity.intercept, *np.array(gravity.coefficients)[used]]
    assert ours == pytest.approx(other.params, rel=1e-4, abs=1e-5)


def test_indicators_are_left_out_of_gravity_where_regions_are_too_few_to_tell_them_apart():
    small = dataset_of(**flows_country(["A", "B", "C", "D"], range(2012, 2016)))

    columns = StructuralGravity().fit(small, 2014).gravity.columns

    assert columns == (*structural.BASE, "competing_destinations")


# --- trees ----------------------------------------------------------------------------------------------------------


def raised(pairs: Pairs, place: int, by: float) -> Pairs:
    pay = pairs.table["average_wage"].to_numpy().copy()
    pay[place] += by
    return Pairs(pairs.table.assign(average_wage=pay), pairs.geography)


@pytest.mark.parametrize("by", [0.01, 0.1, 0.5])
def test_higher_pay_somewhere_never_lowers_a_flow_to_it_or_raises_one_from_it(dataset, fitted, by):
    pairs, model = pairs_at(dataset, CUTOFF), fitted["structural_boosted"]
    before = model.expected(pairs)
    moved = 0

    for place in range(14):
        after = model.expected(raised(pairs, place, by))
        assert (after[:, place] >= before[:, place]).all()
        assert (after[place] <= before[place]).all()
        moved += (after != before).sum()

    assert by < 0.5 or moved > 0


def test_signs_of_pair_features_follow_from_those_on_net_migration():
    assert [sign_of(f"{kind}_unemployment_rate") for kind in ("origin", "destination", "difference")] == [1, -1, -1]
    assert [sign_of(name) for name in ("destination_log_population", "log_distance", "origin_latitude")] == [1, -1, 0]


def test_zeros_left_out_are_stood_for_by_those_that_are_taken(monkeypatch, dataset):
    monkeypatch.setattr(structural, "ZEROS", 20)
    year = observed_years(dataset, CUTOFF)[-1]
    empty = (year.flows == 0).sum() - 14

    _, flows, weights = structural.training_rows([year], [structural.all_pairs(year)], ("log_distance",))

    assert empty > 20
    assert (flows == 0).sum() == 20
    assert weights[flows == 0].sum() == pytest.approx(empty)
    assert (weights[flows > 0] == 1).all()


def test_pairs_of_which_gravity_expects_little_keep_gravity_in_the_size_of_their_flows(monkeypatch, dataset):
    monkeypatch.setattr(structural, "LIKELY", 60)
    model, pairs = StructuralBoosted().fit(dataset, CUTOFF), pairs_at(dataset, CUTOFF)

    expected, gravity = model.expected(pairs), model.base.expected(pairs)

    little = gravity < np.sort(gravity, axis=None)[-60]
    assert little.sum() == 14 * 14 - 60
    assert expected[little] == pytest.approx(model.rest * gravity[little])
    assert 0 < model.rest < 1.5


def test_training_goes_back_until_flows_are_enough(monkeypatch, dataset):
    assert len(observed_years(dataset, CUTOFF)) == CUTOFF - 2008

    monkeypatch.setattr(structural, "ENOUGH_FLOWS", 200)

    assert len(observed_years(dataset, CUTOFF)) == 2


def test_the_trees_are_the_same_on_one_thread_and_on_two(monkeypatch, dataset, fitted):
    monkeypatch.setitem(structural.TREES, "num_threads", 2)

    flows = StructuralBoosted().fit(dataset, CUTOFF).predict(dataset, CUTOFF)

    assert np.array_equal(flows, fitted["structural_boosted"].predict(dataset, CUTOFF))
