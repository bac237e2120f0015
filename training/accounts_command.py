"""`qonys accounts`: the balanced record of a dataset, as tables and a page, and its audit."""

import os
import tempfile
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import pandas as pd
import typer

from training.csv_file import check_folder
from training.progress import progress_line

if TYPE_CHECKING:
    from features.accounts import BalancedRecord
    from features.audit import Audit
    from features.dataset import Dataset

OUT = Path("build/accounts")
TOLD = 10
"""Contradictions that are printed; the file has all."""
ORIGINS = 5
DRAWS = 200


def accounts(
    data: Annotated[Path | None, typer.Option(help="Dataset folder. Default: the embedded data of Kazakhstan.")] = None,
    outdir: Annotated[Path, typer.Option("--out", help="Folder for the tables and the page.")] = OUT,
    since: Annotated[
        int | None, typer.Option(help="First year. Default: the first in which every region's balance is official.")
    ] = None,
    check: Annotated[
        bool, typer.Option("--check", help="Audit: track it in MLflow; exit code 1 where the record is at fault.")
    ] = False,
    draws: Annotated[int, typer.Option(min=2, help="Draws of the record, of which intervals are made.")] = DRAWS,
) -> None:
    """Balance all that is published of moves into one account of who moved between which regions.

    Writes flows, moves inside regions and abroad, levels, balance sheet, contradictions, evidence, and a page.
    """
    from features.accounts import balanced_record
    from features.audit import audit
    from features.dataset import KAZAKHSTAN, load_dataset

    check_folder(outdir)
    with progress_line("accounts") as progress:
        dataset = load_dataset(data or KAZAKHSTAN)
        progress(f"balancing what '{dataset.name}' states, {draws} draws")
        record = balanced_record(dataset, since, draws)
        progress("looking for what does not agree")
        found = audit(record, dataset)
        progress("writing tables and page")
        files = write_account(record, dataset, found, outdir)
    typer.echo(account_report(record, dataset, found))
    typer.echo(f"\ntables and page: {outdir}, {outdir / 'audit.html'}")
    if check:
        typer.echo(f"run {_track(record, dataset, found, files)}")
        for fault in found.faults:
            typer.echo(f"fault: {fault}", err=True)
        typer.echo(_verdict(found))
        raise typer.Exit(1 if found.faults else 0)


# --- files ----------------------------------------------------------------------------------------------------------


def account_tables(record: "BalancedRecord", found: "Audit") -> dict[str, pd.DataFrame]:
    """By name of their files."""
    from features.account_sums import fitted_evidence, levels, moves_of_regions

    moves = moves_of_regions(record)
    return {
        "flows": record.flows(),
        "flows_present": record.flows(present=True),
        "inside": moves[moves["measure"] == "inside"].drop(columns="measure"),
        "abroad": moves[moves["measure"].isin(["from_abroad", "to_abroad"])],
        "levels": levels(record),
        "balance_sheet": found.sheet,
        "contradictions": found.contradictions,
        "evidence": fitted_evidence(record),
    }


def write_account(record: "BalancedRecord", dataset: "Dataset", found: "Audit", folder: Path) -> list[Path]:
    """Every file whole or not at all: made in a folder beside them, then moved to where they belong."""
    from training.account_figures import account_matrix
    from training.audit_page import audit_page

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".unfinished-") as aside:
        unfinished = Path(aside)
        for name, table in account_tables(record, found).items():
            table.to_csv(unfinished / f"{name}.csv", index=False)
        with BytesIO() as png:
            account_matrix(record, dataset, found.sheet).savefig(png, format="png", dpi=130)
            picture = png.getvalue()
        (unfinished / "flows.png").write_bytes(picture)
        (unfinished / "audit.html").write_text(audit_page(record, dataset, found, picture), "utf-8")
        names = sorted(path.name for path in unfinished.iterdir())
        for name in names:
            os.replace(unfinished / name, folder / name)
    return [folder / name for name in names]


# --- telling --------------------------------------------------------------------------------------------------------


def account_report(record: "BalancedRecord", dataset: "Dataset", found: "Audit") -> str:
    """Years, regions, level, contradictions, origins of cities."""
    from features.account_sums import levels

    first, last = record.years[0], record.years[-1]
    level = levels(record).iloc[-1]
    regions = [len(record.told.standing[year]) for year in (first, last)]
    lines = [
        f"{dataset.name}: {first}-{last}, {regions[0]} regions in {first}, {regions[1]} in {last}, "
        f"{len(record.parts)} smallest parts",
        f"moves between regions in {last}: {_sure(level)}",
    ]
    if pd.notna(level["share"]):
        interval = f"{100 * level['share_lower']:.1f} – {100 * level['share_upper']:.1f}"
        lines.append(f"of all moves in the country: ≈ {100 * level['share']:.1f} % ({interval}), estimated")
    lines += ["", *_contradictions(found.contradictions), *_origins(record, dataset)]
    lines += [f"source: {source}" for source in dataset.sources]
    return "\n".join(lines)


def _contradictions(found: pd.DataFrame) -> list[str]:
    """Those between sources, then residuals, those of a year with one reason as one."""
    from features.contradictions import RESIDUAL

    residual = found["kind"] == RESIDUAL
    between, left = found[~residual], found[residual]
    lines = [f"contradictions: {len(found):,}, {found['persons'].sum():,} persons"]
    lines += [_counted(between, "between sources"), *(f"  {one}" for one in between["sentence"].head(TOLD))]
    lines.append(_counted(left, "residuals of the balance sheet"))
    reasons = [sentence.rpartition(": ")[2] for sentence in left["sentence"]]
    groups = left.assign(reason=reasons).groupby(["year", "reason"], sort=False)
    for (year, reason), rows in list(groups)[:TOLD]:
        several = f"{year}, {len(rows)} regions: {rows['persons'].sum():,} persons in all: {reason}"
        lines.append(f"  {several if len(rows) > 1 else rows['sentence'].iloc[0]}")
    return lines


def _counted(found: pd.DataFrame, what: str) -> str:
    return f"{len(found):,} {what}" + (f", {found['persons'].sum():,} persons; the largest:" if len(found) else "")


def _origins(record: "BalancedRecord", dataset: "Dataset") -> list[str]:
    """A line per city and origin."""
    from features.account_sums import largest_origins

    places, last = dataset.regions.set_index("region"), record.years[-1]
    cities = [one for one in record.told.standing[last] if places.loc[one, "kind"] == "city"]
    lines = []
    for city, flows in largest_origins(record, cities, ORIGINS).groupby("destination", sort=False):
        interval = " (80 % interval)" if (flows["basis"] != "official").any() else ""
        lines.append(f"\nlargest origins of {places.loc[str(city), 'name']} in {last}{interval}:")
        lines += [f"  {places.loc[flow['origin'], 'name']}: {_sure(flow)}" for _, flow in flows.iterrows()]
    return [*lines, ""]


def _sure(row: pd.Series) -> str:
    if row["basis"] == "official":
        return f"{row['persons']:,}, recorded"
    return f"≈ {row['persons']:,} ({row['lower']:,} – {row['upper']:,}), {row['basis']}"


def _verdict(found: "Audit") -> str:
    if found.faults:
        return f"audit: {len(found.faults):,} faults of the record"
    return f"audit: closes to the person; {found.balances:,} official balances of regions are as stated"


def _track(record: "BalancedRecord", dataset: "Dataset", found: "Audit", files: list[Path]) -> str:
    """The run's id and store."""
    from features.account_sums import levels
    from training.tracking import track_files

    persons, share = found.contradictions["persons"], levels(record)["share"].iloc[-1]
    metrics = {
        "years": len(record.years),
        "contradictions": len(persons),
        "contradictions_largest": persons.max() if len(persons) else 0,
        "contradictions_persons": persons.sum(),
        "residual_persons": found.sheet["residual"].abs().sum(),
        "identity_gap": found.identity_gap,
        "balance_gap": found.balance_gap,
        "faults": len(found.faults),
    } | ({"share_between": share} if pd.notna(share) else {})
    years = f"{record.years[0]}-{record.years[-1]}"
    params = {"years": years, "draws": len(record.draws)}
    told = {"name": dataset.name, "sha256": dataset.sha256}
    return track_files(f"accounts {dataset.name} {years}", "qonys accounts", told, metrics, params, files)
