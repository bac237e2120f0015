"""`qonys report`: the model card of a run or of a bundle, as one page."""

from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.config import ConfigError
from training.csv_file import check_out, write_page

if TYPE_CHECKING:
    from models.bundle import Bundle

BUNDLE = Path("build/bundle")
REPORT = "report.html"


def report(
    outfile: Annotated[Path, typer.Option("--out", help="HTML file for the report.")],
    run: Annotated[
        str | None, typer.Option(help="A training's run: id, its beginning, name, or models:/NAME@ALIAS.")
    ] = None,
    bundle: Annotated[Path | None, typer.Option(help="Bundle folder. Default: build/bundle.")] = None,
) -> None:
    """Write what a reader needs to judge a forecast: data, method, backtest, calibration, misses, limits.

    A run's report is the one that was kept with it; a bundle's has no errors by region, which a bundle does not hold.
    """
    check_out(outfile, endings=(".html",))
    if run is not None and bundle is not None:
        raise ConfigError("--run and --bundle: give one of them")
    page = _of_bundle(bundle or BUNDLE) if run is None else _of_run(run)
    write_page(page, outfile)
    typer.echo(f"report: {outfile}")


def _of_run(asked: str) -> str:
    from training.store import TrackingError, artifact, existing, found_training, quiet, store_uri, told

    uri = store_uri()
    with told(uri), quiet():
        client = existing(uri)
        found = found_training(client, uri, asked)
        if REPORT not in {one.path for one in client.list_artifacts(found.info.run_id)}:
            why = "it was trained before reports were kept, or was stopped; use --bundle"
            raise TrackingError(f"run {found.info.run_id}: has no {REPORT}: {why}")
        return artifact(f"runs:/{found.info.run_id}/{REPORT}", uri).read_text("utf-8")


def _of_bundle(folder: Path) -> str:
    from models.bundle import load_bundle
    from training.model_card import model_card
    from training.review import Review

    made = load_bundle(folder)
    return model_card(Review(made), dict(_pictures(made)))


def _pictures(bundle: "Bundle") -> Iterator[tuple[str, bytes]]:
    """PNG by name: what can be drawn from a bundle alone."""
    from training.figures import coverage, fans, skill_by_horizon

    figures = [(f"fans_{target}", fans(bundle, target)) for target in bundle.forecast.targets]
    for target in bundle.scorecard["target"].unique():
        figures.append((f"skill_{target}", skill_by_horizon(bundle.scorecard, target)))
        figures.append((f"coverage_{target}", coverage(bundle.scorecard, target)))
    for name, figure in figures:
        with BytesIO() as png:
            figure.savefig(png, format="png", dpi=100)
            yield name, png.getvalue()
