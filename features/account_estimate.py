"""Estimating the tables of accounts of all years, in many draws: what is not known differs between them."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.account_gravity import ELASTICITIES, Elasticities, Surroundings, surroundings
from features.account_level import Level, level
from features.account_noise import Noise
from features.account_pattern import anchors, pattern_of
from features.account_prior import Prior
from features.account_sightings import share_between, sightings_of_country, sightings_of_regions
from features.account_year import balanced_year, years_between
from features.dataset import Dataset
from features.evidence import Evidence, EvidenceError

MOST_PARTS = 150
"""More regions than that are not estimated: the work grows with the square of statements times that of regions."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class Estimate:
    """tables: (draw, year, account, account), persons; the first draw is without noise: the estimate itself.

    fitted: rows of the evidence with `fitted` persons of the estimate and `gap`, stated less fitted.
    """

    told: Evidence
    around: Surroundings
    level: Level
    tables: Array
    fitted: pd.DataFrame


def estimate(
    dataset: Dataset, told: Evidence, draws: int, seed: int, elasticities: Elasticities = ELASTICITIES
) -> Estimate:
    """Tables of all years, in steps: the level by what is stated of the country; the pattern of moves in years that are
    told of more than balances; the level again, by what figures of regions say of it; every year, with all its
    figures, from the pattern.

    Raises EvidenceError where there are too many regions, BalanceError where figures leave no room.
    """
    if len(told.parts) > MOST_PARTS:
        raise EvidenceError(f"{dataset.name}: {len(told.parts)} regions; at most {MOST_PARTS} can be estimated")
    around = surroundings(dataset, told)
    noise = Noise.of(np.random.default_rng(seed), draws, len(told.years), len(told.parts), elasticities)
    prior = Prior(told, around, noise, around.gravity(noise.distance, noise.border, noise.pair))
    people, share = around.population.sum(axis=1), share_between(prior)
    sightings = sightings_of_country(prior)
    path = level(told.years, people, sightings, share)
    near = anchors(told)
    pattern = pattern_of(prior, path, near)
    path = level(told.years, people, [*sightings, *sightings_of_regions(prior, path, pattern)], share)
    tables = np.stack(
        [
            balanced_year(prior, path, year, told.of(year), pattern, drifted=years_between(year, near)).tables
            for year in told.years
        ],
        axis=1,
    )
    return Estimate(told, around, path, tables, _fitted(told, tables[0]))


def _fitted(told: Evidence, tables: Array) -> pd.DataFrame:
    """The evidence beside what the tables (year, account, account) say of it."""
    pieces = []
    for year, table in zip(told.years, tables, strict=True):
        rows = told.of(year)
        fitted = told.statements(rows).matrix @ table.ravel()
        pieces.append(rows.assign(fitted=fitted, gap=rows["persons"] - fitted))
    return pd.concat(pieces, ignore_index=True)
