"""Figures of flows from region to region: a matrix of all, and where a city's inflow comes from."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.patches import PathPatch, Rectangle
from matplotlib.path import Path

from models.bundle import Bundle
from models.forecast import QUANTILES, FlowForecast
from training.figure_parts import (
    BLACK,
    BLUE,
    GREY,
    below,
    cities,
    headline,
    largest,
    lay_out,
    name_of,
    panels_of,
    persons_text,
    source,
)

IN_A_MATRIX = 20
CITIES = 6
ORIGINS = 10
NOTHING = "#F0F0F0"
GAP = 0.05
"""Between ribbons, in parts of all of them."""


def every_flow_figure(bundle: Bundle, flows: FlowForecast) -> Iterator[tuple[str, Figure]]:
    """flows: the bundle's."""
    yield "flow_matrix", flow_matrix(bundle, flows)
    for city in [city for city in cities(bundle) if len(_pairs_into(flows, city))][:CITIES]:
        yield f"inflow_by_origin_{city}", inflow_by_origin(bundle, flows, city)


# --- all flows ------------------------------------------------------------------------------------------------------


def flow_matrix(bundle: Bundle, flows: FlowForecast) -> Figure:
    """Median flows of the first year ahead, and their change against the last year known; of the 20 largest regions
    where there are more."""
    regions = largest(bundle, list(flows.regions))[:IN_A_MATRIX]
    last, told, recorded = _last_year(bundle, regions)
    median, estimated = _forecast(flows, regions)
    change = 100 * np.divide(median - recorded, recorded, out=np.full_like(median, np.nan), where=recorded > 0)
    size = 0.42 * len(regions)
    figure = Figure(figsize=(2 * size + 5.4, size + 2.4))
    left, right = panels_of(figure, 1, 2)
    names = [name_of(bundle, region) for region in regions]
    marks = np.where(estimated, "~", "").astype(object)
    draw_matrix(left, size_shades(median), marks + _texts(median, persons_text), names)
    draw_matrix(right, _change_shades(change), _texts(change, _percent), names)
    left.set_title(f"Median of {flows.cutoff + flows.horizons[0]}, persons (log colours)", loc="left", fontsize=10)
    right.set_title(f"Change against {last} as {told}, % (orange: more, purple: fewer)", loc="left", fontsize=10)
    every = len(flows.regions)
    some = "" if len(regions) == every else f", the {len(regions)} largest of {every:,} regions"
    headline(figure, f"Flows between regions{some}: forecast, and what changes")
    lay_out(figure, below(figure, f"{_marked(estimated)}Grey: no flow to compare with. {source(bundle)}"))
    return figure


def _last_year(bundle: Bundle, regions: list[str]) -> tuple[int, str, np.ndarray]:
    """The last year with flows, whether they are recorded or estimated, and persons, (origin, destination)."""
    estimated = bundle.forecaster.estimated
    if estimated is None:
        return _recorded(bundle, regions)
    place = [estimated.regions.index(region) for region in regions]
    median = np.median(estimated.tables, axis=0)[np.ix_(place, place)].astype("float64")
    return estimated.year, "estimated", _without_diagonal(median)


def _recorded(bundle: Bundle, regions: list[str]) -> tuple[int, str, np.ndarray]:
    """As `_last_year`; NaN where a region was not counted in it."""
    flows = bundle.dataset.as_of(bundle.manifest.cutoff).flows
    last = int(flows["year"].max())
    rows = flows[flows["year"] == last].astype({"origin": "str", "destination": "str"})
    ends = {*rows["origin"].unique(), *rows["destination"].unique()}
    counted = [region for region in regions if region in ends]
    shown = rows[rows["origin"].isin(counted) & rows["destination"].isin(counted)]
    persons = shown.pivot(index="origin", columns="destination", values="persons")
    every = persons.reindex(index=counted, columns=counted).fillna(0).reindex(index=regions, columns=regions)
    return last, "recorded", _without_diagonal(every.to_numpy(dtype="float64", copy=True))


def _forecast(flows: FlowForecast, regions: list[str]) -> tuple[np.ndarray, np.ndarray]:
    """Medians of the first year ahead, and whether they continue estimates, (origin, destination)."""
    place = np.full(len(flows.regions), -1)
    place[[flows.regions.index(region) for region in regions]] = np.arange(len(regions))
    origin, destination = place[flows.origin], place[flows.destination]
    shown = (origin >= 0) & (destination >= 0)
    median, estimated = np.zeros((len(regions), len(regions))), np.zeros((len(regions), len(regions)), dtype=bool)
    median[origin[shown], destination[shown]] = flows.median[0, shown]
    estimated[origin[shown], destination[shown]] = flows.basis[shown] == "estimated"
    return _without_diagonal(median), estimated


def _without_diagonal(matrix: np.ndarray) -> np.ndarray:
    np.fill_diagonal(matrix, np.nan)
    return matrix


def size_shades(persons: np.ndarray) -> np.ndarray:
    """Logarithmic, (origin, destination, RGBA)."""
    some = persons[persons > 0]
    low, high = (float(some.min()), float(some.max())) if len(some) else (1.0, 1.0)
    return colormaps["Blues"](LogNorm(low, max(high, 2 * low), clip=True)(persons))


def _change_shades(change: np.ndarray) -> np.ndarray:
    """As strong up as down, (origin, destination, RGBA); the twentieth that changes most has the strongest colour."""
    known = np.abs(change[~np.isnan(change)])
    most = max(float(np.quantile(known, 0.95)), 5.0) if len(known) else 5.0
    return colormaps["PuOr_r"](Normalize(-most, most, clip=True)(change))


def draw_matrix(axes: Axes, shades: np.ndarray, texts: np.ndarray, names: list[str]) -> None:
    """Cells, (origin, destination), with their texts; grey where there is none."""
    shades[texts == ""] = to_rgba(NOTHING)
    axes.imshow(shades, aspect="equal")
    for (row, column), text in np.ndenumerate(texts):
        dark = shades[row, column, :3] @ (0.3, 0.59, 0.11) < 0.5
        colour = "white" if dark else BLACK
        axes.text(column, row, text, ha="center", va="center", fontsize=6, color=colour, in_layout=False)
    axes.set_xticks(range(len(names)), names, rotation=55, ha="right", rotation_mode="anchor", fontsize=7.5)
    axes.set_yticks(range(len(names)), names, fontsize=7.5)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel("to")
    axes.set_ylabel("from")


def _texts(values: np.ndarray, written: Callable[[float], str]) -> np.ndarray:
    """Empty where there is no value."""
    texts = [["" if np.isnan(value) else written(value) for value in row] for row in values.tolist()]
    return np.array(texts, dtype=object)


def _percent(change: float) -> str:
    return f"{round(change):+,d}".replace("-", "−").replace("+0", "0")


def _marked(estimated: np.ndarray) -> str:
    return "~ continues estimates. " if estimated.any() else ""


# --- into a city ----------------------------------------------------------------------------------------------------


def inflow_by_origin(bundle: Bundle, flows: FlowForecast, city: str) -> Figure:
    """Where the inflow of the first year ahead comes from: a ribbon from each of the ten largest origins, one from all
    others, as wide as its median."""
    pairs = _pairs_into(flows, city)
    shown, others = pairs[:ORIGINS], flows.median[0, pairs[ORIGINS:]]
    persons = [*flows.median[0, shown], *([others.sum()] if len(others) else [])]
    labels = [_origin_label(bundle, flows, pair) for pair in shown]
    labels += [f"{len(others)} others   {persons_text(others.sum())}"] if len(others) else []
    figure = Figure(figsize=(10.5, 0.42 * len(persons) + 2.4))
    (axes,) = panels_of(figure, 1, 1)
    _draw_ribbons(axes, persons, labels, flows.basis[shown] == "estimated")
    axes.text(1.04, 0, _inflow_label(bundle, city), va="center", fontsize=10)
    axes.set_xlabel("persons: median (80 % interval)", fontsize=9)
    headline(figure, f"{name_of(bundle, city)}: where the inflow of {flows.cutoff + flows.horizons[0]} comes from")
    told = "Medians need not add up to the median of the inflow; that of the others is the sum of theirs."
    lay_out(figure, below(figure, f"{_marked(flows.basis[shown] == 'estimated')}{told} {source(bundle)}"))
    return figure


def _pairs_into(flows: FlowForecast, city: str) -> np.ndarray:
    """Pairs that reach the city with a median above zero in the first year ahead, the largest first."""
    here = flows.regions.index(city) if city in flows.regions else -1
    pairs = np.flatnonzero((flows.destination == here) & (flows.median[0] > 0))
    return pairs[np.argsort(-flows.median[0, pairs], kind="stable")]


def _origin_label(bundle: Bundle, flows: FlowForecast, pair: int) -> str:
    mark = "~" if flows.basis[pair] == "estimated" else ""
    return f"{mark}{name_of(bundle, flows.regions[flows.origin[pair]])}   {_interval(flows.quantiles[:, 0, pair])}"


def _inflow_label(bundle: Bundle, city: str) -> str:
    inflow = bundle.forecast.targets["inflow"]
    return f"{name_of(bundle, city)}\n{_interval(inflow.quantiles()[:, 0, inflow.regions.index(city)])}"


def _interval(quantiles: np.ndarray) -> str:
    """quantiles: of QUANTILES."""
    low, median, high = (persons_text(quantiles[QUANTILES.index(level)]) for level in (0.1, 0.5, 0.9))
    return f"{median} ({low} – {high})"


def _draw_ribbons(axes: Axes, persons: Sequence[float], labels: list[str], estimated: np.ndarray) -> None:
    """Ribbons from labels on the left to one bar on the right, which is 1 high and begins at -0.5; from the top down.
    Those of estimates are hatched, what is left over at the end is grey."""
    widths = np.array(persons) / sum(persons)
    left = np.cumsum(widths + GAP) - widths - GAP
    left -= (left[-1] + widths[-1]) / 2
    right = np.cumsum(widths) - widths - 0.5
    for number, (label, width) in enumerate(zip(labels, widths, strict=True)):
        colour = BLUE if number < len(estimated) else GREY
        hatch = "//" if number < len(estimated) and estimated[number] else None
        ribbon = _ribbon(left[number], right[number], width)
        axes.add_patch(PathPatch(ribbon, facecolor=colour, edgecolor="white", hatch=hatch, linewidth=0.5, alpha=0.55))
        axes.add_patch(Rectangle((-0.015, left[number]), 0.015, width, color=colour, linewidth=0))
        axes.text(-0.03, left[number] + width / 2, label, ha="right", va="center", fontsize=9)
    axes.add_patch(Rectangle((1, -0.5), 0.02, 1, color=BLACK, linewidth=0))
    axes.set_xlim(-0.9, 1.6)
    axes.set_ylim(left[-1] + widths[-1] + GAP, left[0] - GAP)
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)


def _ribbon(left: float, right: float, width: float) -> Path:
    """From x = 0 to x = 1. left, right: where it begins."""
    there = [(0, left), (0.5, left), (0.5, right), (1, right)]
    back = [(1, right + width), (0.5, right + width), (0.5, left + width), (0, left + width)]
    curve = [Path.CURVE4] * 3
    corners = np.array([*there, *back, (0, left)], dtype="float64")
    return Path(corners, [Path.MOVETO, *curve, Path.LINETO, *curve, Path.CLOSEPOLY])
