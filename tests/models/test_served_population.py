"""Served population: the ledger, its faults, demand against capacity, and the worked case of Astana."""

import json
import tomllib
from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.served_population import Residents, served_population
from models.served_population_case import ASTANA, ILLUSTRATIVE, Case, ServedError, case_of, read_case
from models.served_population_case import example as worked_example
from models.served_population_ledger import Ledger, ledger_of, reconcile

KINDS = ("registered", "unregistered", "commuters", "visitors")


def ledger(stated, error, total=None):
    return Ledger(KINDS[: len(stated)], np.array(stated, dtype=float), np.array(error, dtype=float), total)


def component(kind, persons, **keys):
    told = {"kind": kind, "persons": persons, "error": 1.0, "coverage": 1.0, "source": "register"}
    return told | {"date": date(2025, 1, 1), "basis": "official"} | keys


def norm(service, unit, value, **keys):
    counts = {"counts": {"registered": 1.0, "commuters": 0.5}}
    return {"service": service, "unit": unit, "value": value, "source": "law", "date": date(2025, 1, 1)} | counts | keys


def capacity(service, unit, year, value):
    return {"service": service, "unit": unit, "year": year, "value": value, "source": "utility"}


def example(**sections):
    """A town of 1,000 residents and 200 commuters that has a norm and a capacity of water."""
    sound = {
        "city": {"region": "X", "name": "Town", "date": date(2025, 1, 1)},
        "component": [component("registered", 1000), component("commuters", 200)],
        "norm": [norm("water", "l/day", 100)],
        "capacity": [capacity("water", "l/day", 2025, 120_000)],
    }
    return sound | sections


def residents(population, years=(2025, 2026, 2027), **groups):
    """population: rows of draws, columns of years."""
    draws = np.array(population, dtype=float)
    shares = {"children": 0.25, "working_age": 0.5, "pension_age": 0.25} | groups
    return Residents(years, {"population": draws} | {name: draws * share for name, share in shares.items()})


def faults(data) -> list[str]:
    with pytest.raises(ServedError) as told:
        case_of(data)
    return str(told.value).splitlines()[1:]


# --- ledger ---------------------------------------------------------------------------------------------------------


def test_reconciled_is_generalised_least_squares():
    stated, error, total = np.array([1000.0, 300.0, 200.0]), np.array([20.0, 50.0, 10.0]), (1400.0, 15.0)
    design = np.vstack([np.eye(3), np.ones(3)])
    weight = np.diag(1 / np.array([*error, total[1]]) ** 2)
    covariance = np.linalg.inv(design.T @ weight @ design)

    found = reconcile(ledger(stated, error, total))

    assert found.value == pytest.approx(covariance @ design.T @ weight @ [*stated, total[0]])
    assert found.covariance == pytest.approx(covariance)
    assert found.residual == pytest.approx((found.value - stated) / error)


def test_components_sum_to_a_total_that_is_sure():
    found = reconcile(ledger([1000, 300], [50, 30], (1200, 1e-6)))

    assert found.value.sum() == pytest.approx(1200)
    assert found.total_error < 1e-5
    assert found.draws(100, np.random.default_rng(0)).sum(axis=1) == pytest.approx(np.full(100, 1200))


def test_without_a_total_what_is_stated_stays_and_errors_add_up():
    found = reconcile(ledger([1000, 300], [40, 30]))

    assert found.value.tolist() == [1000, 300]
    assert found.total_error == pytest.approx(50)
    assert found.total_residual is None


@settings(max_examples=30, deadline=None)
@given(
    stated=st.lists(st.floats(0, 1e6), min_size=3, max_size=3),
    error=st.lists(st.floats(1, 1e6), min_size=3, max_size=3),
    total=st.floats(0, 3e6),
)
def test_nothing_is_negative_and_no_other_components_are_nearer(stated, error, total):
    own = ledger(stated, error, (total, 1000.0))
    found = reconcile(own)

    def cost(persons):
        return (((persons - own.stated) / own.error) ** 2).sum() + ((persons.sum() - total) / 1000.0) ** 2

    assert (found.value >= 0).all()
    assert (found.draws(50, np.random.default_rng(0)) >= 0).all()
    for step in np.vstack([np.eye(3), -np.eye(3)]):
        assert cost(np.maximum(found.value + step, 0)) >= cost(found.value) * (1 - 1e-9)


def test_doubling_everything_doubles():
    one, two = (reconcile(ledger([900 * k, 200 * k], [30 * k, 40 * k], (1000 * k, 10 * k))) for k in (1, 2))

    assert two.value.tolist() == (2 * one.value).tolist()
    assert two.residual.tolist() == one.residual.tolist()
    draws = [found.draws(20, np.random.default_rng(0)) for found in (one, two)]
    assert draws[1].tolist() == (2 * draws[0]).tolist()


def test_draws_have_the_reconciled_mean_and_covariance():
    found = reconcile(ledger([1000, 400], [20, 40], (1350, 30)))

    draws = found.draws(20_000, np.random.default_rng(0))

    assert draws.mean(axis=0) == pytest.approx(found.value, abs=1)
    assert np.cov(draws.T) == pytest.approx(found.covariance, rel=0.05)


def test_figures_far_from_each_other_are_told():
    (registered, total) = reconcile(ledger([1000, 100], [10, 1], (1200, 10))).contradictions

    assert registered.startswith("registered: 1,000 persons stated, 1,050 reconciled, 5.0 standard errors off")
    assert total.startswith("total: 1,200 persons stated, 1,150 reconciled, 5.0 standard errors off")
    assert reconcile(ledger([1000, 100], [10, 1], (1110, 10))).contradictions == ()


def test_a_source_that_counts_a_part_is_brought_to_the_whole():
    rows = [component("registered", 1000), component("commuters", 200, error=10.0, coverage=0.5)]

    found = ledger_of(case_of(example(component=rows)))

    assert (found.stated.tolist(), found.error.tolist()) == ([1000, 400], [1, 20])


def test_rounded_statements_have_the_error_of_a_uniform_distribution():
    over = {"error": None, "said": "over", "rounded_to": 120.0}
    about = {"error": None, "said": "about", "rounded_to": 120.0}
    rows = [component("registered", 1000, **over), component("commuters", 200, **about)]

    found = ledger_of(case_of(example(component=rows)))

    assert found.stated.tolist() == [1060, 200]
    assert found.error == pytest.approx(np.full(2, 120 / 12**0.5))


# --- Astana ---------------------------------------------------------------------------------------------------------


def test_astana_reproduces_its_published_total_within_the_stated_errors():
    case = read_case(ASTANA)
    found = reconcile(ledger_of(case))

    assert (case.total.persons, case.total.standard_error) == (1_900_000, pytest.approx(100_000 / 12**0.5))
    assert abs(found.total_residual) < 1
    assert (np.abs(found.residual) < 1).all()
    assert 1_850_000 <= found.total <= 1_950_000
    assert found.contradictions == ()


def test_every_figure_of_astana_has_an_address():
    case = read_case(ASTANA)

    assert all(row.source.startswith("https://") for row in [*case.component, case.total])
    assert not case.norm


def test_what_illustrates_says_so_in_every_row_that_rests_on_it():
    population = np.linspace(1.55e6, 1.75e6, 6)[None].repeat(4, axis=0)
    answer = served_population(worked_example(), residents(population, tuple(range(2025, 2031))), 2030)

    table = answer.table()

    assert set(table.loc[table["illustrative"], "part"]) == {"demand", "recipients", "cost"}
    assert set(table.loc[~table["illustrative"], "part"]) == {"presence"}
    assert any("illustrative" in told for told in answer.assumptions)


# --- faults ---------------------------------------------------------------------------------------------------------

NEGATIVE = {"component": [component("registered", 1000), component("commuters", -200)]}
NO_NORM = {
    "capacity": [
        capacity("water", "l/day", 2025, 120_000),
        capacity("heat", "kW", 2025, 5),
        capacity("heat", "kW", 2030, 6),
    ]
}
OTHER_UNIT = {"capacity": [capacity("water", "m3/day", 2025, 120), capacity("water", "m3/day", 2030, 130)]}
TOLD = {
    "negative": "  component 2: persons = -200: must be 0 or more",
    "no_norm": "  capacity 2: service 'heat' has no norm; give both, or leave it out",
    "other_unit": "  capacity 1: unit: of 'water' is 'm3/day' in 2 rows; must be 'l/day' as in norm 1",
}


@pytest.mark.parametrize(
    ("sections", "told"),
    [
        pytest.param(NEGATIVE, TOLD["negative"], id="negative_component"),
        pytest.param(NO_NORM, TOLD["no_norm"], id="missing_norm"),
        pytest.param(OTHER_UNIT, TOLD["other_unit"], id="capacity_in_another_unit"),
        pytest.param(
            {"norm": [norm("water", "l/day", 100), norm("heat", "kW", 1)]},
            "  norm 2: service 'heat' has no capacity; give both, or leave it out",
            id="norm_without_capacity",
        ),
        pytest.param(
            {"norm": [{key: value for key, value in norm("water", "l/day", 100).items() if key != "source"}]},
            "  norm 1: source is missing; must be given: Whose figure it is: an address, or name and place",
            id="norm_without_source",
        ),
        pytest.param(
            {"norm": [norm("water", "l/day", 100, date="soon")]},
            "  norm 1: date = 'soon': must be a date, as 2025-12-22",
            id="norm_of_no_day",
        ),
        pytest.param(
            {"norm": [norm("water", "l/day", 100, counts={"comuters": 1.0})]},
            "  norm 1: counts: comuters = 'comuters': must be one of registered, unregistered, commuters, visitors; "
            "did you mean 'commuters'?",
            id="unknown_kind",
        ),
        pytest.param(
            {"component": [component("registered", 1000, coverage=0.0)]},
            "  component 1: coverage = 0.0: must be 0.001 or more",
            id="coverage_of_nothing",
        ),
        pytest.param(
            {"component": [component("registered", 1000), component("registered", 1000)]},
            "  component 2: kind registered a second time, after row 1; must be once",
            id="twice",
        ),
        pytest.param(
            {"component": [component("commuters", 1000)]},
            "  component: no row is of kind 'registered'; must be one, which the others are related to",
            id="nobody_registered",
        ),
        pytest.param(
            {"component": [component("registered", 1000, said="over")]},
            "  component 1: has error, said; must have error, or both said and rounded_to",
            id="two_errors",
        ),
        pytest.param(
            {"capacity": [capacity("water", "l/day", 20255, 1)]},
            "  capacity 1: year = 20255: must be 2200 or less",
            id="no_year",
        ),
        pytest.param(
            {"capacities": []},
            "  capacities: unknown key; did you mean 'capacity'?; known: city, component, total, norm, capacity, "
            "recipients, budget, illustrative",
            id="unknown_section",
        ),
        pytest.param(
            {"budget": [{"benefit": "aid", "unit": "tenge", "year": 2025, "value": 5, "source": "law"}]},
            "  budget 1: benefit 'aid' has no recipients; give both, or leave it out",
            id="budget_without_recipients",
        ),
    ],
)
def test_a_fault_is_one_clear_error(sections, told):
    assert faults(example(**sections)) == [told]


def test_the_nearest_name_is_told_of_few_and_rows_beyond_the_most_are_one_fault():
    norms, others = ([norm(f"{name} {number}", "kW", 1) for number in range(1001)] for name in ("heat", "water"))
    paths = [capacity(row["service"], "kW", 2025, 1) for row in others]

    told = faults(example(norm=norms, capacity=paths))

    assert "  norm: has 1001 rows; must have 200 or fewer" in told
    assert not any("did you mean" in line for line in told)


def test_three_faults_are_one_error_with_three_lines():
    both = {"capacity": [*OTHER_UNIT["capacity"], capacity("heat", "kW", 2025, 5)]}

    told = faults(example(**NEGATIVE, **both))

    assert sorted(told) == sorted(
        [TOLD["negative"], TOLD["no_norm"].replace("capacity 2", "capacity 3"), TOLD["other_unit"]]
    )


def test_a_request_is_the_file():
    data = tomllib.loads(ASTANA.read_text("utf-8")) | tomllib.loads(ILLUSTRATIVE.read_text("utf-8"))

    body = json.dumps(data, default=str)

    assert Case.model_validate_json(body) == Case.model_validate(json.loads(body)) == read_case(ASTANA, ILLUSTRATIVE)


def test_a_file_of_norms_replaces_norms_and_nothing_else(tmp_path):
    (tmp_path / "norms.toml").write_text("ilustrative = true\n")

    with pytest.raises(ServedError, match="ilustrative: unknown key; did you mean 'illustrative'"):
        read_case(ASTANA, tmp_path / "norms.toml")
    with pytest.raises(ServedError, match="must be a TOML file"):
        read_case(tmp_path / "none.toml")


# --- demand ---------------------------------------------------------------------------------------------------------

SURE = [component("registered", 1000, error=1e-6), component("commuters", 200, error=1e-6)]


def test_demand_counts_each_kind_by_its_part_and_holds_it_against_capacity():
    case = case_of(example(component=SURE, capacity=[capacity("water", "l/day", 2025, 120_000)]))

    answer = served_population(case, residents([[100, 100, 105], [100, 110, 120], [100, 120, 130]]), 2027)

    (water,) = answer.of("demand")
    # 1,000 residents and half of 200 commuters, 100 l each, all growing by 0, 10, 20 % and by 5, 20, 30 %.
    assert water.draws == pytest.approx(np.array([[110_000, 115_500], [121_000, 132_000], [132_000, 143_000]]))
    assert water.probability_over.tolist() == pytest.approx([2 / 3, 2 / 3])
    assert water.first_year_over == 2026
    assert water.quantiles[3].tolist() == pytest.approx([121_000, 132_000])
    assert water.quantiles == pytest.approx(np.quantile(water.draws, [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95], axis=0))


def test_capacity_is_the_last_one_stated_and_none_before_the_first():
    rows = [capacity("water", "l/day", 2027, 1e9), capacity("water", "l/day", 2029, 1.0)]
    years = tuple(range(2025, 2031))

    answer = served_population(case_of(example(capacity=rows)), residents([[100.0] * 6], years), 2030)

    (water,) = answer.of("demand")
    assert np.isnan(water.probability_over[0])
    assert water.probability_over[1:].tolist() == [0, 0, 1, 1]
    assert water.first_year_over == 2029


def test_a_norm_of_an_age_group_counts_its_share():
    schools = norm("schools", "places", 500, per=1000, counts={"registered": 1.0}, age_group="children")
    rows = {"norm": [schools], "capacity": [capacity("schools", "places", 2025, 130)], "component": SURE}

    (load,) = served_population(case_of(example(**rows)), residents([[100, 104, 108]]), 2027).of("demand")

    assert load.draws[0].tolist() == pytest.approx([130, 135])  # half of a quarter of 1,040 and 1,080
    assert load.first_year_over == 2027


def test_components_grow_as_residents_or_as_stated():
    rows = [SURE[0], component("commuters", 200, error=1e-6, growth_per_year=0.1)]

    answer = served_population(case_of(example(component=rows)), residents([[100, 150, 200]]), 2027)

    registered, commuters, served = answer.of("presence")
    assert registered.draws[0].tolist() == pytest.approx([1500, 2000])
    assert commuters.draws[0].tolist() == pytest.approx([220, 242])
    assert served.draws[0].tolist() == pytest.approx([1720, 2242])
    assert "commuters: grow by 10 % a year, as stated" in answer.assumptions


def test_a_ledger_of_midyear_stands_between_two_populations():
    sections = {"city": {"region": "X", "name": "Town", "date": date(2025, 7, 2)}, "component": SURE}
    official = Residents((2026, 2027), {"population": np.array([[110.0, 210.0]])}, {2025: 90.0})
    case = case_of(example(**sections) | {"norm": [], "capacity": []})

    registered = served_population(case, official, 2027).of("presence")[0]

    assert registered.draws[0] == pytest.approx([1100, 2100], rel=1e-3)


def test_a_year_that_is_not_projected_is_told():
    with pytest.raises(
        ServedError, match=r"last year 2050: must be projected, and after 2025-01-01: from 2026 to 2027"
    ):
        served_population(case_of(example()), residents([[100, 100, 100]]), 2050)
    late = example(city={"region": "X", "name": "Town", "date": date(2020, 1, 1)})
    with pytest.raises(ServedError, match="no population of 1 January 2020; must be within 2025 to 2027"):
        served_population(case_of(late), residents([[100, 100, 100]]), 2027)


def test_recipients_and_their_cost_stand_against_the_budget():
    pension = {"benefit": "pension", "per_1000": 800, "age_group": "pension_age", "cost_per_recipient": 2, "unit": "T"}
    sections = {
        "recipients": [pension | {"source": "law", "date": date(2025, 1, 1)}],
        "budget": [{"benefit": "pension", "unit": "T", "year": 2025, "value": 400, "source": "law"}],
    }

    answer = served_population(case_of(example(**sections)), residents([[1000, 1000, 1040]]), 2027)

    (recipients,), (cost,) = answer.of("recipients"), answer.of("cost")
    assert recipients.expected.tolist() == pytest.approx([200, 208])  # 800 of 1,000 in a quarter of all
    assert cost.expected.tolist() == pytest.approx([400, 416])
    assert cost.first_year_over == 2027


def test_doubling_residents_and_ledger_doubles_demand():
    rows = [[component(row["kind"], k * row["persons"], error=k * 20.0) for row in SURE] for k in (1, 2)]
    draws = np.random.default_rng(1).uniform(90, 110, (50, 3))

    one, two = (
        served_population(case_of(example(component=own)), residents(k * draws), 2027).of("demand")[0]
        for k, own in zip((1, 2), rows, strict=True)
    )

    assert two.draws == pytest.approx(2 * one.draws)
