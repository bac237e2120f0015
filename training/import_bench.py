"""How long an import of moves takes, and how much memory: `python -m training.import_bench --rows 10000000`."""

import resource
import tempfile
import time
from pathlib import Path
from typing import Annotated

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv
import typer

from features.releases.move_figures import moves_release
from features.releases.moves import read_moves
from training.progress import progress_line

REGIONS, YEARS, CHUNK = 20, range(2015, 2025), 1_000_000


def main(
    rows: Annotated[int, typer.Option(min=1000, help="Rows of the made-up table.")] = 10_000_000,
    faults: Annotated[int, typer.Option(help="Rows of them that are no good.")] = 1_000,
    seed: int = 0,
) -> None:
    """Make a table of moves with planted faults, import it, print rows, seconds and the most memory held."""
    rng = np.random.default_rng(seed)
    codes = [f"R-{number:02}" for number in range(REGIONS)]
    regions = pd.DataFrame({"region": codes, "name": codes})
    with tempfile.TemporaryDirectory() as folder, progress_line("bench") as progress:
        table = Path(folder) / "moves.csv"
        planted = _write_moves(table, codes, rows, faults, rng)
        started, worked = time.perf_counter(), time.process_time()
        read = read_moves([table], regions, Path(folder) / "rejects.csv", {"id": "move_id"}, progress=progress)
        made = moves_release(read, regions, "bench")
        seconds, cpu = time.perf_counter() - started, time.process_time() - worked
        found = set(pd.read_csv(Path(folder) / "rejects.csv")["row"])
        megabytes = table.stat().st_size / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    typer.echo(f"{rows:,} rows, {megabytes:,.0f} MB; {len(made.release.tables['flows']):,} flows")
    typer.echo(f"{len(planted):,} faults planted, {len(found & planted):,} found, {len(found - planted):,} others")
    typer.echo(f"{seconds:.1f} seconds, {cpu:.1f} of a processor, {peak:,.0f} MB at most")


def _write_moves(path: Path, codes: list[str], rows: int, faults: int, rng: np.random.Generator) -> set[int]:
    """Lines of the planted faults."""
    bad = np.sort(rng.choice(np.arange(1, rows), faults, replace=False))
    days = np.arange(np.datetime64(f"{YEARS[0]}-01-01"), np.datetime64(f"{YEARS[-1] + 1}-01-01"))
    written = None
    for first in range(0, rows, CHUNK):
        size = min(CHUNK, rows - first)
        origin = rng.integers(0, len(codes), size)
        away = rng.integers(1, len(codes), size)
        columns = {
            "move_id": first + np.arange(size),
            "origin": np.array(codes)[origin],
            "destination": np.array(codes)[(origin + away) % len(codes)],
            "date": rng.choice(days, size).astype(str),
            "sex": np.array(["female", "male"])[rng.integers(0, 2, size)],
        }
        _plant(columns, bad[(bad >= first) & (bad < first + size)] - first)
        batch = pa.table(columns)
        written = written or pa_csv.CSVWriter(
            path, batch.schema, write_options=pa_csv.WriteOptions(quoting_style="none")
        )
        written.write_table(batch)
    assert written is not None
    written.close()
    return {int(row) + 2 for row in bad}


def _plant(columns: dict[str, np.ndarray], places: np.ndarray) -> None:
    """A fault of each kind in turn."""
    columns["date"] = columns["date"].astype(object)
    columns["origin"] = columns["origin"].astype(object)
    for i, place in enumerate(places):
        if i % 5 == 0:
            columns["move_id"][place] = 0
        elif i % 5 == 1:
            columns["origin"][place] = columns["destination"][place]
        elif i % 5 == 2:
            columns["origin"][place] = "Atlantis"
        elif i % 5 == 3:
            columns["date"][place] = "2021-02-30"
        else:
            columns["date"][place] = "2999-12-31"


if __name__ == "__main__":
    typer.run(main)
