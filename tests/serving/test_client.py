"""The client asks again where it may, keeps what it has, and tells what the service says."""

import httpx
import pytest

from serving.client import Client, ServiceError, UnavailableError
from serving.errors import Detail, RequestError


@pytest.fixture
def asked(client, monkeypatch):
    """A client of the real routes, and what was sent."""
    sent: list[httpx.Request] = []
    faults: list[httpx.Response | Exception] = []

    def answer(request: httpx.Request) -> httpx.Response:
        sent.append(request)
        fault = faults.pop(0) if faults else None
        if isinstance(fault, Exception):
            raise fault
        if fault is not None:
            return fault
        told = client.request(request.method, request.url.path, content=request.content, headers=request.headers)
        return httpx.Response(told.status_code, headers=told.headers, content=told.content)

    monkeypatch.setattr("serving.client.FIRST_WAIT", 0.0)
    with Client("http://service", key="secret") as asking:
        asking._http = httpx.Client(
            base_url="http://service", transport=httpx.MockTransport(answer), headers=asking._http.headers
        )
        yield asking, sent, faults


def refused(status: int, code: str, **headers: str) -> httpx.Response:
    fault = RequestError(status, code, "said so", [Detail(field="client", value=None, expected="less")])
    return httpx.Response(status, content=fault.body(), headers=headers)


def test_answers_are_typed(asked, bundle):
    qonys, sent, _ = asked

    told = qonys.forecast(target="inflow", regions=["KZ-71"], horizons=[1])

    assert told.forecasts[0].region == "KZ-71"
    assert told.cutoff == bundle.manifest.cutoff
    assert qonys.model().served.source == "folder"
    assert {one.region for one in qonys.regions().regions} >= {"KZ-71"}
    assert qonys.flows(top=2, horizons=[1]).total > 2
    assert sent[0].headers["authorization"] == "Bearer secret"


def test_what_is_had_is_not_sent_again(asked):
    qonys, sent, _ = asked

    first, again = qonys.forecast(target="inflow"), qonys.forecast(target="inflow")

    assert first == again
    assert "if-none-match" not in sent[0].headers
    assert sent[1].headers["if-none-match"]
    assert len(qonys._had) == 1


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(refused(429, "rate_limited", **{"Retry-After": "0"}), id="too_often"),
        pytest.param(refused(503, "shutting_down"), id="shutting_down"),
        pytest.param(httpx.ConnectError("refused"), id="refused"),
        pytest.param(httpx.ReadError("cut"), id="cut"),
    ],
)
def test_a_request_that_may_be_answered_later_is_sent_again(asked, fault):
    qonys, sent, faults = asked
    faults += [fault, fault]

    assert qonys.regions().regions
    assert len(sent) == 3


def test_a_service_that_never_answers_is_told(asked):
    qonys, sent, faults = asked
    faults += [httpx.ConnectError("refused")] * 9

    with pytest.raises(UnavailableError, match="no answer in 4 tries"):
        qonys.regions()

    assert len(sent) == 4


def test_a_fault_tells_what_would_be_right_and_is_not_sent_again(asked):
    qonys, sent, _ = asked

    with pytest.raises(ServiceError, match="did you mean 'KZ-71'") as caught:
        qonys.forecast(regions=["Astana"])

    assert (caught.value.status, caught.value.error.code) == (422, "unknown_region")
    assert caught.value.request_id
    assert len(sent) == 1


def test_what_stands_before_the_service_is_told_apart(asked):
    qonys, _, faults = asked
    faults.append(httpx.Response(502, text="<html>Bad gateway</html>"))

    with pytest.raises(ServiceError, match="not_from_the_service"):
        qonys.regions()


def test_a_field_that_is_misspelt_is_told_before_anything_is_sent(asked):
    qonys, sent, _ = asked

    with pytest.raises(TypeError, match="no field region; it has target, regions, horizons"):
        qonys.forecast(region="KZ-71")

    assert sent == []
