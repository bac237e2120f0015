"""Indices of attraction: the indicators of a group as one number, since few regions do not tell more apart."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from features.indicators import INDICATORS
from models.attraction_panel import AttractionError, Panel

ASSUMED: Mapping[str, int] = {
    **{name: entry.sign for name, entry in INDICATORS.items() if entry.sign},
    "consumption_per_capita": 1,
    "employment": 1,
    "housing_commissioned": 1,
    "housing_per_person": 1,
    "doctors": 1,
}
"""Which way an indicator is assumed to make a region attractive, all others as they are."""

TURNED: Mapping[str, int] = {**ASSUMED, "grp": 1, "investment": 1}
"""Which way an indicator counts in its index. Product and investment may leave a region that lives of mines: that they
attract is not assumed. What tells of size or age alone (births, labour force), and rent, which is high where people
want to live, is no driver."""

GROUPS = ("pay", "work", "output", "housing", "public_services")
KNOWN_PART = 0.8
"""An indicator enters where this part of the region-years has a value."""
Array = np.ndarray


@dataclass(frozen=True)
class Indices:
    """An index is the mean of the group's known indicators, each over its standard deviation between region-years and
    turned so that more attracts. Equal weights, fixed in advance.

    spread: standard deviation of the centred values, by indicator.
    """

    indicators: tuple[str, ...]
    spread: tuple[float, ...]

    @property
    def groups(self) -> tuple[str, ...]:
        present = {INDICATORS[name].group for name in self.indicators}
        return tuple(group for group in GROUPS if group in present)

    @property
    def assumed(self) -> Array:
        """Whether the effect of a group is assumed to be positive, (group)."""
        return np.array([all(name in ASSUMED for name in self.members(group)) for group in self.groups], dtype=bool)

    def members(self, group: str) -> tuple[str, ...]:
        return tuple(name for name in self.indicators if INDICATORS[name].group == group)

    @property
    def weights(self) -> Array:
        """What a unit of an indicator adds to its group's sum, (indicator)."""
        return np.array([TURNED[name] for name in self.indicators]) / np.array(self.spread)

    @property
    def membership(self) -> Array:
        """(indicator, group), 0 or 1."""
        rows = [[float(INDICATORS[name].group == group) for group in self.groups] for name in self.indicators]
        return np.array(rows).reshape(len(self.indicators), len(self.groups))

    def shares(self, values: Array) -> Array:
        """What each indicator adds to the index of its group, from values (region, indicator); nothing if unknown."""
        known = np.isfinite(values)
        counts = known @ self.membership @ self.membership.T
        return np.where(known, np.nan_to_num(values) * self.weights / np.maximum(counts, 1), 0.0)

    def of(self, values: Array) -> Array:
        """(region, group), from values (region, indicator). Zero, the mean of regions, where nothing is known."""
        return self.shares(values) @ self.membership

    def per_unit(self, values: Array) -> Array:
        """By how much a unit more of each indicator changes the index of its group, (region, indicator); NaN where the
        indicator is not known."""
        known = np.isfinite(values)
        counts = known @ self.membership @ self.membership.T
        return np.where(known, self.weights / np.maximum(counts, 1), np.nan)


def indices_of(panel: Panel) -> Indices:
    """Indices of the indicators that the panel knows well enough. Raises AttractionError where there are none."""
    known = [name for name in panel.indicators if name in TURNED]
    values = panel.values(known)
    share = np.isfinite(values).mean(axis=0)
    spread = np.nanstd(values, axis=0) if len(known) else np.empty(0)
    enters = [place for place in range(len(known)) if share[place] >= KNOWN_PART and spread[place] > 0]
    if not enters:
        raise AttractionError(
            f"no indicator that may attract people is known in {KNOWN_PART:.0%} of regions and years; must be one of "
            f"{', '.join(TURNED)}"
        )
    return Indices(tuple(known[place] for place in enters), tuple(float(spread[place]) for place in enters))
