"""Figures of an outlook: population pyramid now and then, and the population of regions as fans."""

from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Patch
from matplotlib.ticker import FuncFormatter, MaxNLocator

from features.dataset import Dataset
from models.forecast import QUANTILES
from models.outlook import KEPT_QUANTILES, Outlook
from models.projection_tables import GROUPS
from models.schedules import SEXES
from training.figure_parts import (
    BANDS,
    BLACK,
    BLUE,
    GREY,
    ON_A_PAGE,
    VERMILION,
    band_handles,
    below,
    headline,
    lay_out,
    panels_of,
    persons_text,
)

COLOURS = {"female": VERMILION, "male": BLUE}
SIDES = {"female": 1, "male": -1}
TITLES = {"female": "women", "male": "men"}
COLUMNS = 4


def pyramid_figure(outlook: Outlook, level: str, dataset: Dataset, region: str) -> Figure:
    """People by sex and age group on the first 1 January, as outlines, and on the last, as bars with 80 % intervals."""
    place, first, last = outlook.regions.index(region), outlook.years[0], outlook.years[-1]
    people = outlook.by_age[level][:, :, place]
    now = people[0, 0]
    low, middle, high = (people[KEPT_QUANTILES.index(one), -1] for one in (0.1, 0.5, 0.9))
    figure = Figure(figsize=(8.6, 6.6))
    (axes,) = panels_of(figure, 1, 1)
    height, estimated = np.arange(len(GROUPS)), outlook.basis[region] == "estimated"
    line = "dashed" if estimated else "solid"
    for row, sex in enumerate(SEXES):
        side = SIDES[sex]
        axes.barh(height, side * middle[row], height=0.82, color=COLOURS[sex], alpha=0.45)
        axes.hlines(height, side * low[row], side * high[row], color=COLOURS[sex], linewidth=1.6)
        outline = side * np.append(now[row], now[row, -1])
        axes.step(
            outline, np.append(height, len(GROUPS)) - 0.5, where="pre", color=BLACK, linewidth=1.3, linestyle=line
        )
    _dress_pyramid(axes, float(max(high.max(), now.max())))
    headline(figure, f"{_name(dataset, region)}: people by age and sex, 1 January {first} and {last}, level {level}")
    kind = "estimated" if estimated else "as recorded, a year on"
    handles = [
        *(Patch(color=COLOURS[sex], alpha=0.45, label=f"{TITLES[sex]} {last}, median") for sex in SEXES),
        axes.plot([], [], color=GREY, linewidth=1.6, label=f"80 % interval {last}")[0],
        axes.plot([], [], color=BLACK, linestyle=line, label=f"{first}, {kind}")[0],
    ]
    lay_out(figure, below(figure, _footnote(outlook, dataset, estimated), handles))
    return figure


def _dress_pyramid(axes: Axes, widest: float) -> None:
    axes.set_yticks(range(len(GROUPS)), GROUPS)
    axes.set_xlim(-1.08 * widest, 1.08 * widest)
    axes.axvline(0, color=BLACK, linewidth=0.8)
    axes.grid(axis="y", visible=False)
    axes.grid(axis="x", color="#E5E5E5", linewidth=0.7)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: GROUPS[int(value)] if 0 <= value < 18 else ""))
    axes.xaxis.set_major_locator(MaxNLocator(7))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: persons_text(abs(value))))
    axes.set_xlabel("men — persons — women")
    axes.set_ylabel("age")


def fan_figure(outlook: Outlook, level: str, dataset: Dataset, regions: Sequence[str]) -> Figure:
    """Population on 1 January, official until now and projected, a panel per region; at most a page of them."""
    shown = list(regions)[:ON_A_PAGE]
    columns = min(COLUMNS, len(shown))
    lines = -(-len(shown) // columns)
    wide = 7.6 if len(shown) == 1 else 3.7 * columns
    figure = Figure(figsize=(wide, 4.6 if len(shown) == 1 else 2.3 * lines + 1.5))
    panels = panels_of(figure, lines, columns, sharex=True)
    past, people = _past(dataset), outlook.draws(level, "population")
    for axes, region in zip(panels, shown, strict=False):
        _draw_fan(axes, outlook, people[:, :, outlook.regions.index(region)], past.get(region, np.empty((2, 0))))
        if len(shown) > 1:
            axes.set_title(_name(dataset, region), loc="left", fontsize=10)
    for axes in panels[len(shown) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel("persons", fontsize=8)
    for axes in panels[-columns:]:
        axes.set_xlabel("year", fontsize=8)
    title = _name(dataset, shown[0]) if len(shown) == 1 else "Population"
    scales = "" if len(shown) == 1 else " (each region has its own scale)"
    headline(figure, f"{title}: population on 1 January, to {outlook.years[-1]}, level {level}{scales}")
    lay_out(figure, below(figure, _footnote(outlook, dataset, False), _fan_handles(panels[0])))
    return figure


def _draw_fan(axes: Axes, outlook: Outlook, people: np.ndarray, past: np.ndarray) -> None:
    """people: (draw, year). past: years and persons."""
    quantiles = np.quantile(people, QUANTILES, axis=0)
    years, persons = past
    axes.plot(years, persons, color=BLACK, linewidth=1.3, marker="o", markersize=2)
    for low, high, strength, _ in BANDS:
        rows = quantiles[QUANTILES.index(low)], quantiles[QUANTILES.index(high)]
        axes.fill_between(outlook.years, *rows, color=BLUE, alpha=strength, linewidth=0)
    axes.plot(outlook.years, quantiles[QUANTILES.index(0.5)], color=BLUE, linewidth=1.6)
    axes.axvline(outlook.forecast_until + 1, color=GREY, linewidth=0.9, linestyle="dotted")
    axes.set_ylim(bottom=0)


def _past(dataset: Dataset) -> dict[str, np.ndarray]:
    """Official population by region, (2, year): years and persons."""
    rows = dataset.indicators
    official = rows[(rows["indicator"] == "population") & (rows["basis"] == "official")].sort_values("year")
    return {str(region): own[["year", "value"]].to_numpy("float64").T for region, own in official.groupby("region")}


def _fan_handles(axes: Axes) -> list[Artist]:
    return [
        axes.plot([], [], color=BLACK, linewidth=1.3, marker="o", markersize=2, label="official")[0],
        axes.plot([], [], color=BLUE, linewidth=1.6, label="projected, median")[0],
        *band_handles(axes),
        axes.plot([], [], color=GREY, linewidth=0.9, linestyle="dotted", label="moves are forecast until here")[0],
    ]


def _name(dataset: Dataset, region: str) -> str:
    return str(dataset.regions.set_index("region")["name"][region])


def _footnote(outlook: Outlook, dataset: Dataset, estimated: bool) -> str:
    sources = "; ".join(dataset.sources) or dataset.title
    how = "Dashed: no ages are published, they are estimated from births, deaths, balances and broad age groups. "
    until = f"moves are forecast to {outlook.forecast_until}, later a projection under a level"
    return f"{how if estimated else ''}Source: {sources}. Projection: Qonys, {until}."
