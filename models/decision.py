"""Decision: which model is served for a target and a horizon, why, and on what evidence."""

from dataclasses import dataclass

PROVISIONAL = 5
"""What rests on this many cutoffs or fewer is provisional."""


@dataclass(frozen=True)
class Decision:
    """What is served for a target and a horizon, why, and on what evidence (of the served model; None without any)."""

    target: str
    horizon: int
    model: str
    reason: str
    cutoffs: int
    skill: float | None = None
    probability: float | None = None
    coverage_50: float | None = None
    coverage_80: float | None = None
    coverage_90: float | None = None

    @property
    def provisional(self) -> bool:
        return self.cutoffs <= PROVISIONAL
