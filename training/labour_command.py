"""`qonys labour`: labour supply by region and year, against jobs that are expected."""

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
    TableFile,
    Track,
    names_of,
)
from training.csv_file import check_input

if TYPE_CHECKING:
    from models.labour import Labour


def labour(
    demand: Annotated[
        Path | None, typer.Option(help="CSV with region, year, jobs, source; or TOML with [[jobs]]. Default: none.")
    ] = None,
    region: Annotated[list[str] | None, typer.Option(help="Code of a region; may be repeated. Default: all.")] = None,
    level: Annotated[str, typer.Option(help="Level of the projection: low, medium or high.")] = "medium",
    to: Annotated[int, typer.Option(help="Last year.")] = 2045,
    bundle: Folder = BUNDLE,
    outfile: TableFile = None,
    figure: FigureFile = None,
    figures: FigureFolder = None,
    track: Track = False,
) -> None:
    """Project the labour supply; with jobs given, who is missing, and the migration that would close the gap."""
    from models.bundle import load_bundle
    from models.labour import labour_of
    from models.labour_demand import read_demand

    out = AnswerOut("qonys labour", outfile, figure, figures, track)
    check_input(demand, "--demand", "a CSV or TOML file")
    made = load_bundle(bundle)
    outlook = made.advice.need_outlook()
    jobs = None if demand is None else read_demand(demand, outlook.regions, outlook.years)
    found = labour_of(outlook, made.dataset, made.forecast, level, to, region, jobs)
    out.send(_answered(found, names_of(made), level), made)


def _answered(found: "Labour", names: dict[str, str], level: str) -> Answered:
    from training.served_figures import labour_figure

    pictures = {"labour": lambda: labour_figure(found, names)}
    params = {"level": level, "to": found.years[-1], "regions": ", ".join(found.regions)}
    name = f"labour {found.years[0]}-{found.years[-1]}, {level}"
    return Answered(name, labour_report(found, names, level), found.table(), pictures, {}, params)


def labour_report(found: "Labour", names: dict[str, str], level: str) -> str:
    """A line per region, of the last year with jobs, or the last year; then assumptions."""
    lines = [f"labour force on 1 January, level {level}, median and 80 % interval, persons, assumed:"]
    lines += [_region_line(found, place, names.get(region, region)) for place, region in enumerate(found.regions)]
    if np.isnan(found.jobs).all():
        lines += ["no jobs are given, so supply alone is answered; give them with --demand"]
    return "\n".join([*lines, "assumed:", *(f"  {told}" for told in found.assumptions)])


def _region_line(found: "Labour", place: int, name: str) -> str:
    given = np.flatnonzero(~np.isnan(found.jobs[:, place]))
    year = given[-1] if len(given) else len(found.years) - 1
    supply = _interval(found.supply[:, year, place])
    told = f"  {name}: {supply} in {found.years[year]}, {found.participation[place]:.2f} of those of working age"
    if not len(given):
        return told
    gap, closing = _interval(found.gap[:, year, place]), _interval(found.closing_migration[:, year, place])
    probability = found.probability_shortage[year, place]
    told += f"; jobs {found.jobs[year, place]:,.0f}, missing workers {gap}, P(shortage) {100 * probability:.0f} %"
    projected = found.net_migration[year, place]
    beside = "not known so far ahead" if np.isnan(projected) else f"{projected:+,.0f} of all ages"
    return f"{told}; migration that would close it {closing}, beyond what is projected ({beside})"


def _interval(draws: np.ndarray) -> str:
    low, middle, high = np.quantile(draws, (0.1, 0.5, 0.9))
    return f"{middle:,.0f} ({low:,.0f} – {high:,.0f})"
