"""`qonys vintages` and `qonys score`: sealed forecasts, and how right they were when new figures came."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from training.csv_file import TABLE, check_out, write_table

if TYPE_CHECKING:
    from features.dataset import Dataset

Folder = Annotated[
    Path | None,
    typer.Option(help="Folder of vintages. Default: QONYS_VINTAGES, else beside MLflow's store."),
]
CHANGED = "CHANGED AFTER SEALING"


def vintages(
    folder: Folder = None,
    outfile: Annotated[Path | None, typer.Option("--out", help="File for the table, .csv or .json.")] = None,
) -> None:
    """List the sealed forecasts of all champions, and check that each is as it was sealed; exit code 1 if not."""
    from training.vintages import VintageError, read_vintage
    from training.vintages import vintages as sealed

    check_out(outfile, endings=TABLE)
    place, rows, changed = folder or _folder(), [], []
    for vintage in sealed(place):
        try:
            state = f"{len(read_vintage(vintage, place)):,} rows, as sealed"
        except VintageError as error:
            state = CHANGED
            changed.append(str(error))
        rows.append(vars(vintage) | {"name": vintage.name, "state": state})
        typer.echo(f"{vintage.dataset} {vintage.name}  sealed {vintage.sealed}  {_version(rows[-1])}  {state}")
    typer.echo(f"{len(rows)} sealed in {place}" if rows else f"none sealed in {place}; a new champion is sealed")
    if outfile is not None:
        write_table(pd.DataFrame(rows), outfile)
        typer.echo(f"table: {outfile}")
    for fault in changed:
        typer.echo(f"fault: {fault}", err=True)
    raise typer.Exit(1 if changed else 0)


def _version(row: dict) -> str:
    return f"{row['model']} version {row['version']}"


def score(
    data: Annotated[Path, typer.Option(help="Dataset folder with new figures.")],
    folder: Folder = None,
    outfile: Annotated[Path | None, typer.Option("--out", help="File for the table, .csv or .json.")] = None,
) -> None:
    """Score every sealed forecast of a dataset by its new figures, beside persistence; keep the scoreboard.

    Writes scoreboard.json beside the vintages, and a run in MLflow.
    """
    from features.dataset import load_dataset
    from training.scoreboard import vintage_scores, write_scoreboard
    from training.vintages import vintages as sealed

    check_out(outfile, endings=TABLE)
    place, dataset = folder or _folder(), load_dataset(data)
    known = sealed(place)
    scores = vintage_scores(known, place, dataset)
    if not any(vintage.dataset == dataset.name for vintage in known):
        typer.echo(f"no forecast of '{dataset.name}' is sealed in {place}; a new champion is sealed")
        return
    board = write_scoreboard(scores, known, place, dataset)
    typer.echo(score_report(scores))
    typer.echo(f"scoreboard: {board}")
    if outfile is not None:
        write_table(scores, outfile)
        typer.echo(f"table: {outfile}")
    typer.echo(f"run {_track(scores, dataset, board)}")


def score_report(scores: pd.DataFrame) -> str:
    """A line per vintage, target and horizon."""
    if not len(scores):
        return "no outcome of a sealed forecast is known yet"
    lines = ["vintage            target         year  cells  mean error  persistence    skill  in 80 %"]
    for row in scores.to_dict("records"):
        last = "" if pd.isna(row["skill"]) else f"{row['error_persistence'] / row['n_persistence']:,.0f}"
        won = "" if pd.isna(row["skill"]) else f"{row['skill']:+.3f}"
        mark = "  in hindsight: the outcome was at hand" if row["hindsight"] else ""
        lines.append(
            f"{row['vintage']:<18} {row['target']:<14} {row['year']}  {row['n']:>5,}  {row['mean_error']:>10,.0f}  "
            f"{last:>11}  {won:>7}  {row['coverage_80']:>7.0%}{mark}"
        )
    return "\n".join(lines)


def score_metrics(scores: pd.DataFrame) -> dict[str, float]:
    """Pooled over vintages, as `net_migration/skill_h1`; without scores in hindsight."""
    told: dict[str, float] = {"vintages": scores["vintage"].nunique()}
    for (target, horizon), own in scores[~scores["hindsight"].astype(bool)].groupby(["target", "horizon"]):
        told[f"{target}/coverage_80_h{horizon}"] = float(own["coverage_n"].sum() / own["n"].sum())
        told[f"{target}/mean_error_h{horizon}"] = float(own["abs_error"].sum() / own["n"].sum())
        stayed = own[own["n_persistence"] == own["n"]]
        if len(stayed):
            last = max(float(stayed["error_persistence"].sum()), 1e-9)
            told[f"{target}/skill_h{horizon}"] = float(1 - stayed["abs_error"].sum() / last)
    return told


def _track(scores: pd.DataFrame, dataset: "Dataset", board: Path) -> str:
    from training.tracking import track_files

    told = {"name": dataset.name, "sha256": dataset.sha256}
    last = int(scores["year"].max()) if len(scores) else "no year"
    params = {"outcomes_until": last, "vintages": scores["vintage"].nunique()}
    return track_files(
        f"score {dataset.name} until {last}", "qonys score", told, score_metrics(scores), params, [board]
    )


def _folder() -> Path:
    from training.store import sqlite_file, store_uri
    from training.vintages import vintages_folder

    return vintages_folder(sqlite_file(store_uri()))
