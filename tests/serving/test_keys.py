"""Who may ask, how often, and from where; what the environment says of it."""

import hashlib

import pytest
from starlette.testclient import TestClient

from models.bundle import Bundle
from serving.__main__ import main
from serving.answers import answers_of
from serving.keys import new_key
from serving.limits import MOST_CLIENTS, RateLimit
from serving.routes import create_app
from serving.rules import Rules
from serving.settings import SettingsError, settings_of
from tests.serving.test_errors import fault

READ, ADMIN = new_key("page", "read"), new_key("ops", "admin")
KEYS = {"QONYS_API_KEYS": f"{READ[1]}, {ADMIN[1]}"}


@pytest.fixture(scope="module")
def answers(flow_bundle: Bundle):
    return answers_of(flow_bundle)


@pytest.fixture
def served(answers):
    def with_settings(**environ: str) -> TestClient:
        app = create_app()
        app.state.answers, app.state.rules = answers, Rules(settings_of(environ))
        return TestClient(app)

    return with_settings


def bearer(secret: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}"}


# --- keys -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "code", "told"),
    [
        pytest.param({}, "key_needed", 'Bearer realm="qonys"', id="none"),
        pytest.param(bearer("qonys_wrong"), "unknown_key", 'Bearer realm="qonys", error="invalid_token"', id="unknown"),
        pytest.param(
            {"Authorization": f"Basic {READ[0]}"},
            "unknown_key",
            'Bearer realm="qonys", error="invalid_token"',
            id="another_scheme",
        ),
        pytest.param(
            bearer(hashlib.sha256(READ[0].encode()).hexdigest()),
            "unknown_key",
            'Bearer realm="qonys", error="invalid_token"',
            id="the_hash_is_no_key",
        ),
    ],
)
def test_without_a_known_key_nothing_is_answered(served, headers, code, told):
    answer = served(**KEYS).post("/forecast", json={}, headers=headers)

    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == told
    assert fault(answer)["code"] == code


@pytest.mark.parametrize("secret", [READ[0], ADMIN[0]], ids=["read", "admin"])
def test_a_key_of_either_scope_may_read(served, secret):
    assert served(**KEYS).post("/forecast", json={}, headers=bearer(secret)).status_code == 200


@pytest.mark.parametrize("path", ["/", "/openapi.json"])
def test_what_tells_how_to_ask_needs_no_key(served, path):
    assert served(**KEYS).get(path).status_code == 200


def test_a_key_that_may_read_may_not_administer(served):
    answer = served(**KEYS).post("/admin/reload", json={}, headers=bearer(READ[0]))

    assert answer.status_code == 403
    assert 'error="insufficient_scope", scope="admin"' in answer.headers["www-authenticate"]
    assert fault(answer)["message"] == "the key 'page' may only read"


def test_without_keys_everybody_may_read_and_nobody_may_administer(served):
    open_to_all = served()

    assert open_to_all.post("/forecast", json={}).status_code == 200
    answer = open_to_all.post("/admin/reload", json={})
    assert answer.status_code == 403
    error = fault(answer)
    assert error["code"] == "admin_is_off"
    assert "QONYS_API_KEYS" in error["details"][0]["expected"]


def test_a_command_makes_a_key_that_its_entry_knows(served, capsys, monkeypatch):
    monkeypatch.setattr("sys.argv", ["serving", "key", "--scope", "admin", "--name", "ministry"])

    assert main() == 0

    secret, entry = (line.rsplit(" ", 1)[1] for line in capsys.readouterr().out.splitlines())
    assert secret not in entry
    answer = served(QONYS_API_KEYS=entry).post("/forecast", json={}, headers=bearer(secret))
    assert answer.status_code == 200


# --- rate -----------------------------------------------------------------------------------------------------------


def test_who_asks_too_often_is_told_when_again(served):
    client = served(QONYS_RATE_LIMIT="3")

    statuses = [client.post("/forecast", json={}).status_code for _ in range(4)]
    answer = client.post("/forecast", json={})

    assert statuses == [200, 200, 200, 429]
    assert 1 <= int(answer.headers["retry-after"]) <= 20
    assert fault(answer)["code"] == "rate_limited"


def test_each_key_has_its_own_rate(served):
    client = served(**KEYS, QONYS_RATE_LIMIT="1")

    assert client.post("/forecast", json={}, headers=bearer(READ[0])).status_code == 200
    assert client.post("/forecast", json={}, headers=bearer(READ[0])).status_code == 429
    assert client.post("/forecast", json={}, headers=bearer(ADMIN[0])).status_code == 200


def test_who_guesses_keys_is_slowed_down(served):
    client = served(**KEYS, QONYS_RATE_LIMIT="2")

    statuses = [client.post("/forecast", json={}, headers=bearer(f"guess{n}")).status_code for n in range(4)]

    assert statuses == [401, 401, 429, 429]


def test_clients_that_are_remembered_are_not_more_than_memory_holds():
    limit = RateLimit(2)
    assert [limit.wait("busy", 0.0) for _ in range(3)] == [0, 0, 30]
    for number in range(MOST_CLIENTS + 10):
        limit.wait(f"client{number}", 0.0)

    assert len(limit._buckets) <= MOST_CLIENTS
    assert limit.wait("client5000", 0.0) == 0
    assert limit.wait("client5000", 0.0) == 30


# --- other sites ----------------------------------------------------------------------------------------------------


def test_pages_of_other_sites_may_not_ask_unless_they_are_named(served):
    closed, opened = served(), served(QONYS_CORS_ORIGINS="https://stat.example")
    here, elsewhere = {"Origin": "https://stat.example"}, {"Origin": "https://elsewhere.example"}

    assert "access-control-allow-origin" not in closed.get("/regions", headers=here).headers
    assert closed.options("/forecast", headers=here).status_code == 405
    assert "access-control-allow-origin" not in opened.get("/regions", headers=elsewhere).headers
    answer = opened.get("/regions", headers=here)
    assert answer.headers["access-control-allow-origin"] == "https://stat.example"
    assert answer.headers["vary"] == "Origin"


def test_a_browser_may_ask_first_without_a_key(served):
    client = served(**KEYS, QONYS_CORS_ORIGINS="*")

    asked = {"Origin": "https://stat.example", "Access-Control-Request-Method": "POST"}
    answer = client.options("/forecast", headers=asked)

    assert answer.status_code == 204
    assert "authorization" in answer.headers["access-control-allow-headers"]


# --- environment ----------------------------------------------------------------------------------------------------


def test_all_that_is_wrong_in_the_environment_is_told_at_once_and_no_secret():
    environ = {
        "QONYS_API_KEYS": f"{READ[1]},{READ[1]},page:read:{READ[0]}",
        "QONYS_RATE_LIMIT": "many",
        "QONYS_CORS_ORIGINS": "stat.example",
        "QONYS_ACCESS_LOG": "perhaps",
        "QONYS_WATCH": "-1",
    }

    with pytest.raises(SettingsError) as caught:
        settings_of(environ)

    told = str(caught.value)
    assert all(name in told for name in environ)
    assert "entry 2: another entry is called 'page'" in told
    assert "entry 3: must be NAME:read|admin:SHA256" in told
    assert READ[0] not in told


def test_an_empty_list_of_keys_is_a_fault_and_not_an_open_door():
    with pytest.raises(SettingsError, match="has no entry"):
        settings_of({"QONYS_API_KEYS": " "})
