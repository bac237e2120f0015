"""`qonys drivers`: what the rates of regions and corridors go together with."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
import pandas as pd
import typer

from training.answer_out import (
    BUNDLE,
    Answered,
    AnswerOut,
    FigureFile,
    FigureFolder,
    Folder,
    TableFile,
    Track,
    names_of,
)
from training.config import ConfigError

if TYPE_CHECKING:
    from models.bundle import Bundle
    from models.drivers import Drivers

ASSOCIATED = (
    "associated, not shown to cause: what goes together with rates of the forecast. Contributions are logs; +0.10 is "
    "about 10 % more than the mean of regions."
)


def drivers(
    region: Annotated[str | None, typer.Option(help="Code of a region: why people leave it, and come.")] = None,
    city: Annotated[str | None, typer.Option(help="The same of a city.")] = None,
    origin: Annotated[str | None, typer.Option(help="With --destination: a corridor.")] = None,
    destination: Annotated[str | None, typer.Option(help="With --origin: a corridor.")] = None,
    bundle: Folder = BUNDLE,
    outfile: TableFile = None,
    figure: FigureFile = None,
    figures: FigureFolder = None,
    track: Track = False,
) -> None:
    """Tell what out-migration, inflow, or a corridor goes together with; without a place, of all regions.

    Beside it: how stable effects were at past cutoffs, and whether drivers make forecasts any better. The picture is
    the heat map of all regions.
    """
    from models.bundle import load_bundle

    out = AnswerOut("qonys drivers", outfile, figure, figures, track)
    _check_place(region, city, origin, destination)
    made = load_bundle(bundle)
    found, place = made.advice.need_drivers(), region or city
    if origin and destination:
        told = origin + " to " + destination, corridor_report(found, made, origin, destination)
        table = found.of_corridor(origin, destination)
    elif place:
        told, table = (place, region_report(found, made, place)), found.of_region(place)
    else:
        told, table = ("all regions", every_report(found, made)), found.regions
    corridor = {"differences": found.differences(origin, destination)} if origin and destination else {}
    out.send(_answered(made, *told, table, corridor), made)


def _answered(
    made: "Bundle", place: str, report: str, table: pd.DataFrame, corridor: Mapping[str, pd.DataFrame]
) -> Answered:
    from training.decision_figures import driver_heat_map

    found = made.advice.need_drivers()
    pictures = {"drivers": lambda: driver_heat_map(made, found)}
    beside = {"elasticities": found.elasticities, "ranks": found.ranks, "skill": found.skill, **corridor}
    return Answered(f"drivers of {place}", report, table, pictures, {}, {"place": place}, beside)


def _check_place(region: str | None, city: str | None, origin: str | None, destination: str | None) -> None:
    if (origin is None) != (destination is None):
        raise ConfigError("--origin, --destination: a corridor needs both")
    if sum(one is not None for one in (region, city, origin)) > 1:
        raise ConfigError("--region, --city, --origin: must be one of them, or none for all regions")


# --- telling --------------------------------------------------------------------------------------------------------


def region_report(found: "Drivers", made: "Bundle", region: str) -> str:
    rows = found.of_region(region)
    lines = [f"{names_of(made)[region]}, {rows['year'].iloc[0]}:"]
    for measure, part in rows.groupby("measure", sort=False):
        lines += [f"  {str(measure).replace('_', '-')}: {_rate(part)}", *_contributions(part)]
    return "\n".join([*lines, "", *evidence_lines(found), ASSOCIATED])


def corridor_report(found: "Drivers", made: "Bundle", origin: str, destination: str) -> str:
    rows = found.of_corridor(origin, destination)
    lines = [f"{names_of(made)[origin]} → {names_of(made)[destination]}, {rows['year'].iloc[0]}: {_rate(rows)}"]
    lines += [*_contributions(rows), "  what differs (origin, destination), and what it adds by gravity:"]
    for row in found.differences(origin, destination).itertuples():
        values = f"{row.origin_value:,.6g}, {row.destination_value:,.6g} {row.unit}"
        lines.append(f"    {row.indicator}: {values}: {row.contribution:+.2f}")
    return "\n".join([*lines, "", *evidence_lines(found), ASSOCIATED])


def every_report(found: "Drivers", made: "Bundle") -> str:
    """Out-migration of all regions by gravity: a line each, groups in columns."""
    rows = found.regions[(found.regions["model"] == "gravity") & (found.regions["measure"] == "out_migration")]
    table = rows.pivot(index="region", columns="group", values="contribution")[list(rows["group"].unique())]
    table.insert(0, "per 1,000", rows.drop_duplicates("region").set_index("region")["rate_per_1000"])
    table.index = pd.Index([names_of(made)[str(region)] for region in table.index])
    written = table.sort_values("per 1,000", ascending=False).to_string(float_format=lambda one: f"{one:+.2f}")
    title = f"out-migration of {rows['year'].iloc[0]}, contributions by gravity:"
    return "\n".join([title, written, "", *evidence_lines(found), ASSOCIATED])


def _rate(rows: pd.DataFrame) -> str:
    rate, reference = rows["rate_per_1000"].iloc[0], rows["reference_per_1000"].iloc[0]
    basis = rows["basis"].iloc[0]
    return f"{rate:.1f} per 1,000, mean of all {reference:.1f} ({basis})"


def _contributions(rows: pd.DataFrame) -> list[str]:
    """A line per group with both models, the largest first."""
    table = rows.pivot(index="group", columns="model", values="contribution")
    order = table["gravity"].abs().sort_values(ascending=False).index
    return [
        f"    {str(group).replace('_', ' '):16} gravity {table.loc[group, 'gravity']:+.2f}   "
        f"boosted {table.loc[group, 'boosted']:+.2f}"
        for group in order
    ]


def evidence_lines(found: "Drivers") -> list[str]:
    """How far drivers can be relied on: effects with their stability, rank stability, skill."""
    joint = found.elasticities[found.elasticities["form"] == "joint"]
    lines = ["effects, all together (log of flows; standard errors clustered by origin and destination):"]
    for row in joint.itertuples():
        steady = "stable" if row.stable else "not stable"
        clear = "" if row.clear else ", not told from zero"
        made = ", put in by assumption" if row.label == "assumed" else ""
        lines.append(
            f"  {row.term} ({row.end}): {row.coefficient:+.2f} ± {row.standard_error:.2f}, {steady} over "
            f"{row.cutoffs} cutoffs ({row.smallest:+.2f} to {row.largest:+.2f}){clear}{made}"
        )
    ranks = found.ranks.drop_duplicates("cutoff")["spearman"].dropna()
    if len(ranks):
        lines.append(f"ranks of groups from cutoff to cutoff: correlation {ranks.min():.2f} to {ranks.max():.2f}")
    return [*lines, *_skill_lines(found.skill)]


def _skill_lines(skill: pd.DataFrame) -> list[str]:
    groups = skill[skill["kind"] == "group"]
    if groups.empty:
        return ["whether drivers make forecasts better cannot be told: too few years"]
    first = groups.iloc[0]
    lines = [
        f"next year's {first['target']} at {first['cutoffs']} cutoffs, error with a group against without it "
        "(80 % interval):"
    ]
    for row in groups.itertuples():
        change, low, high = (100 * np.array([row.relative_change, row.lower, row.upper])).tolist()
        lines.append(f"  {row.driver}: {change:+.1f} % ({low:+.1f} to {high:+.1f}): {row.says}")
    return lines
