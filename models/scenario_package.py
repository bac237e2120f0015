"""A package: indicators that are changed in regions and years, read from words and checked against a model."""

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from reprlib import repr as shown

import numpy as np

from features.fault_words import nearest
from features.indicators import INDICATORS
from models.scenario_model import ScenarioModel

MOST = 1_000
"""Changes of a package."""
MOST_TIMES = 100.0
"""What an indicator may grow by, times what it is, even where extrapolation is allowed."""
KEYS = ("region", "indicator", "change", "from", "to")
NUMBER = re.compile(r"([+\-−]?)\s{0,9}(\d{1,20}(?:[.,]\d{1,20})?)\s{0,9}(%?)")
Array = np.ndarray


class ScenarioError(ValueError):
    """A package that cannot be answered; names every fault."""


@dataclass(frozen=True)
class Change:
    """One indicator of one region in some years of moves.

    amount: relative (0.15 for +15 %) or in the indicator's unit. words: as they were given. size: the change of the
    centred value that the model sees, a log where the indicator's scale is.
    """

    region: str
    indicator: str
    words: str
    relative: bool
    amount: float
    first: int
    last: int
    size: float

    def __str__(self) -> str:
        return f"{self.region} {self.indicator} {self.words}, {self.first}-{self.last}"


@dataclass(frozen=True)
class Package:
    name: str
    changes: tuple[Change, ...]

    def sizes(self, model: ScenarioModel, years: Sequence[int]) -> Array:
        """Changes of centred values, (year, region, indicator), both of the model."""
        sizes = np.zeros((len(years), *model.values.shape))
        for change in self.changes:
            inside = [change.first <= year <= change.last for year in years]
            sizes[inside, *model.place(change.region, change.indicator)] += change.size
        return sizes


def read_package(path: Path, model: ScenarioModel, years: Sequence[int]) -> Package:
    """From a TOML or JSON file. Raises ScenarioError."""
    try:
        text = path.read_text("utf-8")
        words = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, UnicodeDecodeError, json.JSONDecodeError, tomllib.TOMLDecodeError) as error:
        raise ScenarioError(f"{path}: {error}; must be a scenario in TOML, or JSON with the suffix .json") from None
    return package_of(words, model, years)


def package_of(words: object, model: ScenarioModel, years: Sequence[int]) -> Package:
    """From `{name, change: [{region, indicator, change, from, to}]}`; years: those of the forecast.

    Raises ScenarioError that lists all faults.
    """
    told = words if isinstance(words, Mapping) else {}
    entries = told.get("change", told.get("changes", []))
    if not isinstance(entries, list) or not all(isinstance(entry, Mapping) for entry in entries):
        raise ScenarioError("change: must be a list of {region, indicator, change} with from and to where wanted")
    faults = [f"{key}: unknown; must be name or change" for key in told if key not in ("name", "change", "changes")]
    if not isinstance(words, Mapping):
        faults.append("a scenario: must be a table with name and change")
    if len(entries) > MOST:
        raise ScenarioError(f"change: has {len(entries)} rows; must have {MOST} or fewer")
    changes: list[Change] = []
    for number, entry in enumerate(entries, start=1):
        given = {key: value for key, value in entry.items() if value is not None}
        found = _faults(given, model, years)
        faults += [f"change {number}: {fault}" for fault in found]
        if not found:
            changes.append(_change(given, model, years))
            faults += [f"change {number}: {fault}" for fault in _twice(changes)]
    if faults:
        raise ScenarioError("\n".join(faults))
    return Package(str(told.get("name", "scenario")), tuple(changes))


def _faults(entry: Mapping, model: ScenarioModel, years: Sequence[int]) -> list[str]:
    faults = [f"{shown(key)}: unknown key{nearest(str(key), KEYS)}" for key in entry if key not in KEYS]
    faults += [f"{key}: is missing" for key in KEYS[:3] if key not in entry]
    if "region" in entry and entry["region"] not in model.regions:
        faults.append(_unknown("region", entry["region"], model.regions))
    if "indicator" in entry and entry["indicator"] not in model.indicators:
        faults.append(_no_effect(entry["indicator"], model))
    if "change" in entry and _parsed(entry["change"]) is None:
        faults.append(f"change {shown(entry['change'])}: must be like '+15 %', or '-2' in the indicator's unit")
    faults += [
        f"{key} {shown(entry[key])}: not a year of the forecast; must be from {years[0]} to {years[-1]}"
        for key in ("from", "to")
        if key in entry and entry[key] not in years
    ]
    return faults or _faults_of_value(entry, model, years)


def _unknown(what: str, given: object, known: Sequence[str]) -> str:
    return f"{what} {shown(given)}: unknown{nearest(str(given), known)}; known: {', '.join(known)}"


def _no_effect(given: object, model: ScenarioModel) -> str:
    """Unknown, or without an effect that the flows tell."""
    if isinstance(given, str) and given in INDICATORS:
        return f"indicator '{given}': the model has no effect for it; it has for {', '.join(model.indicators)}"
    return _unknown("indicator", given, model.indicators)


def _parsed(change: object) -> tuple[float, bool] | None:
    """Amount, and whether it is relative."""
    if isinstance(change, bool) or not isinstance(change, str | int | float):
        return None
    match = NUMBER.fullmatch(str(change).strip())
    if match is None:
        return None
    amount = float(match[2].replace(",", ".")) * (-1 if match[1] in ("-", "−") else 1)
    return (amount / 100, True) if match[3] else (amount, False)


def _faults_of_value(entry: Mapping, model: ScenarioModel, years: Sequence[int]) -> list[str]:
    """Of what is known, in a region that is, of an indicator that is."""
    name, (amount, relative) = entry["indicator"], _parsed(entry["change"]) or (0.0, False)
    place, faults = model.place(entry["region"], name), []
    if not np.isfinite(model.values[place]) or not np.isfinite(model.raw[place]):
        faults.append(f"{entry['region']} {name}: is not known at {model.cutoff}; what is not known cannot be changed")
    elif INDICATORS[name].scale == "log" and not relative:
        faults.append(f"change {entry['change']!r}: {name} changes by a part; must be like '+15 %'")
    elif relative and amount <= -1:
        faults.append(f"change {shown(entry['change'])}: nothing would be left; must be above -100 %")
    elif relative and amount > MOST_TIMES:
        faults.append(f"change {shown(entry['change'])}: must be {100 * MOST_TIMES:+.0f} % or less")
    else:
        faults += _beyond_bounds(entry, model, place, amount, relative)
    if entry.get("from", years[0]) > entry.get("to", years[-1]):
        faults.append(f"from {entry['from']} to {entry['to']}: must not end before it begins")
    return faults


def _beyond_bounds(
    entry: Mapping, model: ScenarioModel, place: tuple[int, int], amount: float, relative: bool
) -> list[str]:
    low, high = INDICATORS[entry["indicator"]].bounds
    then = model.raw[place] * (1 + amount) if relative else model.raw[place] + amount
    if low <= then <= high:
        return []
    return [
        f"change {shown(entry['change'])}: {entry['indicator']} would be {then:g}; must be from {low:g} to {high:g}"
    ]


def _change(entry: Mapping, model: ScenarioModel, years: Sequence[int]) -> Change:
    amount, relative = _parsed(entry["change"]) or (0.0, False)
    first, last = int(entry.get("from", years[0])), int(entry.get("to", years[-1]))
    words = str(entry["change"]).strip()
    size = size_of(model, entry["region"], entry["indicator"], amount, relative)
    return Change(entry["region"], entry["indicator"], words, relative, amount, first, last, size)


def size_of(model: ScenarioModel, region: str, indicator: str, amount: float, relative: bool) -> float:
    """The change of the centred value: a log, or in the indicator's unit."""
    if INDICATORS[indicator].scale == "log":
        return float(np.log1p(amount))
    return float(model.raw[model.place(region, indicator)] * amount) if relative else amount


def _twice(changes: Sequence[Change]) -> list[str]:
    *before, last = changes
    again = (
        f"{last.region} {last.indicator}: is changed twice in {max(one.first, last.first)}; must be changed once"
        for one in before
        if (one.region, one.indicator) == (last.region, last.indicator)
        and one.first <= last.last
        and last.first <= one.last
    )
    return list(islice(again, 1))
