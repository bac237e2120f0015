"""`qonys project`: the population of many years ahead by region, sex and age."""

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Annotated

import pandas as pd
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
    as_text,
    names_of,
)
from training.config import ConfigError
from training.progress import progress_line

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from models.bundle import Bundle
    from models.projection import Projection


def project_command(
    to: Annotated[int, typer.Option(help="Last year; population of its 1 January.")] = 2045,
    level: Annotated[str, typer.Option(help="Level of moves after the forecast: low, medium or high.")] = "medium",
    region: Annotated[list[str] | None, typer.Option(help="Code of a region; may be repeated. Default: all.")] = None,
    ages: Annotated[bool, typer.Option("--ages", help="Table by sex and age group rather than in sum.")] = False,
    backtest: Annotated[
        bool, typer.Option("--backtest", help="Project the last known year from past ones instead, and compare.")
    ] = False,
    bundle: Folder = BUNDLE,
    outfile: TableFile = None,
    figure: FigureFile = None,
    figures: FigureFolder = None,
    track: Track = False,
) -> None:
    """Project population by region, sex and age: births, deaths, and moves, forecast first and then under a level.

    The main picture is the population of the regions that are named, or else of cities; pyramids go to --figures.
    """
    from models.bundle import load_bundle

    out = AnswerOut("qonys project", outfile, figure, figures, track)
    made = load_bundle(bundle)
    shown = _shown(made, region)
    out.send(
        _backtested(made) if backtest else _answered(made, _projected(made, to, level), shown, bool(region), ages), made
    )


def _shown(made: "Bundle", asked: list[str] | None) -> list[str]:
    from models.projection import regions_of

    known = regions_of(made.forecast)
    unknown = [region for region in asked or () if region not in known]
    if unknown:
        raise ConfigError(f"--region {', '.join(unknown)}: not projected; known: {', '.join(known)}")
    return list(dict.fromkeys(asked)) if asked else list(known)


def _projected(made: "Bundle", to: int, level: str) -> "Projection":
    from models.projection import project

    with progress_line("project") as progress:
        progress(f"to {to}, level {level}")
        return project(made.dataset, made.manifest.cutoff, made.forecast, to, level, progress=progress)


def _answered(made: "Bundle", projection: "Projection", shown: list[str], some: bool, ages: bool) -> Answered:
    """some: whether the regions were named."""
    from training.projection_report import projection_report

    names = names_of(made)
    order = shown if some else sorted(shown, key=lambda one: names.get(one, one))
    table = projection.table() if ages else projection.summary()
    last = projection.years[-1]
    return Answered(
        f"projection to {last}, {projection.level}",
        as_text(projection_report(projection, names, order)),
        table[table["region"].isin(shown)],
        _pictures(made, projection, shown if some else _cities(made, shown)),
        {f"population_{last}": float(projection.measure("population")[:, -1].sum(axis=1).mean())},
        {"level": projection.level, "to": last, "draws": len(projection.population)},
    )


def _pictures(made: "Bundle", projection: "Projection", regions: list[str]) -> Pictures:
    from models.outlook import outlook_of
    from training.projection_figures import fan_figure, pyramid_figure

    outlook = lru_cache(lambda: outlook_of([projection]))

    def fan(*shown: str) -> "Figure":
        return fan_figure(outlook(), projection.level, made.dataset, shown)

    def pyramid(one: str) -> "Figure":
        return pyramid_figure(outlook(), projection.level, made.dataset, one)

    pictures: Pictures = {"population": partial(fan, *regions)} if len(regions) > 1 else {}
    for one in regions:
        pictures |= {f"population_{one}": partial(fan, one), f"pyramid_{one}": partial(pyramid, one)}
    return pictures


def _cities(made: "Bundle", regions: list[str]) -> list[str]:
    """Cities; all regions where there are none."""
    kinds = made.dataset.regions.set_index("region")["kind"]
    return [region for region in regions if kinds[region] == "city"] or regions


def _backtested(made: "Bundle") -> Answered:
    from training.projection_backtest import projection_backtests
    from training.projection_report import backtest_report

    with progress_line("project") as progress:
        found = projection_backtests(made.dataset, made.manifest.cutoff, progress)
    table = pd.concat([one.table() for one in found], ignore_index=True)
    return Answered("projection, backtest", as_text(backtest_report(found, names_of(made))), table, {})
