"""Findings: what was wrong in files that were read, and what was left out of them on purpose."""

from dataclasses import dataclass, field

from features.fault_words import capped


class BureauError(ValueError):
    """Files of the Bureau that cannot be read or fetched. `faults` holds every fault found, one line each."""

    def __init__(self, faults: list[str]) -> None:
        self.faults = faults
        count = f"{len(faults)} fault" + ("s" if len(faults) != 1 else "")
        told = [f"Bureau's tables: {count}", *(f"  {fault}" for fault in capped(faults, "faults"))]
        super().__init__(faults[0] if len(faults) == 1 else "\n".join(told))


@dataclass
class Findings:
    """Grows while files are read, so that all faults are told at once.

    notes: no faults; contradictions between figures of the Bureau among them.
    """

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def check(self) -> None:
        """Raises BureauError where there is a fault."""
        if self.faults:
            raise BureauError(self.faults)
