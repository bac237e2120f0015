"""One year: its tables of accounts, balanced with the figures that are stated of it."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.account_level import Level
from features.account_prior import Pattern, Prior
from features.balancing import Balanced, BalanceError, Statements, balance
from features.evidence import OFFICIAL_ERROR

LEVEL_ERROR = 0.001
"""Error within which a table keeps to the level of its draw, as a part of it."""
MOST_BETWEEN = 0.95
"""Part of all moves in the country that goes to another region, at most."""
Array = np.ndarray


@dataclass(frozen=True, eq=False)
class BalancedYear:
    """rows: figures that were used. before: tables without them, (draw, account, account). balanced: with them."""

    rows: pd.DataFrame
    before: Array
    balanced: Balanced

    @property
    def tables(self) -> Array:
        """(draw, account, account), persons."""
        return self.balanced.cells.reshape(self.before.shape)


def balanced_year(
    prior: Prior, path: Level, year: int, rows: pd.DataFrame, pattern: Pattern, drifted: float = 0.0
) -> BalancedYear:
    """Tables of a year in every draw, each at the level of its draw, and with soft figures as its errors make them.

    rows: figures of the year; what they say of the whole country but for abroad is in the level already. drifted: years
    from those whose pattern it is.
    """
    noise, place = prior.noise, prior.told.years.index(year)
    logs = path.draws(noise.level)
    levels, share = np.exp(logs[:, place]), np.minimum(np.exp(logs[:, -1]), MOST_BETWEEN)
    before = prior.tables(year, levels, share, pattern, np.sqrt(drifted) * noise.drift[:, place])
    rows = rows[~((rows["region"] == "") & (rows["scope"] != "abroad"))]
    normal = np.random.default_rng([noise.seed, year]).standard_normal((len(before), len(rows)))
    soft = np.where(rows["error"] > 10 * OFFICIAL_ERROR, rows["error"], 0.0)
    stated = rows["persons"].to_numpy("float64") + normal * soft * noise.quiet[:, None]
    return BalancedYear(rows, before, _balanced(prior, year, rows, before, levels, stated))


def information(prior: Prior, year: int, rows: pd.DataFrame, levels: Array, shares: Array, pattern: Pattern) -> Array:
    """What the best table adds to the prior at each level, with its share, (level); infinite at a level that leaves no
    room for what is stated. Raises BalanceError where none does."""
    try:
        return _information(prior, year, rows, levels, shares, pattern)
    except BalanceError as error:
        alone = np.full(len(levels), np.inf)
        for place in range(len(levels)):
            with suppress(BalanceError):
                alone[place] = _information(prior, year, rows, levels[[place]], shares[[place]], pattern)[0]
        if np.isinf(alone).all():
            raise error
        return alone


def _information(prior: Prior, year: int, rows: pd.DataFrame, levels: Array, shares: Array, pattern: Pattern) -> Array:
    count = len(levels)
    same = Pattern(*(np.repeat(one[:1], count, axis=0) for one in (pattern.pair, pattern.inside, pattern.abroad)))
    quiet = replace(prior, gravity=np.repeat(prior.gravity[:1], count, axis=0))
    tables = quiet.tables(year, levels, shares, same, np.zeros((count, 2, len(prior.told.parts))))
    stated = np.repeat(rows["persons"].to_numpy("float64")[None], count, axis=0)
    return _balanced(prior, year, rows, tables, levels, stated).information


def years_between(year: int, others: Sequence[int]) -> int:
    """From the nearest of some years."""
    return min(abs(year - one) for one in others)


def _balanced(prior: Prior, year: int, rows: pd.DataFrame, tables: Array, levels: Array, stated: Array) -> Balanced:
    """Balanced with the rows of a year and with the level."""
    side = tables.shape[1]
    between = np.zeros((side, side))
    between[:-1, :-1] = ~np.eye(side - 1, dtype=bool)
    of_rows = prior.told.statements(rows)
    statements = Statements(
        np.vstack([of_rows.matrix, between.ravel()]), np.append(of_rows.error, LEVEL_ERROR * levels[0])
    )
    dispersion, flat = prior.dispersion(year, tables[0]), tables.reshape(len(tables), -1)
    try:
        return balance(flat, dispersion, statements, np.concatenate([stated, levels[:, None]], axis=1))
    except BalanceError as error:
        raise BalanceError(_in_words(year, rows, error.statement), error.gap, error.statement) from error


def _in_words(year: int, rows: pd.DataFrame, statement: int) -> str:
    if statement == len(rows):
        return f"{year}: all moves between regions"
    row = rows.iloc[statement]
    where = " with ".join(part for part in (row["region"], row["other"]) if part) or "the country"
    return (
        f"{year}: {row['measure']} ({row['scope']}) of {where}, {row['told']:,.0f} by {row['source'] or 'the dataset'}"
    )
