"""`qonys served`: who is served in a city, what they need by year, and how likely it is more than there is."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from training.answer_out import BUNDLE, Answered, AnswerOut, FigureFile, FigureFolder, Folder, TableFile, Track
from training.csv_file import check_input

if TYPE_CHECKING:
    from models.served_population import ServedPopulation
    from models.served_population_load import Load


def served(
    file: Annotated[
        Path | None, typer.Argument(help="TOML file of a city. Default: Astana, December 2025, by public statements.")
    ] = None,
    norms: Annotated[
        Path | None,
        typer.Option(help="TOML file of norms, capacities, recipients, budgets. Default, for Astana: illustrative."),
    ] = None,
    level: Annotated[str, typer.Option(help="Level of the projection: low, medium or high.")] = "medium",
    to: Annotated[int, typer.Option(help="Last year.")] = 2045,
    bundle: Folder = BUNDLE,
    outfile: TableFile = None,
    figure: FigureFile = None,
    figures: FigureFolder = None,
    track: Track = False,
) -> None:
    """Reconcile who is present in a city, carry it on with the projection, and hold demand against capacity."""
    from models.bundle import load_bundle
    from models.served_population import residents_of, served_population
    from models.served_population_case import ASTANA, ILLUSTRATIVE, read_case

    out = AnswerOut("qonys served", outfile, figure, figures, track)
    check_input(file, "FILE", "a TOML file of a city")
    check_input(norms, "--norms", "a TOML file of norms")
    case = read_case(file or ASTANA, norms or (ILLUSTRATIVE if file is None else None))
    made = load_bundle(bundle)
    residents = residents_of(made.advice.need_outlook(), made.dataset, case.city.region, level)
    out.send(_answered(served_population(case, residents, to), level), made)


def _answered(answer: "ServedPopulation", level: str) -> Answered:
    from training.served_figures import presence_figure, served_figure

    pictures = {"demand": lambda: served_figure(answer), "presence": lambda: presence_figure(answer)}
    params = {"level": level, "to": answer.years[-1], "illustrative": answer.case.illustrative}
    over = {f"{load.part}/{load.name}/probability_over": load.probability_over[-1] for load in answer.of("demand")}
    metrics = {"served": answer.reconciled.total} | {name: value for name, value in over.items() if value == value}
    name = f"served {answer.case.city.name} {answer.case.city.date}"
    return Answered(name, served_report(answer, level), answer.table(), pictures, metrics, params)


def served_report(answer: "ServedPopulation", level: str) -> str:
    """Ledger, who is served, demand, burden, assumptions."""
    city = answer.case.city
    lines = [f"{city.name} ({city.region}), {city.date}: who is served, persons"]
    lines += [_ledger_line(row) for _, row in answer.ledger_table().iterrows()]
    lines += [f"contradiction: {told}" for told in answer.reconciled.contradictions]
    lines += [f"source: {source}" for source in answer.ledger_table()["source"].dropna().unique()]
    norms = ", norms and capacities ILLUSTRATIVE" if answer.case.illustrative else ""
    lines += ["", f"projected, level {level}, 80 % interval, assumed{norms}:"]
    lines += [_load_line(load) for load in answer.loads if load.name == "served" or load.part != "presence"]
    lines += [] if answer.case.norm else ["  no norms are given, so no demand is answered; give them with --norms"]
    lines += ["", "assumed:", *(f"  {told}" for told in answer.assumptions)]
    return "\n".join(lines)


def _ledger_line(row: pd.Series) -> str:
    reconciled = f"{row['reconciled']:>11,.0f} ± {row['reconciled_error']:,.0f}"
    if pd.isna(row["stated"]):
        return f"  {row['kind']:<13}{reconciled}, none stated"
    stated = f"stated {row['stated']:,.0f} ± {row['error']:,.0f}, {row['residual']:+.1f} standard errors off"
    return f"  {row['kind']:<13}{reconciled}, {stated}; {row['date']}, {row['basis']}"


def _load_line(load: "Load") -> str:
    from models.forecast import QUANTILES

    low, middle, high = (load.quantiles[QUANTILES.index(quantile), -1] for quantile in (0.1, 0.5, 0.9))
    told = f"  {load.part} {load.name}: {middle:,.0f} {load.unit} in {load.years[-1]} ({low:,.0f} – {high:,.0f})"
    if load.part in ("presence", "recipients"):
        return told
    first = load.first_year_over
    over = f"{100 * load.probability_over[-1]:.0f} % likely above {load.limit[-1]:,.0f}"
    return f"{told}, {over}; {'no year over 50 %' if first is None else f'first over 50 % in {first}'}"
