"""Projection report: a projection, and its backtest, on the terminal."""

from collections.abc import Sequence

import numpy as np
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from models.projection import Projection
from training.projection_backtest import ProjectionBacktest

SHARES = ("0-15", "work", "old", "dep.")
THOUSAND = 1e3


def projection_report(projection: Projection, names: dict[str, str], regions: Sequence[str]) -> RenderableType:
    """A row per region, and the country where all are shown; then what is taken for granted."""
    table = _table("region", [f"{projection.start}", "median", "80 % interval", *SHARES])
    for region in regions:
        table.add_row(names.get(region, region), *_cells(projection.broad[:, :, projection.regions.index(region)]))
    if len(regions) == len(projection.regions):
        table.add_row("all", *_cells(projection.broad.sum(axis=2, dtype=np.int64)), style="bold")
    title = Text(f"population on 1 January {projection.years[-1]}, level {projection.level}, thousands", "bold")
    told = Text(
        "0-15, work, old: children, working age, pension age, % of all; dep.: others to 100 who could work; medians; "
        f"moves are forecast to {projection.forecast_until}, later a projection\n",
        "dim",
    )
    assumed = [Text(f"  {one.name}: {one.value} ({one.source})") for one in projection.assumptions]
    return Group(title, table, told, Text("assumed:"), *assumed)


def _cells(broad: np.ndarray) -> list[str]:
    """broad: (draw, year, measure)."""
    last = broad[:, -1].astype("float64")
    low, middle, high = np.quantile(last[:, 0], [0.1, 0.5, 0.9])
    shares = np.median(100 * last[:, 1:] / last[:, :1], axis=0)
    dependency = np.median(100 * (last[:, 1] + last[:, 3]) / last[:, 2])
    parts = [f"{share:.0f} %" for share in shares]
    now, low, middle, high = (f"{persons / THOUSAND:,.0f}" for persons in (broad[0, 0, 0], low, middle, high))
    return [now, middle, f"{low} – {high}", *parts, f"{dependency:.0f}"]


def backtest_report(found: Sequence[ProjectionBacktest], names: dict[str, str]) -> RenderableType:
    """Errors by region from the first cutoff; scores from all."""
    first = found[0]
    table = _table("region", ["came", "median", "80 % interval", "error", "constant", "no moves"])
    errors = first.errors()
    for _, row in first.rows.iterrows():
        own = errors.loc[row["region"]]
        inside = row["lower"] <= row["observed"] <= row["upper"]
        came, middle, low, high = (
            f"{row[name] / THOUSAND:,.0f}" for name in ("observed", "projected", "lower", "upper")
        )
        interval = f"{low} – {high}" + ("" if inside else " ✗")
        cells = [f"{100 * own[name]:+.1f} %" for name in ("projected", "constant_growth", "no_migration")]
        table.add_row(names.get(row["region"], row["region"]), came, middle, interval, *cells)
    title = Text(f"1 January {first.to}, projected from what was known in {first.cutoff}", "bold")
    told = "thousands; constant: every region grows as in the years known then; no moves: nobody migrates; ✗: outside\n"
    return Group(title, table, Text(told, "dim"), _scores(found))


def _scores(found: Sequence[ProjectionBacktest]) -> RenderableType:
    table = _table("known until", ["projected", "constant", "no moves", "inside 80 %", "regions"])
    for one in found:
        scores = one.scores()
        errors = [f"{100 * scores[name]:.1f} %" for name in ("projected", "constant_growth", "no_migration")]
        table.add_row(str(one.cutoff), *errors, f"{100 * scores['coverage_80']:.0f} %", str(len(one.rows)))
    pooled = np.average([one.scores()["coverage_80"] for one in found], weights=[len(one.rows) for one in found])
    told = f"mean absolute error; inside the 80 % interval in all: {100 * pooled:.0f} %; regions err together\n"
    return Group(table, Text(told, "dim"))


def _table(name: str, columns: Sequence[str]) -> Table:
    table = Table(name, box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
