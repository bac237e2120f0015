"""Figures of those who are served: who is there, demand against capacity, labour supply against jobs."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.gridspec import GridSpec
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models.forecast import QUANTILES
from models.labour import Labour
from models.served_population import ServedPopulation
from models.served_population_load import Load
from training.figure_parts import (
    BANDS,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ON_A_PAGE,
    ORANGE,
    VERMILION,
    band_handles,
    below,
    headline,
    lay_out,
    panels_of,
    words,
)

KINDS = {"registered": BLUE, "unregistered": ORANGE, "commuters": GREEN, "visitors": GREY}
SCALES = ((1e9, "billion "), (1e6, "million "), (1e3, "thousand "))
LIMITS = {"demand": "capacity", "cost": "budget"}
COLUMNS = 3
HEIGHTS = (3.0, 1.0)
"""Of a panel and of the probability below it."""


def served_figure(answer: ServedPopulation) -> Figure:
    """Who is served, stacked, then a panel per service and per benefit with a budget; below each, how likely it is
    above what there is."""
    loads = [load for load in answer.loads if load.part in LIMITS]
    if not loads:
        return presence_figure(answer)
    columns = min(COLUMNS, len(loads) + 1)
    lines = -(-(len(loads) + 1) // columns)
    figure = Figure(figsize=(4.3 * columns + 0.6, 4.0 * lines + 1.3))
    panels = np.array(panels_of(figure, 2 * lines, columns)).reshape(lines, 2, columns)
    grid = panels[0, 0, 0].get_gridspec()
    assert isinstance(grid, GridSpec)
    grid.set_height_ratios(HEIGHTS * lines)
    upper, lower = panels[:, 0].ravel(), panels[:, 1].ravel()
    _draw_presence(upper[0], answer)
    for axes, under, load in zip(upper[1:], lower[1:], loads, strict=False):
        _draw_load(axes, load)
        _draw_probability(under, load)
    for axes in (lower[0], *upper[len(loads) + 1 :], *lower[len(loads) + 1 :]):
        axes.set_axis_off()
    illustrative = ". Norms and capacities are ILLUSTRATIVE" if answer.case.illustrative else ""
    headline(figure, f"{answer.case.city.name}: who is served, and what they need, {_span(answer)}{illustrative}")
    marked = "Dashed: first year in which more than half of the futures are over. "
    limits = [*_fan_handles(upper[0], "median"), _limit_handle(upper[0], "capacity or budget")]
    lay_out(figure, below(figure, marked + _served_footnote(answer), [*_kind_handles(upper[0], answer), *limits]))
    return figure


def presence_figure(answer: ServedPopulation) -> Figure:
    """Who is served, stacked."""
    figure = Figure(figsize=(8.2, 4.8))
    (axes,) = panels_of(figure, 1, 1)
    _draw_presence(axes, answer)
    headline(figure, f"{answer.case.city.name}: who is served, {_span(answer)}")
    lay_out(figure, below(figure, _served_footnote(answer), _kind_handles(axes, answer)))
    return figure


def _span(answer: ServedPopulation) -> str:
    return f"{answer.years[0]} to {answer.years[-1]}"


def _served_footnote(answer: ServedPopulation) -> str:
    rows = [*answer.case.component, *([] if answer.case.total is None else [answer.case.total])]
    sources = "; ".join(dict.fromkeys(row.source for row in rows))
    return f"Assumed: {'; '.join(answer.assumptions)}. Ledger: {sources}. Projected by Qonys, persons on 1 January."


def _draw_presence(axes: Axes, answer: ServedPopulation) -> None:
    """Expected persons by kind, the largest lowest, and the 80 % interval of all."""
    *kinds, served = answer.of("presence")
    kinds.sort(key=lambda load: -load.expected[0])
    scale, unit = _scale(served)
    heights = [load.expected / scale for load in kinds]
    axes.stackplot(answer.years, heights, colors=[KINDS[load.name] for load in kinds], alpha=0.75, linewidth=0)
    low, high = (served.quantiles[QUANTILES.index(level)] / scale for level in (0.1, 0.9))
    axes.vlines(answer.years, low, high, color=BLACK, linewidth=0.9)
    _finish(axes, f"{unit}persons", "Served population, expected; black: 80 % interval")


def _draw_load(axes: Axes, load: Load) -> None:
    """Quantiles, the limit as steps, and the first year that is more likely above it than not."""
    scale, unit = _scale(load)
    _draw_fan(axes, load.years, load.quantiles / scale)
    axes.step(load.years, load.limit / scale, where="post", color=VERMILION, linewidth=1.8)
    year = load.first_year_over
    if year is not None:
        axes.axvline(year, color=BLACK, linewidth=0.9, linestyle="dashed")
    _finish(axes, unit + load.unit, f"{words(load.name).capitalize()}: {load.part} against {LIMITS[load.part]}")


def _draw_probability(axes: Axes, load: Load) -> None:
    over = load.probability_over > 0.5
    axes.bar(load.years, 100 * load.probability_over, color=np.where(over, VERMILION, GREY), width=0.7)
    axes.axhline(50, color=BLACK, linewidth=0.7, linestyle="dotted")
    axes.set_ylim(0, 100)
    axes.set_yticks([0, 50, 100])
    axes.set_xlim(load.years[0] - 0.6, load.years[-1] + 0.6)
    axes.set_ylabel("P(over), %", fontsize=8)
    year = load.first_year_over
    told = "no year over 50 %" if year is None else f"first over 50 % in {year}"
    axes.set_title(told, loc="left", fontsize=8)


def _draw_fan(axes: Axes, years: Sequence[int], quantiles: np.ndarray) -> None:
    """quantiles: (level of QUANTILES, year)."""
    by_level = dict(zip(QUANTILES, quantiles, strict=True))
    for low, high, strength, _ in BANDS:
        axes.fill_between(years, by_level[low], by_level[high], color=BLUE, alpha=strength, linewidth=0)
    axes.plot(years, by_level[0.5], color=BLUE, linewidth=1.6)


def _finish(axes: Axes, unit: str, title: str) -> None:
    axes.set_xlabel("year", fontsize=8)
    axes.set_ylabel(unit, fontsize=8)
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,g}"))
    axes.margins(x=0.02)
    axes.set_title(title, loc="left", fontsize=10)


def _scale(load: Load) -> tuple[float, str]:
    """What the numbers are divided by so that they are short, and its name."""
    largest = max(float(load.quantiles.max()), float(np.nanmax(load.limit, initial=0.0)))
    return next(((size, name) for size, name in SCALES if largest >= size), (1.0, ""))


def _kind_handles(axes: Axes, answer: ServedPopulation) -> list[Artist]:
    kinds = [row.kind for row in answer.case.component]
    return [axes.fill_between([], [], color=KINDS[kind], alpha=0.75, linewidth=0, label=kind) for kind in kinds]


def _fan_handles(axes: Axes, median: str) -> list[Artist]:
    return [*axes.plot([], [], color=BLUE, linewidth=1.6, label=median), *band_handles(axes)]


def _limit_handle(axes: Axes, label: str) -> Artist:
    return axes.plot([], [], color=VERMILION, linewidth=1.8, label=label)[0]


# --- labour ---------------------------------------------------------------------------------------------------------


def labour_figure(found: Labour, names: dict[str, str]) -> Figure:
    """Labour supply by region, and jobs where they are given; the first 24 regions. names: by region."""
    regions = found.regions[:ON_A_PAGE]
    columns = min(4, len(regions))
    lines = -(-len(regions) // columns)
    figure = Figure(figsize=(max(3.6 * columns, 7.2), 2.6 * lines + 1.5))
    panels = panels_of(figure, lines, columns)
    for place, (axes, region) in enumerate(zip(panels, regions, strict=False)):
        _draw_labour(axes, found, place, names.get(region, region))
    for axes in panels[len(regions) :]:
        axes.set_axis_off()
    jobs = not np.isnan(found.jobs).all()
    headline(figure, f"Labour supply{' against jobs' if jobs else ''}, {found.years[0]} to {found.years[-1]}")
    handles = _fan_handles(panels[0], "supply, median")
    handles += panels[0].plot([], [], color=VERMILION, linestyle="", marker="o", label="jobs, as given") if jobs else []
    lay_out(figure, below(figure, f"Assumed: {'; '.join(found.assumptions)}. Projected by Qonys.", handles))
    return figure


def _draw_labour(axes: Axes, found: Labour, place: int, name: str) -> None:
    """The share of futures in which workers are missing stands at the last year with jobs."""
    thousand = np.quantile(found.supply[:, :, place], QUANTILES, axis=0) / 1000
    _draw_fan(axes, found.years, thousand)
    jobs, given = found.jobs[:, place] / 1000, np.flatnonzero(~np.isnan(found.jobs[:, place]))
    if len(given):
        years = np.array(found.years)
        axes.plot(
            years[given], jobs[given], color=VERMILION, linewidth=0.9, linestyle="dotted", marker="o", markersize=4
        )
        probability = found.probability_shortage[given[-1], place]
        name += f": P(shortage) {100 * probability:.0f} % in {years[given[-1]]}"
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    _finish(axes, "thousand persons", name)
