"""`qonys import moves`: a table of moves, one row per move, into a dataset folder."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from training.config import ConfigError
from training.csv_file import check_out, write_csv
from training.growth_report import growth_report
from training.progress import progress_line

if TYPE_CHECKING:
    from features.releases.move_figures import MoveFigures
    from features.releases.moves import Moves

MOST_REJECTED = 0.05
"""Share of rejected rows above which nothing is imported unless it is asked for."""


def moves(
    files: Annotated[list[Path], typer.Argument(help="CSV or Parquet files with one row per move.")],
    into: Annotated[Path | None, typer.Option(help="Dataset folder that grows by the moves.")] = None,
    new: Annotated[Path | None, typer.Option(help="Dataset folder to be made of the moves.")] = None,
    regions: Annotated[Path | None, typer.Option(help="With --new: the table of regions.")] = None,
    population: Annotated[
        Path | None, typer.Option(help="With --new: the table of indicators, with population.")
    ] = None,
    columns: Annotated[
        str | None,
        typer.Option(
            help="ROLE=NAME of the columns, with commas, like origin=FROM,date=DAY. Roles: origin, destination, date, "
            "id (of the move), person, age_group, sex. id and person only find duplicates."
        ),
    ] = None,
    rejects: Annotated[Path, typer.Option(help="CSV file for the rows that are set aside, with all reasons.")] = Path(
        "rejects.csv"
    ),
    allow_rejects: Annotated[
        bool, typer.Option("--allow-rejects", help=f"Import also where more than {MOST_REJECTED:.0%} are set aside.")
    ] = False,
    keep_identical: Annotated[
        bool, typer.Option("--keep-identical", help="Rows that are the same in every column are different moves.")
    ] = False,
    suppress_below: Annotated[
        int, typer.Option(min=0, help="Leave out what concerns fewer persons. 0 leaves out nothing.")
    ] = 0,
    release: Annotated[str | None, typer.Option(help="Name of the release. Default: moves and its years.")] = None,
    published: Annotated[
        int | None, typer.Option(help="Round in which it became known. Default: each year's figures in that year.")
    ] = None,
    until: Annotated[
        dt.datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Last day that is recorded. Default: today.")
    ] = None,
    by: Annotated[str | None, typer.Option(help="age_group, sex, or both with a comma: also count by them.")] = None,
    counts: Annotated[Path, typer.Option(help="With --by: CSV file for these counts.")] = Path("moves_by_group.csv"),
) -> None:
    """Count moves to flows by year and month, and add them to a dataset as a vintage.

    Duplicates, moves inside a region, unknown regions, impossible dates and rows that cannot be read are written to the
    rejects file, each with all its reasons. No column of a person gets into the dataset.
    """
    from features.releases.growing import grow
    from features.releases.move_figures import moves_release
    from features.releases.moves import read_moves

    folder = _check_options(into, new, regions, population, rejects, counts)
    tables = _new_tables(regions, population) if regions and population else {}
    places = tables["regions"] if tables else _regions(folder)
    last, groups = until.date() if until else None, _listed(by)
    with progress_line("import") as progress:
        read = read_moves(files, places, rejects, _named(columns), groups, last, keep_identical, progress=progress)
        _tell_rows(read, rejects)
        _check_share(read, rejects, allow_rejects)
        figures = moves_release(read, places, release or _name(read), published, suppress_below)
        progress("adding to the dataset")
        growth = grow(folder, figures.release.with_tables(tables), new=new is not None)
    _tell_left_out(figures, counts)
    typer.echo(growth_report(growth))


# --- options --------------------------------------------------------------------------------------------------------


def _check_options(
    into: Path | None, new: Path | None, regions: Path | None, population: Path | None, rejects: Path, counts: Path
) -> Path:
    """The dataset folder; before the work rather than after it."""
    faults = []
    if (into is None) == (new is None):
        faults.append("--into, --new: one of them must be given, and not both")
    for option, path in (("--regions", regions), ("--population", population)):
        if (path is None) == (new is not None):
            faults.append(f"{option}: must be given with --new, and only then")
        elif path is not None and not path.is_file():
            faults.append(f"{option} {path}: not there; must be a CSV or Parquet file")
    folder = into or new or Path()
    for option, path in (("--rejects", rejects), ("--counts", counts)):
        if path.resolve().is_relative_to(folder.resolve()) and (into or new):
            faults.append(f"{option} {path}: lies in the dataset folder; must lie elsewhere")
        if path.is_dir():
            faults.append(f"{option} {path}: is a folder; must be a file")
    if faults:
        raise ConfigError("\n".join(faults))
    check_out(rejects, "--rejects")
    check_out(counts, "--counts")
    return folder


def _named(columns: str | None) -> Mapping[str, str]:
    pairs = [one.partition("=") for one in (columns or "").split(",") if one.strip()]
    wrong = [role for role, _, name in pairs if not role.strip() or not name.strip()]
    if wrong:
        raise ConfigError(f"--columns {columns}: must be like origin=FROM,destination=TO,date=DAY")
    return {role.strip(): name.strip() for role, _, name in pairs}


def _listed(by: str | None) -> list[str]:
    groups = [one.strip() for one in (by or "").split(",") if one.strip()]
    if set(groups) - {"age_group", "sex"}:
        raise ConfigError(f"--by {by}: must be age_group, sex, or both with a comma")
    return groups


def _regions(folder: Path) -> pd.DataFrame:
    from features.dataset import load_dataset

    return load_dataset(folder).regions


def _new_tables(regions: Path, population: Path) -> dict[str, pd.DataFrame]:
    from features.contracts import TABLES, DatasetError
    from features.dataset import read_file
    from features.table_check import check_table

    checked = {
        name: check_table(read_file(path), TABLES[name])
        for name, path in (("regions", regions), ("indicators", population))
    }
    faults = [fault for one in checked.values() for fault in one.faults]
    if faults:
        raise DatasetError(f"{regions}, {population}", faults)
    return {name: one.frame for name, one in checked.items()}


def _name(read: "Moves") -> str:
    years = sorted({*read.counts["year"].agg(["min", "max"]).dropna().astype("int64")})
    return f"moves {'-'.join(map(str, years))}".strip()


def _check_share(read: "Moves", rejects: Path, allowed: bool) -> None:
    if read.rejected > MOST_REJECTED * read.read and not allowed:
        raise ConfigError(
            f"{read.rejected:,} of {read.read:,} rows are set aside, more than {MOST_REJECTED:.0%}; nothing is"
            " imported. "
            f"See {rejects}; with --allow-rejects the others are imported"
        )


# --- telling --------------------------------------------------------------------------------------------------------


def _tell_rows(read: "Moves", rejects: Path) -> None:
    typer.echo(f"rows: {read.read:,} read = {read.accepted:,} accepted + {read.rejected:,} set aside in {rejects}")
    for reason, rows in read.reasons.items():
        typer.echo(f"  {rows:,}: {reason}")


def _tell_left_out(figures: "MoveFigures", counts: Path) -> None:
    for row in figures.left_out.itertuples():
        typer.echo(f"not told: {row.moves:,} moves of {row.year}, months {row.months}: {row.reason}")
    withheld = figures.withheld
    if withheld.least > 1:
        typer.echo(
            f"withheld: {withheld.cells:,} flows of fewer than {withheld.least} persons, {withheld.persons:,} persons, "
            "from flows and from all sums"
        )
    if withheld.months:
        typer.echo(f"withheld: months of {', '.join(map(str, withheld.months))}, in which a region has as few")
    if figures.groups is not None:
        write_csv(figures.groups, counts)
        typer.echo(f"counts: {counts}; {figures.withheld_groups:,} cells withheld, of pairs that have a small one")
