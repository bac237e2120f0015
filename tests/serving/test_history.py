"""History is what was recorded of the moves that are forecast; levers are what a scenario can change."""

import pandas as pd
import pytest

from features.targets import records
from serving.history import history_response
from serving.levers import levers_response


@pytest.fixture(scope="module")
def told(client) -> dict:
    return client.get("/history").json()


def values(told: dict, region: str, target: str) -> dict[int, dict]:
    found = [one["values"] for one in told["series"] if (one["region"], one["target"]) == (region, target)]
    return {value["year"]: value for value in found[0]}


def test_history_is_the_record(bundle, told):
    _, rows = records(bundle.dataset.as_of(bundle.manifest.cutoff), "net_migration")
    astana = rows[rows["region"] == "KZ-71"].set_index("year")

    answered = values(told, "KZ-71", "net_migration")

    assert {year: value["persons"] for year, value in answered.items()} == astana["persons"].to_dict()
    assert {year: value["basis"] for year, value in answered.items()} == astana["basis"].to_dict()
    assert all(value["lower"] is None for value in answered.values())


def test_nothing_after_the_cutoff_is_told(told):
    assert max(value["year"] for one in told["series"] for value in one["values"]) <= told["cutoff"]


def test_a_rate_is_persons_per_1000_inhabitants_on_1_january(told):
    population = next(one["population"] for one in told["regions"] if one["region"] == "KZ-71")

    for year, value in values(told, "KZ-71", "net_migration").items():
        assert value["rate_per_1000"] == pytest.approx(1000 * value["persons"] / population[str(year)], abs=0.005)


def test_a_region_of_the_past_is_followed_by_those_of_today(told):
    followed = {(one["predecessor"], one["successor"]) for one in told["boundary_changes"]}

    assert {("KZ-51", "KZ-61"), ("KZ-51", "KZ-79")} <= followed
    assert max(values(told, "KZ-51", "net_migration")) == 2017


def test_what_counts_other_moves_than_the_forecast_is_left_out(bundle):
    """Arrivals are recorded with moves inside the region, and forecast without."""
    told = history_response(bundle, None).model_dump()

    assert told["scopes"]["inflow"] == "between_regions"
    assert {one["target"] for one in told["series"]} == {"net_migration"}


def test_an_estimated_past_has_its_interval_and_its_name(bundle):
    row = {"region": "KZ-71", "year": 2020, "lower": 40_000, "upper": 60_000, "basis": "estimated"}
    moves = pd.DataFrame(
        [row | {"measure": "arrivals", "persons": 50_000}, row | {"measure": "from_abroad", "persons": 7}]
    )

    answered = values(history_response(bundle, moves).model_dump(), "KZ-71", "inflow")

    assert answered[2020]["persons"] == 50_000
    assert (answered[2020]["lower"], answered[2020]["upper"]) == (40_000, 60_000)
    assert answered[2020]["basis"] == "estimated"


def test_recorded_flows_are_summed_by_end(flow_client, flow_bundle):
    flows = flow_bundle.dataset.flows
    arrived = flows[(flows["destination"] == "R1") & (flows["year"] == 2020)]["persons"].sum()

    assert values(flow_client.get("/history").json(), "R1", "inflow")[2020]["persons"] == arrived


def test_a_lever_is_what_the_scenario_takes_and_no_further_than_was_seen(bundle, client):
    told = client.get("/indicators").json()
    lever = next(one for one in told["levers"] if one["indicator"] == "average_wage")
    now = next(one for one in lever["regions"] if one["region"] == "KZ-61")

    def asked(change: float):
        words = {"region": "KZ-61", "indicator": "average_wage", "change": f"+{100 * change:.2f} %"}
        return client.post("/scenario", json={"changes": [words]}).status_code

    assert told == levers_response(bundle).model_dump()
    assert now["value"] == bundle.dataset.as_of(told["cutoff"]).indicator("average_wage").loc[now["year"], "KZ-61"]
    assert now["least"] < 0 < now["most"]
    assert (asked(0.99 * now["most"]), asked(1.05 * now["most"])) == (200, 422)
