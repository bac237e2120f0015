"""The command line: parses, calls, prints."""

import os
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, NoReturn

import pandas as pd
import typer
from rich.console import Console

from features.dataset import Dataset, load_dataset, read_dataset
from features.flows import has_flows
from features.part_years import with_running_year
from features.targets import recorded_targets
from models.bundle import load_bundle, save_bundle
from models.estimated_flows import estimates_flows
from models.forecast import FLOW, Forecast
from training.account_proof_command import accounts_proof
from training.accounts_command import accounts
from training.backtest import backtest, last_value_year
from training.bench_command import bench
from training.compare_command import compare
from training.config import Config, ConfigError, load_config
from training.csv_file import FULL, check_folder, check_out, write_csv
from training.doctor_command import doctor
from training.drift_command import drift
from training.drivers_command import drivers
from training.import_command import import_app
from training.labour_command import labour
from training.progress import progress_line
from training.projection_command import project_command
from training.report import decisions_report, flows_report, forecast_report, scorecard_report
from training.report_command import report
from training.run import train as run_training
from training.scenario_command import counter_magnets, scenario
from training.served_command import served
from training.vintages_command import score, vintages

BUNDLE = Path("build/bundle")
CHALLENGER = Path("build/challenger")
OURS = ("features", "models", "training")
"""Rooms whose own kinds of ValueError a user can cause; any other error is a fault of the program."""

app = typer.Typer(
    help="Forecast who leaves a region and who arrives in a city. `qonys up` shows everything on embedded data.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    # Paragraphs flow to the terminal's width, and `[[change]]` of TOML is no markup.
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
out, err = Console(), Console(stderr=True)

Data = Annotated[Path | None, typer.Option(help="Dataset folder. Default: the embedded data of Kazakhstan.")]
Settings = Annotated[
    list[str] | None, typer.Option("--set", help="key=value of training/default.toml; may be repeated.")
]
ConfigFile = Annotated[Path | None, typer.Option("--config", help="TOML file with keys of training/default.toml.")]
Cutoff = Annotated[int | None, typer.Option(help="Last year whose values may be seen. Default: the last one there is.")]
Horizons = Annotated[str, typer.Option(help="Years ahead, with commas.")]
Port = Annotated[int, typer.Option(min=1, max=65535, help="Port to serve on.")]


def main() -> None:
    """Run the command line; a user's error is one message and exit code 2, without a traceback."""
    try:
        app()
    except ValueError as error:
        if type(error).__module__.partition(".")[0] not in OURS:
            raise
        err.print(f"[red]error:[/red] {_escaped(str(error))}", soft_wrap=True, highlight=False)
        sys.exit(2)
    except BrokenPipeError:
        sys.exit(141)
    except OSError as error:
        if error.errno not in FULL:
            raise
        err.print(f"[red]error:[/red] no room on the disk: {_escaped(str(error))}", soft_wrap=True, highlight=False)
        err.print("what is served is as it was; make room and train again", highlight=False)
        sys.exit(2)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def validate(folder: Annotated[Path, typer.Argument(help="Dataset folder.")]) -> None:
    """Check a dataset folder against the format; list every fault."""
    dataset, notes = read_dataset(folder)
    for note in notes:
        out.print(f"note: {_escaped(note)}", soft_wrap=True, highlight=False)
    rows = ", ".join(f"{name} {len(table):,}" for name, table in dataset.tables().items())
    out.print(f"{folder}: a good dataset, '{dataset.name}'. Rows: {rows}", soft_wrap=True, highlight=False)


def train(
    data: Data = None,
    bundle: Annotated[
        Path | None,
        typer.Option(help="Where the bundle goes. Default: build/bundle; a challenger goes to build/challenger."),
    ] = None,
    settings: Settings = None,
    config: ConfigFile = None,
    cutoff: Cutoff = None,
) -> None:
    """Backtest, decide, fit, track the run in MLflow, write the bundle."""
    _train(load_config(settings or [], config, data, cutoff), bundle)


def backtest_command(
    outfile: Annotated[Path, typer.Option("--out", help="CSV file for the scores.")],
    data: Data = None,
    settings: Settings = None,
    config: ConfigFile = None,
) -> None:
    """Score every model, and what the gate would have served, at every past cutoff.

    Where flows are recorded, two more tables are written beside OUT: scores by class of size, and how well models of
    flows that see no past flows do.
    """
    check_out(outfile)
    chosen = load_config(settings or [], config, data)
    dataset = load_dataset(chosen.data)
    dataset = with_running_year(dataset, chosen.cutoff or last_value_year(dataset))
    with progress_line("backtest") as progress:
        tested = backtest(
            dataset, chosen.horizons, chosen.cutoff, progress, chosen.boosted, chosen.draws, structural=True
        )
    write_csv(tested.scores, outfile)
    out.print(scorecard_report(tested.scores))
    out.print(f"scores: {outfile}", highlight=False)
    if tested.flows is not None:
        out.print(flows_report(tested))
        for name, table in (("by_size", tested.by_size), ("structure", tested.structure)):
            beside = outfile.with_name(f"{outfile.stem}_{name}{outfile.suffix}")
            write_csv(table, beside)
            out.print(f"{name.replace('_', ' ')}: {beside}", highlight=False)


def forecast(
    outfile: Annotated[Path, typer.Option("--out", help="CSV file for the quantiles.")],
    data: Data = None,
    cutoff: Cutoff = None,
    horizons: Horizons = "1,2,3",
    target: Annotated[
        str | None, typer.Option(help="net_migration, inflow, out_migration, or flow: from region to region.")
    ] = None,
    settings: Settings = None,
    config: ConfigFile = None,
) -> None:
    """Forecast with what the gate serves at the cutoff; every target of regions, or one target."""
    check_out(outfile)
    chosen = load_config([*(settings or []), f"horizons=[{horizons}]", "advice=false"], config, data, cutoff)
    with progress_line("forecast") as progress:
        dataset = load_dataset(chosen.data)
        _check_target(target, dataset)
        made, _ = run_training(chosen, progress)
    write_csv(_forecast_table(made.forecast, target), outfile)
    out.print(forecast_report(made))
    out.print(f"forecast: {outfile}", highlight=False)


def tune(
    data: Data = None,
    trials: Annotated[int, typer.Option(min=1, help="Trials in all; a study that was stopped goes on.")] = 40,
    before: Annotated[int | None, typer.Option(help="Last year the search may see. Default: the middle.")] = None,
    outfile: Annotated[Path, typer.Option("--out", help="TOML file for `qonys train --config`.")] = Path(
        "build/tuned.toml"
    ),
    storage: Annotated[
        str, typer.Option(help="Optuna storage.", envvar="QONYS_OPTUNA_STORAGE")
    ] = "sqlite:///build/optuna.db",
    horizons: Horizons = "1,2,3",
) -> None:
    """Search the boosted model's settings on early cutoffs; score the best on later ones, never seen."""
    from training.tune import tune as search
    from training.tune import write_settings

    check_out(outfile)
    chosen = load_config([f"horizons=[{horizons}]"], None, data)
    Path("build").mkdir(exist_ok=True)
    with progress_line("tuning") as progress:
        found = search(
            load_dataset(chosen.data),
            chosen.horizons,
            trials,
            storage,
            before,
            lambda done, best: progress(f"trial {done} of {trials}, best error {best:.4f} of persistence's"),
        )
    write_settings(found, outfile)
    out.print(
        f"error relative to persistence, below 1 beats it, {found.trials} trials on outcomes up to {found.before}:"
    )
    out.print(f"  where it was searched    {found.error_inner:.4f}", highlight=False)
    out.print(f"  later, tuned             {found.error_tuned:.4f}", highlight=False)
    out.print(f"  later, defaults          {found.error_default:.4f}", highlight=False)
    out.print(f"settings: {outfile}; train with them: qonys train --config {outfile}", highlight=False)


def serve(
    bundle: Annotated[str, typer.Option(help="Bundle folder, or models:/NAME@ALIAS from MLflow.")] = str(BUNDLE),
    port: Port = 3000,
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
) -> None:
    """Answer over HTTP, with a page to look at, until Ctrl-C.

    Environment variables set the rest; docs/serving.md tells how: QONYS_API_KEYS (made by `qonys key`),
    QONYS_RATE_LIMIT, QONYS_CORS_ORIGINS, QONYS_ACCESS_LOG, QONYS_WATCH, QONYS_DRAIN, QONYS_VINTAGES.
    """
    _serving("--bundle", bundle, "--port", str(port), "--host", host)


def key(
    scope: Annotated[str, typer.Option(help="What it may do: read, or admin, which may read too.")] = "read",
    name: Annotated[str, typer.Option(help="What logs call it.")] = "client",
) -> None:
    """Make an API key for the service, and its entry for QONYS_API_KEYS, which is no secret."""
    _serving("key", "--scope", scope, "--name", name)


def up(port: Port = 3000, host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1") -> None:
    """Train on the embedded data if there is no bundle yet, print scorecard and forecast, serve."""
    there = _is_bundle(BUNDLE)
    if not there:
        _train(load_config(), None)
    made = load_bundle(BUNDLE)
    if there:
        out.print(scorecard_report(made.scores))
    out.print(forecast_report(made))
    serve(str(BUNDLE), port, host)


# --- steps ----------------------------------------------------------------------------------------------------------


def _train(config: Config, bundle: Path | None) -> None:
    """Train and track; the bundle that is served here gives way only to a champion."""
    for folder in [bundle] if bundle else [BUNDLE, CHALLENGER]:
        check_folder(folder, "--bundle")
    from training.tracking import TrackingError, track

    with progress_line("training") as progress:
        made, tested = run_training(config, progress)
        progress("tracking the run")
        try:
            tracked = track(made, tested, config)
        except TrackingError:
            # What took the time is not lost with the store.
            err.print(f"bundle: {save_bundle(made, bundle or CHALLENGER)}", highlight=False)
            raise
    folder = bundle or (BUNDLE if tracked.alias == "champion" or not _is_bundle(BUNDLE) else CHALLENGER)
    save_bundle(made, folder)
    out.print(scorecard_report(tested.scores))
    out.print(decisions_report(made), soft_wrap=True)
    out.print(f"\nrun {tracked.run_id} in {tracked.uri}", highlight=False, soft_wrap=True)
    if not tracked.uri.startswith("http"):
        out.print(f"its pages: mlflow ui --backend-store-uri {tracked.uri}", highlight=False, soft_wrap=True)
    out.print(f"version {tracked.version} is the {tracked.alias}: {tracked.reason}", highlight=False, soft_wrap=True)
    out.print(f"bundle: {folder}", highlight=False)


def _serving(*words: str) -> NoReturn:
    """Become the program of the room `serving`, which training does not know: signals reach it as they are."""
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "serving", *words])


def _check_target(target: str | None, dataset: Dataset) -> None:
    """Before the work rather than after it."""
    last = last_value_year(dataset)
    flows = has_flows(dataset) or estimates_flows(dataset.as_of(last), last)
    known = [*recorded_targets(dataset), *([FLOW] if flows else [])]
    if target is not None and target not in known:
        raise ConfigError(f"--target {target}: {dataset.name} records {', '.join(known)}; must be one of these")


def _forecast_table(made: Forecast, target: str | None) -> pd.DataFrame:
    if target == FLOW:
        return made.flow_table()
    table = made.table()
    return table if target is None else table[table["target"] == target]


def _tell_version(asked: bool) -> None:
    if asked:
        out.print(f"qonys {version('qonys')}", highlight=False)
        raise typer.Exit


def _is_bundle(folder: Path) -> bool:
    return (folder / "manifest.json").is_file()


# --- what there is --------------------------------------------------------------------------------------------------

COMMANDS = {
    "Start": {
        "up": (up, "qonys up"),
        "doctor": (doctor, "qonys doctor"),
    },
    "Forecast": {
        "train": (train, "qonys train --data mydata --bundle build/mine"),
        "forecast": (forecast, "qonys forecast --target flow --out build/flows.csv"),
        "backtest": (backtest_command, "qonys backtest --out build/scores.csv"),
        "tune": (tune, "qonys tune --trials 40 --out build/tuned.toml"),
    },
    "Decisions": {
        "drivers": (drivers, "qonys drivers --region KZ-61"),
        "scenario": (scenario, "qonys scenario docs/examples/turkistan.toml --out build/scenario.csv"),
        "counter-magnets": (counter_magnets, "qonys counter-magnets --city KZ-71 --target -10000"),
        "project": (project_command, "qonys project --region KZ-71 --to 2045 --figures build/projection"),
        "labour": (labour, "qonys labour --region KZ-71 --out build/labour.csv"),
        "served": (served, "qonys served --to 2045 --figure build/served.png"),
    },
    "Review": {
        "report": (report, "qonys report --bundle build/bundle --out build/report.html"),
        "compare": (compare, "qonys compare 1f2e3d4c models:/qonys-kazakhstan@champion"),
        "vintages": (vintages, "qonys vintages --out build/vintages.csv"),
        "score": (score, "qonys score --data newdata"),
        "drift": (drift, "qonys drift --data newdata --page build/drift.html"),
    },
    "Data": {
        "validate": (validate, "qonys validate mydata"),
        "accounts": (accounts, "qonys accounts --out build/accounts --check"),
        "accounts-proof": (accounts_proof, "qonys accounts-proof --out build/proof.csv"),
    },
    "Operate": {
        "serve": (serve, "qonys serve --bundle models:/qonys-kazakhstan@champion --port 3000"),
        "key": (key, "qonys key --scope read --name ministry"),
        "bench": (bench, "qonys bench --serving --out build/bench"),
    },
}
"""By panel of the help and name: what is called, and an example."""

for panel, commands in COMMANDS.items():
    for name, (command, example) in commands.items():
        app.command(name=name, rich_help_panel=panel, epilog=f"Example: {example}")(command)
app.add_typer(import_app, name="import", rich_help_panel="Data")


@app.callback()
def _qonys(
    _: Annotated[
        bool, typer.Option("--version", callback=_tell_version, is_eager=True, help="Tell the version and stop.")
    ] = False,
) -> None:
    pass


if __name__ == "__main__":
    main()
