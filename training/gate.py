"""The gate: serve a challenger only where it is proven, else the fallback."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.metrics import skill

PERSISTENCE = "persistence"
PROBABILITY = 0.8
COVERAGE = (0.7, 0.9)
MIN_CUTOFFS = 6
"""Five or fewer cutoffs prove nothing; what they say is provisional."""
RESAMPLES = 2000


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
    coverage_80: float | None = None

    @property
    def provisional(self) -> bool:
        return self.cutoffs < MIN_CUTOFFS


def decide(scores: pd.DataFrame, target: str, horizon: int, fallback: str) -> Decision:
    """The model whose skill is most surely above zero, if it is so with bootstrap probability ≥ 0.8, its 80 % interval
    covered 70-90 % of outcomes, and its error is not above the fallback's; else the fallback. A fallback other than
    persistence gives way to persistence where it is proven to be behind it.

    scores: backtest rows that were known when the decision is made.
    """
    own = scores[(scores["target"] == target) & (scores["horizon"] == horizon) & (scores["model"] != "served")]
    errors = own.pivot(index="cutoff", columns="model", values="abs_error")
    if len(errors) < MIN_CUTOFFS:
        why = f"{len(errors)} past cutoffs with a known outcome; {MIN_CUTOFFS} are needed to prove a challenger"
        return _decision(own, target, horizon, fallback, f"{fallback} is the fallback: {why}")
    skills = bootstrap_skills(errors)
    sure = skills.quantile(1 - PROBABILITY).drop(PERSISTENCE)
    for name in sure.sort_values(ascending=False, kind="stable").index:
        if sure[name] > 0 and _covers(own, name) and errors[name].sum() <= errors[fallback].sum():
            found = f"above persistence at {len(errors)} cutoffs with probability {(skills[name] > 0).mean():.2f}"
            return _decision(own, target, horizon, name, f"proven: skill {found}")
    if fallback != PERSISTENCE and skills[fallback].quantile(PROBABILITY) < 0:
        return _decision(own, target, horizon, PERSISTENCE, f"{fallback} is proven to be behind persistence")
    return _decision(own, target, horizon, fallback, f"{fallback} is the fallback: no challenger is proven")


def bootstrap_skills(errors: pd.DataFrame) -> pd.DataFrame:
    """Skill of every model in resamples of whole cutoffs: resample × model. errors: cutoff × model, with persistence."""
    table = errors.to_numpy()
    picks = np.random.default_rng(0).integers(len(table), size=(RESAMPLES, len(table)))
    pooled = table[picks].sum(axis=1)
    reference = pooled[:, [errors.columns.get_loc(PERSISTENCE)]]
    return pd.DataFrame(1 - pooled / np.maximum(reference, 1e-9), columns=errors.columns)


def _covers(own: pd.DataFrame, model: str) -> bool:
    return COVERAGE[0] <= pooled_coverage(own[own["model"] == model], 80) <= COVERAGE[1]


def pooled_coverage(rows: pd.DataFrame, level: int) -> float:
    """Share of all outcomes of the rows inside the interval."""
    return float((rows[f"coverage_{level}"] * rows["n"]).sum() / rows["n"].sum())


def _decision(own: pd.DataFrame, target: str, horizon: int, model: str, reason: str) -> Decision:
    rows, reference = own[own["model"] == model], own[own["model"] == PERSISTENCE]
    if not len(rows):
        return Decision(target, horizon, model, reason, 0)
    errors = own.pivot(index="cutoff", columns="model", values="abs_error")
    return Decision(
        target,
        horizon,
        model,
        reason,
        cutoffs=len(rows),
        skill=skill(rows["abs_error"].sum(), reference["abs_error"].sum()),
        probability=float((bootstrap_skills(errors)[model] > 0).mean()),
        coverage_80=pooled_coverage(rows, 80),
    )
