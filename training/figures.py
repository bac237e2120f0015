"""Figures: what a training looks like. Every function returns a figure of its own; nothing global is drawn on."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from features.account_sums import moves_of_regions
from features.accounts import balanced_record
from features.dataset import Dataset
from features.targets import TARGETS, records
from models.bundle import Bundle
from models.estimated_flows import NAME as BALANCED_RECORD
from models.forecast import FLOW, QUANTILES, TargetForecast
from training.advice_figures import every_advice_figure
from training.backtest import SERVED, Backtest
from training.figure_parts import (
    BANDS,
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ON_A_PAGE,
    ORANGE,
    VERMILION,
    ahead,
    band_handles,
    below,
    cities,
    cutoffs_text,
    headline,
    largest,
    last_year,
    lay_out,
    lay_out_grid,
    name_of,
    panels_of,
    persons_text,
    source,
    words,
)
from training.flow_figures import every_flow_figure
from training.gate import COVERAGE

BY_HORIZON = (BLUE, VERMILION, GREEN, ORANGE, "#CC79A7", "#56B4E9")
LINES = {"official": "solid", "derived": "dotted", "estimated": "dashed"}
NAMES = {"net_migration": "Net migration", "inflow": "Inflow", "out_migration": "Out-migration", FLOW: "Flows"}
SCOPES = {
    "all": "moves abroad included",
    "within_country": "moves inside the country",
    "between_regions": "moves between regions",
}


def every_figure(bundle: Bundle, tested: Backtest) -> Iterator[tuple[str, Figure]]:
    """Every figure of a training, with a name that can be a file's."""
    card = bundle.scorecard
    for target in bundle.forecast.targets:
        yield f"fans_{target}", fans(bundle, target)
    for region in cities(bundle):
        yield f"fan_{region}", fan(bundle, region)
    if bundle.forecast.flows is not None:
        yield from every_flow_figure(bundle, bundle.forecast.flows)
    yield from every_advice_figure(bundle)
    for target in (target for target in (*TARGETS, FLOW) if target in set(card["target"])):
        yield f"skill_{target}", skill_by_horizon(card, target)
        yield f"coverage_{target}", coverage(card, target)
        if target in tested.records:
            yield f"observed_{target}", observed_vs_forecast(bundle, tested, target)


# --- forecasts ------------------------------------------------------------------------------------------------------


def fan(bundle: Bundle, region: str) -> Figure:
    """History and forecast of one region, every target in a panel of its own."""
    targets = bundle.forecast.targets.values()
    figure = Figure(figsize=(5.2 * len(targets), 4.6))
    for axes, forecast in zip(panels_of(figure, 1, len(targets)), targets, strict=True):
        _draw_fan(axes, bundle, forecast, region, forecast.quantiles()[:, :, forecast.regions.index(region)])
        axes.set_title(f"{NAMES[forecast.target]}: {SCOPES[forecast.scope]}", loc="left", fontsize=10)
        axes.set_xlabel("year")
        axes.set_ylabel("persons a year")
    headline(figure, f"{name_of(bundle, region)}: recorded moves and forecast to {last_year(bundle)}")
    lay_out(figure, below(figure, source(bundle), _fan_handles(figure.axes[0])))
    return figure


def fans(bundle: Bundle, target: str) -> Figure:
    """History and forecast of one target, a panel per region; the 24 largest where there are more."""
    forecast = bundle.forecast.targets[target]
    regions = largest(bundle, list(forecast.regions))[:ON_A_PAGE]
    columns = min(4, len(regions))
    lines = -(-len(regions) // columns)
    figure = Figure(figsize=(3.6 * columns, 2.0 * lines + 1.5))
    panels = panels_of(figure, lines, columns, sharex=True)
    quantiles = forecast.quantiles()
    for axes, region in zip(panels, regions, strict=False):
        _draw_fan(axes, bundle, forecast, region, quantiles[:, :, forecast.regions.index(region)])
        axes.set_title(name_of(bundle, region), loc="left", fontsize=10)
    for axes in panels[len(regions) :]:
        axes.set_axis_off()
    for axes in panels[::columns]:
        axes.set_ylabel("persons a year", fontsize=8)
    for axes in panels[-columns:]:
        axes.set_xlabel("year", fontsize=8)
    some = "" if len(regions) == len(forecast.regions) else f", the {len(regions)} largest regions"
    told = f"{NAMES[target]}, {SCOPES[forecast.scope]}{some}: past and forecast to {last_year(bundle)}"
    headline(figure, f"{told} (each region has its own scale)")
    lay_out_grid(figure, below(figure, source(bundle), _fan_handles(figure.axes[0])))
    return figure


def _draw_fan(axes: Axes, bundle: Bundle, forecast: TargetForecast, region: str, quantiles: np.ndarray) -> None:
    """Past values by basis, then quantiles (level of QUANTILES, horizon), which start from the cutoff's value."""
    rows = _past(bundle, forecast)
    # A year without a value is a gap in the line.
    history = rows[rows["region"] == region].set_index("year").reindex(range(rows["year"].min(), forecast.cutoff + 1))
    for basis in history["basis"].dropna().unique():
        own = history["persons"].where(history["basis"] == basis)
        axes.plot(own.index, own, color=BLACK, linestyle=LINES[basis], linewidth=1.3, marker="o", markersize=2)
    start = history["persons"].loc[forecast.cutoff :].dropna()
    years = [*start.index, *(forecast.cutoff + horizon for horizon in forecast.horizons)]
    persons = {level: [*start, *row] for level, row in zip(QUANTILES, quantiles, strict=True)}
    for low, high, strength, _ in BANDS:
        axes.fill_between(years, persons[low], persons[high], color=BLUE, alpha=strength, linewidth=0)
    line = "dashed" if forecast.basis[region] == "estimated" else "solid"
    axes.plot(years, persons[0.5], color=BLUE, linestyle=line, linewidth=1.6, marker="o", markersize=2.5)
    if forecast.target == "net_migration":
        axes.axhline(0, color=GREY, linewidth=0.8, zorder=0)
    else:
        axes.set_ylim(bottom=0)


def _past(bundle: Bundle, forecast: TargetForecast) -> pd.DataFrame:
    """Rows region, year, persons, basis of what the forecast continues: recorded values, or the estimated record's."""
    known = bundle.dataset.as_of(forecast.cutoff)
    if BALANCED_RECORD not in forecast.models.values():
        return records(known, forecast.target)[1]
    measure = {"inflow": "arrivals", "out_migration": "departures"}[forecast.target]
    moves = moves_of_regions(balanced_record(known))
    return moves[moves["measure"] == measure]


def _fan_handles(axes: Axes) -> list[Artist]:
    """Of empty lines, so that the legend is the same on every page."""
    recorded = [axes.plot([], [], color=BLACK, linestyle=line, label=basis)[0] for basis, line in LINES.items()]
    median = axes.plot([], [], color=BLUE, linewidth=1.6, label="forecast, median")[0]
    estimated = axes.plot([], [], color=BLUE, linestyle="dashed", label="median that continues estimates")[0]
    return [*recorded, median, estimated, *band_handles(axes)]


# --- backtest -------------------------------------------------------------------------------------------------------


def skill_by_horizon(card: pd.DataFrame, target: str) -> Figure:
    """Skill of every model with its 80 % interval, a panel per horizon; what was served is last and marked."""
    own = card[(card["target"] == target) & (card["model"] != "persistence")]
    models = sorted(own["model"].unique(), key=lambda name: (name != SERVED, name), reverse=True)
    horizons = sorted(own["horizon"].unique())
    figure = Figure(figsize=(3.2 * len(horizons) + 2.2, 0.38 * len(models) + 2.3))
    for axes, horizon in zip(panels_of(figure, 1, len(horizons), sharex=True, sharey=True), horizons, strict=True):
        rows = own[own["horizon"] == horizon].set_index("model").reindex(models)
        for height, (name, row) in enumerate(rows.iterrows()):
            colour = VERMILION if name == SERVED else BLUE
            axes.plot([row["skill_low"], row["skill_high"]], [height, height], color=colour, linewidth=2, alpha=0.6)
            axes.plot([row["skill"]], [height], color=colour, marker="o", markersize=6)
        axes.axvline(0, color=BLACK, linewidth=1)
        axes.set_yticks(range(len(models)), [words(name) for name in models])
        axes.set_ylim(-0.6, len(models) - 0.4)
        axes.set_title(f"{ahead(horizon)}, {cutoffs_text(rows['cutoffs'].max())}", loc="left", fontsize=10)
        axes.set_xlabel("skill: 1 − error / persistence's")
        axes.xaxis.set_major_locator(MaxNLocator(5))
    headline(figure, f"{NAMES[target]}: models right of the line beat last year's value at past cutoffs")
    lay_out(
        figure,
        below(figure, "Bars: 80 % interval when whole cutoffs are resampled. 'served': what the gate let through."),
    )
    return figure


def coverage(card: pd.DataFrame, target: str) -> Figure:
    """Measured against nominal coverage of what was served, a line per horizon, with the gate's band at 80 %."""
    own = card[(card["target"] == target) & (card["model"] == SERVED)].sort_values("horizon")
    figure = Figure(figsize=(7.4, 5.2))
    (axes,) = panels_of(figure, 1, 1)
    nominal = [50, 80, 90]
    axes.plot([0, 100], [0, 100], color=GREY, linewidth=1, label="as said")
    low, high = COVERAGE
    axes.plot([80, 80], [100 * low, 100 * high], color=GREY, linewidth=8, alpha=0.35, solid_capstyle="butt")
    for colour, (_, row) in zip(BY_HORIZON * len(own), own.iterrows(), strict=False):
        measured = [100 * row[f"coverage_{level}"] for level in nominal]
        label = f"{ahead(row['horizon'])} ({row['n']:,} outcomes, {cutoffs_text(row['cutoffs'])})"
        axes.plot(nominal, measured, color=colour, marker="o", linewidth=1.6, label=label)
    axes.set_xlim(45, 100)
    axes.set_ylim(min(40, 100 * float(own[["coverage_50", "coverage_80"]].min().min()) - 5), 103)
    axes.set_xticks(nominal)
    axes.set_xlabel("interval said to cover, % of outcomes")
    axes.set_ylabel("outcomes inside it, %")
    axes.legend(loc="lower right", frameon=False, fontsize=9)
    headline(figure, f"{NAMES[target]}: how often outcomes fell inside the intervals served at past cutoffs")
    lay_out(figure, below(figure, "Below the line intervals were too narrow. Grey bar: what the gate accepts at 80 %."))
    return figure


def observed_vs_forecast(bundle: Bundle, tested: Backtest, target: str) -> Figure:
    """What came against what would have been served, region by region, a panel per horizon. Only past cutoffs."""
    pairs = served_points(tested, bundle.dataset, bundle.manifest.cutoff, target)
    horizons = sorted(pairs["horizon"].unique())
    figure = Figure(figsize=(4.6 * len(horizons), 4.9))
    for axes, horizon in zip(panels_of(figure, 1, len(horizons)), horizons, strict=True):
        rows = pairs[pairs["horizon"] == horizon]
        last = rows["cutoff"].max()
        for chosen, colour, marker in ((rows["cutoff"] < last, BLUE, "o"), (rows["cutoff"] == last, VERMILION, "D")):
            shown = rows[chosen]
            axes.scatter(
                shown["forecast"], shown["observed"], s=16, color=colour, marker=marker, alpha=0.6, linewidths=0
            )
        _same_scales(axes, rows, signed=target == "net_migration")
        axes.set_title(f"{ahead(horizon)}; ● cutoffs before {last}, ◆ {last}", loc="left", fontsize=10)
        axes.set_xlabel("forecast, persons a year (log scale)")
        axes.set_ylabel("observed, persons a year (log scale)")
    headline(figure, f"{NAMES[target]}: what was observed against what would have been forecast")
    lay_out(
        figure,
        below(figure, "Each point is a region and a year, forecast from a cutoff before it. On the line: no error."),
    )
    return figure


def served_points(tested: Backtest, dataset: Dataset, known_until: int, target: str) -> pd.DataFrame:
    """Point forecasts of the model that the gate would have served, with their outcomes: cutoff, horizon, region,
    forecast, observed; only where the outcome was known."""
    record = tested.records[target]
    observed = record.actual(dataset, known_until)
    tables = []
    for cutoff, decisions in tested.choices.items():
        for decision in (decision for decision in decisions if decision.target == target):
            row, h = record.cutoffs.index(cutoff), record.horizons.index(decision.horizon)
            columns = {"forecast": record.points[decision.model][row, h], "observed": observed[row, h]}
            told = {"cutoff": cutoff, "horizon": decision.horizon, "region": list(record.regions)}
            tables.append(pd.DataFrame(told | columns))
    return pd.concat(tables, ignore_index=True).dropna(ignore_index=True)


def _same_scales(axes: Axes, rows: pd.DataFrame, signed: bool) -> None:
    """One logarithmic scale on both axes, linear within ±1,000 where values have signs, and the line of no error."""
    values = rows[["forecast", "observed"]].to_numpy()
    low, high = float(values.min()), float(values.max())
    if signed:
        axes.set_xscale("symlog", linthresh=1000)
        axes.set_yscale("symlog", linthresh=1000)
        low, high = min(1.6 * low, -1000.0), max(1.6 * high, 1000.0)
        ticks = [sign * size for sign in (-1, 1) for size in (1e3, 1e4, 1e5, 1e6, 1e7)] + [0]
    else:
        axes.set_xscale("log")
        axes.set_yscale("log")
        low, high = max(low, 1.0) / 1.3, max(high, 2.0) * 1.3
        ticks = [size * 10**power for power in range(8) for size in (1, 2, 5)]
    shown = sorted(tick for tick in ticks if low <= tick <= high)
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_locator(FixedLocator(shown))
        axis.set_minor_locator(NullLocator())
        axis.set_major_formatter(FuncFormatter(lambda value, _: persons_text(value)))
    axes.set_xlim(low, high)
    axes.set_ylim(low, high)
    axes.plot([low, high], [low, high], color=GREY, linewidth=1, zorder=0)
    axes.grid(axis="x", color="#E5E5E5", linewidth=0.7)
