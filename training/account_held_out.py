"""Figures that are held out of the balanced record and compared with it: pairs of regions, and one source at a time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from features.account_estimate import Estimate, estimate
from features.dataset import Dataset
from features.evidence import Evidence, evidence
from training.account_proof import INTERVAL, plain_gravity

SINCE = 2018
"""First year of the origins that are compared when a source is left out."""
LARGEST = 5
SEED = 1
Array = np.ndarray


# --- pairs ----------------------------------------------------------------------------------------------------------


def without_pairs(dataset: Dataset) -> Dataset:
    """The dataset without what is told of moves from one region to another."""
    return replace(dataset, statements=dataset.statements[dataset.statements["other"].isna()], _known={}, _whole=None)


def held_out_pairs(dataset: Dataset, draws: int, seed: int = SEED) -> pd.DataFrame:
    """What is told of pairs beside a record that was made without it.

    Columns year, origin, destination, first_month, last_month, told (as printed), stated (the same for the year),
    estimated, plain (gravity at the level of the record), lower, upper (80 % interval of what would be told: of the
    record, and of the months for the year).
    """
    told, kept = evidence(dataset), without_pairs(dataset)
    found = estimate(kept, evidence(kept, min(told.years)), draws, seed)
    rows = told.rows[(told.rows["other"] != "") & told.rows["year"].isin(found.told.years)].reset_index(drop=True)
    return _ends(rows).assign(**_estimates(found, rows, seed))


def _ends(rows: pd.DataFrame) -> pd.DataFrame:
    arrivals = rows["measure"] == "arrivals"
    return pd.DataFrame(
        {
            "year": rows["year"],
            "origin": rows["other"].where(arrivals, rows["region"]),
            "destination": rows["region"].where(arrivals, rows["other"]),
            "first_month": rows["first_month"],
            "last_month": rows["last_month"],
            "told": rows["told"],
            "stated": rows["persons"],
        }
    )


def _estimates(found: Estimate, rows: pd.DataFrame, seed: int) -> dict[str, Array]:
    drawn, plain = np.zeros((len(found.tables), len(rows))), np.zeros(len(rows))
    for year in rows["year"].unique():
        place, which = found.told.years.index(year), np.flatnonzero(rows["year"] == year)
        matrix = found.told.statements(rows.iloc[which]).matrix
        drawn[:, which] = found.tables[:, place].reshape(len(drawn), -1) @ matrix.T
        plain[which] = matrix @ _plain(found, place).ravel()
    error = rows["error"].to_numpy("float64")
    noise = np.random.default_rng(seed).standard_normal((len(drawn) - 1, len(rows))) * error
    lower, upper = np.quantile(drawn[1:] + noise, INTERVAL, axis=0)
    return {"estimated": drawn[0], "plain": plain, "lower": lower, "upper": upper}


def _plain(found: Estimate, place: int) -> Array:
    """(account, account), without abroad."""
    level = found.tables[0, place, :-1, :-1].sum() - np.trace(found.tables[0, place, :-1, :-1])
    return np.pad(plain_gravity(found.around, place, level), (0, 1))


def pair_scores(pairs: pd.DataFrame, groups: dict[str, str]) -> pd.DataFrame:
    """By group of the region that a pair is told of, and of all: figures, how many are inside their interval, the
    median of estimated over stated, and the typical factor between them, exp(median |log|), also of plain gravity.

    groups: name of the group by destination; all others are `other`.
    """
    named = pairs.assign(group=pairs["destination"].map(groups).fillna("other"))
    parts = [(name, named[named["group"] == name]) for name in (*dict.fromkeys(groups.values()), "other")]
    rows = [(name, *_scores(part)) for name, part in (*parts, ("all", named)) if len(part)]
    return pd.DataFrame(rows, columns=["to", "figures", "inside", "median_ratio", "factor", "factor_plain"])


def _scores(pairs: pd.DataFrame) -> tuple[int, int, float, float, float]:
    inside = pairs["stated"].between(pairs["lower"], pairs["upper"])
    log, plain = (np.log(pairs[name] / pairs["stated"]) for name in ("estimated", "plain"))
    typical = float(np.exp(np.median(np.abs(log)))), float(np.exp(np.median(np.abs(plain))))
    return len(pairs), int(inside.sum()), float(np.exp(np.median(log))), *typical


# --- sources --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Origins:
    """persons: what came to a city from each region of the time, by (city, year, origin)."""

    persons: pd.Series

    def largest(self) -> pd.DataFrame:
        """The LARGEST of each city and year. Columns city, year, rank, origin, persons, share (of all that came)."""
        rows = self.persons.rename("persons").reset_index()
        rows["share"] = rows["persons"] / rows.groupby(["city", "year"])["persons"].transform("sum")
        rows = rows.sort_values(["city", "year", "persons"], ascending=[True, True, False])
        rows["rank"] = rows.groupby(["city", "year"]).cumcount() + 1
        return rows[rows["rank"] <= LARGEST].reset_index(drop=True)


def origins(dataset: Dataset, since: int, cities: list[str]) -> Origins:
    """By the record itself, without its draws."""
    told = evidence(dataset, since)
    found = estimate(dataset, told, 1, SEED)
    persons = {
        (city, year, origin): persons
        for place, year in enumerate(told.years)
        for city in cities
        if year >= SINCE and city in told.standing[year]
        for origin, persons in _came(told, found.tables[0, place], city, year).items()
    }
    index = pd.MultiIndex.from_tuples(list(persons), names=["city", "year", "origin"])
    return Origins(pd.Series(list(persons.values()), index=index))


def _came(told: Evidence, table: Array, city: str, year: int) -> dict[str, float]:
    others = [one for one in told.standing[year] if one != city]
    cells = [told.cells(year, city, other, "arrivals", "between_regions") for other in others]
    return {other: float((cell * table).sum()) for other, cell in zip(others, cells, strict=True)}


def left_out_sources(
    dataset: Dataset, cities: list[str], progress: Callable[[str], None] = lambda _: None
) -> pd.DataFrame:
    """One row per source of statements, as if it had not been: of the LARGEST origins of cities in all years, how many
    stay (`kept` of `places`), and where one's share of the arrivals changes most. Those that change most come first."""
    since = evidence(dataset).years[0]
    usual = origins(dataset, since, cities).largest()
    rows = []
    for source in sorted(dataset.statements.loc[dataset.statements["year"] >= since, "source"].unique()):
        progress(source)
        statements = dataset.statements[dataset.statements["source"] != source]
        left = replace(dataset, statements=statements, _known={}, _whole=None)
        rows.append({"source": source, **_changed(usual, origins(left, since, cities))})
    return pd.DataFrame(rows).sort_values(["kept", "change"], key=abs, ascending=[True, False], ignore_index=True)


def _changed(usual: pd.DataFrame, now: Origins) -> dict[str, object]:
    key = ["city", "year", "origin"]
    kept = usual.merge(now.largest()[key], on=key)
    shares = now.persons / now.persons.groupby(["city", "year"]).transform("sum")
    change = shares.reindex(pd.MultiIndex.from_frame(usual[key])).to_numpy() - usual["share"].to_numpy()
    worst = int(np.abs(change).argmax())
    where = usual.iloc[worst]
    return {
        "kept": len(kept),
        "places": len(usual),
        "change": float(change[worst]),
        "city": where["city"],
        "year": where["year"],
        "origin": where["origin"],
    }
