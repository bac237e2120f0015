"""Reading: a request's body, and what it asks for."""

import asyncio
import codecs
import json
from collections import Counter
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from serving import patience
from serving.errors import Detail, RequestError, error_of, shown
from serving.exchange import JSON, Exchange

MEGABYTE = 1_000_000
MOST_FIELDS = 10_000
"""Of a body: for each that is unknown the nearest name is looked for, which takes its time."""
UTF_8 = "utf-8"
WANTED = "UTF-8 without a byte order mark"
MARKS = (codecs.BOM_UTF8, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
Asked = TypeVar("Asked", bound=BaseModel)


async def body_of(exchange: Exchange) -> bytes:
    """Raises RequestError where it is no JSON by its type, packed, too large, or does not come."""
    _check_content_type(exchange.content_type)
    if exchange.content_encoding:
        _check_encoding(exchange.content_encoding.decode("latin-1"))
    try:
        async with asyncio.timeout(patience.WAIT):
            return await _received(exchange)
    except TimeoutError:
        raise patience.too_slow("body") from None


async def _received(exchange: Exchange) -> bytes:
    chunks, size, more = [], 0, True
    while more:
        message = await exchange.receive()
        if message["type"] == "http.disconnect":
            # Nobody reads this.
            raise RequestError(400, "disconnected", "the client left")
        chunks.append(message.get("body", b""))
        size += len(chunks[-1])
        more = message.get("more_body", False)
        if size > MEGABYTE:
            detail = Detail(field="body", value=None, expected=f"at most {MEGABYTE:,} bytes")
            raise RequestError(413, "body_too_large", "the body is too large", [detail], {"Connection": "close"})
    return b"".join(chunks)


def asked_of(body: bytes, model: type[Asked], known: object) -> Asked:
    """The body as a model. known: the validation's context.

    Raises RequestError that lists every fault.
    """
    try:
        return model.model_validate(_parsed(body), context=known)
    except ValidationError as error:
        raise error_of(error, model.model_fields) from None


def _check_content_type(given: bytes) -> None:
    told = given.decode("latin-1")
    if told == JSON:
        return
    media_type, *parameters = (part.strip().lower() for part in told.split(";"))
    if media_type != JSON:
        detail = Detail(field="content-type", value=shown(told), expected=JSON)
        raise RequestError(415, "unsupported_media_type", f"the body must be {JSON}", [detail])
    charset = next((one.removeprefix("charset=").strip('"') for one in parameters if one.startswith("charset=")), UTF_8)
    if charset not in (UTF_8, "utf8", "us-ascii"):
        detail = Detail(field="content-type", value=shown(told), expected=f"{JSON}, which is UTF-8")
        raise RequestError(415, "unsupported_charset", f"the body must be in UTF-8, not in {shown(charset)}", [detail])


def _check_encoding(given: str) -> None:
    if given.strip().lower() != "identity":
        detail = Detail(field="content-encoding", value=shown(given), expected="no such header: the body as it is")
        message = f"the body must not be packed, as by {shown(given)}"
        raise RequestError(415, "unsupported_encoding", message, [detail])


def _parsed(body: bytes) -> Any:
    if not body.strip():
        detail = Detail(field="body", value=None, expected="a JSON object; {} takes every default")
        raise RequestError(400, "empty_body", "the body is empty", [detail])
    if body.count(b":") > MOST_FIELDS:
        detail = Detail(field="body", value=None, expected=f"at most {MOST_FIELDS:,} fields")
        raise RequestError(422, "too_many_fields", "the body has too many fields", [detail])
    try:
        return DECODER.decode(body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        detail = Detail(field="body", value=None, expected=f"a JSON object in {WANTED}")
        raise RequestError(400, "malformed_json", f"the body is not JSON: {_reason(body, error)}", [detail]) from None


def _reason(body: bytes, error: Exception) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply"
    return f"it must be {WANTED}" if body.startswith(MARKS) or b"\0" in body[:4] else str(error)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) < len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise ValueError(f"{shown(twice)!r} is given twice in an object")
    return made


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


DECODER = json.JSONDecoder(parse_constant=_refuse_constant, object_pairs_hook=_object)
