"""The pattern of moves: what regions and pairs have beyond their population and distance, by the years told most of."""

from dataclasses import replace

import numpy as np

from features.account_level import Level
from features.account_noise import CELL_SYMMETRY
from features.account_prior import Pattern, Prior
from features.account_year import balanced_year, years_between
from features.evidence import Evidence, all_counted, of_regions

MOST_OF_PAIR = 2.5
"""Largest log of the factor of a pair: a figure of it that contradicts others must not echo in other years."""
Array = np.ndarray


def anchors(told: Evidence) -> list[int]:
    """Years from which the pattern is taken: recorded ones, else those with arrivals of all regions, else of any, else
    the last."""
    return (
        [year for year in told.years if told.wholly_recorded(year)]
        or [year for year in told.years if all_counted(told, year)]
        or [year for year in told.years if _regions_counted(told, year)]
        or told.years[-1:]
    )


def _regions_counted(told: Evidence, year: int) -> bool:
    """Whether more is stated of regions than balances."""
    rows = told.of(year)
    return bool(((rows["measure"] != "net") & (rows["region"] != "")).any())


def pattern_of(prior: Prior, path: Level, years: list[int]) -> Pattern:
    """Mean over years of what balanced tables have beyond the prior, by figures of regions; and then of pairs."""
    found = {}
    for year in years:
        found[year] = balanced_year(prior, path, year, of_regions(prior.told.of(year)), prior.first_pattern).tables
    pattern = prior.pattern(found)
    return replace(pattern, pair=pattern.pair * _pair_factors(prior, path, years, pattern))


def _pair_factors(prior: Prior, path: Level, years: list[int], pattern: Pattern) -> Array:
    """What figures of pairs say of them beyond the pattern of `years`: the factor of their multipliers, in the mean of
    the years that have such figures; and of the way back, in part. (draw, part, part)."""
    side = len(prior.told.parts) + 1
    logs, counts = np.zeros((len(prior.gravity), side, side)), np.zeros((side, side))
    for year in prior.told.years:
        if (prior.told.of(year)["other"] != "").any():
            solved = balanced_year(prior, path, year, prior.told.of(year), pattern, drifted=years_between(year, years))
            of_pairs = np.flatnonzero(solved.rows["other"] != "")
            matrix = prior.told.statements(solved.rows).matrix[of_pairs]
            dispersion = prior.dispersion(year, solved.before[0])
            said = (solved.balanced.multipliers[:, of_pairs] @ matrix * dispersion).reshape(logs.shape)
            logs += np.clip(said, -MOST_OF_PAIR, MOST_OF_PAIR)
            counts += (matrix > 0).any(axis=0).reshape(counts.shape)
    factor, stated = logs[:, :-1, :-1] / np.maximum(counts[:-1, :-1], 1), counts[:-1, :-1] > 0
    return np.exp(np.where(stated, factor, CELL_SYMMETRY * factor.transpose(0, 2, 1)))
