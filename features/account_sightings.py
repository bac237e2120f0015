"""Sightings: what figures say of how many moved between regions in a year, and of the share that went so far."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from features.account_level import BETWEEN_SHARE, Level, Sighting
from features.account_prior import Pattern, Prior, parts_of_one
from features.account_year import information
from features.evidence import all_counted, of_regions, wholly_counted

SUM_ERROR = 0.002
"""Error of the log of a sum over all regions."""
QUOTED_ERROR = 0.01
"""Error of the log of a figure of the country, at least: it was told in passing, and may count a little else."""
LEAST_ERROR = 0.01
LEAST_ERROR_OF_REGIONS = 0.1
"""Figures of regions in a year share the season by which months were brought to the year."""
SHARES_TRIED = np.exp(np.linspace(np.log(0.1), np.log(0.9), 23))
"""Parts of moves that go to another region of which the figures are asked how well they fit them."""
LEVELS_TRIED = np.linspace(-0.9, 0.9, 13)
"""The same of levels, as logs around the level by what is stated of the country."""
Array = np.ndarray


def sightings_of_country(prior: Prior) -> list[Sighting]:
    """What is stated of the moves of a year in sum: of the country, or of every region."""
    found = []
    for place, year in enumerate(prior.told.years):
        inner = float((prior.gravity[0, place] * ~prior.told.between(year)[:-1, :-1]).sum())
        counts = of_regions(prior.told.of(year))
        recorded = prior.told.recorded_sums.get(year)
        if recorded:
            found.append(Sighting(year, float(np.log(recorded) - np.log1p(-inner)), SUM_ERROR))
        for scope, of_share, hidden in (("between_regions", False, np.log1p(-inner)), ("within_country", True, 0.0)):
            rows = counts[(counts["scope"] == scope) & (counts["measure"] == "arrivals")]
            country, regions = rows[rows["region"] == ""], rows[rows["region"].isin(prior.told.standing[year])]
            found += [
                Sighting(year, float(np.log(persons) - hidden), max(float(error / persons), QUOTED_ERROR), of_share)
                for persons, error in zip(country["persons"], country["error"], strict=True)
            ]
            persons = _sum_of_regions(regions, prior.told.standing[year])
            if persons:
                found.append(Sighting(year, float(np.log(persons) - hidden), SUM_ERROR, of_share))
    return found


def _sum_of_regions(arrivals: pd.DataFrame, regions: Sequence[str]) -> float:
    """Arrivals of all regions in a whole year, each counted once; 0 where one is missing."""
    whole = arrivals.loc[wholly_counted(arrivals).index].drop_duplicates("region").set_index("region")["persons"]
    return float(whole.reindex(list(regions)).sum(skipna=False)) if set(regions) <= set(whole.index) else 0.0


def share_between(prior: Prior) -> tuple[float, float]:
    """Log of the part of moves that goes to another region, and its error: the prior, and how well figures of regions
    fit each share, by the information that the best table then adds. Years repeat each other: their mean counts."""
    log, asked = np.log(SHARES_TRIED), []
    for year in prior.told.years:
        rows = of_regions(prior.told.of(year))
        rows = rows[rows["region"] != ""]
        within = rows[(rows["scope"] == "within_country") & (rows["measure"] == "arrivals")]
        moved = _sum_of_regions(within, prior.told.standing[year])
        if moved:
            asked.append(information(prior, year, rows, moved * SHARES_TRIED, SHARES_TRIED, prior.first_pattern))
    odds = -0.5 * ((log - np.log(BETWEEN_SHARE[0])) / BETWEEN_SHARE[1]) ** 2
    return _mean_and_error(log, odds - (np.mean(asked, axis=0) if asked else 0.0))


def sightings_of_regions(prior: Prior, path: Level, pattern: Pattern) -> list[Sighting]:
    """What arrivals and departures of some regions say of the level of a year in which all moves are not counted."""
    found = []
    for place, year in enumerate(prior.told.years):
        rows = of_regions(prior.told.of(year))
        counted = rows[(rows["measure"] != "net") & (rows["region"] != "") & (rows["scope"] == "between_regions")]
        if len(counted) and not all_counted(prior.told, year) and not prior.told.recorded_sums.get(year):
            rows = rows[rows["region"] != ""]
            log = path.log[place] + LEVELS_TRIED
            share = np.full(len(log), path.share[0])
            mean, error = _mean_and_error(log, -information(prior, year, rows, np.exp(log), share, pattern))
            found.append(Sighting(year, mean, max(error, LEAST_ERROR_OF_REGIONS)))
    return found


def _mean_and_error(values: Array, log_odds: Array) -> tuple[float, float]:
    weight = parts_of_one(np.exp(log_odds - log_odds.max()))
    mean = float(weight @ values)
    return mean, float(np.sqrt(weight @ (values - mean) ** 2) + LEAST_ERROR)
