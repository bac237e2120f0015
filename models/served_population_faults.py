"""Faults of a case of served population: what single keys and rows against each other have wrong, in sentences."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from features.fault_words import nearest

MOST = 200
"""Rows of a section."""
HINTED = 20
"""Names without a partner to which the nearest is told; of more, comparing all with all takes too long."""
BOUNDS = {
    "greater_than_equal": ("ge", "must be {} or more"),
    "greater_than": ("gt", "must be above {}"),
    "less_than_equal": ("le", "must be {} or less"),
}
TYPES = {
    "float_type": "a number",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "string_type": "a text",
    "bool_type": "true or false",
    "list_type": "a list of rows",
    "model_type": "a table of keys",
    "dict_type": "a table of keys",
    "finite_number": "a finite number",
    "string_too_short": "a text that is not empty",
}


class Fault(NamedTuple):
    """place: section, position of the row, key."""

    place: tuple[str | int, ...]
    text: str


# --- single keys ----------------------------------------------------------------------------------------------------


def fault_lines(error: ValidationError, whole: type[BaseModel], sections: Mapping[str, type[BaseModel]]) -> list[str]:
    """A line for each fault: section and row (from 1), key, value, what would be right."""
    return [_line(one, whole, sections) for one in error.errors(include_url=False)]


def _line(one: ErrorDetails, whole: type[BaseModel], sections: Mapping[str, type[BaseModel]]) -> str:
    place = [part for part in one["loc"] if part != "[key]"]
    if one["type"] == "case":
        return _where(place, one["msg"])
    model = sections.get(str(place[0]), whole) if len(place) > 1 else whole
    return _where(place, _told(one, model, str(place[-1]) if place else ""))


def _where(place: Sequence[str | int], told: str) -> str:
    """`norm 2: counts: visitors` of ('norm', 1, 'counts', 'visitors')."""
    names: list[str] = []
    for part in place:
        if isinstance(part, int) and names:
            names[-1] = f"{names[-1]} {part + 1}"
        else:
            names.append(str(part))
    return f"{': '.join(names)}{' ' if told.startswith(('=', 'is ')) else ': '}{told}" if names else told


def _told(one: ErrorDetails, model: type[BaseModel], key: str) -> str:
    kind, context = one["type"], one.get("ctx", {})
    if kind == "extra_forbidden":
        return unknown_key(key, model.model_fields)
    if kind == "missing":
        described = model.model_fields[key].description if key in model.model_fields else None
        return "is missing" + (f"; must be given: {described}" if described else "; must be given")
    given = f"= {_short(one['input'])}: "
    if kind == "literal_error":
        known = [name.strip(" '") for name in context["expected"].replace(" or ", ", ").split(",")]
        return f"{given}must be one of {', '.join(known)}{nearest(str(one['input']), known)}"
    if kind in BOUNDS:
        name, sentence = BOUNDS[kind]
        return given + sentence.format(f"{context[name]:g}")
    if kind == "too_short":
        return "is empty; must have a row at least"
    if kind == "too_long":
        return f"has {context['actual_length']} rows; must have {context['max_length']} or fewer"
    return given + (f"must be {TYPES[kind]}" if kind in TYPES else one["msg"])


def key_faults(data: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """Keys of a table that are not known."""
    names = list(known)
    return [f"{key}: {unknown_key(key, names)}" for key in data if key not in names]


def unknown_key(key: str, known: Iterable[str]) -> str:
    """
    >>> unknown_key("sourc", ["persons", "source"])
    "unknown key; did you mean 'source'?; known: persons, source"
    """
    names = list(known)
    return f"unknown key{nearest(key, names)}; known: {', '.join(names)}"


def _short(value: object) -> str:
    if isinstance(value, list | dict):
        return "a list" if isinstance(value, list) else "a table"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else f"{text[:80]}…"


# --- rows against each other ----------------------------------------------------------------------------------------


def cross_faults(data: Any) -> list[Fault]:
    """Of what was given as it was given: rows that have faults of their own take part with what they have."""
    if not isinstance(data, Mapping):
        return []
    rows = {name: _rows(data, name) for name in ("component", "norm", "capacity", "recipients", "budget")}
    return [
        *_component_faults(rows["component"]),
        *_error_faults("total", [((), data["total"])] if isinstance(data.get("total"), Mapping) else []),
        *_duplicates("norm", rows["norm"], ("service", "age_group")),
        *_duplicates("capacity", rows["capacity"], ("service", "year")),
        *_unit_faults("norm", "norm", rows["norm"], rows["norm"], "service"),
        *_unit_faults("capacity", "norm", rows["capacity"], rows["norm"], "service"),
        *_lacking("capacity", "norm", rows, "service"),
        *_lacking("norm", "capacity", rows, "service"),
        *_duplicates("recipients", rows["recipients"], ("benefit", "age_group")),
        *_duplicates("budget", rows["budget"], ("benefit", "year")),
        *_cost_faults(rows["recipients"], rows["budget"]),
        *_unit_faults("recipients", "recipients", rows["recipients"], rows["recipients"], "benefit"),
        *_unit_faults("budget", "recipients", rows["budget"], rows["recipients"], "benefit"),
        *_lacking("budget", "recipients", rows, "benefit"),
    ]


Rows = list[tuple[tuple[int, ...], Mapping[str, Any]]]
"""Positions, and what stands there."""


def _rows(data: Mapping[str, Any], section: str) -> Rows:
    given = data.get(section)
    if not isinstance(given, list):
        return []
    return [((place,), row) for place, row in enumerate(given[:MOST]) if isinstance(row, Mapping)]


def _component_faults(rows: Rows) -> Iterator[Fault]:
    if rows and not any(row.get("kind") == "registered" for _, row in rows):
        yield Fault(("component",), "no row is of kind 'registered'; must be one, which the others are related to")
    yield from _duplicates("component", rows, ("kind",))
    yield from _error_faults("component", rows)
    for place, row in rows:
        if row.get("kind") == "registered" and row.get("growth_per_year") is not None:
            told = "registered residents grow as the projected population; must be left out"
            yield Fault(("component", *place, "growth_per_year"), told)


def _error_faults(section: str, rows: Rows) -> Iterator[Fault]:
    for place, row in rows:
        given = {key for key in ("error", "said", "rounded_to") if row.get(key) is not None}
        if given not in ({"error"}, {"said", "rounded_to"}):
            has = f"has {', '.join(sorted(given))}" if given else "has no error"
            told = f"{has}; must have error, or both said and rounded_to"
            yield Fault((section, *place), told)


def _duplicates(section: str, rows: Rows, keys: tuple[str, ...]) -> Iterator[Fault]:
    first: dict[tuple, int] = {}
    for place, row in rows:
        key = tuple(str(row.get(name)) for name in keys)
        if row.get(keys[0]) is not None and first.setdefault(key, place[0]) != place[0]:
            told = ", ".join(f"{name} {row[name]}" for name in keys if row.get(name) is not None)
            yield Fault((section, *place), f"{told} a second time, after row {first[key] + 1}; must be once")


def _unit_faults(section: str, of: str, rows: Rows, wanted: Rows, name: str) -> Iterator[Fault]:
    """Rows in another unit than the first of those that say it; rows of one name and unit are one fault."""
    units: dict[str, tuple[str, int]] = {}
    for place, row in wanted:
        if isinstance(row.get(name), str) and isinstance(row.get("unit"), str):
            units.setdefault(row[name], (row["unit"], place[0]))
    wrong = [
        (place, row[name], row["unit"])
        for place, row in rows
        if isinstance(row.get(name), str) and row[name] in units and isinstance(row.get("unit"), str)
        if row["unit"] != units[row[name]][0]
    ]
    counted = Counter((named, unit) for _, named, unit in wrong)
    for place, named, unit in wrong:
        rows_of_it = counted.pop((named, unit), 0)
        if rows_of_it:
            several = f" in {rows_of_it} rows" if rows_of_it > 1 else ""
            told = f"of '{named}' is '{unit}'{several}; must be '{units[named][0]}' as in {of} {units[named][1] + 1}"
            yield Fault((section, *place, "unit"), told)


def _lacking(section: str, other: str, rows: Mapping[str, Rows], name: str) -> Iterator[Fault]:
    """Names that a section has and the other has not, once each."""
    there = {row[name] for _, row in rows[other] if isinstance(row.get(name), str)}
    lacking: dict[str, int] = {}
    for place, row in rows[section]:
        if isinstance(row.get(name), str) and row[name] not in there:
            lacking.setdefault(row[name], place[0])
    for named, place in lacking.items():
        near = nearest(named, sorted(there)) if len(lacking) <= HINTED else ""
        yield Fault((section, place), f"{name} {_short(named)} has no {other}{near}; give both, or leave it out")


def _cost_faults(recipients: Rows, budget: Rows) -> Iterator[Fault]:
    budgeted = {row["benefit"] for _, row in budget if isinstance(row.get("benefit"), str)}
    for place, row in recipients:
        cost, unit = row.get("cost_per_recipient"), row.get("unit")
        if (cost is None) != (unit is None):
            told = "has one of cost_per_recipient and unit; must have both, or neither"
            yield Fault(("recipients", *place), told)
        elif cost is None and str(row.get("benefit")) in budgeted:
            told = (
                f"benefit {_short(row['benefit'])} has a budget but no cost_per_recipient; must have it, and its unit"
            )
            yield Fault(("recipients", *place), told)
