"""The client asks again where it may, keeps what it has, and tells what the service says."""

import httpx
import pytest

from serving.client import LONGEST_RELOAD, Client, ServiceError, UnavailableError
from serving.errors import Detail, RequestError
from serving.labour import Jobs
from serving.routes import ENDPOINTS


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
        told.headers.pop("content-encoding", None)  # the test's client has unpacked it
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


def test_every_endpoint_has_a_typed_method(asked):
    qonys, sent, _ = asked
    wages = {"region": "KZ-61", "indicator": "average_wage", "change": "+15 %"}
    jobs = Jobs(region="KZ-71", year=2030, jobs=900_000, source="an example")

    assert qonys.drivers(region="KZ-71").regions[0].region == "KZ-71"
    assert qonys.scenario(changes=[wages], regions=["KZ-61"]).changes[0].change == "+15 %"
    assert qonys.projection(regions=["KZ-71"], years=[2030]).population[0].year == 2030
    assert qonys.labour(regions=["KZ-71"], to=2030, jobs=[jobs]).labour[-1].jobs == 900_000
    assert qonys.served_population(to=2030).city == "Astana"
    assert {one.region for one in qonys.history().regions} >= {"KZ-71"}
    assert qonys.indicators().levers
    assert qonys.scoreboard().scores == []
    told = {request.url.path for request in sent} | {"/flows", "/forecast", "/regions", "/model", "/admin/reload"}
    assert told == {endpoint.path for endpoint in ENDPOINTS} - {"/openapi.json", "/healthz", "/readyz", "/metrics"}


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
        pytest.param(httpx.Response(502, text="<html>Bad gateway</html>"), id="bad_gateway"),
        pytest.param(httpx.Response(504), id="gateway_timeout"),
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


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(httpx.Response(404, text="<html>no such site</html>"), id="other_fault"),
        pytest.param(httpx.Response(200, text="<html>sign in</html>"), id="html"),
        pytest.param(httpx.Response(200, json={"regions": 5}), id="other_json"),
        pytest.param(httpx.Response(204), id="nothing"),
        pytest.param(httpx.Response(302, headers={"location": "http://elsewhere"}), id="redirect"),
        pytest.param(httpx.Response(304), id="had_what_was_never_sent"),
        pytest.param(httpx.Response(404, json={"error": "no such site"}), id="other_form"),
    ],
)
def test_what_is_no_answer_of_the_service_is_told_apart(asked, answer):
    qonys, sent, faults = asked
    faults += [answer, answer]

    for ask in (qonys.regions, qonys.reload):
        with pytest.raises(ServiceError) as caught:
            ask()
        assert (caught.value.status, caught.value.error.code) == (answer.status_code, "not_from_the_service")

    assert len(sent) == 2
    assert qonys.regions().regions


def test_a_reload_that_is_not_answered_is_told_and_not_sent_again(asked):
    qonys, sent, faults = asked
    faults.append(httpx.ReadTimeout("too long"))

    with pytest.raises(UnavailableError, match="/admin/reload: no answer: too long"):
        qonys.reload()

    assert len(sent) == 1
    assert sent[0].extensions["timeout"]["read"] == LONGEST_RELOAD


@pytest.mark.parametrize(
    ("address", "given", "told"),
    [
        pytest.param("127.0.0.1:3000", {}, "must begin with http", id="no_scheme"),
        pytest.param("ftp://service", {}, "must begin with http", id="other_scheme"),
        pytest.param("http://", {}, "must begin with http", id="no_host"),
        pytest.param("http://service:port", {}, "Invalid port", id="no_url"),
        pytest.param("http://service", {"tries": 0}, "tries 0", id="no_try"),
        pytest.param("http://service", {"timeout": 0}, "timeout 0", id="no_time"),
    ],
)
def test_a_client_that_could_never_ask_is_not_made(address, given, told):
    with pytest.raises(ValueError, match=told):
        Client(address, **given)


@pytest.mark.parametrize("value", [pytest.param("\ud800", id="half_a_character"), pytest.param(object(), id="no_json")])
def test_what_cannot_be_sent_is_told_before_anything_is(asked, value):
    qonys, sent, _ = asked

    with pytest.raises(ValueError, match="ForecastRequest: cannot be written as JSON"):
        qonys.forecast(target=value)

    assert sent == []


def test_a_field_that_is_misspelt_is_told_before_anything_is_sent(asked):
    qonys, sent, _ = asked

    with pytest.raises(TypeError, match="no field region; it has target, regions, horizons"):
        qonys.forecast(region="KZ-71")

    assert sent == []
