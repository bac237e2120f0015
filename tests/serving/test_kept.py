"""What is asked again, byte for byte, is answered from what was kept; and nobody else's answer is."""

from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from models.bundle import Bundle
from serving.answers import Answers, answers_of
from serving.kept import Kept, KeptAnswers
from serving.keys import new_key
from serving.routes import create_app
from serving.rules import Rules
from serving.settings import settings_of

JSON = {"content-type": "application/json", "accept-encoding": "identity"}


@pytest.fixture(scope="module")
def prepared(flow_bundle: Bundle) -> Answers:
    return answers_of(flow_bundle)


@pytest.fixture
def answers(prepared) -> Answers:
    """Of which nobody has asked anything."""
    return replace(prepared, tag="a model")


@pytest.fixture
def app(answers):
    app = create_app()
    app.state.answers = answers
    return app


@pytest.mark.parametrize(
    ("path", "body"),
    [("/forecast", b'{"target": "inflow"}'), ("/flows", b'{"top": 3}'), ("/scenario", b"{}"), ("/regions", b"{}")],
)
def test_what_is_asked_again_is_not_made_again(app, answers, path, body):
    client = TestClient(app)
    first = client.post(path, content=body, headers=JSON)
    assert (first.status_code, answers.kept.find(path, body).answer) == (200, first.content)
    # Told apart from what would be made: it is what was kept.
    answers.kept._kept[path, body] = replace(answers.kept.find(path, body), answer=b"kept")

    again = client.post(path, content=body, headers=JSON)
    anew = client.post(path, content=body + b" ", headers=JSON)
    had = client.post(path, content=body, headers=JSON | {"if-none-match": first.headers["etag"]})

    assert again.content == b"kept"
    assert anew.content == first.content
    assert again.headers["etag"] == first.headers["etag"] != anew.headers["etag"]
    assert (had.status_code, had.content) == (304, b"")


@pytest.mark.parametrize("body", [b"", b"{", b'{"target": "unheard"}'])
def test_a_fault_is_not_kept(app, answers, body):
    told = {TestClient(app).post("/forecast", content=body, headers=JSON).status_code for _ in range(2)}

    assert told < {400, 422}
    assert answers.kept.find("/forecast", body) is None


def test_another_model_brings_its_own(app, bundle):
    client = TestClient(app)
    before = client.post("/forecast", json={})
    app.state.answers = answers_of(bundle)

    assert client.post("/forecast", json={}).json()["dataset"] != before.json()["dataset"]


def test_what_is_kept_is_told_to_nobody_who_may_not_ask(app):
    secret, entry = new_key("page", "read")
    app.state.rules = Rules(settings_of({"QONYS_API_KEYS": entry}))
    client = TestClient(app)

    assert client.post("/forecast", json={}, headers={"Authorization": f"Bearer {secret}"}).status_code == 200
    assert client.post("/forecast", json={}).status_code == 401
    assert client.post("/forecast", json={}, headers=JSON | {"content-type": "text/plain"}).status_code == 401


def test_only_so_many_bytes_are_kept():
    kept = KeptAnswers(most_bytes=100)
    for number in range(20):
        kept.keep("/forecast", b"%d" % number, Kept(b"x" * 30, "", ""))
    kept.keep("/forecast", b"large", Kept(b"x" * 96, "", ""))

    assert [number for number in range(20) if kept.find("/forecast", b"%d" % number)] == [17, 18, 19]
    assert kept.find("/forecast", b"large") is None
