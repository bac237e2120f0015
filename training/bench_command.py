"""`qonys bench`: how fast this installation answers."""

from pathlib import Path
from typing import Annotated

import typer

from training.config import ConfigError
from training.csv_file import check_folder, write_csv
from training.progress import progress_line

BUNDLE = Path("build/bundle")


def bench(
    serving: Annotated[
        bool, typer.Option("--serving", help="The service, beside BentoML, FastAPI and `mlflow models serve`.")
    ] = False,
    bundle: Annotated[Path, typer.Option(help="Bundle folder.")] = BUNDLE,
    out: Annotated[Path | None, typer.Option(help="Folder for serving_bench.md and serving_bench.csv.")] = None,
    seconds: Annotated[float, typer.Option(min=1, max=3600, help="Seconds of measuring, beside starting.")] = 120,
) -> None:
    """Measure how often requests are answered, side by side with others in one run; print a table in Markdown."""
    if not serving:
        raise ConfigError("bench: nothing to measure; must be given --serving")
    if not (bundle / "manifest.json").is_file():
        raise ConfigError(f"--bundle {bundle}: no bundle there; run `qonys train`, or give the folder of one")
    check_folder(out)
    _bench_serving(bundle, out, seconds)


def _bench_serving(bundle: Path, out: Path | None, seconds: float) -> None:
    from tempfile import TemporaryDirectory

    from training.serving_bench import serving_bench
    from training.serving_bench_report import bench_report

    with TemporaryDirectory() as folder, progress_line("bench") as progress:
        table = serving_bench(bundle, Path(folder), seconds, progress)
    report = bench_report(table)
    typer.echo(report)
    if out is not None:
        write_csv(table, out / "serving_bench.csv")
        (out / "serving_bench.md").write_text(report, "utf-8")
