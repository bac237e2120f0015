"""Reading: a figure of the Bureau as a number in our unit, of a region by its code, found once."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from features.releases.bureau_tables import BY_COLUMN, BureauTable
from features.releases.bureau_words import is_absent, read_number
from features.releases.figures import Figure
from features.releases.findings import Findings
from features.releases.periods import Period
from features.releases.region_names import NATION, RegionNames


class Key(NamedTuple):
    """region: its code, or NATION. measure: None in a table of an indicator."""

    region: str
    period: Period
    measure: str | None

    def __str__(self) -> str:
        return f"{self.region}, {self.period}" + (f", {self.measure}" if self.measure else "")


class Reading(NamedTuple):
    """where: its cell. rounding: half of its last digit; 0 for a whole number of our units. computed: by differences of
    figures since January."""

    value: float
    where: str
    rounding: float = 0.0
    computed: bool = False


Readings = dict[Key, Reading]


def readings(
    sheets: Iterable[tuple[str, list[Figure]]], table: BureauTable, names: RegionNames, findings: Findings
) -> Readings:
    """Of all sheets of a table together, each with the place it stands in.

    Zeros and dashes of a region that did not exist are no figures. A figure that is there twice is a fault, unless two
    sheets say the same.
    """
    found: Readings = {}
    homes: dict[Key, str] = {}
    twice: dict[tuple[str, str], list[str]] = defaultdict(list)
    same = 0
    for place, figures in sheets:
        for key, reading in _of_sheet(figures, table, names, findings):
            if key not in found:
                found[key], homes[key] = reading, place
            elif homes[key] != place and found[key].value == reading.value:
                same += 1
            else:
                twice[key.region, place].append(f"{reading.where}: {key} is there twice, first in {found[key].where}")
    findings.faults += [_twice(lines) for lines in twice.values()]
    if same:
        findings.notes.append(f"{table.source}: {same} figures are in two sheets and the same in both")
    return found


def _twice(lines: list[str]) -> str:
    more = f" (and {len(lines) - 1} more)" if len(lines) > 1 else ""
    return f"{lines[0]}{more}; must be there once"


def _of_sheet(
    figures: list[Figure], table: BureauTable, names: RegionNames, findings: Findings
) -> Iterator[tuple[Key, Reading]]:
    meant = names.settled({figure.region for figure in figures} - {NATION})
    unsettled = {name for name, codes in meant.items() if not names.is_settled(codes)}
    findings.faults += [_unsettled(figures, name, meant[name]) for name in sorted(unsettled)]
    read = [
        (figure, value)
        for figure in _measured(figures, table, findings)
        if figure.region not in unsettled and (value := _value(figure, table, findings)) is not None
    ]
    given: dict[int, set[str]] = defaultdict(set)
    for figure, value in read:
        if value and figure.region != NATION and len(meant[figure.region]) == 1:
            given[figure.period.year] |= meant[figure.region]
    not_there: list[str] = []
    for figure, value in read:
        year, region = figure.period.year, NATION
        if figure.region != NATION:
            region = names.in_year(meant[figure.region], year, frozenset(given[year]))
        if region != NATION and not value and not names.existed(region, year):
            not_there.append(figure.where)
        else:
            yield Key(region, figure.period, _measure(figure, table)), Reading(value, figure.where, _rounding(figure))
    if not_there:
        told = f"{len(not_there)} dashes or zeros of regions in years in which they did not exist left out"
        findings.notes.append(f"{table.source}: {told}, first {not_there[0]}")


def _measure(figure: Figure, table: BureauTable) -> str | None:
    return figure.measure if table.measure == BY_COLUMN else table.measure


def _measured(figures: list[Figure], table: BureauTable, findings: Findings) -> list[Figure]:
    """Figures of the table's measure; where the columns say it, those whose column does."""
    if table.measure is None:
        return figures
    if table.measure == BY_COLUMN:
        unsaid = [figure for figure in figures if figure.measure is None]
        findings.faults += [_unsaid(unsaid[0])] if unsaid else []
        return [figure for figure in figures if figure.measure is not None]
    others = [figure for figure in figures if figure.measure not in (None, table.measure)]
    if others:
        told = f"figures of other measures than {table.measure} left out: {len(others)}"
        findings.notes.append(f"{others[0].where}: {told}")
    return [figure for figure in figures if figure.measure in (None, table.measure)]


def _unsaid(figure: Figure) -> str:
    return (
        f"{figure.where}: its column does not say what it counts; must be headed like 'Прибыло', 'Выбыло' or 'Сальдо'"
    )


def _unsettled(figures: list[Figure], name: str, codes: frozenset[str]) -> str:
    where = next(figure.where for figure in figures if figure.region == name)
    return (
        f"{where}: '{name}' may be a city or a region ({', '.join(sorted(codes))}); must say which, like 'г. {name}', "
        "or have the other beside it"
    )


def _value(figure: Figure, table: BureauTable, findings: Findings) -> float | None:
    """In our unit. A dash is zero in counts and nothing elsewhere; what is no number is a fault, and nothing."""
    if is_absent(figure.cell):
        return 0.0 if table.is_count else None
    try:
        value = round(read_number(figure.cell) * figure.factor, 6)
    except ValueError as error:
        findings.faults.append(f"{figure.where}: {error}; must be a number, a dash, … or x")
        return None
    if table.indicator is None and not value.is_integer():
        findings.faults.append(f"{figure.where}: '{figure.cell}' gives {value:g} persons; must be a whole number")
        return None
    return value


# --- months ---------------------------------------------------------------------------------------------------------


def with_months(found: Readings, table: BureauTable, findings: Findings) -> Readings:
    """Years and months only. What was counted since January makes a month where the month before it is there too; in a
    table of an indicator, which has years only, parts of a year are left out."""
    kept = {key: one for key, one in found.items() if key.period.is_year or _fits(key.period, table)}
    left_out = {key: one for key, one in found.items() if key not in kept}
    computed = _differences(found) if table.indicator is None else {}
    for key, reading in computed.items():
        own = kept.get(key)
        if own is None:
            kept[key] = reading
        elif own.value != reading.value:
            told = f"contradiction: {key} is {own.value:g}, the difference of its sums since January {reading.value:g}"
            findings.notes.append(f"{own.where}: {told}")
    unused = [key for key in left_out if not _is_used(key, computed)]
    if unused:
        periods = ", ".join(sorted({str(key.period) for key in unused}))
        findings.notes.append(f"{table.source}: figures of parts of a year left out: {periods}")
    return kept


def _fits(period: Period, table: BureauTable) -> bool:
    return table.indicator is None and period.is_month


def _differences(found: Readings) -> Readings:
    made = {}
    for key, reading in found.items():
        year, first, last = key.period.year, key.period.first, key.period.last
        before = found.get(key._replace(period=Period(year, 1, last - 1)))
        if first == 1 and last > 1 and before is not None:
            month = key._replace(period=Period(year, last, last))
            made[month] = Reading(reading.value - before.value, reading.where, computed=True)
    return made


def _is_used(key: Key, computed: Readings) -> bool:
    """Whether a sum since January is one of the two that make a month."""
    year, first, last = key.period.year, key.period.first, key.period.last
    made = [key._replace(period=Period(year, month, month)) for month in (last, last + 1)]
    return first == 1 and any(month in computed for month in made)


# --- checks ---------------------------------------------------------------------------------------------------------


def national_notes(found: Readings, table: BureauTable) -> list[str]:
    """Where the nation's figure is not the sum of the regions'; what rounding of each figure explains is let pass."""
    if not table.adds_up:
        return []
    parts: dict[Key, list[Reading]] = defaultdict(list)
    for key, reading in found.items():
        if key.region != NATION:
            parts[key._replace(region=NATION)].append(reading)
    lines = []
    for key in sorted(parts.keys() & found.keys(), key=str):
        total, said = sum(one.value for one in parts[key]), found[key].value
        if abs(said - total) > _explained([*parts[key], found[key]]):
            told = f"the {len(parts[key])} regions sum to {total:,.10g}, the national row says {said:,.10g}"
            lines.append(f"{found[key].where}: contradiction in {key.period}: {told}")
    return lines


def _explained(rounded: list[Reading]) -> float:
    """Cells that end in a zero hide a digit: all are taken to be rounded like the finest."""
    return min((one.rounding for one in rounded if one.rounding), default=0.0) * len(rounded)


def _rounding(figure: Figure) -> float:
    if is_absent(figure.cell):
        return 0.0
    digits = len(f"{read_number(figure.cell):.6f}".rstrip("0").partition(".")[2])
    return 0.5 * figure.factor * 10**-digits if digits or figure.factor != 1 else 0.0


def carried_notes(found: Readings, table: BureauTable, names: RegionNames) -> list[str]:
    """Regions with figures in years in which they did not exist: the source has carried them to other boundaries."""
    years: dict[str, set[int]] = defaultdict(set)
    for key in found:
        if key.region != NATION and not names.existed(key.region, key.period.year):
            years[key.region].add(key.period.year)
    return [
        f"{table.source}: {region} has figures of {min(of)}-{max(of)}, when it did not exist: taken as they are"
        for region, of in sorted(years.items())
    ]
