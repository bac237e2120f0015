"""Large answers are packed for who takes that, and are the same answers."""

import gzip
from dataclasses import replace

import pytest
from starlette.testclient import TestClient

from models.bundle import Bundle
from serving.answers import answers_of
from serving.packing import WORTH
from serving.routes import create_app


@pytest.fixture(scope="module")
def client(flow_bundle: Bundle) -> TestClient:
    app = create_app()
    app.state.answers = replace(answers_of(flow_bundle), tag="a model")
    return TestClient(app, headers={"Accept-Encoding": "identity"})


def raw(client: TestClient, path: str, **headers: str):
    """The answer, and its bytes as they were sent."""
    with client.stream("GET", path, headers=headers) as answer:
        return answer, b"".join(answer.iter_raw())


def test_a_large_answer_is_packed_for_who_takes_it(client):
    plain, whole = raw(client, "/model")
    packed, sent = raw(client, "/model", **{"Accept-Encoding": "br, gzip"})
    assert len(whole) >= WORTH
    assert gzip.decompress(sent) == whole
    assert len(sent) < len(whole) / 2
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) == len(sent)
    assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"
    assert packed.headers["etag"] == "W/" + plain.headers["etag"]


@pytest.mark.parametrize("taken", ["identity", "br", "gzip;q=0"])
def test_who_does_not_take_it_gets_it_plain(client, taken):
    answer, _ = raw(client, "/model", **{"Accept-Encoding": taken})
    assert "content-encoding" not in answer.headers


def test_the_tag_of_either_is_known_again(client):
    for taken in ("gzip", "identity"):
        tag = raw(client, "/model", **{"Accept-Encoding": taken})[0].headers["etag"]
        assert raw(client, "/model", **{"If-None-Match": tag})[0].status_code == 304


def test_a_short_answer_is_not(client):
    answer, _ = raw(client, "/nowhere", **{"Accept-Encoding": "gzip"})
    assert not {"content-encoding", "vary"} & set(answer.headers)
