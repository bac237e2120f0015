"""Figure of a balanced record: flows of the last year as a matrix, and what each region gains and loses."""

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import MaxNLocator

from features.accounts import BalancedRecord
from features.dataset import Dataset
from training.figure_parts import BLACK, BLUE, GREY, VERMILION, below, headline, lay_out, persons_text
from training.flow_figures import IN_A_MATRIX, draw_matrix, size_shades

HATCH = "////"
THICKNESS = 0.36


def account_matrix(record: BalancedRecord, dataset: Dataset, sheet: pd.DataFrame) -> Figure:
    """Flows of the last year between its regions, and arrivals and departures of each with 80 % intervals; of the 20
    largest regions where there are more. sheet: of the record."""
    year = record.years[-1]
    rows = sheet[sheet["year"] == year].set_index("region")
    regions = list(rows["population"].fillna(0).sort_values(ascending=False, kind="stable").index[:IN_A_MATRIX])
    rows = rows.loc[regions]
    persons, estimated = _flows_of(record, year, regions)
    figure = Figure(figsize=(0.56 * len(regions) + 6.2, 0.38 * len(regions) + 2.6))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=[0.56 * len(regions), 4.2])
    texts = np.array([[_cell(value) for value in row] for row in persons.tolist()], dtype=object)
    draw_matrix(left, size_shades(persons), texts, list(rows["name"]))
    left.set_aspect("auto")
    for text, mark in zip(left.texts, estimated.ravel(), strict=True):
        text.set_style("italic" if mark else "normal")
    left.set_title("Who moved from where to where, persons (log colours)", loc="left", fontsize=10)
    _draw_bars(right, rows)
    right.set_title("Persons a year", loc="left", fontsize=10)
    every = int((sheet["year"] == year).sum())
    some = "" if len(regions) == every else f", the {len(regions)} largest of {every:,} regions"
    kind = "estimated from published figures" if estimated.any() else "as recorded"
    headline(figure, f"Moves between regions in {year}{some}: {kind}")
    lay_out(figure, below(figure, _footnote(dataset, bool(estimated.any())), _handles(bool(estimated.any()))))
    return figure


def _flows_of(record: BalancedRecord, year: int, regions: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Persons and whether they are estimated, (origin, destination); NaN, and not, on the diagonal."""
    flows = record.flows()
    flows = flows[flows["year"] == year].set_index(["origin", "destination"])
    persons, basis = (flows[name].unstack().reindex(index=regions, columns=regions) for name in ("persons", "basis"))
    return persons.to_numpy("float64", copy=True), (basis == "estimated").to_numpy()


def _cell(persons: float) -> str:
    return "" if np.isnan(persons) else persons_text(persons)


def _draw_bars(axes: Axes, rows: pd.DataFrame) -> None:
    """Departures below arrivals, from the top down in the order of the rows; the balance of both at the right."""
    height = np.arange(len(rows))
    for measure, colour, offset in (("arrivals", BLUE, -THICKNESS / 2), ("departures", VERMILION, THICKNESS / 2)):
        persons, lower, upper = (rows[name].astype("float64") for name in _columns(measure))
        bars = axes.barh(height + offset, persons, THICKNESS, facecolor=colour, alpha=0.55, linewidth=0)
        for bar, basis in zip(bars, rows["basis"], strict=True):
            if basis == "estimated":
                bar.set(hatch=HATCH, edgecolor="white")
        axes.hlines(height + offset, lower, upper, color=BLACK, linewidth=1.1)
    most = float(rows[["arrivals_upper", "departures_upper", "arrivals", "departures"]].max().max())
    for place, net in enumerate(rows["arrivals"] - rows["departures"]):
        axes.text(1.3 * most, place, f"{net:+,}".replace("-", "−"), ha="right", va="center", fontsize=7.5)
    axes.text(1.3 * most, -0.75, "balance", ha="right", va="bottom", fontsize=7.5, color=GREY)
    axes.set_xlim(0, 1.32 * most)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.tick_params(labelsize=7.5, left=False, labelleft=False)
    axes.xaxis.set_major_formatter(lambda value, _: persons_text(value))
    axes.xaxis.set_major_locator(MaxNLocator(4))
    axes.grid(axis="x", color="#E5E5E5", linewidth=0.7)
    axes.set_axisbelow(True)


def _columns(measure: str) -> tuple[str, str, str]:
    return measure, f"{measure}_lower", f"{measure}_upper"


def _handles(estimated: bool) -> list[Patch]:
    hatch = HATCH if estimated else None
    return [
        Patch(facecolor=colour, edgecolor="white", linewidth=0, alpha=0.55, label=label, hatch=hatch)
        for colour, label in ((BLUE, "arrivals from other regions"), (VERMILION, "departures to other regions"))
    ]


def _footnote(dataset: Dataset, estimated: bool) -> str:
    marked = "Italic and hatched: estimated; black lines: 80 % intervals. " if estimated else ""
    return f"{marked}Source: {'; '.join(dataset.sources) or dataset.title}. Balanced by Qonys."
