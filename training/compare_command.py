"""`qonys compare`: what differs between two trainings, and whether it matters."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from training.changes import Change, changes, facts_of, short, summary
from training.csv_file import TABLE, check_out, write_table

if TYPE_CHECKING:
    from training.store import MlflowClient, Run

Asked = Annotated[str, typer.Argument(help="A training's run: id, its beginning, name, or models:/NAME@ALIAS.")]
DECISION = "gate."


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
    from training.store import existing, found_training, quiet, store_uri, told

    check_out(outfile, endings=TABLE)
    uri = store_uri()
    with told(uri), quiet():
        client = existing(uri)
        runs = [found_training(client, uri, asked) for asked in (first, second)]
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
    """A line per target and horizon."""
    if not len(found):
        return "they have no cutoff, target and horizon in common: nothing can be compared"
    lines = ["does it matter:", f"  {'target':<15} ahead cutoffs    skill  80 % interval       probability  verdict"]
    for row in found.to_dict("records"):
        ahead = "all" if pd.isna(row["horizon"]) else str(row["horizon"])
        likely = "" if pd.isna(row["probability"]) else f"{row['probability']:.2f}"
        interval = f"{row['skill_low']:+.3f} … {row['skill_high']:+.3f}"
        lines.append(
            f"  {row['target']:<15} {ahead:>5} {row['cutoffs']:>7} {row['skill']:>+8.3f}  {interval:<18}  "
            f"{likely:>11}  {row['verdict']}"
        )
    revised = int(found["outcomes_revised"].sum())
    lines += [f"  at {revised} of these the outcomes themselves were revised"] if revised else []
    return "\n".join(lines)
