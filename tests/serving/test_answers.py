"""What the service answers is what the bundle's forecaster says."""

import pytest

from models.decision import PROVISIONAL
from serving.api import ForecastResponse, ModelResponse, RegionsResponse
from serving.responses import model_response
from training.metrics import skill

TARGETS = ("net_migration", "inflow", "out_migration")


def ask(client, **request):
    answer = client.post("/forecast", json=request)
    assert answer.status_code == 200, answer.text
    return answer.json()


@pytest.mark.parametrize("target", TARGETS)
def test_every_number_is_the_forecasters(client, bundle, target):
    said = bundle.forecaster.predict(bundle.dataset, bundle.manifest.cutoff, bundle.manifest.horizons).table()
    said = said[said["target"] == target]

    answered = {
        (one["region"], one["year"], one["horizon"], float(level), one["model"], one["basis"]): persons
        for one in ask(client, target=target)["forecasts"]
        for level, persons in one["quantiles"].items()
    }

    keys = said[["region", "year", "horizon", "quantile", "model", "basis"]].itertuples(index=False, name=None)
    assert answered == dict(zip(keys, said["value"], strict=True))


def test_an_empty_object_asks_for_net_migration_of_all_regions_and_horizons(client):
    asked = ask(client)

    assert asked["target"] == "net_migration"
    assert asked == ask(client, target="net_migration", regions=None, horizons=None)
    assert {(one["region"], one["horizon"]) for one in asked["forecasts"]} >= {("KZ-71", 1), ("KZ-79", 2)}
    assert len(asked["forecasts"]) == 20 * 2


def test_regions_and_horizons_are_answered_once_in_the_order_of_the_request(client):
    asked = ask(client, target="inflow", regions=["KZ-75", "KZ-71", "KZ-75"], horizons=[2, 1])

    order = [(one["region"], one["horizon"]) for one in asked["forecasts"]]
    assert order == [("KZ-75", 2), ("KZ-75", 1), ("KZ-71", 2), ("KZ-71", 1)]


def test_a_part_of_an_answer_is_the_part_of_the_whole(client):
    whole = ask(client, target="out_migration")
    part = ask(client, target="out_migration", regions=["KZ-10"], horizons=[2])

    assert part["forecasts"] == [one for one in whole["forecasts"] if (one["region"], one["horizon"]) == ("KZ-10", 2)]
    assert {**part, "forecasts": []} == {**whole, "forecasts": []}


@pytest.mark.parametrize("target", TARGETS)
def test_an_answer_tells_its_evidence(client, bundle, target):
    for one in ask(client, target=target)["forecasts"]:
        decision = bundle.manifest.decision(target, one["horizon"])

        assert (one["model"], one["why"]) == (decision.model, decision.reason)
        assert one["provisional"] == (decision.cutoffs <= PROVISIONAL)
        assert one["skill"] == {"value": decision.skill, "against": "persistence", "cutoffs": decision.cutoffs}
        measured = one["coverage_measured"]
        assert [measured["50"], measured["80"], measured["90"]] == [
            decision.coverage_50,
            decision.coverage_80,
            decision.coverage_90,
        ]


def test_what_was_never_measured_is_null(client):
    two_ahead = ask(client, target="inflow", regions=["KZ-71"], horizons=[2])["forecasts"][0]

    assert two_ahead["skill"] == {"value": None, "against": "persistence", "cutoffs": 0}
    assert two_ahead["coverage_measured"] == {"50": None, "80": None, "90": None, "cutoffs": 0}


def test_a_scope_is_told_in_words(client):
    assert ask(client, target="inflow")["scope_note"].startswith("Moves between regions.")
    assert ask(client)["scope"] == "all"


def test_an_answer_names_its_sources(client, bundle):
    told = ask(client)["dataset"]

    assert told["sources"] == list(bundle.dataset.sources)
    assert told["sha256"] == bundle.manifest.dataset["sha256"]


def test_regions_are_those_that_are_answered_for(client, bundle):
    regions = {one["region"]: one for one in client.get("/regions").json()["regions"]}

    assert set(regions) == {one["region"] for one in ask(client)["forecasts"]}
    assert regions["KZ-71"]["name_ru"] == "г. Астана"
    assert regions["KZ-71"]["kind"] == "city"
    assert regions["KZ-71"]["basis"] == {t: bundle.forecast.targets[t].basis["KZ-71"] for t in TARGETS}


def test_a_region_tells_the_older_region_whose_series_is_forecast(client):
    regions = {one["region"]: one for one in client.get("/regions").json()["regions"]}

    assert regions["KZ-61"]["unit"]["net_migration"] == regions["KZ-79"]["unit"]["net_migration"]
    assert regions["KZ-71"]["unit"]["net_migration"] == "KZ-71"


def test_the_model_page_tells_the_manifest(client, bundle):
    told = client.get("/model").json()

    assert told["cutoff"] == bundle.manifest.cutoff
    assert told["horizons"] == [1, 2]
    assert told["targets"] == list(TARGETS)
    assert told["flows"]
    assert told["versions"] == bundle.manifest.versions
    assert [one["reason"] for one in told["decisions"]] == [one.reason for one in bundle.manifest.decisions]


def test_the_scorecard_is_pooled_over_cutoffs(bundle):
    card = {(one.target, one.model, one.horizon): one for one in model_response(bundle).scorecard}
    scores = bundle.scores[(bundle.scores["target"] == "net_migration") & (bundle.scores["horizon"] == 1)]
    served, persistence = (scores[scores["model"] == name] for name in ("served", "persistence"))

    pooled = card["net_migration", "served", 1]

    assert pooled.skill == pytest.approx(skill(served["abs_error"].sum(), persistence["abs_error"].sum()))
    assert pooled.wape == pytest.approx(served["abs_error"].sum() / served["abs_actual"].sum())
    assert pooled.coverage_80 == pytest.approx((served["coverage_80"] * served["n"]).sum() / served["n"].sum())
    assert (pooled.n, pooled.cutoffs) == (served["n"].sum(), len(served))
    assert card["net_migration", "persistence", 1].skill == 0


@pytest.mark.parametrize("path", ["/regions", "/model"])
def test_get_and_post_answer_the_same(client, path):
    assert client.get(path).json() == client.post(path, json={}).json()


@pytest.mark.parametrize(
    ("method", "path", "model"),
    [
        ("POST", "/forecast", ForecastResponse),
        ("GET", "/regions", RegionsResponse),
        ("GET", "/model", ModelResponse),
    ],
)
def test_answers_fit_their_models(client, method, path, model):
    answer = client.request(method, path, json={} if method == "POST" else None)

    assert answer.headers["content-type"] == "application/json"
    model.model_validate_json(answer.content)


def test_the_index_names_endpoints_that_answer(client):
    told = client.get("/").json()

    assert client.get(told["documentation"]).status_code == 200
    for endpoint in told["endpoints"]:
        for method in endpoint["methods"]:
            status = client.request(method, endpoint["path"], json={}).status_code
            assert status == (403 if endpoint["path"].startswith("/admin") else 200)


@pytest.mark.parametrize("path", ["/healthz", "/livez", "/readyz", "/metrics"])
def test_what_bentoml_answers_itself_still_answers(client, path):
    assert client.get(path).status_code == 200
