"""Promotion: whether a new version becomes the champion, by the gate's rule. The champion is served."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from training.backtest import SERVED
from training.gate import COVERAGE, PROBABILITY, PROVEN_FROM, RESAMPLES, pooled_coverage

CHAMPION = "champion"
CHALLENGER = "challenger"
CELL = ["target", "cutoff", "horizon", "n"]


@dataclass(frozen=True, eq=False)
class Comparison:
    """What is served by a new version beside what is served by the champion, on the cells that both were scored on.

    new, champion: error by cutoff, summed over targets and horizons, each over the champion's error in all cutoffs.
    lost: targets and horizons that only the champion has. coverage_80: of the new version.
    """

    new: np.ndarray
    champion: np.ndarray
    lost: frozenset[tuple[str, int]]
    coverage_80: float

    @staticmethod
    def of(new_scores: pd.DataFrame, champion_scores: pd.DataFrame) -> "Comparison":
        new = new_scores[new_scores["model"] == SERVED]
        champion = champion_scores[champion_scores["model"] == SERVED]
        both = new.merge(champion[[*CELL, "abs_error"]], on=CELL, suffixes=("", "_champion"), validate="one_to_one")
        scale = both.groupby(["target", "horizon"])["abs_error_champion"].transform("sum").clip(lower=1e-9)
        errors = both[["abs_error", "abs_error_champion"]].div(scale, axis=0).groupby(both["cutoff"]).sum()
        coverage = pooled_coverage(both, 80) if len(both) else np.nan
        lost = frozenset(_forecast_by(champion) - _forecast_by(new))
        return Comparison(errors["abs_error"].to_numpy(), errors["abs_error_champion"].to_numpy(), lost, coverage)

    @property
    def cutoffs(self) -> int:
        return len(self.new)

    @property
    def identical(self) -> bool:
        return self.cutoffs > 0 and np.allclose(self.new, self.champion)

    @property
    def skill(self) -> float:
        """1 − error / the champion's error; above 0 beats the champion."""
        return float(1 - self.new.sum() / self.champion.sum())

    def probability(self, sign: int) -> float:
        """Share of resamples of whole cutoffs in which the new version is ahead (sign 1) or behind (sign −1)."""
        gain = sign * (self.champion - self.new)
        picks = np.random.default_rng(0).integers(len(gain), size=(RESAMPLES, len(gain)))
        return float((gain[picks].sum(axis=1) > 0).mean())


def promotion(
    new_scores: pd.DataFrame, champion_scores: pd.DataFrame | None, new_cutoff: int, champion_cutoff: int | None
) -> tuple[str, str]:
    """Alias of the new version, and the reason in one sentence.

    Without a champion (None) it becomes one. At the same cutoff it must be proven ahead of the champion: skill of what
    is served above zero with bootstrap probability ≥ 0.8, its 80 % interval covering 70-90 %. A version with a later
    cutoff has seen newer data and replaces the champion unless it is proven behind. An earlier one never does, nor one
    that no longer forecasts a target and horizon of the champion.
    """
    if champion_scores is None or champion_cutoff is None:
        return CHAMPION, "there was no champion"
    if new_cutoff < champion_cutoff:
        return CHALLENGER, f"its cutoff {new_cutoff} is before the champion's, {champion_cutoff}"
    found = Comparison.of(new_scores, champion_scores)
    if found.lost:
        lost = ", ".join(f"{target} {horizon} ahead" for target, horizon in sorted(found.lost))
        return CHALLENGER, f"it has no tested forecast of what the champion forecasts: {lost}"
    if new_cutoff > champion_cutoff:
        newer = f"it has seen data up to {new_cutoff}, the last champion up to {champion_cutoff}"
        return _after_newer_data(found, newer)
    return _at_same_cutoff(found)


def _after_newer_data(found: Comparison, newer: str) -> tuple[str, str]:
    if found.cutoffs < PROVEN_FROM or found.identical:
        return CHAMPION, newer
    behind = found.probability(-1)
    if behind >= PROBABILITY:
        return CHALLENGER, f"{newer}, but it is proven behind it: {_measured(found)}, behind with {behind:.2f}"
    return CHAMPION, f"{newer}, and it is not proven behind it: {_measured(found)}"


def _at_same_cutoff(found: Comparison) -> tuple[str, str]:
    if found.identical:
        return CHALLENGER, f"its scores are identical to the champion's at all {found.cutoffs} cutoffs"
    if found.cutoffs < PROVEN_FROM:
        return CHALLENGER, f"{found.cutoffs} cutoffs in common with the champion, {PROVEN_FROM} are needed to prove it"
    ahead, (low, high) = found.probability(1), COVERAGE
    if ahead < PROBABILITY:
        return CHALLENGER, f"not proven ahead of the champion: {_measured(found)}, ahead with probability {ahead:.2f}"
    if not low <= found.coverage_80 <= high:
        covered = f"its 80 % interval covers {found.coverage_80:.1%}, must be {low:.0%}-{high:.0%}"
        return CHALLENGER, f"ahead of the champion ({_measured(found)}), but {covered}"
    return CHAMPION, f"proven ahead of the last champion: {_measured(found)} with probability {ahead:.2f}"


def _measured(found: Comparison) -> str:
    return f"skill {found.skill:+.3f} against it at {found.cutoffs} cutoffs"


def _forecast_by(served: pd.DataFrame) -> set[tuple[str, int]]:
    return {(str(target), int(horizon)) for target, horizon in zip(served["target"], served["horizon"], strict=True)}
