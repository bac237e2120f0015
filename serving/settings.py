"""Settings: what the service is told by its environment."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from serving.keys import Keys, keys_of

ORIGIN = re.compile(r"https?://[^\s/?#,]+")


class SettingsError(ValueError):
    """Environment variables that cannot be followed; names every fault."""


@dataclass(frozen=True)
class Settings:
    """keys: None: everybody may read, nobody may administer. rate: requests per minute and client; None: no limit.
    origins: from which pages of other sites may ask; `*`: all. watch: seconds between looks at the registry.
    drain: seconds in which a service that was told to end still takes requests."""

    keys: Keys | None = None
    rate: int | None = None
    origins: frozenset[str] = frozenset()
    access_log: bool = True
    watch: float = 30
    drain: float = 1


def settings_of(environ: Mapping[str, str]) -> Settings:
    """Raises SettingsError."""
    faults: list[str] = []
    told = Settings(
        _keys(environ, faults),
        rate=int(_number(environ, "QONYS_RATE_LIMIT", 0, faults, whole=True)) or None,
        origins=_origins(environ, faults),
        access_log=_switch(environ, "QONYS_ACCESS_LOG", faults),
        watch=_number(environ, "QONYS_WATCH", Settings.watch, faults),
        drain=_number(environ, "QONYS_DRAIN", Settings.drain, faults),
    )
    if faults:
        raise SettingsError("; ".join(faults))
    return told


def _keys(environ: Mapping[str, str], faults: list[str]) -> Keys | None:
    if "QONYS_API_KEYS" not in environ:
        return None
    keys, wrong = keys_of(environ["QONYS_API_KEYS"])
    faults += [f"QONYS_API_KEYS: {fault}" for fault in wrong]
    return keys


def _number(environ: Mapping[str, str], name: str, default: float, faults: list[str], whole: bool = False) -> float:
    told = environ.get(name, "").strip()
    if not told:
        return default
    if not re.fullmatch(r"\d{1,9}" if whole else r"\d{1,9}(\.\d+)?", told):
        faults.append(f"{name}: {told!r} must be a {'whole ' if whole else ''}number, 0 or more")
        return default
    return float(told)


def _origins(environ: Mapping[str, str], faults: list[str]) -> frozenset[str]:
    told = re.split(r"[\s,]+", environ.get("QONYS_CORS_ORIGINS", "").strip())
    origins = [origin for origin in told if origin]
    wrong = [origin for origin in origins if origin != "*" and not ORIGIN.fullmatch(origin)]
    faults += [f"QONYS_CORS_ORIGINS: {origin!r} must be * or as https://example.org" for origin in wrong]
    return frozenset(origin.lower() for origin in origins)


def _switch(environ: Mapping[str, str], name: str, faults: list[str]) -> bool:
    told = environ.get(name, "").strip().lower() or "on"
    if told not in ("on", "off"):
        faults.append(f"{name}: {told!r} must be on or off")
    return told == "on"
