"""A projection keeps its identities to the person in every draw, and the forecast as far as that goes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.cohort_year import ProjectionError, cohort_year
from models.mobility import Moves, attraction
from models.projection import Projection, project
from models.projection_tables import GROUPS, MEASURES
from tests.projections import CODES, CUTOFF, made_forecast, vital_country

LAST = CUTOFF + 9


@pytest.fixture(scope="module")
def country():
    return vital_country()


@pytest.fixture(scope="module")
def net_only():
    return vital_country(flows=False)


def assert_identities(made: Projection) -> None:
    people, moves = made.measure("population").astype(int), {k: v.astype(int) for k, v in made.components.items()}
    natural = moves["births"] - moves["deaths"]
    assert (people[:, 1:] == people[:, :-1] + natural + moves["net_migration"]).all()
    assert (made.population.sum(axis=(-2, -1)) == people).all()
    assert (made.broad[..., 1:].sum(axis=-1) == people).all()
    assert (made.population >= 0).all()
    assert (made.broad >= 0).all()
    for name in set(moves) - {"net_migration", "abroad"}:
        assert (moves[name] >= 0).all(), name
    if "inflow" in moves:
        assert (moves["net_migration"] == moves["inflow"] - moves["out_migration"] + moves["abroad"]).all()
        assert (moves["inflow"].sum(axis=-1) == moves["out_migration"].sum(axis=-1)).all()


@settings(max_examples=8, deadline=None)
@given(
    seed=st.integers(0, 1000),
    level=st.sampled_from(["low", "medium", "high"]),
    scope=st.sampled_from(["all", "between_regions"]),
    size=st.sampled_from([3.0, 900.0, 40_000.0]),
)
def test_people_add_up_in_every_draw(country, seed, level, scope, size):
    forecast = made_forecast(scope=scope, size=size, seed=seed)

    made = project(country, CUTOFF, forecast, LAST, level, seed=seed)

    assert_identities(made)
    for name, target in forecast.targets.items():
        assert (made.components[name][:, :3] == target.draws).all(), name


@pytest.mark.parametrize("scope", ["all", "between_regions"])
def test_without_flows_balances_are_those_of_the_forecast_and_add_up(net_only, scope):
    forecast = made_forecast(flows=False, scope=scope)

    made = project(net_only, CUTOFF, forecast, LAST)

    assert set(made.components) == {"births", "deaths", "net_migration"}
    assert_identities(made)
    assert (made.components["net_migration"][:, :3] == forecast.targets["net_migration"].draws).all()
    if scope == "between_regions":
        assert (made.components["net_migration"].sum(axis=-1) == 0).all()


def test_cohorts_add_up_by_region_sex_and_age():
    rng = np.random.default_rng(3)
    people = rng.integers(0, 40, (5, 3, 2, 101)).astype(np.int32)
    flows = rng.integers(0, 90, (5, 3, 3)) * (1 - np.eye(3, dtype=int))
    share = flows / np.maximum(flows.sum(axis=2, keepdims=True), 1)
    moves = Moves(rng.integers(-200, 200, (5, 3)), flows.sum(axis=2), flows.sum(axis=1), share.astype("float32"))
    rates = np.full((5, 3), 2.5, dtype="float32"), np.full((5, 3), -0.5, dtype="float32")

    year = cohort_year(people, moves, *rates, rng)

    after = people - year.deaths - year.out + year.into + year.balance
    assert (year.people[..., 1:100] == after[..., :99]).all()
    assert (year.people[..., 100] == after[..., 99] + after[..., 100]).all()
    assert (year.people[..., 0] == year.newborn - year.newborn_deaths).all()
    assert (year.out.sum(axis=1) == year.into.sum(axis=1)).all()
    assert (year.into.sum(axis=(-2, -1)) == moves.into).all()
    assert (year.out <= people).all()
    assert (after >= 0).all()


def test_more_leaving_than_living_is_an_error():
    people = np.ones((1, 2, 2, 101), dtype=np.int32)
    rates = np.full((1, 2), 2.0, dtype="float32"), np.full((1, 2), -0.5, dtype="float32")

    with pytest.raises(ProjectionError, match=r"203 people leave .* 202 live there"):
        cohort_year(people, Moves(np.array([[0, -203]])), *rates, np.random.default_rng(0))


def test_the_same_seed_is_the_same_projection_and_fewer_draws_are_some_of_them(country):
    forecast = made_forecast(draws=8)

    first, again = (project(country, CUTOFF, forecast, LAST, seed=5) for _ in range(2))
    fewer = project(country, CUTOFF, forecast, LAST, draws=4)

    assert (first.population == again.population).all()
    chosen = forecast.targets["net_migration"].draws[[0, 1, 4, 5]]
    assert (fewer.components["net_migration"][:, :3] == chosen).all()


def test_intervals_widen_and_levels_order_the_moves(country):
    forecast = made_forecast(draws=200)
    made = {level: project(country, CUTOFF, forecast, CUTOFF + 21, level) for level in ("low", "medium", "high")}

    people = made["medium"].measure("population").sum(axis=-1)
    spread = np.diff(np.quantile(people, [0.1, 0.9], axis=0), axis=0)[0]
    movers = {level: np.median(one.components["out_migration"][:, -1].sum(axis=-1)) for level, one in made.items()}

    assert spread[0] == 0
    assert spread[1] < spread[5] < spread[-1]
    assert movers["low"] < movers["medium"] < movers["high"]


def test_tables_name_their_rows(country):
    made = project(country, CUTOFF, made_forecast(), LAST)

    ages, summary = made.table((0.1, 0.5, 0.9)), made.summary((0.1, 0.5, 0.9))

    assert len(ages) == 3 * len(made.years) * len(CODES) * 2 * len(GROUPS)
    assert set(summary["measure"]) == {*MEASURES, "dependency"}
    assert set(ages["basis"]) == {"estimated"}
    start = ages[(ages["year"] == made.start) & (ages["quantile"] == 0.5)].groupby("region")["value"].sum()
    assert start.to_dict() == dict(zip(CODES, made.measure("population")[0, 0].tolist(), strict=True))


def test_the_answer_names_what_it_takes_for_granted(country):
    assumed = {one.name for one in project(country, CUTOFF, made_forecast(), LAST).assumptions}

    assert {"age structure", "fertility", "mortality", "migrants by age", "pension age", "level of moves"} <= assumed


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param({"to": CUTOFF + 1}, "to 2021: must be a year from 2022 to", id="no_year_ahead"),
        pytest.param({"level": "higher"}, "level 'higher': must be low, medium, high", id="level"),
        pytest.param({"draws": 3}, "draws 3: must be an even number from 2 to the 4", id="odd_draws"),
        pytest.param({"cutoff": 2019}, "forecast from 2020: must be from the cutoff, 2019", id="another_cutoff"),
    ],
)
def test_what_does_not_fit_is_told(country, asked, said):
    with pytest.raises(ProjectionError, match=said):
        project(country, **({"cutoff": CUTOFF, "forecast": made_forecast(), "to": LAST} | asked))


def test_all_faults_are_told_at_once(country):
    with pytest.raises(ProjectionError) as error:
        project(country, CUTOFF, made_forecast(), 2500, "none", draws=7)

    assert [word in str(error.value) for word in ("level", "to 2500", "draws 7")] == [True, True, True]


def test_attraction_moves_balances_to_where_they_are_told():
    flows = np.random.default_rng(0).uniform(50, 500, (6, 6)) * (1 - np.eye(6))
    gained = np.array([100.0, -250.0, 30.0, 90.0, 130.0, -100.0])

    pull = attraction(flows, gained)

    moved = flows * np.exp(pull[None, :] - pull[:, None])
    change = (moved.sum(axis=0) - moved.sum(axis=1)) - (flows.sum(axis=0) - flows.sum(axis=1))
    np.testing.assert_allclose(change, gained, atol=1e-6)
    assert pull.sum() == pytest.approx(0, abs=1e-9)
