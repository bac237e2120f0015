"""Advice over HTTP: what is answered is what the models say, and what they refuse is told."""

from collections.abc import Iterator

import numpy as np
import pytest

RAISED = [{"region": "KZ-61", "indicator": "average_wage", "change": "+15 %"}]


def ask(client, path: str, status: int = 200, **request) -> dict:
    answer = client.post(path, json=request)
    assert answer.status_code == status, answer.text
    return answer.json()


def differences(answer: dict, measure: str) -> Iterator[dict[str, int]]:
    for region in answer["regions"]:
        yield region[measure]["difference"]


# --- drivers --------------------------------------------------------------------------------------------------------


def test_contributions_of_a_region_make_its_rate_and_are_called_associated(client, bundle):
    answer = ask(client, "/drivers", region="KZ-71")

    assert answer["label"] == "associated"
    assert {(one["model"], one["measure"]) for one in answer["regions"]} == {
        (model, measure) for model in ("gravity", "boosted") for measure in ("out_migration", "inflow")
    }
    for one in answer["regions"]:
        ratio = one["rate_per_1000"] / one["reference_per_1000"]
        assert sum(one["contributions"].values()) == pytest.approx(np.log(ratio), abs=1e-4)
    assert {one["label"] for one in answer["elasticities"]} == {"associated", "assumed"}
    assert len(answer["skill_added"]) == len(bundle.advice.drivers.skill)
    assert {one["rank"] for one in answer["ranks"]} == set(range(1, len({one["group"] for one in answer["ranks"]}) + 1))


def test_a_corridor_tells_what_differs_between_its_ends(client):
    answer = ask(client, "/drivers", origin="KZ-61", destination="KZ-71")
    wage = next(one for one in answer["differences"] if one["indicator"] == "average_wage")

    assert wage["ratio"] == pytest.approx(wage["destination_value"] / wage["origin_value"])
    assert {one["model"] for one in answer["corridor"]} == {"gravity", "boosted"}
    assert answer["regions"] == []


@pytest.mark.parametrize(
    "place",
    [{"origin": "KZ-61"}, {"region": "KZ-61", "destination": "KZ-71"}, {"origin": "KZ-61", "destination": "KZ-61"}],
)
def test_half_a_corridor_is_refused(client, place):
    assert "destination" in ask(client, "/drivers", 422, **place)["error"]["details"][0]["expected"]


# --- scenario -------------------------------------------------------------------------------------------------------


def test_a_scenario_that_changes_nothing_is_the_forecast(client):
    answer = ask(client, "/scenario")
    forecast = ask(client, "/forecast", target="out_migration")["forecasts"]

    assert all(not any(one.values()) for measure in ("inflow", "net_migration") for one in differences(answer, measure))
    baseline = {(one["region"], one["year"]): one["out_migration"]["baseline"] for one in answer["regions"]}
    assert baseline == {(one["region"], one["year"]): one["quantiles"] for one in forecast}
    assert answer["flows"] == []


def test_a_raised_wage_keeps_people_and_draws_them_from_the_city(client):
    answer = ask(client, "/scenario", changes=RAISED, city="KZ-71", regions=["KZ-61", "KZ-71"])
    raised = [one for one in answer["regions"] if one["region"] == "KZ-61"]

    for one in raised:
        assert max(one["out_migration"]["difference"].values()) <= 0 <= min(one["inflow"]["difference"].values())
        assert one["stays"]["0.5"] > 0
    assert {one["region"] for one in answer["regions"]} == {"KZ-61", "KZ-71"}
    assert {one["instead"] for one in answer["diverted"]} >= {"KZ-61", "stays"}
    assert answer["label"] == "assumed"
    assert answer["basis"] == "estimated"
    assert answer["assumptions"]
    assert answer["changes"][0]["nearest_seen_case"]


def test_what_was_never_seen_is_refused_with_the_nearest_case_unless_it_is_allowed(client):
    beyond = [RAISED[0] | {"change": "+500 %"}]
    fault = ask(client, "/scenario", 422, changes=beyond)["error"]
    allowed = ask(client, "/scenario", changes=beyond, allow_extrapolation=True)

    assert fault["code"] == "scenario_refused"
    assert "nearest seen case: KZ-23" in fault["message"]
    assert allowed["extrapolates"]
    assert allowed["changes"][0]["applicability"] == "outside"


def test_every_fault_of_a_scenario_is_told(client):
    wrong = {"region": "KZ-99", "indicator": "averag_wage", "change": "more"}
    fault = ask(client, "/scenario", 422, changes=[wrong])["error"]

    assert len(fault["details"]) == 3
    assert "average_wage" in fault["message"]


# --- projection, labour, served population --------------------------------------------------------------------------


def test_a_projection_is_what_the_bundle_holds(client, bundle):
    outlook = bundle.advice.outlook
    (answer,) = ask(client, "/projection", regions=["KZ-71"], years=[2040], level="high", ages=True)["population"]
    draws = outlook.draws("high", "children")[:, outlook.years.index(2040), outlook.regions.index("KZ-71")]

    assert answer["children"]["0.5"] == round(np.quantile(draws, 0.5))
    assert answer["kind"] == "projection"
    assert answer["basis"] == "estimated"
    assert list(answer["by_age"]["female"])[-1] == "85+"


def test_the_first_years_of_a_projection_say_that_they_are_forecast(client):
    answer = ask(client, "/projection", regions=["KZ-71"])
    kinds = {one["year"]: one["kind"] for one in answer["population"]}

    assert [kinds[year] for year in (2025, 2026, 2027, 2028)] == ["state", "forecast", "forecast", "projection"]
    assert {"name", "value", "source"} == set(answer["assumptions"][0])


def test_years_and_regions_that_are_not_projected_are_refused(client):
    fault = ask(client, "/projection", 422, regions=["KZ-51"], years=[1900])["error"]

    assert [detail["field"] for detail in fault["details"]] == ["regions", "years"]


def test_labour_without_jobs_is_the_supply_and_with_jobs_the_gap(client):
    jobs = [{"region": "KZ-71", "year": 2030, "jobs": 900_000, "source": "a test"}]
    asked = ask(client, "/labour", regions=["KZ-71"], jobs=jobs, to=2030)["labour"]
    without = ask(client, "/labour", regions=["KZ-71"], to=2030)["labour"]

    assert without[-1]["gap"] is None
    assert without[-1]["supply"] == asked[-1]["supply"]
    assert asked[-1]["gap"]["0.5"] == pytest.approx(900_000 - asked[-1]["supply"]["0.5"], abs=1)
    closing = asked[-1]["gap"]["0.5"] / asked[-1]["participation"]
    assert asked[-1]["closing_migration"]["0.5"] == pytest.approx(closing, rel=1e-3)


def test_the_worked_example_reproduces_its_total_and_says_that_norms_illustrate(client):
    answer = ask(client, "/served-population", to=2030)
    (total,) = [row for row in answer["ledger"] if row["kind"] == "total"]

    assert abs(total["reconciled"] - total["stated"]) <= 2 * total["error"]
    assert answer["illustrative"]
    assert {"presence", "demand"} <= {load["part"] for load in answer["loads"]}
    assert all(load["years"][-1]["year"] == 2030 for load in answer["loads"])


def test_every_fault_of_a_case_is_told(client):
    city = {"region": "KZ-71", "name": "Astana", "date": "2025-12-22"}
    there = {"kind": "registered", "persons": -5, "error": 1, "coverage": 1, "source": "s", "date": "2025-12-22"}
    water = {"service": "water", "unit": "m3/day", "year": 2025, "value": 1, "source": "s"}
    case = {"city": city, "component": [there | {"basis": "official"}], "capacity": [water]}
    fault = ask(client, "/served-population", 422, case=case)["error"]

    assert fault["code"] == "case_refused"
    assert len(fault["details"]) == 2


@pytest.mark.parametrize(
    ("path", "request_"),
    [
        pytest.param("/labour", {"jobs": {}}, id="jobs_are_no_list"),
        pytest.param(
            "/labour", {"jobs": [{"region": "KZ-71", "year": 2030, "jobs": 10**400, "source": "s"}]}, id="endless_jobs"
        ),
        pytest.param("/served-population", {"to": 0}, id="no_year"),
        pytest.param("/scenario", {"changes": RAISED * 1001}, id="too_many_changes"),
        pytest.param(
            "/scenario",
            {"changes": [RAISED[0] | {"change": "9" * 500 + " %"}], "allow_extrapolation": True},
            id="endless",
        ),
    ],
)
def test_what_no_one_can_mean_is_refused(client, path, request_):
    assert ask(client, path, 422, **request_)["error"]["details"]


@pytest.mark.parametrize("path", ["/projection", "/served-population", "/labour"])
def test_a_bundle_whose_data_bear_no_projection_says_why(flow_client, path):
    fault = ask(flow_client, path, 409)["error"]

    assert "births" in fault["message"]
