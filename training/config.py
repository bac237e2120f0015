"""Typed configuration: the keys of default.toml, and nothing else."""

import difflib
import tomllib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from features.dataset import KAZAKHSTAN
from models.boosted import BoostedSettings

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
    advice: bool
    boosted: BoostedSettings


def load_config(
    settings: Sequence[str] = (), file: Path | None = None, data: Path | None = None, cutoff: int | None = None
) -> Config:
    """Defaults, changed by a TOML file of the same keys, then by `key=value` settings (values as in TOML; text may go
    without quotes), then by `data` and `cutoff`.

    Raises ConfigError that lists every fault.

    >>> load_config(["draws=200", "boosted.rounds=80"]).boosted.rounds
    80
    """
    values = _flat(tomllib.loads(DEFAULTS.read_text("utf-8")))
    given, faults = _given(settings, file)
    for key, value in given:
        if key in values:
            values[key] = value
        else:
            faults.append(f"'{key}': unknown key{_nearest(key, values)}; known: {', '.join(values)}")
    values |= {} if data is None else {"data": str(data)}
    values |= {} if cutoff is None else {"cutoff": cutoff}
    faults += [f"{key} = {value!r}: {RULES[key][1]}" for key, value in values.items() if not RULES[key][0](value)]
    if faults:
        raise ConfigError("\n".join(["settings:", *(f"  {fault}" for fault in faults)]))
    boosted = {key.removeprefix("boosted."): value for key, value in values.items() if key.startswith("boosted.")}
    folder = KAZAKHSTAN if values["data"] == "kazakhstan" else Path(values["data"])
    cutoff = values["cutoff"] or None
    plain = {key: values[key] for key in ("draws", "seed", "advice")}
    return Config(folder, cutoff, tuple(values["horizons"]), **plain, boosted=BoostedSettings(**boosted))


def _flat(table: dict) -> dict:
    """{"boosted": {"rounds": 1}} as {"boosted.rounds": 1}."""
    flat = {}
    for key, value in table.items():
        flat |= {f"{key}.{inner}": one for inner, one in value.items()} if isinstance(value, dict) else {key: value}
    return flat


def _given(settings: Sequence[str], file: Path | None) -> tuple[list[tuple[str, object]], list[str]]:
    """What the file and the settings say, in order, and what of it cannot be read."""
    given, faults = [], []
    if file is not None:
        try:
            given += _flat(tomllib.loads(file.read_text("utf-8"))).items()
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            told = "is not there" if isinstance(error, FileNotFoundError) else error
            faults.append(f"{file}: {told}; must be a TOML file with the keys of default.toml")
    for setting in settings:
        key, equals, text = setting.partition("=")
        if equals:
            given.append((key.strip(), _value(text)))
        else:
            faults.append(f"'{setting}': must be key=value")
    return given, faults


def _value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        return text


def _nearest(key: str, known: Iterable[str]) -> str:
    close = difflib.get_close_matches(key, list(known), n=1)
    return f"; did you mean '{close[0]}'?" if close else ""


def _number(value: object, low: float, high: float) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high


def _whole(value: object, low: int, high: int) -> bool:
    return isinstance(value, int) and _number(value, low, high)


def _horizons(value: object) -> bool:
    if not isinstance(value, list) or not value or not all(_whole(horizon, 1, 10) for horizon in value):
        return False
    return value == sorted(set(value))


RULES = {
    "data": (lambda value: isinstance(value, str) and bool(value), "must be a dataset folder"),
    "cutoff": (lambda value: value == 0 or _whole(value, 1800, 2200), "must be a year, or 0 for the last one"),
    "horizons": (_horizons, "must be rising years ahead from 1 to 10, as [1, 2, 3]"),
    "draws": (lambda value: _whole(value, 20, 100_000) and value % 2 == 0, "must be even, from 20 to 100000"),
    "seed": (lambda value: _whole(value, 0, 2**32 - 1), "must be a whole number from 0 to 4294967295"),
    "advice": (lambda value: isinstance(value, bool), "must be true or false"),
    "boosted.rounds": (lambda value: _whole(value, 1, 10_000), "must be a whole number from 1 to 10000"),
    "boosted.learning_rate": (lambda value: _number(value, 1e-4, 1), "must be from 0.0001 to 1"),
    "boosted.num_leaves": (lambda value: _whole(value, 2, 1024), "must be a whole number from 2 to 1024"),
    "boosted.min_data_in_leaf": (lambda value: _whole(value, 1, 100_000), "must be a whole number from 1 to 100000"),
    "boosted.lambda_l2": (lambda value: _number(value, 0, 1e6), "must be from 0 to 1000000"),
    "boosted.feature_fraction": (lambda value: _number(value, 0.01, 1), "must be from 0.01 to 1"),
}
"""By key: whether a value is right, and what would be."""
