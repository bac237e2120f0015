"""Known: what a bundle can be asked for, and the check that no request asks for anything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from pydantic import AfterValidator, ValidationInfo
from pydantic_core import PydanticCustomError

from models.forecast import FLOW

PROJECTED, YEARS = "projection", "years"
"""What Known calls the regions, and the years, of the projection."""
ELSEWHERE = {("target", FLOW): "POST /flows, which answers flows from region to region"}
"""What is asked for at the wrong place, by kind and value, and where it is answered."""
MOST = 10_000
"""Entries of a list in a request; each takes time, and more would make others wait."""


@dataclass(frozen=True)
class Known:
    """What a bundle can be asked for. regions: by target, for `flow` where flows are forecast, and for the projection,
    the region's names by its code. years: of the projection."""

    regions: Mapping[str, Mapping[str, tuple[str, ...]]]
    horizons: tuple[int, ...]
    years: tuple[int, ...] = ()

    def names(self, kind: str, target: str) -> Mapping[Any, tuple[str, ...]]:
        """Known values of a kind, and other names they go by. Regions: of the target, or of all where it is unknown."""
        if kind == "target":
            return dict.fromkeys((target for target in self.regions if target not in (FLOW, PROJECTED)), ())
        if kind == "horizon":
            return dict.fromkeys(self.horizons, ())
        if kind == "year":
            return dict.fromkeys(self.years, ())
        return self.regions.get(target, self._all_regions)

    @cached_property
    def _all_regions(self) -> Mapping[str, tuple[str, ...]]:
        return {code: names for regions in self.regions.values() for code, names in regions.items()}


def known(kind: str, of: str | None = None) -> AfterValidator:
    """The value must be one that the bundle knows; `Known` is the validation's context. of: target, else the asked."""

    def check(value: Any, info: ValidationInfo) -> Any:
        assert isinstance(info.context, Known)
        names = info.context.names(kind, of or info.data.get("target", ""))
        if value not in names:
            told = {"kind": kind, "known": names, "elsewhere": ELSEWHERE.get((kind, value))}
            raise PydanticCustomError("unknown", "unknown", told)
        return value

    return AfterValidator(check)
