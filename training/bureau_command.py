"""`qonys import bureau`: the Bureau's tables, from files or from its site, into a dataset folder."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.config import ConfigError
from training.growth_report import growth_report

if TYPE_CHECKING:
    from features.releases.bureau import BureauFile

CACHE = Path("build/bureau")


def bureau(
    into: Annotated[Path, typer.Option(help="Dataset folder that grows by the tables.")],
    files: Annotated[
        list[Path] | None, typer.Argument(help="The Bureau's .xlsx or CSV files, named like 6567.csv.")
    ] = None,
    table: Annotated[
        str | None, typer.Option(help="Number of the table that FILES hold, if not in their names.")
    ] = None,
    fetch: Annotated[bool, typer.Option("--fetch", help="Take the live tables from the Bureau's site.")] = False,
    tables: Annotated[
        str | None, typer.Option(help="Numbers to fetch, with commas. Default: all that the site serves.")
    ] = None,
    cache: Annotated[Path, typer.Option(help="Folder for fetched tables; one that has not changed is kept.")] = CACHE,
    site: Annotated[str | None, typer.Option(help="Address of the site or of a mirror. Default: stat.gov.kz.")] = None,
    offline: Annotated[bool, typer.Option("--offline", help="With --fetch: take what the cache has.")] = False,
    published: Annotated[
        int | None,
        typer.Option(help="Round in which all became known. Default: each year, and the indicator's publication lag."),
    ] = None,
    release: Annotated[str | None, typer.Option(help="Name of the release. Default: tables and round.")] = None,
    factor: Annotated[
        float | None, typer.Option(help="From the figures of one table to Qonys' unit, such as 1000 for thousands.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Tell what would change, and change nothing.")] = False,
) -> None:
    """Add the tables of the Bureau of National Statistics of Kazakhstan to a dataset, as a vintage."""
    from features.dataset import load_dataset
    from features.releases.bureau import bureau_files, read_bureau
    from features.releases.growing import grow

    _check_options(files, table, fetch, tables, offline, factor)
    given = bureau_files(files or [], table)
    fetched = _fetched(tables, cache, site, offline) if fetch else []
    made, notes = read_bureau([*given, *fetched], load_dataset(into), published, release, factor)
    for note in notes:
        typer.echo(f"note: {note}")
    with _target(into, dry_run) as folder:
        growth = grow(folder, made)
    typer.echo(growth_report(replace(growth, folder=into)))
    if dry_run:
        typer.echo("tried on a copy: nothing is changed")


def _check_options(
    files: list[Path] | None, table: str | None, fetch: bool, tables: str | None, offline: bool, factor: float | None
) -> None:
    """Before the work rather than after it."""
    faults = []
    if not files and not fetch:
        faults.append("neither FILES nor --fetch is given; one of them must be")
    if table is not None and not files:
        faults.append("--table says what FILES hold, and none is given; --fetch takes --tables")
    for option, value in (("--tables", tables), ("--offline", offline)):
        if value and not fetch:
            faults.append(f"{option} is given without --fetch; must be given with it")
    if factor is not None and not factor > 0:
        faults.append(f"--factor {factor:g}: must be above 0")
    if faults:
        raise ConfigError("\n".join(faults))


def _fetched(tables: str | None, cache: Path, address: str | None, offline: bool) -> "list[BureauFile]":
    """The site's tables as files, each told in a line."""
    from features.releases.bureau import BureauFile
    from features.releases.bureau_site import ADDRESS, BureauSite, fetch_tables
    from features.releases.bureau_tables import bureau_tables

    known = bureau_tables()
    wanted = known.live() if tables is None else [number.strip() for number in tables.split(",")]
    mapped = known.served(wanted)
    found = fetch_tables([table.number for table in mapped], BureauSite(cache, address or ADDRESS, offline))
    for one in found:
        typer.echo(str(one))
    return [BureauFile(one.path, table) for one, table in zip(found, mapped, strict=True)]


@contextmanager
def _target(into: Path, dry_run: bool) -> Iterator[Path]:
    """The folder itself, or a copy that is thrown away."""
    if not dry_run:
        yield into
        return
    with tempfile.TemporaryDirectory() as aside:
        yield Path(shutil.copytree(into, Path(aside) / into.resolve().name))
