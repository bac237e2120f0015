"""Stability of drivers: the same effects learnt at past cutoffs."""

import numpy as np
import pandas as pd

from models.attraction import elasticities, fit_attraction
from models.attraction_index import Indices
from models.attraction_panel import Panel

CUTOFFS = 6
FEWEST_YEARS = 5
WIDEST = 3.0
"""An effect is stable where its sign is the same at all cutoffs and the largest at most so many times the smallest."""
KEYS = ["term", "end", "form"]


def cutoffs_of(panel: Panel) -> list[int]:
    """The last CUTOFFS years up to which there are FEWEST_YEARS or more."""
    return panel.years[FEWEST_YEARS - 1 :][-CUTOFFS:]


def stability(panel: Panel, indices: Indices) -> pd.DataFrame:
    """By term, end and form: cutoffs, share_positive, smallest, largest, and whether it is stable, as told at WIDEST.

    Effects are learnt from the years up to each cutoff, of the flows that are known now; indices stay as they are.
    """
    found = [elasticities(panel.until(cutoff), indices) for cutoff in cutoffs_of(panel)]
    effects = pd.concat(found, ignore_index=True).groupby(KEYS, sort=False)["coefficient"]
    table = effects.agg(
        cutoffs="size", share_positive=lambda one: (one > 0).mean(), smallest="min", largest="max"
    ).reset_index()
    same = (table["smallest"] > 0) | (table["largest"] < 0)
    size = table[["smallest", "largest"]].abs()
    near = size.max(axis=1) <= WIDEST * size.min(axis=1)
    return table.assign(stable=same & near & (table["cutoffs"] > 1))


def ranks(panel: Panel, indices: Indices) -> pd.DataFrame:
    """Importance of groups at each cutoff: cutoff, group, importance, rank, spearman.

    importance: standard deviation over pairs of what a group adds to the log of flows. spearman: rank correlation with
    the cutoff before; NaN at the first.
    """
    sizes = {cutoff: _importance(panel.until(cutoff), indices) for cutoff in cutoffs_of(panel)}
    table = pd.DataFrame(sizes).rename_axis("group").rename_axis("cutoff", axis=1)
    order = table.rank(ascending=False)
    spearman = pd.Series(
        {now: order[now].corr(order[before]) for before, now in zip(order.columns, order.columns[1:], strict=False)}
    )
    long = table.T.reset_index().melt("cutoff", var_name="group", value_name="importance")
    rank = long.groupby("cutoff")["importance"].rank(ascending=False).astype("int64")
    return long.assign(rank=rank, spearman=long["cutoff"].map(spearman).astype("float64"))


def _importance(panel: Panel, indices: Indices) -> dict[str, float]:
    made = fit_attraction(panel, indices)
    value = indices.of(panel.values(list(indices.indicators)))
    added = value[panel.origin] * made.effects("origin") + value[panel.destination] * made.effects("destination")
    size, far = panel.geography[:, :2] @ made.geography[:2], panel.geography[:, 2:] @ made.geography[2:]
    told = {"demography": size, "distance": far} | dict(zip(indices.groups, added.T, strict=True))
    return {group: float(np.std(part)) for group, part in told.items()}
