"""The audit of a balanced record: whether it is what it says, and what its sources leave open."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.accounts import BalancedRecord
from features.balance_sheet import balance_sheet, explained
from features.contradictions import contradictions
from features.dataset import Dataset
from features.evidence import OFFICIAL_ERROR, Evidence


@dataclass(frozen=True, eq=False)
class Audit:
    """sheet: as balance_sheet. contradictions: as contradictions. faults: a sentence each, none where the record is
    right. balances: official ones of regions and whole years. identity_gap, balance_gap: largest in persons, of double
    entry, and of balances that are not as stated."""

    sheet: pd.DataFrame
    contradictions: pd.DataFrame
    faults: tuple[str, ...]
    balances: int
    identity_gap: int
    balance_gap: int


def audit(record: BalancedRecord, dataset: Dataset) -> Audit:
    """Faults of the record: double entry that does not close, official balances of whole years that it does not
    reproduce, recorded flows that it changes. Contradictions between sources are no fault of it."""
    sheet = balance_sheet(record, dataset)
    entries, balances = _entries(record, sheet), _balances(record)
    open_, missed = entries[entries["gap"] != 0], balances[balances["gap"].abs() > OFFICIAL_ERROR]
    faults = [
        *(f"{row.what}: {row.gap:+,} persons; must be 0" for row in open_.itertuples()),
        *(
            f"{row.region}, {row.year}: balance of scope {row.scope} is {row.found:+,}; must be {row.stated:+,}"
            for row in missed.itertuples()
        ),
        *_changed_flows(record),
    ]
    gaps = [int(table["gap"].abs().max()) if len(table) else 0 for table in (entries, missed)]
    return Audit(sheet, contradictions(record, dataset), tuple(faults), len(balances), *gaps)


def _entries(record: BalancedRecord, sheet: pd.DataFrame) -> pd.DataFrame:
    """What double entry leaves over: what, gap. Of each region's people, of each region's moves against the flows, and
    of all arrivals against all departures."""
    flows, at = record.flows(), sheet.set_index(["year", "region"])
    tables = []
    people = (explained(at) + at["residual"] - at["population_next"]).dropna()
    tables.append(_told(people, "population a year later"))
    for measure, end in (("arrivals", "destination"), ("departures", "origin")):
        summed = flows.groupby(["year", end])["persons"].sum().rename_axis(["year", "region"])
        tables.append(_told(at[measure] - summed.reindex(at.index).fillna(0), f"{measure} less flows"))
    years = sheet.groupby("year")[["arrivals", "departures"]].sum()
    both = (years["arrivals"] - years["departures"]).rename_axis("year")
    tables.append(
        pd.DataFrame({"what": [f"{year}: arrivals less departures" for year in both.index], "gap": both.array})
    )
    return pd.concat(tables, ignore_index=True)


def _told(gaps: pd.Series, what: str) -> pd.DataFrame:
    return pd.DataFrame({"what": [f"{region}, {year}: {what}" for year, region in gaps.index], "gap": gaps.array})


def _balances(record: BalancedRecord) -> pd.DataFrame:
    """Official balances of a whole year that are stated of a region, alone or as arrivals and departures, and what the
    record has: year, region, scope, stated, found, gap."""
    rows = []
    for place, year in enumerate(record.years):
        for region, scope, stated in _official_balances(record.told, year):
            cells = record.told.cells(year, region, "", "net", scope)
            found = round(float((cells * record.tables[place]).sum()))
            rows.append((year, region, scope, stated, found, stated - found))
    return pd.DataFrame(rows, columns=["year", "region", "scope", "stated", "found", "gap"])


def _official_balances(told: Evidence, year: int) -> Iterator[tuple[str, str, int]]:
    """Region, scope, persons."""
    rows = told.of(year)
    whole = (rows["first_month"] == 1) & (rows["last_month"] == 12) & (rows["region"] != "") & (rows["other"] == "")
    official = rows[whole & (rows["error"] <= OFFICIAL_ERROR)]
    for (region, scope), own in official.groupby(["region", "scope"]):
        persons = own.drop_duplicates("measure").set_index("measure")["persons"].to_dict()
        if "net" in persons or len(persons) > 1:
            net = persons["net"] if "net" in persons else persons["arrivals"] - persons["departures"]
            yield str(region), str(scope), round(net)


def _changed_flows(record: BalancedRecord) -> Iterator[str]:
    """Recorded flows that are not as recorded, in the record or in a draw of it."""
    parts = record.parts
    for place, year in enumerate(record.years):
        if year not in record.told.recorded:
            continue
        recorded = record.told.recorded[year]
        kept = np.concatenate([record.tables[None, place], record.draws[:, place]])[:, :-1, :-1]
        changed = (np.abs(kept - recorded) > 0.5).any(axis=0) & ~np.isnan(recorded)
        for origin, destination in zip(*np.nonzero(changed), strict=True):
            yield (
                f"{parts[origin]} → {parts[destination]}, {year}: {kept[0, origin, destination]:,.0f} in the record, "
                f"or another number in a draw; must be {recorded[origin, destination]:,.0f}, as recorded"
            )
