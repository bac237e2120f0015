"""Contradictions: figures that cannot all be right, each with its sources and the persons by which they differ."""

import calendar
from collections.abc import Iterator
from itertools import combinations, groupby
from urllib.parse import urlsplit

import numpy as np
import pandas as pd

from features.accounts import BalancedRecord
from features.balance_sheet import balance_sheet
from features.boundaries import standing_in
from features.dataset import Dataset
from features.evidence import OFFICIAL_ERROR, figures, season_of_moves

ERRORS = 2
"""Standard errors from which on two figures contradict each other."""
LEAST_PERSONS = 1
RECORD, SOURCES, SUMS, MONTHS, RESIDUAL = (
    "figure and record",
    "two figures",
    "regions and country",
    "months and year",
    "residual",
)
KEY = ["year", "region", "other", "measure", "scope"]
PERIOD = ["first_month", "last_month"]
COLUMNS = [
    "kind",
    "year",
    "region",
    "name",
    "other",
    "other_name",
    "measure",
    "scope",
    "months",
    "source",
    "stated",
    "other_months",
    "other_source",
    "other_stated",
    "found",
    "persons",
    "error",
    "sentence",
]
OF_A_ROW = [*COLUMNS[0:1], *COLUMNS[8:17], "reason"]
THE_RECORD = "the balanced record"
BALANCED = "what leaves one region arrives in another"
MONTH_NAMES = tuple(calendar.month_name)
WORDS = {
    ("arrivals", "between_regions"): "arrivals from other regions",
    ("departures", "between_regions"): "departures to other regions",
    ("net", "between_regions"): "balance with other regions",
    ("arrivals", "within_country"): "arrivals with moves inside the region",
    ("departures", "within_country"): "departures with moves inside the region",
    ("arrivals", "abroad"): "arrivals from abroad",
    ("departures", "abroad"): "departures to abroad",
    ("net", "abroad"): "balance with abroad",
    ("arrivals", "all"): "all arrivals",
    ("departures", "all"): "all departures",
    ("net", "all"): "balance of all moves",
}
WORDS_OF_COUNTRY = {
    ("arrivals", "between_regions"): "moves between regions",
    ("departures", "between_regions"): "moves between regions",
    ("net", "between_regions"): "sum of the regions' balances with each other",
    ("arrivals", "within_country"): "moves inside the country",
    ("departures", "within_country"): "moves inside the country",
    ("net", "all"): "balance with abroad",
}


def contradictions(record: BalancedRecord, dataset: Dataset) -> pd.DataFrame:
    """Every contradiction, the largest first; COLUMNS.

    kind: a figure and the record (RECORD), two figures of the same persons (SOURCES), sums over regions and the country
    (SUMS), months and their year (MONTHS), what is left over in the balance sheet (RESIDUAL). Figures are of any year,
    also of those that the record does not have. stated: as printed, of `months`. other_stated: as printed, of
    `other_months`. found: the same, brought to `months`. persons: stated and found apart. error: standard error of
    that. An empty region is the whole country. Where a figure contradicts another one, it is not told again that it
    contradicts the record.
    """
    pairs = list(_between_figures(dataset))
    seen = {(one["year"], one["region"], one["months"], one["source"]) for one in pairs}
    of_record = [
        one
        for one in _of_record(record, season_of_moves(dataset))
        if (one["year"], one["region"], one["months"], one["source"]) not in seen
    ]
    found = [*pairs, *of_record, *_of_sheet(balance_sheet(record, dataset))]
    rows = _named(pd.DataFrame(found, columns=[*KEY, *OF_A_ROW]), dataset)
    rows = rows.assign(sentence=[_sentence(row) for row in rows.to_dict("records")])
    numbers = dict.fromkeys(["year", "stated", "other_stated", "found", "persons"], "int64") | {"error": "float64"}
    rows = rows.astype({column: numbers.get(column, "str") for column in COLUMNS})
    order = ["persons", "year", "region", "other", "measure", "months", "source"]
    return rows[COLUMNS].sort_values(order, ascending=[False, *[True] * 6], ignore_index=True)


def _named(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    names = dataset.regions.set_index("region")["name"]
    country = dataset.title.partition(":")[0] or dataset.name
    return rows.assign(name=rows["region"].map(names).fillna(country), other_name=rows["other"].map(names).fillna(""))


def _row(kind: str, one: dict, other: dict, found: float, error: float, reason: str = "") -> dict:
    """one, other: figures with PERIOD, source and told; KEY is that of the first. reason: of a residual."""
    return {name: one[name] for name in KEY} | {
        "kind": kind,
        "months": _months(one),
        "source": one["source"],
        "stated": round(one["told"]),
        "other_months": _months(other),
        "other_source": other["source"],
        "other_stated": round(other["told"]),
        "found": round(found),
        "persons": abs(round(one["told"]) - round(found)),
        "error": round(float(error), 1),
        "reason": reason,
    }


def _months(figure: dict) -> str:
    return f"{figure['first_month']}-{figure['last_month']}"


# --- figures and the record -----------------------------------------------------------------------------------------


def _of_record(record: BalancedRecord, season: np.ndarray) -> Iterator[dict]:
    """Figures that the record does not come near; brought back to their months by the seasons."""
    rows = record.fitted
    far = (rows["gap"].abs() > ERRORS * rows["error"]) & (rows["gap"].abs() > LEAST_PERSONS)
    for row in rows[far].to_dict("records"):
        share = _share(row, season)
        of_record = {"first_month": 1, "last_month": 12, "source": THE_RECORD, "told": row["fitted"]}
        yield _row(RECORD, row, of_record, row["fitted"] * share, row["error"] * share)


def _share(figure: dict, season: np.ndarray) -> float:
    """Of a year's moves in the months of a figure."""
    return float(season[figure["first_month"] - 1 : figure["last_month"]].sum())


# --- figures beside each other --------------------------------------------------------------------------------------


def _between_figures(dataset: Dataset) -> Iterator[dict]:
    """Pairs of figures of the same persons. Those of the same months are compared as printed, others as years."""
    season = season_of_moves(dataset)
    ordered = _comparable(dataset).sort_values([*KEY, "last_month", "kind", "source", "told"]).to_dict("records")
    for _, same in groupby(ordered, key=lambda figure: [figure[name] for name in KEY]):
        for one, other in combinations(same, 2):
            found = None if one["kind"] == other["kind"] == SUMS else _compared(one, other, season)
            yield from [found] if found else []


def _compared(one: dict, other: dict, season: np.ndarray) -> dict | None:
    kind = next((kind for kind in (SUMS, MONTHS) if kind in (one["kind"], other["kind"])), SOURCES)
    if _months(one) == _months(other):
        error = float(np.hypot(one["rounding"], other["rounding"]))
        return _if_far(kind, one, other, other["told"], error)
    if kind != SOURCES:  # one is a part of the other, or the sum of other figures
        return None
    share = _share(one, season)
    found = _if_far(kind, one, other, other["persons"] * share, share * np.hypot(one["error"], other["error"]))
    if found is None and one["measure"] != "net" and one["first_month"] >= other["first_month"]:
        # No part of a count is larger than the whole.
        error = float(np.hypot(one["rounding"], other["rounding"]))
        if one["told"] - other["told"] > max(ERRORS * error, LEAST_PERSONS):
            return _row(kind, one, other, other["told"], error)
    return found


def _if_far(kind: str, one: dict, other: dict, found: float, error: float) -> dict | None:
    apart = abs(one["told"] - found)
    return _row(kind, one, other, found, error) if apart > max(ERRORS * error, LEAST_PERSONS) else None


def _comparable(dataset: Dataset) -> pd.DataFrame:
    """All figures with `kind`, so that those of the same persons have the same KEY: departures of one region to another
    are its arrivals, and moves inside a region do not change its balance."""
    rows = figures(dataset)
    rows = rows[~rows["of_flows"]].assign(kind=SOURCES)
    rows = pd.concat([rows, _sums_of_months(rows, dataset)], ignore_index=True)
    rows = _one_way(rows)
    rows = _same_balances(pd.concat([rows, _balances(rows)], ignore_index=True))
    rows = pd.concat([rows, _sums_of_regions(rows, dataset)], ignore_index=True)
    return rows.drop_duplicates([*KEY, *PERIOD, "told", "source"])


def _one_way(rows: pd.DataFrame) -> pd.DataFrame:
    back = (rows["other"] != "") & (rows["measure"] == "departures")
    return rows.assign(
        region=rows["region"].mask(back, rows["other"]),
        other=rows["other"].mask(back, rows["region"]),
        measure=rows["measure"].mask(back, "arrivals"),
    )


def _balances(rows: pd.DataFrame) -> pd.DataFrame:
    """Arrivals less departures of the same months; of one source where one has both."""
    ends = [rows[(rows["measure"] == measure) & (rows["other"] == "")] for measure in ("arrivals", "departures")]
    on = ["year", "region", "other", "scope", *PERIOD, "kind"]
    both = ends[0].merge(ends[1], on=on, suffixes=("", "_left"))
    same = both["source"] == both["source_left"]
    both = both[same | ~same.groupby([both[column] for column in on]).transform("any")]
    both = both.assign(
        source=both["source"].where(both["source"] == both["source_left"], both["source"] + "; " + both["source_left"])
    )
    errors = {name: np.hypot(both[name], both[f"{name}_left"]) for name in ("error", "rounding")}
    numbers = {name: both[name] - both[f"{name}_left"] for name in ("told", "persons")}
    return both.assign(measure="net", **numbers, **errors)[[*KEY, *PERIOD, "source", "kind", *numbers, *errors]]


def _same_balances(rows: pd.DataFrame) -> pd.DataFrame:
    """Balances of which moves inside a region, or inside the country, are no part."""
    net, country = rows["measure"] == "net", rows["region"] == ""
    scope = rows["scope"].mask(net & (rows["scope"] == "within_country"), "between_regions")
    return rows.assign(scope=scope.mask(net & country & (scope == "abroad"), "all"))


def _sums_of_months(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Recorded months, summed to every period of which a figure of the year is given."""
    keys = ["year", "region", "measure", "scope"]
    months, sums = dataset.monthly_movements, []
    for year, own in months.groupby("year"):
        periods = rows.loc[rows["year"] == year, PERIOD].drop_duplicates()
        for first, last in periods.itertuples(index=False):
            inside = own[own["month"].between(first, last)]
            summed = inside.groupby(keys, as_index=False).agg(
                told=("persons", "sum"), count=("month", "nunique"), first=("published", "min")
            )
            whole = summed[summed["count"] == last - first + 1]
            sums.append(whole.assign(first_month=first, last_month=last))
    if not sums:
        return rows.iloc[:0]
    added = pd.concat(sums).assign(other="", kind=MONTHS, source=f"months, {_source_of(months)}")
    return added.assign(persons=added["told"], rounding=OFFICIAL_ERROR, error=OFFICIAL_ERROR)[[
        *KEY, *PERIOD, "told", "persons", "rounding", "error", "source", "kind",
    ]]  # fmt: skip


def _source_of(table: pd.DataFrame) -> str:
    return "; ".join(table["source"].dropna().unique()) if "source" in table else ""


def _sums_of_regions(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """Figures of all regions of the time, summed where one source has them: beside the country's, and balances inside
    the country beside none at all."""
    own = rows[(rows["region"] != "") & (rows["other"] == "")]
    sums = []
    key = ["year", "measure", "scope", *PERIOD, "source"]
    for values, group in own.groupby(key):
        told = dict(zip(key, values, strict=True)) | {"region": "", "other": "", "kind": SUMS}
        year, source = group["year"].iloc[0], group["source"].iloc[0]
        regions = set(standing_in(year, dataset.regions["region"], dataset.boundary_changes))
        group = group[group["region"].isin(regions)].drop_duplicates("region")
        if len(group) != len(regions):
            continue
        told["source"] = f"sum of {len(regions)} regions, {source}"
        numbers = {name: group[name].sum() for name in ("told", "persons")}
        errors = {name: float(np.sqrt((group[name] ** 2).sum())) for name in ("rounding", "error")}
        sums.append(told | numbers | errors)
        if told["measure"] == "net" and told["scope"] == "between_regions":
            nothing = dict.fromkeys(("told", "persons", "rounding", "error"), 0)
            sums.append(told | nothing | {"kind": SOURCES, "source": BALANCED})
    return pd.DataFrame(sums, columns=[*KEY, *PERIOD, "told", "persons", "rounding", "error", "source", "kind"])


# --- the balance sheet ----------------------------------------------------------------------------------------------


def _of_sheet(sheet: pd.DataFrame) -> Iterator[dict]:
    """Residuals: stated is the population a year later, found what births, deaths and moves make it."""
    for row in sheet[sheet["residual"].fillna(0) != 0].to_dict("records"):
        key = {"year": row["year"], "region": row["region"], "other": "", "measure": "population", "scope": "all"}
        later = {"first_month": 1, "last_month": 12, "source": row["source"], "told": row["population_next"]}
        made = {**later, "source": THE_RECORD, "told": row["population_next"] - row["residual"]}
        yield _row(RESIDUAL, key | later, made, made["told"], OFFICIAL_ERROR, row["reason"])


# --- in words -------------------------------------------------------------------------------------------------------


def _sentence(row: dict) -> str:
    if row["kind"] == RESIDUAL:
        more = "more" if row["stated"] > row["found"] else "fewer"
        when = f"1 January {row['year'] + 1}"
        return (
            f"{row['name']}, {row['year']}: {_persons(row['persons'])} {more} on {when} than births, deaths and moves "
            f"make: {row['reason']}."
        )
    about = f"{row['name']}, {row['year']}, {_what(row)}"
    stated = f"{row['stated']:,} {_span(row['months'])} ({_short(row['source'])})"
    if row["months"] == row["other_months"]:
        other = f"{row['other_stated']:,} ({_short(row['other_source'])})"
        return f"{about}: {stated} against {other}: {_persons(row['persons'])} apart."
    about_equal = "≈ " if row["other_source"] == THE_RECORD else ""
    other = f"{about_equal}{row['other_stated']:,} {_span(row['other_months'])} ({_short(row['other_source'])})"
    if row["measure"] != "net" and row["found"] == row["other_stated"]:
        return f"{about}: {stated}, which is more than {other}: {_persons(row['persons'])} too many for a part of it."
    usual = f"of which these months would usually have {row['found']:,}"
    return f"{about}: {stated} against {other}, {usual}: {_persons(row['persons'])} apart.{_the_rest(row)}"


def _what(row: dict) -> str:
    if row["other"]:
        return f"{row['measure']} from {row['other_name']}"
    key = row["measure"], row["scope"]
    return WORDS[key] if row["region"] else WORDS_OF_COUNTRY.get(key, WORDS[key])


def _the_rest(row: dict) -> str:
    """What a balance of a year leaves to the months that are not told, where it is of the other sign."""
    rest = row["other_stated"] - row["stated"]
    if row["measure"] != "net" or rest * row["stated"] >= 0 or row["other_source"] == THE_RECORD:
        return ""
    return f" The other months would have {'gained' if rest > 0 else 'lost'} {abs(rest):,}."


def _span(months: str) -> str:
    first, last = map(int, months.split("-"))
    if (first, last) == (1, 12):
        return "in the whole year"
    return f"in {MONTH_NAMES[first]}" + (f"–{MONTH_NAMES[last]}" if last > first else "")


def _short(source: str) -> str:
    """The site of an address."""
    return urlsplit(source).netloc.removeprefix("www.") if source.startswith("http") else source


def _persons(count: int) -> str:
    return f"{count:,} person{'s' if count != 1 else ''}"
