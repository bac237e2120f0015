"""Figures of drivers and scenarios: heat map of contributions, waterfall of an inflow, map of diverted flows."""

import numpy as np
import pandas as pd
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import FancyArrowPatch

from models.bundle import Bundle
from models.drivers import MEASURES, Drivers
from models.scenario import ScenarioAnswer
from training.figure_parts import (
    BLACK,
    BLUE,
    GREY,
    ON_A_PAGE,
    VERMILION,
    below,
    headline,
    largest,
    lay_out,
    name_of,
    panels_of,
    persons_text,
    source,
)

TITLES = {"out_migration": "Who leaves", "inflow": "Who comes"}
STRONGEST = 1.0
"""Log at which the colour of a contribution is strongest."""
ORIGINS = 10
ARROWS = 30
NAMED = 12
INTERVAL = (0.1, 0.9)
ASSOCIATED = "Contributions to the log of the rate by gravity, beside the mean of regions: associated, not causes."


# --- drivers --------------------------------------------------------------------------------------------------------


def driver_heat_map(bundle: Bundle, drivers: Drivers) -> Figure:
    """Regions, the largest first, by groups of drivers: out-migration and inflow, in a panel each."""
    rows = drivers.regions[drivers.regions["model"] == "gravity"]
    regions = largest(bundle, sorted(rows["region"].unique()))[:ON_A_PAGE]
    figure = Figure(figsize=(12.5, 0.3 * len(regions) + 2.4))
    for axes, measure in zip(panels_of(figure, 1, len(MEASURES)), reversed(MEASURES), strict=True):
        told = rows[rows["measure"] == measure]
        table = told.pivot(index="region", columns="group", values="contribution")
        table = table.loc[regions, list(told["group"].unique())]
        rate = told.drop_duplicates("region").set_index("region")["rate_per_1000"]
        _draw_heat(axes, table, [f"{name_of(bundle, region)}  {rate[region]:.0f}" for region in regions])
        axes.set_title(f"{TITLES[measure]}: what goes together with the rate", loc="left", fontsize=10)
    headline(figure, f"Drivers of moves, {rows['year'].iloc[0]} (beside each name: persons per 1,000)")
    lay_out(figure, below(figure, f"{ASSOCIATED} {_sorts(rows['basis'])}{source(bundle)}"))
    return figure


def _draw_heat(axes: Axes, table: pd.DataFrame, names: list[str]) -> None:
    shades = colormaps["PuOr_r"](Normalize(-STRONGEST, STRONGEST, clip=True)(table.to_numpy()))
    axes.imshow(shades, aspect="auto")
    for (row, column), value in np.ndenumerate(table.to_numpy()):
        dark = shades[row, column, :3] @ (0.3, 0.59, 0.11) < 0.5
        text = f"{value:+.2f}".replace("-", "−")
        colour = "white" if dark else BLACK
        axes.text(column, row, text, ha="center", va="center", fontsize=7, color=colour, in_layout=False)
    groups = [str(group).replace("_", " ") for group in table.columns]
    axes.set_xticks(range(len(groups)), groups, rotation=35, ha="right", rotation_mode="anchor", fontsize=8)
    axes.set_yticks(range(len(names)), names, fontsize=8)
    axes.set_xlabel("group of indicators", fontsize=8)
    axes.set_ylabel("region", fontsize=8)
    axes.tick_params(length=0)
    axes.grid(False)
    axes.spines[:].set_visible(False)


def _sorts(basis: pd.Series) -> str:
    if not (basis == "estimated").any():
        return ""
    return "Flows are estimated; what demography and distance have to do with them was assumed in making them. "


# --- scenarios ------------------------------------------------------------------------------------------------------


def scenario_waterfall(bundle: Bundle, answer: ScenarioAnswer, city: str) -> Figure:
    """From a city's inflow without the package to that with it, by origin, in the last year; means of draws."""
    here, year = answer.regions.index(city), answer.years[-1]
    pairs = np.flatnonzero(answer.destination == here)
    change = answer.mean_changes[-1, pairs]
    order = np.argsort(-np.abs(change), kind="stable")
    shown, others = order[:ORIGINS], change[order[ORIGINS:]].sum()
    names = [name_of(bundle, answer.regions[answer.origin[pairs[one]]]) for one in shown]
    names, steps = [*names, f"{len(order) - len(shown)} others"], np.append(change[shown], others)
    figure = Figure(figsize=(10.5, 5.2))
    (axes,) = panels_of(figure, 1, 1)
    _draw_steps(axes, names, steps, answer.changes["inflow"][:, -1, here])
    before = answer.baseline["inflow"][:, -1, here].mean()
    after = before + answer.changes["inflow"][:, -1, here].mean()
    axes.set_ylabel("persons beside the forecast")
    told = f"{persons_text(before)} → {persons_text(after)}"
    headline(figure, f"{name_of(bundle, city)}: inflow of {year} under '{answer.package.name}', by origin: {told}")
    lay_out(
        figure,
        below(figure, f"Means of draws; the whisker is the 80 % interval of the change. {_told(bundle, answer)}"),
    )
    return figure


def _draw_steps(axes: Axes, names: list[str], steps: np.ndarray, draws: np.ndarray) -> None:
    after = np.cumsum(steps)
    colours = [BLUE if step > 0 else VERMILION for step in steps]
    axes.bar(range(len(steps)), steps, bottom=after - steps, color=colours, width=0.65)
    for place, (step, end) in enumerate(zip(steps, after, strict=True)):
        axes.plot([place + 0.33, place + 0.67], [end, end], color=GREY, linewidth=0.8)
        _label(axes, place, max(end, end - step), f"{step:+,.0f}".replace("-", "−"))
    low, high = np.quantile(draws, INTERVAL)
    total = float(draws.mean())
    axes.bar(len(steps), total, color=GREY, width=0.65)
    axes.plot([len(steps)] * 2, [low, high], color=BLACK, linewidth=1.4)
    _label(axes, len(steps), max(0.0, total, float(high)), f"{total:+,.0f}".replace("-", "−"))
    axes.axhline(0, color=BLACK, linewidth=0.8)
    axes.set_xticks(range(len(steps) + 1), [*names, "all"], rotation=35, ha="right", rotation_mode="anchor", fontsize=8)
    axes.margins(y=0.12)


def _label(axes: Axes, place: float, height: float, text: str) -> None:
    axes.annotate(text, (place, height), (0, 3), textcoords="offset points", ha="center", fontsize=8)


def diversion_map(bundle: Bundle, answer: ScenarioAnswer) -> Figure:
    """Regions where they lie; arrows are flows that grow or shrink, dots what a region wins or loses; the last year."""
    places = bundle.dataset.regions.set_index("region").loc[list(answer.regions)]
    longitude, latitude = places["longitude"].to_numpy(), places["latitude"].to_numpy()
    net = answer.changes["net_migration"][:, -1].mean(axis=0)
    figure = Figure(figsize=(10.5, 7.0))
    (axes,) = panels_of(figure, 1, 1)
    _draw_arrows(axes, answer, longitude, latitude)
    size = 20 + 600 * np.abs(net) / max(np.abs(net).max(), 1)
    axes.scatter(longitude, latitude, s=size, c=[_colour(one) for one in net], alpha=0.75, linewidth=0, zorder=3)
    for place in np.argsort(-np.abs(net), kind="stable")[:NAMED]:
        text = f"{name_of(bundle, answer.regions[place])}\n{net[place]:+,.0f}".replace("-", "−")
        axes.annotate(
            text, (longitude[place], latitude[place]), (6, 6), textcoords="offset points", fontsize=8, zorder=4
        )
    axes.set_aspect(1 / np.cos(np.radians(latitude.mean())))
    axes.set_axis_off()
    axes.margins(0.08)
    headline(figure, f"Who goes elsewhere in {answer.years[-1]} under '{answer.package.name}' (net effect, persons)")
    lines = [
        Line2D([], [], color=one, linewidth=2.5, label=text) for one, text in ((BLUE, "more"), (VERMILION, "fewer"))
    ]
    told = f"Means of draws; the {ARROWS} flows that change most, as wide as they change. {_told(bundle, answer)}"
    lay_out(figure, below(figure, told, lines))
    return figure


def _draw_arrows(axes: Axes, answer: ScenarioAnswer, longitude: np.ndarray, latitude: np.ndarray) -> None:
    change = answer.mean_changes[-1]
    shown = np.argsort(-np.abs(change), kind="stable")[:ARROWS]
    most = max(float(np.abs(change[shown]).max()), 1.0)
    for pair in shown[np.abs(change[shown]) >= 0.5]:
        ends = answer.origin[pair], answer.destination[pair]
        start, end = ((float(longitude[one]), float(latitude[one])) for one in ends)
        width = 0.6 + 6 * abs(change[pair]) / most
        arrow = FancyArrowPatch(
            start,
            end,
            connectionstyle="arc3,rad=0.18",
            arrowstyle=f"-|>,head_width={1.5 + width / 2},head_length={3 + width / 2}",
            color=_colour(change[pair]),
            linewidth=width,
            alpha=0.5,
            shrinkA=4,
            shrinkB=6,
            zorder=2,
        )
        axes.add_patch(arrow)


def _colour(change: float) -> str:
    return BLUE if change > 0 else VERMILION if change < 0 else GREY


def _told(bundle: Bundle, answer: ScenarioAnswer) -> str:
    flag = "Beyond what was ever seen. " if answer.extrapolates else ""
    estimated = "Flows are estimated. " if answer.basis == "estimated" else ""
    return f"{flag}{estimated}Assumed: indicators act as they went together with flows. {source(bundle)}"
