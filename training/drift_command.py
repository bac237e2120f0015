"""`qonys drift`: how new figures differ from those that a model was trained on."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from training.csv_file import TABLE, check_out, write_page, write_table

if TYPE_CHECKING:
    import pandas as pd

    from training.data_differences import Differences

BUNDLE = Path("build/bundle")
PAGE = Path("build/drift.html")
TOLD = 5
"""Regions that are printed; files have all."""


def drift(
    data: Annotated[Path, typer.Option(help="Dataset folder with new figures.")],
    bundle: Annotated[Path, typer.Option(help="Bundle folder of the model.")] = BUNDLE,
    page: Annotated[Path, typer.Option(help="HTML file for the report.")] = PAGE,
    outfile: Annotated[Path | None, typer.Option("--out", help="File for the table, .csv or .json.")] = None,
) -> None:
    """Compare new figures with what a model was trained on, by indicator and region; keep the report in MLflow."""
    check_out(outfile, endings=TABLE)
    check_out(page, "--page", (".html",))
    from features.dataset import load_dataset
    from models.bundle import load_bundle
    from training.data_differences import differences
    from training.drift import drift as drifted_series
    from training.drift import regional_drift
    from training.drift_page import drift_page
    from training.tracking import track_files

    made, new = load_bundle(bundle), load_dataset(data)
    cutoff = made.manifest.cutoff
    series, found = drifted_series(new, made.dataset, cutoff), differences(new, made.dataset)
    regional = regional_drift(new, made.dataset, cutoff)
    write_page(drift_page(new, made.manifest, series, regional, found), page)
    typer.echo(drift_report(series, regional, found))
    typer.echo(f"page: {page}")
    if outfile is not None:
        write_table(series, outfile)
        typer.echo(f"table: {outfile}")
    told = {"name": new.name, "sha256": new.sha256}
    params = {"cutoff": cutoff, "trained_on": made.manifest.dataset["sha256"]}
    files = [page, *([outfile] if outfile else [])]
    metrics = drift_metrics(series, regional, found)
    typer.echo(f"run {track_files(f'drift {new.name} since {cutoff}', 'qonys drift', told, metrics, params, files)}")


def drift_metrics(series: "pd.DataFrame", regional: "pd.DataFrame", found: "Differences") -> dict[str, float]:
    """Counts, and the distance of each series as `distance/average_wage`."""
    told = series[series["distance"].notna()]
    return {
        "series": len(series),
        "series_drifting": int(series["drifts"].sum()),
        "changes_beyond_a_regions_past": len(regional),
        "values_revised": len(found.revised),
        "values_gone": sum(found.gone.values()),
        "regions_added": len(found.added_regions),
        "regions_missing": len(found.missing_regions),
        "indicators_added": len(found.added_indicators),
        "indicators_missing": len(found.missing_indicators),
    } | {f"distance/{name}": float(far) for name, far in zip(told["series"], told["distance"], strict=True)}


def drift_report(series: "pd.DataFrame", regional: "pd.DataFrame", found: "Differences") -> str:
    """What drifts, what is new or gone, what was revised, which regions are beyond their past."""
    drifting = series[series["drifts"]]
    lines = [f"{len(drifting)} of {len(series)} series with a new year drift" if len(series) else "no new year"]
    lines += [
        f"  {row['series']} {row['year']}: median change {row['median_change']:+.3f}, "
        f"before {row['median_seen']:+.3f}; {row['distance']:.2f} standard deviations apart, "
        f"adjusted p {row['p_adjusted']:.2g}"
        for row in drifting.to_dict("records")
    ]
    for what in ("added_regions", "missing_regions", "added_indicators", "missing_indicators"):
        names = getattr(found, what)
        lines += [f"{what.replace('_', ' ')}: {', '.join(names)}"] if names else []
    lines.append(f"values revised: {len(found.revised):,}; no longer there: {sum(found.gone.values()):,}")
    lines.append(f"changes of regions beyond all that the region had: {len(regional):,}")
    lines += [
        f"  {row['region']} {row['series']} {row['year']}: {row['change']:+.3f}, "
        f"seen {row['seen_low']:+.3f} … {row['seen_high']:+.3f}"
        for row in regional.head(TOLD).to_dict("records")
    ]
    return "\n".join(lines)
