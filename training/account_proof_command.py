"""`qonys accounts-proof`: how near the balanced record comes to flows and figures that it did not see."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.csv_file import check_out, write_csv
from training.progress import progress_line

if TYPE_CHECKING:
    import pandas as pd

    from features.dataset import Dataset

CITY = "city"


def accounts_proof(
    outfile: Annotated[Path, typer.Option("--out", help="CSV file for the scores.")],
    data: Annotated[
        Path | None,
        typer.Option(help="Dataset folder that records flows. Default: figures of pairs in the embedded data."),
    ] = None,
    merge_by: Annotated[
        int | None, typer.Option(min=1, help="Count regions whose codes share their first N letters as one.")
    ] = None,
    draws: Annotated[int, typer.Option(min=2, help="Draws of each record, of which intervals are made.")] = 200,
    seed: Annotated[int, typer.Option(min=0, help="Of draws, and of moves inside regions that are made up.")] = 1,
) -> None:
    """Hide recorded flows, estimate them from what is left, compare; without --data, hold out what is told of pairs."""
    from features.dataset import load_dataset

    check_out(outfile)
    if data is None:
        _hold_out(load_dataset(), draws, seed, outfile)
    else:
        _prove(load_dataset(data), merge_by, draws, seed, outfile)


def _prove(dataset: "Dataset", merge_by: int | None, draws: int, seed: int, outfile: Path) -> None:
    from training.account_constants import measured_constants
    from training.account_proof import proof, true_tables
    from training.account_proof_report import proof_report
    from training.merged_regions import merged

    with progress_line("proof") as progress:
        truth = true_tables(merged(dataset, merge_by) if merge_by else dataset)
        scores = proof(truth, draws, seed, progress)
        progress("constants of the truth")
        constants = measured_constants(truth)
    _write(outfile, scores, "constants", constants)
    typer.echo(proof_report(scores, constants))


def _hold_out(dataset: "Dataset", draws: int, seed: int, outfile: Path) -> None:
    from training.account_held_out import held_out_pairs, left_out_sources, pair_scores
    from training.account_proof_report import held_out_report

    regions = dataset.regions[dataset.regions["kind"] == CITY]
    cities = dict(zip(regions["region"], regions["name"], strict=True))
    with progress_line("held out") as progress:
        progress("pairs")
        pairs = held_out_pairs(dataset, draws, seed)
        sources = left_out_sources(dataset, list(cities), progress)
    _write(outfile, pairs, "sources", sources)
    typer.echo(held_out_report(pair_scores(pairs, cities), sources))


def _write(outfile: Path, table: "pd.DataFrame", name: str, other: "pd.DataFrame") -> None:
    beside = outfile.with_name(f"{outfile.stem}_{name}{outfile.suffix}")
    write_csv(table, outfile)
    write_csv(other, beside)
    typer.echo(f"scores: {outfile}; {name}: {beside}\n")
