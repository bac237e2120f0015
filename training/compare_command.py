"""`qonys compare`: what differs between two trainings, and whether it matters."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from training.changes import Change, changes, facts_of, short, summary
from training.csv_file import TABLE, check_out, write_table
from training.text_table import text_table

if TYPE_CHECKING:
    from training.store import MlflowClient, Run

Asked = Annotated[str, typer.Argument(help="A training's run: id, its beginning, name, or models:/NAME@ALIAS.")]
DECISION = "gate."
ERRORS = ["target", "ahead", "verdict", "skill", "80 % interval", "probability", "mean error", "cutoffs"]
INTERVALS = ["target", "ahead", "80 % covered", "its width / |outcome|"]


def compare(
    first: Asked,
    second: Asked,
    outfile: Annotated[Path | None, typer.Option("--out", help="File for the comparison, .csv or .json.")] = None,
) -> None:
    """Tell what changed from the first training to the second, and whether the second forecasts better.

    Errors of what would have been served are compared at the same cutoffs and cells, by a paired bootstrap over
    cutoffs. Skill is of the second against the first: above 0, the second is better.
    """
    from training.comparison import comparison
    from training.store import existing, quiet, store_uri, told

    check_out(outfile, endings=TABLE)
    uri = store_uri()
    with told(uri), quiet():
        client = existing(uri)
        runs = _trainings(client, uri, (first, second))
        check_dataset(*runs)
        scores = [_scores(client, uri, run) for run in runs]
    before, after = runs
    typer.echo(f"first:  {before.info.run_id[:8]} {before.info.run_name}")
    typer.echo(f"second: {after.info.run_id[:8]} {after.info.run_name}")
    typer.echo(changes_report(run_changes(before, after), served_changes(before, after)))
    found = comparison(*scores)
    typer.echo(comparison_report(found))
    if outfile is not None:
        write_table(found, outfile)
        typer.echo(f"comparison: {outfile}")


def _trainings(client: "MlflowClient", uri: str, asked: Sequence[str]) -> "list[Run]":
    """Raises TrackingError that tells of each that is not there."""
    from training.store import TrackingError, found_training

    runs, faults = [], []
    for one in asked:
        try:
            runs.append(found_training(client, uri, one))
        except TrackingError as error:
            faults.append(str(error))
    if faults:
        raise TrackingError("\n".join(faults))
    return runs


def check_dataset(before: "Run", after: "Run") -> None:
    """Vintages of a dataset can be compared, two datasets cannot: TrackingError."""
    from training.store import TrackingError

    names = [run.data.tags.get("dataset.name", "") for run in (before, after)]
    if names[0] != names[1]:
        first, second = (run.info.run_id[:8] for run in (before, after))
        told = f"run {first} is of '{names[0]}', run {second} of '{names[1]}'"
        raise TrackingError(f"{told}; must be trainings of one dataset")


def _scores(client: "MlflowClient", uri: str, run: "Run") -> pd.DataFrame:
    from training.store import TrackingError, artifact

    if "scores.csv" not in {one.path for one in client.list_artifacts(run.info.run_id)}:
        raise TrackingError(f"run {run.info.run_id}: has no scores.csv; it was stopped before they were kept")
    return pd.read_csv(artifact(f"runs:/{run.info.run_id}/scores.csv", uri))


def run_changes(before: "Run", after: "Run") -> tuple[Change, ...]:
    """What went in."""
    return changes(*(_without_decisions(run) for run in (before, after)))


def served_changes(before: "Run", after: "Run") -> tuple[Change, ...]:
    """What the gate serves, as `net_migration.h1`: model and reason."""
    return changes(*({f"version.{key}": value for key, value in _decisions(run).items()} for run in (before, after)))


def _without_decisions(run: "Run") -> dict[str, str]:
    return facts_of(run.data.params, run.data.tags)


def _decisions(run: "Run") -> dict[str, str]:
    tags = run.data.tags.items()
    return {key.removeprefix(DECISION): value.partition(":")[0] for key, value in tags if key.startswith(DECISION)}


def changes_report(inputs: tuple[Change, ...], served: tuple[Change, ...]) -> str:
    lines = [f"what changed: {summary(inputs)}"]
    lines += [f"  {one.key}: {short(one.before)} → {short(one.after)}" for one in inputs]
    lines += [f"  served, {one.words.replace('→', ' → ')}" for one in served]
    return "\n".join(lines)


def comparison_report(found: pd.DataFrame) -> str:
    """The verdict over all, then a line per target and horizon: of errors, and of intervals."""
    if not len(found):
        return "they have no cutoff, target and horizon in common: nothing can be compared"
    rows = found.to_dict("records")
    lines = [f"does it matter: {_in_all(rows[-1])}"]
    lines += [f"  {line}" for line in text_table([ERRORS, *map(_errors_row, rows)], left=3)]
    own = [row for row in rows if not pd.isna(row["horizon"])]
    lines += [
        "intervals, first → second:",
        *(f"  {line}" for line in text_table([INTERVALS, *map(_interval_row, own)])),
    ]
    revised = int(found["outcomes_revised"].sum())
    lines += [f"  at {revised} of these the outcomes themselves were revised"] if revised else []
    return "\n".join(lines)


def _in_all(row: dict) -> str:
    """In a sentence. row: the last, over all where there are several."""
    if row["verdict"] == "identical":
        return f"no; errors are identical at all {row['cutoffs']} cutoffs in common"
    answer = {"second is better": "yes", "first is better": "yes", "alike": "no"}.get(row["verdict"], "not known")
    return (
        f"{answer}, {row['verdict']}: skill {row['skill']:+.3f} of the second against the first, 80 % interval "
        f"{_interval(row)}, at {row['cutoffs']} cutoffs in common"
    )


def _errors_row(row: dict) -> list[str]:
    ahead = "all" if pd.isna(row["horizon"]) else str(row["horizon"])
    likely = "" if pd.isna(row["probability"]) else f"{row['probability']:.2f}"
    errors = "" if pd.isna(row["error_first"]) else f"{row['error_first']:,.0f} → {row['error_second']:,.0f}"
    judged = [row["verdict"], f"{row['skill']:+.3f}", _interval(row), likely]
    return [row["target"], ahead, *judged, errors, str(row["cutoffs"])]


def _interval(row: dict) -> str:
    return f"{row['skill_low']:+.3f} … {row['skill_high']:+.3f}"


def _interval_row(row: dict) -> list[str]:
    widths = ["" if pd.isna(row[f"width_{side}"]) else f"{row[f'width_{side}']:.2f}" for side in ("first", "second")]
    covered = f"{100 * row['coverage_first']:.0f} % → {100 * row['coverage_second']:.0f} %"
    return [row["target"], str(row["horizon"]), covered, " → ".join(widths)]
