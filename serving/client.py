"""The client: asks a service and returns typed answers. Knows httpx."""

import time
from collections import OrderedDict
from types import TracebackType
from typing import Any, TypeVar

import httpx
from pydantic import BaseModel, ValidationError

from serving.api import (
    EmptyRequest,
    ForecastRequest,
    ForecastResponse,
    ModelResponse,
    RegionsResponse,
    ReloadResponse,
)
from serving.errors import Error, ErrorResponse
from serving.flows import FlowsRequest, FlowsResponse

AGAIN = frozenset({429, 503})
"""Statuses after which the same request may be answered."""
FIRST_WAIT, LONGEST_WAIT = 0.2, 10.0
"""Seconds before a request is sent again: the first time, doubled each time, and at most."""
KEPT = 256
"""Answers that are kept with their ETag."""
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
    """Asks a service at an address, as http://127.0.0.1:3000. key: where the service has keys.

    Every request but `reload` changes nothing, so it is sent again, `tries` times in all, where the connection fails or
    the service is busy. An answer that is had already is not sent again by the service (ETag).

    >>> with Client("http://127.0.0.1:3000") as qonys:  # doctest: +SKIP
    ...     qonys.forecast(target="net_migration", regions=["KZ-71"]).forecasts[0].quantiles["0.5"]
    """

    def __init__(self, address: str, key: str | None = None, tries: int = 4, timeout: float = 30) -> None:
        headers = {"Accept": "application/json"} | ({"Authorization": f"Bearer {key}"} if key else {})
        self._http = httpx.Client(base_url=address, headers=headers, timeout=timeout)
        self._tries = tries
        # By request: ETag and body of its answer, the one used longest ago first.
        self._had: OrderedDict[tuple[str, bytes], tuple[str, bytes]] = OrderedDict()

    def forecast(self, **asked: Any) -> ForecastResponse:
        """asked: fields of ForecastRequest."""
        return self.ask("/forecast", _request(ForecastRequest, asked), ForecastResponse)

    def flows(self, **asked: Any) -> FlowsResponse:
        """asked: fields of FlowsRequest."""
        return self.ask("/flows", _request(FlowsRequest, asked), FlowsResponse)

    def regions(self) -> RegionsResponse:
        return self.ask("/regions", EmptyRequest(), RegionsResponse)

    def model(self) -> ModelResponse:
        return self.ask("/model", EmptyRequest(), ModelResponse)

    def reload(self) -> ReloadResponse:
        """Have the service look for another model. Needs a key of the scope admin.

        Raises ServiceError that tells why a model was refused.
        """
        answer = self._http.post("/admin/reload", json={}, timeout=None)
        return ReloadResponse.model_validate_json(_checked(answer).content)

    def ask(self, path: str, request: BaseModel, answer: type[Told]) -> Told:
        """Any endpoint that takes a request by POST.

        Raises ServiceError or UnavailableError.
        """
        body = request.model_dump_json(exclude_unset=True, by_alias=True).encode()
        tag, had = self._had.get((path, body), ("", b""))
        told = self._sent_again(path, body, {"If-None-Match": tag} if tag else {})
        if told.status_code != httpx.codes.NOT_MODIFIED:
            had = told.content
        if new := told.headers.get("etag"):
            self._keep((path, body), (new, had))
        return answer.model_validate_json(had)

    def close(self) -> None:
        self._http.close()

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _sent_again(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        headers = headers | {"Content-Type": "application/json"}
        for left in range(self._tries - 1, -1, -1):
            wait = min(FIRST_WAIT * 2 ** (self._tries - 1 - left), LONGEST_WAIT)
            try:
                answer = self._http.post(path, content=body, headers=headers)
            except httpx.TransportError as error:
                if not left:
                    raise UnavailableError(f"{self._http.base_url}{path}: no answer in {self._tries} tries") from error
            else:
                if not left or answer.status_code not in AGAIN:
                    return _checked(answer)
                wait = max(wait, min(_seconds(answer.headers.get("retry-after", "")), LONGEST_WAIT))
            time.sleep(wait)
        raise AssertionError("tries must be 1 or more")

    def _keep(self, asked: tuple[str, bytes], answered: tuple[str, bytes]) -> None:
        self._had[asked] = answered
        self._had.move_to_end(asked)
        if len(self._had) > KEPT:
            self._had.popitem(last=False)


def _request(model: type[Told], asked: dict[str, Any]) -> Told:
    """The service knows what can be asked for; here only the names of fields are checked."""
    unknown = [name for name in asked if name not in model.model_fields]
    if unknown:
        raise TypeError(f"{model.__name__} has no field {', '.join(unknown)}; it has {', '.join(model.model_fields)}")
    return model.model_construct(set(asked), **asked)


def _checked(answer: httpx.Response) -> httpx.Response:
    if answer.status_code < 400:
        return answer
    try:
        error = ErrorResponse.model_validate_json(answer.content).error
    except ValidationError:
        # Not the service: what stands before it.
        error = Error(code="not_from_the_service", message=answer.text[:200], details=[])
    raise ServiceError(answer.status_code, error, answer.headers.get("x-request-id", ""))


def _seconds(told: str) -> float:
    return float(told) if told.isdigit() else 0.0
