"""Review: a training with all that is needed to judge it."""

from dataclasses import dataclass, field

import pandas as pd

from models.bundle import Bundle
from training.backtest import SERVED
from training.changes import Change, summary
from training.flow_backtest import SIZE_COLUMNS
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
    """outcomes: `training.outcomes.COLUMNS`. by_size: `training.flow_backtest.SIZE_COLUMNS`. Both are empty
    for a bundle without its run. before: None for the first training. verdict: None before there is one."""

    bundle: Bundle
    outcomes: pd.DataFrame = field(default_factory=no_outcomes)
    by_size: pd.DataFrame = field(default_factory=lambda: pd.DataFrame(columns=SIZE_COLUMNS))
    before: Before | None = None
    changes: tuple[Change, ...] = ()
    verdict: Verdict | None = None

    @property
    def name(self) -> str:
        """Cutoff, what changed, dataset: MLflow's lists cut a name after some twenty letters."""
        told = self.bundle.manifest
        return f"{told.cutoff}: {self.changed} · {told.dataset['name']}"

    @property
    def changed(self) -> str:
        return "first" if self.before is None else summary(self.changes)

    @property
    def served(self) -> pd.DataFrame:
        """Rows of the scorecard of what the gate would have served."""
        card = self.bundle.scorecard
        return card[card["model"] == SERVED]
