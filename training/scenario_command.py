"""`qonys scenario` and `qonys counter-magnets`: what changed indicators would do to flows."""

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import numpy as np
import typer

from training.answer_out import (
    BUNDLE,
    Answered,
    AnswerOut,
    FigureFile,
    FigureFolder,
    Folder,
    Pictures,
    TableFile,
    Track,
    names_of,
)
from training.csv_file import check_input
from training.progress import progress_line

if TYPE_CHECKING:
    from models.bundle import Bundle
    from models.scenario import ScenarioAnswer
    from training.counter_magnets import CounterMagnets

SHOWN = 8
"""Flows and regions that are printed; the file has more."""


def scenario(
    file: Annotated[Path, typer.Argument(help="Scenario in TOML, or JSON: [[change]] region, indicator, change.")],
    allow_extrapolation: Annotated[
        bool, typer.Option("--allow-extrapolation", help="Answer also for what was never seen, flagged.")
    ] = False,
    bundle: Folder = BUNDLE,
    outfile: TableFile = None,
    figure: FigureFile = None,
    figures: FigureFolder = None,
    track: Track = False,
) -> None:
    """Answer what a package of changed indicators would do: who stays, who goes elsewhere, the effect on each region.

    The answer is assumed: it says what follows if indicators act as they went together with flows in the past. Its
    pictures are a map of diverted flows, and a waterfall for each city.
    """
    from models.bundle import load_bundle
    from models.scenario import answer, flows_of
    from models.scenario_package import read_package

    out = AnswerOut("qonys scenario", outfile, figure, figures, track)
    check_input(file, "FILE", "a scenario in TOML, or JSON with the suffix .json")
    made = load_bundle(bundle)
    model, flows = made.advice.need_scenario_model(), flows_of(made.forecast)
    package = read_package(file, model, [flows.cutoff + horizon for horizon in flows.horizons])
    out.send(_answered(made, answer(model, made.forecast, package, allow_extrapolation=allow_extrapolation)), made)


def _answered(made: "Bundle", told: "ScenarioAnswer") -> Answered:
    from models.scenario_tables import diverted, flow_effects, region_effects
    from training.decision_figures import scenario_waterfall
    from training.figure_parts import cities

    steps: Pictures = {f"waterfall_{one}": partial(scenario_waterfall, made, told, one) for one in cities(made)}
    metrics = {f"stays_{year}": told.stays[:, h].sum(axis=1).mean() for h, year in enumerate(told.years)}
    params = {f"change_{number}": change for number, change in enumerate(told.package.changes, start=1)}
    name = f"scenario {told.package.name}"
    beside = {"flows": flow_effects(told)} | {f"diverted_{one}": diverted(told, one) for one in cities(made)}
    report, pictures = scenario_report(told, made), _map(made, told) | steps
    return Answered(name, report, region_effects(told), pictures, metrics, params, beside)


def _map(made: "Bundle", told: "ScenarioAnswer") -> Pictures:
    from training.decision_figures import diversion_map

    return {"diverted": partial(diversion_map, made, told)}


def counter_magnets(
    city: Annotated[str, typer.Option(help="Code of the city that shall receive fewer.")],
    target: Annotated[int, typer.Option(max=-1, help="By how many persons a year its inflow shall change, as -10000.")],
    trials: Annotated[int, typer.Option(min=1, help="Packages that are tried.")] = 200,
    bundle: Folder = BUNDLE,
    outfile: TableFile = None,
    figure: FigureFile = None,
    figures: FigureFolder = None,
    track: Track = False,
) -> None:
    """Rank regions and indicators by people diverted from a city, and search for the smallest package that suffices.

    All inside of what was seen. The answer is assumed, as that of `qonys scenario`. The picture is a map of what the
    package diverts.
    """
    from models.bundle import load_bundle
    from models.scenario_tables import region_effects
    from training.counter_magnets import counter_magnets as search

    out = AnswerOut("qonys counter-magnets", outfile, figure, figures, track)
    made = load_bundle(bundle)
    model = made.advice.need_scenario_model()
    with progress_line("counter-magnets") as progress:

        def told(done: int) -> None:
            if done % 20 == 0 or done == trials:
                progress(f"package {done} of {trials}")

        found = search(model, made.forecast, city, -target, trials, told)
    mean, low, high = found.diverted
    metrics = {"diverted": mean, "diverted_low": low, "diverted_high": high, "most": found.most}
    params = {"city": city, "target": target, "trials": found.trials}
    report, name = counter_magnets_report(found, made), f"counter-magnets {city} {target}"
    beside = {"package": region_effects(found.package)}
    out.send(Answered(name, report, found.levers, _map(made, found.package), metrics, params, beside), made)


# --- telling --------------------------------------------------------------------------------------------------------


def scenario_report(told: "ScenarioAnswer", made: "Bundle") -> str:
    """Changes and how far they lie from what was seen; effects of the last year; assumptions."""
    year = told.years[-1]
    lines = [f"{told.package.name}: {told.label}, {told.basis}", *_changes(told)]
    lines += [f"people who stay in {year}, and do not leave:", *_regions(told, made, told.stays)]
    lines += [f"net effect in {year} (sums to zero):", *_regions(told, made, told.changes["net_migration"])]
    lines += [f"flows that change most in {year}:", *_flows(told, made)]
    return "\n".join([*lines, "assumed:", *(f"  {one}" for one in told.assumptions)])


def _changes(told: "ScenarioAnswer") -> list[str]:
    return [f"  {one.change}: {one.status} ({one.reason}; nearest: {one.nearest})" for one in told.applicability]


def _regions(told: "ScenarioAnswer", made: "Bundle", draws: np.ndarray) -> list[str]:
    """A line per region that changes in the last year, the largest first."""
    last = draws[:, -1]
    order = np.argsort(-np.abs(np.median(last, axis=0)), kind="stable")[:SHOWN]
    shown = [place for place in order if last[:, place].any()]
    return [f"  {names_of(made)[told.regions[place]]}: {interval(last[:, place])}" for place in shown] or ["  none"]


def _flows(told: "ScenarioAnswer", made: "Bundle") -> list[str]:
    lines = []
    for place, pair in enumerate(told.largest[:SHOWN]):
        ends = (told.regions[end[pair]] for end in (told.origin, told.destination))
        draws = told.largest_changes[:, -1, place]
        if draws.any():
            lines.append(f"  {' → '.join(names_of(made)[end] for end in ends)}: {interval(draws)}")
    return lines or ["  none"]


def counter_magnets_report(found: "CounterMagnets", made: "Bundle") -> str:
    """Single levers, then the package, then how far everything together would go."""
    lines = [f"{names_of(made)[found.city]}: persons a year that single changes divert, mean (80 % interval), assumed:"]
    for row in found.levers.itertuples():
        needed = 100 * float(str(row.change_for_target))
        needs = "not inside of what was seen" if np.isnan(needed) else f"{needed:.1f} %"
        lines.append(
            f"  {names_of(made)[str(row.region)]}, {row.indicator} {100 * float(str(row.change)):.1f} % better: "
            f"{row.persons:,.0f} ({row.lower:,.0f} – {row.upper:,.0f}); {row.persons_per_percent:,.0f} per per cent; "
            f"target needs: {needs}"
        )
    mean, low, high = found.diverted
    verdict = "reaches" if found.reached else "does not reach"
    lines.append(
        f"smallest package found in {found.trials} trials {verdict} the target of {found.target:,.0f}: "
        f"{mean:,.0f} ({low:,.0f} – {high:,.0f}) persons a year"
    )
    lines += _changes(found.package)
    lines.append(f"all regions with everything as good as was ever seen: {found.most:,.0f} persons a year in the mean")
    return "\n".join([*lines, "assumed:", *(f"  {one}" for one in found.package.assumptions)])


def interval(draws: np.ndarray) -> str:
    """Median and 80 % interval of changes."""
    low, middle, high = np.quantile(draws, (0.1, 0.5, 0.9))
    return f"{middle:+,.0f} ({low:+,.0f} – {high:+,.0f})".replace("-", "−").replace("+0", "0").replace("−0 ", "0 ")
