"""Sums of a balanced record, with how sure they are: what regions gain and lose, levels of years, origins."""

import numpy as np
import pandas as pd

from features.accounts import INTERVAL, BalancedRecord, summed
from features.remembered import remembered

MOVES = ("arrivals", "departures", "from_abroad", "to_abroad", "inside")


@remembered(4)
def moves_of_regions(record: BalancedRecord) -> pd.DataFrame:
    """Sums of the record by region of the time: region, year, measure (of MOVES), persons, lower, upper (80 %
    interval), basis.

    arrivals, departures: from and to other regions of the country. Moves inside a region, and abroad, have no row where
    no figure tells of them.
    """
    return pd.concat([_moves_of(record, place) for place in range(len(record.years))], ignore_index=True)


def _moves_of(record: BalancedRecord, place: int) -> pd.DataFrame:
    year = record.years[place]
    regions, recorded = record.told.standing[year], record.told.wholly_recorded(year)
    groups = record.groups(regions)
    persons, draws = _ends(summed(record.tables[place], groups)), _ends(summed(record.draws[:, place], groups))
    measures = [one for one in MOVES if _is_counted(record, one)]
    tables = []
    for measure in measures:
        lower, upper = np.rint(np.quantile(draws[measure], INTERVAL, axis=0)).astype("int64")
        official = recorded and measure in ("arrivals", "departures")
        told = {"persons": persons[measure], "lower": lower, "upper": upper}
        basis = "official" if official else "estimated"
        tables.append(pd.DataFrame({"region": regions, "year": year, "measure": measure, **told, "basis": basis}))
    return pd.concat(tables, ignore_index=True)


def _ends(tables: np.ndarray) -> dict[str, np.ndarray]:
    """Sums of tables of regions and, last, abroad, (…, account, account): (…, region) by measure."""
    inside = np.diagonal(tables, axis1=-2, axis2=-1)[..., :-1]
    country = tables[..., :-1, :-1]
    return {
        "arrivals": country.sum(axis=-2) - inside,
        "departures": country.sum(axis=-1) - inside,
        "from_abroad": tables[..., -1, :-1],
        "to_abroad": tables[..., :-1, -1],
        "inside": inside,
    }


def _is_counted(record: BalancedRecord, measure: str) -> bool:
    if measure == "inside":
        return record.counts_inside
    return counts_abroad(record) or not measure.endswith("abroad")


def counts_abroad(record: BalancedRecord) -> bool:
    """Whether figures say anything of moves from and to abroad."""
    return bool(record.tables[:, -1].any() or record.tables[:, :, -1].any())


def levels(record: BalancedRecord) -> pd.DataFrame:
    """Moves between the regions of the time in each year, and their part of all moves in the country.

    Columns year, persons, lower, upper (80 % interval), share, share_lower, share_upper, basis. A share is empty where
    no figure tells of moves inside regions.
    """
    rows = []
    for place, year in enumerate(record.years):
        between = record.told.between(year)[:-1, :-1]
        country, draws = record.tables[place, :-1, :-1], record.draws[:, place, :-1, :-1]
        persons, drawn = (country * between).sum(), (draws * between).sum(axis=(1, 2))
        row = {"year": year, "persons": int(persons)} | _interval("", drawn, 0)
        if record.counts_inside:
            row |= {"share": round(persons / country.sum(), 4)} | _interval("share_", drawn / draws.sum(axis=(1, 2)), 4)
        rows.append(row | {"basis": "official" if record.told.wholly_recorded(year) else "estimated"})
    share = ["share", "share_lower", "share_upper"]
    return pd.DataFrame(rows, columns=["year", "persons", "lower", "upper", *share, "basis"])


def _interval(prefix: str, draws: np.ndarray, digits: int) -> dict[str, float]:
    ends = np.round(np.quantile(draws, INTERVAL), digits).tolist()
    return {f"{prefix}{name}": end if digits else int(end) for name, end in zip(("lower", "upper"), ends, strict=True)}


def largest_origins(record: BalancedRecord, destinations: list[str], count: int) -> pd.DataFrame:
    """Flows of the last year into some regions from the `count` largest origins of each, in the order given; columns
    as of flows."""
    flows = record.flows()
    flows = flows[(flows["year"] == record.years[-1]) & flows["destination"].isin(destinations)]
    place = flows["destination"].map(destinations.index)
    ordered = flows.assign(place=place).sort_values(["place", "persons", "origin"], ascending=[True, False, True])
    return ordered.groupby("place").head(count).drop(columns="place").reset_index(drop=True)


def fitted_evidence(record: BalancedRecord) -> pd.DataFrame:
    """What was stated beside what the record has: rows as of Evidence with fitted, fitted_lower, fitted_upper (80 %
    interval), fitted_basis, gap (stated less fitted)."""
    tables = []
    for place, year in enumerate(record.years):
        rows = record.fitted[record.fitted["year"] == year]
        draws = record.draws[:, place].reshape(len(record.draws), -1)
        lower, upper = np.quantile(draws @ record.told.statements(rows).matrix.T, INTERVAL, axis=0)
        tables.append(rows.assign(fitted_lower=lower, fitted_upper=upper, fitted_basis="estimated"))
    table = pd.concat(tables, ignore_index=True)
    last = ["fitted", "fitted_lower", "fitted_upper", "fitted_basis", "gap"]
    return table[[*table.columns.difference(last, sort=False), *last]].round(1)
