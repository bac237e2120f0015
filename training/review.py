"""Review: a training with all that is needed to judge it."""

from dataclasses import dataclass, field

import pandas as pd

from models.bundle import Bundle
from training.backtest import SERVED
from training.changes import Change, summary
from training.outcomes import no_outcomes


@dataclass(frozen=True)
class Before:
    """The last training of the same dataset. link: to its page in MLflow, from another page of MLflow."""

    name: str
    link: str


@dataclass(frozen=True)
class Verdict:
    """What was decided of a version. model: registered name; champion: the version that serves, this or another."""

    model: str
    version: str
    alias: str
    reason: str
    champion: str


@dataclass(frozen=True, eq=False)
class Review:
    """outcomes: `training.outcomes.COLUMNS`. by_size: of flows, `training.flow_backtest.SIZE_COLUMNS`. Both are empty
    for a bundle without its run. before: None for the first training. verdict: None before there is one."""

    bundle: Bundle
    outcomes: pd.DataFrame = field(default_factory=no_outcomes)
    by_size: pd.DataFrame = field(default_factory=pd.DataFrame)
    before: Before | None = None
    changes: tuple[Change, ...] = ()
    verdict: Verdict | None = None

    @property
    def name(self) -> str:
        """Dataset, cutoff, and what changed."""
        told = self.bundle.manifest
        return f"{told.dataset['name']} cutoff {told.cutoff}: {self.changed}"

    @property
    def changed(self) -> str:
        return "first" if self.before is None else summary(self.changes)

    @property
    def served(self) -> pd.DataFrame:
        """Rows of the scorecard of what the gate would have served."""
        card = self.bundle.scorecard
        return card[card["model"] == SERVED]
