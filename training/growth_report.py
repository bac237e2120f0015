"""What a release changed in a dataset folder, as text."""

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from features.releases.growing import Growth

SHOWN = 20
"""Revisions that are told one by one; the dataset keeps all."""


def growth_report(growth: "Growth") -> str:
    """Counts by table, and the largest revisions as a table."""
    lines = [f"{growth.folder}: release '{growth.release}'" + ("; it was there already" if growth.known else "")]
    for table, counts in growth.counts.iterrows():
        told = ", ".join(f"{count:,} {what}" for what, count in counts.items() if count)
        lines.append(f"  {table}: {told or 'nothing'}")
    return "\n".join([*lines, *_revisions(growth.revised)])


def _revisions(revised: pd.DataFrame) -> list[str]:
    if not len(revised):
        return []
    shown = revised.head(SHOWN).drop(columns="release").dropna(axis="columns", how="all")
    if (shown["old_basis"] == shown["basis"]).all():
        shown = shown.drop(columns=["old_basis", "basis"])
    text = shown.to_string(index=False, na_rep="", float_format=lambda value: f"{value:,.10g}")
    rest = [f"  {len(revised) - SHOWN:,} more, by less"] if len(revised) > SHOWN else []
    return ["revised, the largest differences first:", *(f"  {line}" for line in text.splitlines()), *rest]
