"""The gate: serve a challenger only where it is proven, else the fallback."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.decision import Decision
from training.metrics import skill

PERSISTENCE = "persistence"
PROBABILITY = 0.8
COVERAGE = (0.7, 0.9)
PROVEN_FROM = 15
"""Cutoffs needed to prove a challenger: choosing models on 14 or fewer cost skill on every panel that was measured."""
WITHDRAWN_FROM = 5
"""Cutoffs needed to withdraw a model that was fixed before the panel was seen: one hypothesis, not the best of many."""
RESAMPLES = 2000


@dataclass(frozen=True, eq=False)
class Evidence:
    """Scores of one target and horizon that were known when the decision is made.

    errors: sum of absolute errors, cutoff × model. above: share of resampled cutoffs in which a model's pooled skill is
    above zero, by model. coverage_80: by model.
    """

    target: str
    rows: pd.DataFrame
    errors: pd.DataFrame

    @staticmethod
    def of(scores: pd.DataFrame, target: str, horizon: int) -> "Evidence":
        own = scores[(scores["target"] == target) & (scores["horizon"] == horizon) & (scores["model"] != "served")]
        return Evidence(target, own, own.pivot(index="cutoff", columns="model", values="abs_error"))

    def relative_error(self, model: str) -> float:
        """Error over persistence's, pooled over the cutoffs at which the model was there; one less skill."""
        both = self.errors[self.errors[model].notna()]
        return float(both[model].sum() / max(both[PERSISTENCE].sum(), 1e-9))

    def cutoffs(self, model: str) -> int:
        """At how many cutoffs the model was there."""
        return int(self.errors[model].notna().sum())

    def probability(self, model: str) -> float:
        """Share of resamples of whole cutoffs in which the model's pooled skill is above zero."""
        return self._ahead(model, 1)

    def is_behind(self, model: str) -> bool:
        """Whether the model's pooled skill is below zero with bootstrap probability ≥ 0.8."""
        return self._ahead(model, -1) >= PROBABILITY

    def _ahead(self, model: str, sign: int) -> float:
        gain = sign * (self.errors[PERSISTENCE] - self.errors[model]).dropna().to_numpy()
        picks = np.random.default_rng(0).integers(len(gain), size=(RESAMPLES, len(gain)))
        return float((gain[picks].sum(axis=1) > 0).mean())

    def proves(self, model: str) -> bool:
        low, high = COVERAGE
        return self.probability(model) >= PROBABILITY and low <= self.coverage(model, 80) <= high

    def coverage(self, model: str, level: int) -> float:
        return pooled_coverage(self.rows[self.rows["model"] == model], level)


def decide(
    scores: pd.DataFrame, targets: Sequence[str], horizon: int, fallback: str, frozen: Sequence[str] = ()
) -> list[Decision]:
    """One decision for targets that add up and so are served by one model; most often a single target.

    frozen: models that were fixed before the panel was seen, the fullest first. The first that is for no target behind
    persistence, with bootstrap probability ≥ 0.8 on WITHDRAWN_FROM cutoffs or more, takes the place of the fallback.

    Served is the model of least error among the proven: for every target its skill is above zero with bootstrap
    probability ≥ 0.8, its 80 % interval covered 70-90 % of outcomes, and its error is below the fallback's. Without
    one, the fallback; or persistence, where the fallback is proven to be behind it.

    scores: backtest rows that were known when the decision is made.
    """
    evidence = [Evidence.of(scores, target, horizon) for target in targets]
    standing, told = _standing(evidence, frozen) or (fallback, "fallback")
    model, reason = _chosen(evidence, standing, told)
    return [_decision(found, horizon, model, reason) for found in evidence]


def _standing(evidence: list[Evidence], frozen: Sequence[str]) -> tuple[str, str] | None:
    """The first frozen model that the past does not speak against, and what it is."""
    cutoffs = min(len(found.errors) for found in evidence)
    for place, name in enumerate(frozen):
        if cutoffs < WITHDRAWN_FROM or not any(found.is_behind(name) for found in evidence):
            return name, f"fixed in advance, {', '.join(frozen[:place])} withdrawn" if place else "fixed in advance"
    return None


def _chosen(evidence: list[Evidence], fallback: str, told: str) -> tuple[str, str]:
    cutoffs = min(len(found.errors) for found in evidence)
    if cutoffs < PROVEN_FROM:
        why = f"{cutoffs} past cutoffs with a known outcome, {PROVEN_FROM} are needed to prove a challenger"
        return fallback, f"{told}: {why}"
    common = set.intersection(*(set(found.errors.columns) for found in evidence))
    for name in sorted(common, key=lambda name: (sum(found.relative_error(name) for found in evidence), name)):
        if min(found.cutoffs(name) for found in evidence) < PROVEN_FROM:
            continue
        better = all(found.relative_error(name) < found.relative_error(fallback) for found in evidence)
        if better and all(found.proves(name) for found in evidence):
            least = min(found.probability(name) for found in evidence)
            return name, f"proven: above persistence at {cutoffs} cutoffs with probability {least:.2f}"
    if all(found.relative_error(fallback) > 1 and found.probability(fallback) <= 1 - PROBABILITY for found in evidence):
        return PERSISTENCE, f"{fallback} is proven to be behind persistence at {cutoffs} cutoffs"
    return fallback, f"{told}: no challenger is proven at {cutoffs} cutoffs"


def pooled_coverage(rows: pd.DataFrame, level: int) -> float:
    """Share of all outcomes of the rows inside the interval."""
    return float((rows[f"coverage_{level}"] * rows["n"]).sum() / rows["n"].sum())


def _decision(found: Evidence, horizon: int, model: str, reason: str) -> Decision:
    if not len(found.errors):
        return Decision(found.target, horizon, model, reason, 0)
    return Decision(
        found.target,
        horizon,
        model,
        reason,
        cutoffs=len(found.errors),
        skill=skill(found.errors[model].sum(), found.errors[PERSISTENCE].sum()),
        probability=found.probability(model),
        coverage_50=found.coverage(model, 50),
        coverage_80=found.coverage(model, 80),
        coverage_90=found.coverage(model, 90),
    )
