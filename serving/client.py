"""The client: asks a service and returns typed answers. Knows httpx."""

import time
from collections import OrderedDict
from types import TracebackType
from typing import Any, NoReturn, TypeVar

import httpx
from pydantic import BaseModel, ValidationError
from pydantic_core import PydanticSerializationError

from serving.api import (
    EmptyRequest,
    ForecastRequest,
    ForecastResponse,
    ModelResponse,
    RegionsResponse,
    ReloadResponse,
)
from serving.drivers import DriversRequest, DriversResponse
from serving.errors import Error, ErrorResponse
from serving.flows import FlowsRequest, FlowsResponse
from serving.history import HistoryResponse
from serving.labour import LabourRequest, LabourResponse
from serving.levers import LeversResponse
from serving.projection import ProjectionRequest, ProjectionResponse
from serving.scenario import ScenarioRequest, ScenarioResponse
from serving.scoreboard import ScoreboardResponse
from serving.served_population import ServedRequest, ServedResponse

AGAIN = frozenset({429, 502, 503, 504})
"""Statuses after which the same request may be answered: of the service, or of what stands before it."""
FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0
"""Seconds before a request is sent again: the first time, doubled each time, and at most."""
LONGEST_RELOAD = 300.0
"""Seconds in which a model is fetched, loaded and checked."""
KEPT = 256
"""Answers that are kept with their ETag."""
SENT = {"Content-Type": "application/json"}
Told = TypeVar("Told", bound=BaseModel)


class ServiceError(Exception):
    """What the service answered in place of what was asked for."""

    def __init__(self, status: int, error: Error, request_id: str) -> None:
        wanted = "".join(f"; {one.field}: {one.expected}" for one in error.details)
        super().__init__(f"{status} {error.code}: {error.message}{wanted}")
        self.status = status
        self.error = error
        self.request_id = request_id


class UnavailableError(Exception):
    """No answer, however often the service was asked."""


class Client:
    """Asks the service at an address, as http://127.0.0.1:3000. key: where the service has keys.

    Every request but `reload` changes nothing, so it is sent again, `tries` times in all, where the connection fails or
    the service is busy. An answer that is had already is not sent again by the service (ETag). Each method but `close`
    raises ServiceError or UnavailableError; those that take fields also TypeError for a field that there is not, and
    ValueError for what is no JSON.

    >>> with Client("http://127.0.0.1:3000") as qonys:  # doctest: +SKIP
    ...     qonys.forecast(target="net_migration", regions=["KZ-71"]).forecasts[0].quantiles["0.5"]
    """

    def __init__(self, address: str, key: str | None = None, tries: int = 4, timeout: float = 30) -> None:
        """timeout: seconds. Raises ValueError."""
        _check(address, tries, timeout)
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout)
        self._tries = tries
        # By path and body of the request: ETag and body of its answer, the one used longest ago first.
        self._had: OrderedDict[tuple[str, bytes], tuple[str, bytes]] = OrderedDict()

    def forecast(self, **asked: Any) -> ForecastResponse:
        """asked: fields of ForecastRequest."""
        return self.ask("/forecast", ForecastResponse, _request(ForecastRequest, asked))

    def flows(self, **asked: Any) -> FlowsResponse:
        """asked: fields of FlowsRequest."""
        return self.ask("/flows", FlowsResponse, _request(FlowsRequest, asked))

    def drivers(self, **asked: Any) -> DriversResponse:
        """asked: fields of DriversRequest."""
        return self.ask("/drivers", DriversResponse, _request(DriversRequest, asked))

    def scenario(self, **asked: Any) -> ScenarioResponse:
        """asked: fields of ScenarioRequest."""
        return self.ask("/scenario", ScenarioResponse, _request(ScenarioRequest, asked))

    def projection(self, **asked: Any) -> ProjectionResponse:
        """asked: fields of ProjectionRequest."""
        return self.ask("/projection", ProjectionResponse, _request(ProjectionRequest, asked))

    def served_population(self, **asked: Any) -> ServedResponse:
        """asked: fields of ServedRequest."""
        return self.ask("/served-population", ServedResponse, _request(ServedRequest, asked))

    def labour(self, **asked: Any) -> LabourResponse:
        """asked: fields of LabourRequest."""
        return self.ask("/labour", LabourResponse, _request(LabourRequest, asked))

    def regions(self) -> RegionsResponse:
        return self.ask("/regions", RegionsResponse)

    def model(self) -> ModelResponse:
        return self.ask("/model", ModelResponse)

    def history(self) -> HistoryResponse:
        return self.ask("/history", HistoryResponse)

    def indicators(self) -> LeversResponse:
        return self.ask("/indicators", LeversResponse)

    def scoreboard(self) -> ScoreboardResponse:
        return self.ask("/scoreboard", ScoreboardResponse)

    def reload(self) -> ReloadResponse:
        """Have the service look for another model. Needs a key of the scope admin; sent once."""
        body = _body(EmptyRequest())
        try:
            answer = self._http.post("/admin/reload", content=body, headers=SENT, timeout=LONGEST_RELOAD)
        except httpx.RequestError as error:
            raise UnavailableError(f"{self._http.base_url}/admin/reload: no answer: {error}") from error
        _check_status(answer)
        return _answer(answer, ReloadResponse, answer.content)

    def ask(self, path: str, answer: type[Told], request: BaseModel | None = None) -> Told:
        """Any endpoint: with a request by POST, without one by GET."""
        body = b"" if request is None else _body(request)
        tag, had = self._had.get((path, body), ("", b""))
        sent = self._http.build_request(
            "GET" if request is None else "POST",
            path,
            content=body,
            headers=(SENT if body else {}) | ({"If-None-Match": tag} if tag else {}),
        )
        told = self._sent_again(sent)
        if not tag or told.status_code != httpx.codes.NOT_MODIFIED:
            had = told.content
            _check_status(told)
        made = _answer(told, answer, had)
        if new := told.headers.get("etag"):
            self._keep((path, body), (new, had))
        return made

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _sent_again(self, request: httpx.Request) -> httpx.Response:
        tried = 0
        while True:
            tried += 1
            wait = min(FIRST_WAIT * 2 ** (tried - 1), LONGEST_WAIT)
            try:
                answer = self._http.send(request)
            except httpx.RequestError as error:
                if tried == self._tries:
                    raise UnavailableError(f"{request.url}: no answer in {tried} tries: {error}") from error
            else:
                if tried == self._tries or answer.status_code not in AGAIN:
                    return answer
                wait = max(wait, min(_seconds(answer.headers.get("retry-after", "")), LONGEST_WAIT))
            time.sleep(wait)

    def _keep(self, asked: tuple[str, bytes], answered: tuple[str, bytes]) -> None:
        self._had[asked] = answered
        self._had.move_to_end(asked)
        if len(self._had) > KEPT:
            self._had.popitem(last=False)


def _check(address: str, tries: int, timeout: float) -> None:
    try:
        url = httpx.URL(address)
    except httpx.InvalidURL as error:
        raise ValueError(f"address {address!r}: {error}; must be as http://127.0.0.1:3000") from None
    if url.scheme not in ("http", "https") or not url.host:
        raise ValueError(f"address {address!r}: must begin with http:// or https://, as http://127.0.0.1:3000")
    if tries < 1 or not timeout > 0:
        raise ValueError(f"tries {tries}, timeout {timeout:g}: must be 1 or more, and above 0 seconds")


def _request(model: type[Told], asked: dict[str, Any]) -> Told:
    """The service knows what can be asked for; here only the names of fields are checked."""
    unknown = [name for name in asked if name not in model.model_fields]
    if unknown:
        raise TypeError(f"{model.__name__} has no field {', '.join(unknown)}; it has {', '.join(model.model_fields)}")
    return model.model_construct(set(asked), **asked)


def _body(request: BaseModel) -> bytes:
    try:
        # Rows may be dictionaries, which the service reads as well.
        return request.model_dump_json(exclude_unset=True, by_alias=True, warnings=False).encode()
    except (PydanticSerializationError, UnicodeEncodeError) as error:
        raise ValueError(f"{type(request).__name__}: cannot be written as JSON in UTF-8: {error}") from None


def _check_status(answer: httpx.Response) -> None:
    """Raises ServiceError for what is no answer to what was asked."""
    if answer.status_code == httpx.codes.OK:
        return
    try:
        error = ErrorResponse.model_validate_json(answer.content).error
    except ValidationError:
        _not_ours(answer, answer.text[:200] or answer.reason_phrase)
    raise ServiceError(answer.status_code, error, answer.headers.get("x-request-id", ""))


def _answer(answer: httpx.Response, model: type[Told], body: bytes) -> Told:
    try:
        return model.model_validate_json(body)
    except ValidationError as error:
        fault = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(map(str, fault["loc"]))
        _not_ours(answer, f"no {model.__name__}: {place}{': ' if place else ''}{fault['msg']}")


def _not_ours(answer: httpx.Response, message: str) -> NoReturn:
    """What stands before the service, or a service of another version."""
    error = Error(code="not_from_the_service", message=message, details=[])
    raise ServiceError(answer.status_code, error, answer.headers.get("x-request-id", "")) from None


def _seconds(told: str) -> float:
    return float(told) if told.isdigit() else 0.0
