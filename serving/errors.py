"""The one form in which every fault of a request is answered."""

import difflib
import json
import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, Field, ValidationError
from pydantic_core import ErrorDetails

SHOWN = 50
"""Faults that are listed one by one; the rest are counted."""
LONGEST = 500
"""Characters of a fault that the models tell."""
LISTED = 10
"""Known values that are listed one by one; of more, the first, the last and their number."""
WANTED = {
    "string_type": "a text",
    "string_unicode": "a text in Unicode",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "list_type": "a list, or null for all",
    "model_type": "a JSON object, as {}",
    "too_short": "at least one; leave the field out for all",
    "too_long": "what is wanted once; leave the field out for all",
    "greater_than_equal": "1 or more",
}
SIZES = {
    "too_short": ("empty_list", "is empty"),
    "too_long": ("long_list", "is too long"),
    "greater_than_equal": ("too_small", "must be 1 or more"),
}


NAMED = re.compile(r"(?:: |unknown )*['`]?(\w+)['`]?(?: (\d+)(?=:)|(:? is missing))?")
"""What the models begin a fault with: a section, maybe with the number of its row from 1, or a key of a row."""
Scalar = str | int | float | bool | None


class Detail(BaseModel):
    """One fault."""

    field: str = Field(
        description="Field of the request at fault, as `regions`, or `jobs[0].year` where it is in a row; or `body`, "
        "`path`, `method`, `headers`, `client`, `bundle`, the name of a header as `content-type`."
    )
    value: Scalar = Field(
        description="What was given; null where nothing was. Long values are cut, lists and objects only named."
    )
    expected: str = Field(description="What would be right.")


class Error(BaseModel):
    """What was wrong with a request."""

    code: str = Field(description="For programs: a stable word, as `unknown_region`; `invalid_request` for several.")
    message: str = Field(description="For people: one sentence.")
    details: list[Detail] = Field(description=f"Every fault that was found; the first {SHOWN} where there are more.")


class ErrorResponse(BaseModel):
    """Every answer with a status of 400 or above."""

    error: Error = Field(description="What was wrong.")


class RequestError(Exception):
    """A request that cannot be answered, as it is answered."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        details: Iterable[Detail] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers
        self.error = Error(code=code, message=message, details=list(details))

    def body(self) -> bytes:
        told = ErrorResponse(error=self.error).model_dump()
        return json.dumps(told, ensure_ascii=False, allow_nan=False).encode()


def error_of(error: ValidationError, fields: Iterable[str]) -> RequestError:
    """All faults of a request as one answer. fields: names that the request may have."""
    found = error.errors(include_url=False)
    told = [_told(one, list(fields)) for one in found[:SHOWN]]
    codes = {code for code, _, _ in told}
    message = told[0][1] if len(found) == 1 else f"{len(found)} faults: " + "; ".join(m for _, m, _ in told[:3])
    if len(found) > 3:
        message += f"; and {len(found) - 3} more"
    code = codes.pop() if len(codes) == 1 else "invalid_request"
    return RequestError(422, code, message, [detail for _, _, detail in told])


def refused(error: ValueError, code: str, given: Mapping[str, object]) -> RequestError:
    """What the models say of a request that they refuse: a detail for each fault, which is a line.

    given: what the models were given, by the path of its field. A fault whose place is not told is of the first.
    """
    lines = [line.strip()[:LONGEST] for line in str(error).splitlines() if not line.endswith(":")]
    details = [_detail(line, given) for line in lines[:SHOWN]]
    message = lines[0] if len(lines) == 1 else f"{len(lines)} faults: {'; '.join(lines[:3])}"
    return RequestError(422, code, message, details)


def _detail(line: str, given: Mapping[str, object]) -> Detail:
    """The models call the first row `change 1`, and tell its key next."""
    place, value = _place(line, {path.rpartition(".")[2]: path for path in given}, given)
    if not place:
        place = next(iter(given))
        return Detail(field=place, value=shown(given[place]), expected=line)
    return Detail(field=place, value=shown(value), expected=line.partition(": ")[2] or line)


def _place(line: str, paths: Mapping[str, str], given: Mapping[str, object]) -> tuple[str, object]:
    """Path and value of what a line begins with; an empty path where it is none of what was given. paths: by name."""
    told = NAMED.match(line)
    name = told and next((one for one in (told[1], f"{told[1]}s") if one in paths), told[1] if told[3] else None)
    if not told or not name:
        return "", None
    place, rest = paths.get(name, name), line[told.end() :]
    value = given.get(place)
    if told[2] and isinstance(value, list) and int(told[2]) <= len(value):
        place, value = f"{place}[{int(told[2]) - 1}]", value[int(told[2]) - 1]
    if not isinstance(value, Mapping):
        return place, value
    inner, of_it = _place(rest, {str(key): key for key in value}, value)
    return (f"{place}.{inner}", of_it) if inner else (place, value)


def no_model() -> RequestError:
    """The bundle could not be loaded yet; why is for who runs the service, and in its log."""
    told = "no model could be loaded; the log of the service tells why, and it tries again"
    return RequestError(503, "no_model", told, headers={"Retry-After": "5"})


def _told(one: ErrorDetails, fields: list[str]) -> tuple[str, str, Detail]:
    """Code, message and detail of one fault."""
    field = str(shown(one["loc"][0])) if one["loc"] else "body"
    value = shown(one["input"])
    if one["type"] == "unknown":
        told = one["ctx"]  # pyright: ignore[reportTypedDictNotRequiredAccess]
        wanted = told["elsewhere"] or expected(one["input"], told["known"])
        detail = Detail(field=field, value=value, expected=wanted)
        return f"unknown_{told['kind']}", f"unknown {told['kind']} {_quoted(value)}", detail
    if one["type"] == "extra_forbidden":
        wanted = expected(field, dict.fromkeys(fields, ())) if fields else "no field; send {}"
        return "unknown_field", f"unknown field {_quoted(field)}", Detail(field=field, value=value, expected=wanted)
    wanted = _wanted(one)
    code, message = SIZES.get(one["type"], ("wrong_type", f"must be {wanted}"))
    return code, f"{field} {message}", Detail(field=field, value=value, expected=wanted)


def _wanted(one: ErrorDetails) -> str:
    context = one.get("ctx", {})
    if one["type"] == "literal_error":
        # Pydantic lists what it knows as 'low', 'medium' or 'high'.
        return expected(one["input"], dict.fromkeys(re.findall("'([^']+)'", context["expected"]), ()))
    if one["type"] == "string_too_long":
        return f"at most {context['max_length']} characters"
    return WANTED.get(one["type"], one["msg"])


def expected(given: object, known: Mapping[Any, tuple[str, ...]]) -> str:
    """What would be right, with the nearest known value. known: other names by value.

    >>> expected("Astana", {"KZ-71": ("Astana", "Астана"), "KZ-75": ("Almaty", "Алматы")})
    "one of KZ-71, KZ-75; did you mean 'KZ-71'?"
    >>> expected(7, dict.fromkeys(range(1, 4), ()))
    'one of 1, 2, 3'
    """
    values = [str(value) for value in known]
    listed = ", ".join(values) if len(values) <= LISTED else f"{values[0]} … {values[-1]} ({len(values)})"
    nearest = _nearest(given, known) if isinstance(given, str) else None
    return f"one of {listed}" + (f"; did you mean '{nearest}'?" if nearest else "")


def _nearest(given: str, known: Mapping[Any, tuple[str, ...]]) -> str | None:
    spelled = {name.casefold(): str(value) for value, names in known.items() for name in (str(value), *names)}
    # Comparing takes time in proportion to the length; no known name is as long.
    close = difflib.get_close_matches(given[:80].casefold(), spelled, n=1)
    return spelled[close[0]] if close else None


def shown(value: object) -> Scalar:
    """A value as it can be shown: JSON, and short."""
    if isinstance(value, dict | list):
        return "an object" if isinstance(value, dict) else "a list"
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, str):
        # Half a surrogate pair is no Unicode and cannot be sent.
        whole = value[:80].encode("utf-8", "backslashreplace").decode()
        return whole if len(value) <= 80 else whole + "…"
    if isinstance(value, int) and abs(value) > 2**53:
        return str(value)[:80]
    return value if isinstance(value, int | float) else None


def _quoted(value: Scalar) -> str:
    return repr(value) if isinstance(value, str) else json.dumps(value)
