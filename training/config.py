"""Typed configuration: the keys of default.toml, and nothing else."""

import difflib
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from features.dataset import KAZAKHSTAN

DEFAULTS = Path(__file__).parent / "default.toml"


class ConfigError(ValueError):
    """A configuration that cannot be used; names every key at fault and what would be right."""


@dataclass(frozen=True)
class Config:
    """What a run does; the comments in default.toml say between what each key turns. cutoff: None for the last year."""

    data: Path
    cutoff: int | None
    horizons: tuple[int, ...]
    draws: int
    seed: int


def load_config(settings: Sequence[str] = (), data: Path | None = None, cutoff: int | None = None) -> Config:
    """Defaults, changed by `key=value` settings (values as in TOML; text may go without quotes).

    Raises ConfigError that lists every fault.

    >>> load_config(["draws=200"]).draws
    200
    """
    values = tomllib.loads(DEFAULTS.read_text("utf-8"))
    faults = []
    for setting in settings:
        key, equals, text = setting.partition("=")
        if not equals:
            faults.append(f"'{setting}': must be key=value")
        elif key not in values:
            faults.append(f"'{key}': unknown key{_nearest(key, values)}; known: {', '.join(values)}")
        else:
            values[key] = _value(text)
    values |= {} if data is None else {"data": str(data)}
    values |= {} if cutoff is None else {"cutoff": cutoff}
    faults += _faults(values)
    if faults:
        raise ConfigError("\n".join(["settings:", *(f"  {fault}" for fault in faults)]))
    folder = KAZAKHSTAN if values["data"] == "kazakhstan" else Path(values["data"])
    return Config(folder, values["cutoff"] or None, tuple(values["horizons"]), values["draws"], values["seed"])


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _nearest(key: str, known: dict) -> str:
    close = difflib.get_close_matches(key, known, n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _faults(values: dict) -> list[str]:
    horizons = values["horizons"]
    rules = {
        "data": (isinstance(values["data"], str), "must be a dataset folder"),
        "cutoff": (_whole(values["cutoff"], 0, 2200), "must be a year, or 0 for the last one"),
        "horizons": (_horizons(horizons), "must be rising years ahead from 1 to 10, as [1, 2, 3]"),
        "draws": (_whole(values["draws"], 20, 100_000) and values["draws"] % 2 == 0, "must be even, from 20 to 100000"),
        "seed": (_whole(values["seed"], 0, 2**32 - 1), "must be a whole number from 0 to 4294967295"),
    }
    return [f"{key} = {values[key]!r}: {wanted}" for key, (right, wanted) in rules.items() if not right]


def _horizons(horizons: object) -> bool:
    if not isinstance(horizons, list) or not horizons:
        return False
    return all(_whole(horizon, 1, 10) for horizon in horizons) and horizons == sorted(set(horizons))


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and low <= value <= high


KEYS = tuple(field.name for field in fields(Config))
