"""Where an answer goes beside the terminal: a table, pictures, and a run in MLflow."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer
from rich.console import Console

from training.csv_file import FIGURE, TABLE, check_folder, check_out, write_figure, write_table

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from rich.console import RenderableType

    from models.bundle import Bundle

Folder = Annotated[Path, typer.Option("--bundle", help="Bundle folder.")]
BUNDLE = Path("build/bundle")
TableFile = Annotated[Path | None, typer.Option("--out", help="File for the table, .csv or .json.")]
FigureFile = Annotated[Path | None, typer.Option("--figure", help="File for the main picture, .png or .svg.")]
FigureFolder = Annotated[Path | None, typer.Option("--figures", help="Folder for every picture, as PNG.")]
Track = Annotated[bool, typer.Option("--track", help="Keep the answer, its table and its pictures as a run in MLflow.")]
Pictures = dict[str, Callable[[], "Figure"]]


@dataclass(frozen=True, eq=False)
class Answered:
    """What a command found. pictures: by name, the main one first; drawn only where they go somewhere.

    beside: more tables, by name; they go to files beside that of the table. name, metrics, params: of the run.
    """

    name: str
    report: str
    table: pd.DataFrame
    pictures: Pictures
    metrics: Mapping[str, float] = field(default_factory=dict)
    params: Mapping[str, object] = field(default_factory=dict)
    beside: Mapping[str, pd.DataFrame] = field(default_factory=dict)


@dataclass(frozen=True)
class AnswerOut:
    """Checked when it is made: raises ConfigError before the work rather than after it."""

    command: str
    table: Path | None
    figure: Path | None
    figures: Path | None
    track: bool

    def __post_init__(self) -> None:
        check_out(self.table, endings=TABLE)
        check_out(self.figure, "--figure", FIGURE)
        check_folder(self.figures, "--figures")

    def send(self, answered: Answered, bundle: "Bundle") -> None:
        """Print the report, and write what was asked for."""
        typer.echo(answered.report)
        if self.table is not None:
            for path in _write_tables(answered, self.table):
                typer.echo(f"table: {path}")
        if self.figure is not None and answered.pictures:
            write_figure(next(iter(answered.pictures.values()))(), self.figure)
            typer.echo(f"figure: {self.figure}")
        if self.figures is not None:
            _draw_all(answered, self.figures)
            typer.echo(f"figures: {self.figures}")
        if self.track:
            typer.echo(f"run {_kept(self.command, answered, bundle)}")


def _write_tables(answered: Answered, path: Path) -> list[Path]:
    paths = [path, *(path.with_name(f"{path.stem}_{name}{path.suffix}") for name in answered.beside)]
    for one, table in zip(paths, (answered.table, *answered.beside.values()), strict=True):
        write_table(table, one)
    return paths


def _draw_all(answered: Answered, folder: Path) -> list[Path]:
    paths = [folder / f"{name}.png" for name in answered.pictures]
    for path, draw in zip(paths, answered.pictures.values(), strict=True):
        write_figure(draw(), path)
    return paths


def _kept(command: str, answered: Answered, bundle: "Bundle") -> str:
    """The run's id and its store."""
    from training.tracking import track_files

    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "answer.txt").write_text(answered.report, "utf-8")
        tables = _write_tables(answered, folder / "answer.csv")
        files = [folder / "answer.txt", *tables, *_draw_all(answered, folder)]
        params = {"cutoff": bundle.manifest.cutoff, **answered.params}
        return track_files(answered.name, command, bundle.manifest.dataset, answered.metrics, params, files)


def names_of(bundle: "Bundle") -> dict[str, str]:
    """Of regions, in English, by code."""
    return {str(code): str(name) for code, name in bundle.dataset.regions.set_index("region")["name"].items()}


def as_text(report: "RenderableType") -> str:
    """As wide as the terminal, without colours."""
    console = Console(file=StringIO(), width=Console().width)
    console.print(report)
    return console.file.getvalue().rstrip()  # pyright: ignore[reportAttributeAccessIssue] -- as made
