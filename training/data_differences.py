"""Differences between two datasets: values that were revised, and what is new or gone."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from features.dataset import Dataset

KEYS = {
    "indicators": (["region", "year", "indicator"], "value"),
    "movements": (["region", "year", "measure", "scope"], "persons"),
    "flows": (["origin", "destination", "year"], "persons"),
}
"""Tables with values: their key, and the column of the value."""
REVISED = ["table", "series", "region", "year", "before", "now", "relative"]


@dataclass(frozen=True, eq=False)
class Differences:
    """revised: REVISED, the largest relative differences first. gone: values by table that are no longer there.

    added_*, missing_*: in the new dataset, against the one before.
    """

    revised: pd.DataFrame
    gone: dict[str, int]
    added_regions: tuple[str, ...]
    missing_regions: tuple[str, ...]
    added_indicators: tuple[str, ...]
    missing_indicators: tuple[str, ...]


def differences(new: Dataset, before: Dataset) -> Differences:
    """Of all years that both tell of."""
    merged = {name: _merged(new, before, name) for name in KEYS}
    revised = pd.concat([_revised(name, both) for name, both in merged.items()], ignore_index=True)
    revised = revised.iloc[(-revised["relative"].abs()).argsort(kind="stable")].reset_index(drop=True)
    gone = {name: int((both["_merge"] == "right_only").sum()) for name, both in merged.items()}
    regions = [set(one.regions["region"]) for one in (new, before)]
    indicators = [set(one.indicators["indicator"].unique()) for one in (new, before)]
    told = [tuple(sorted(one)) for pair in (regions, indicators) for one in (pair[0] - pair[1], pair[1] - pair[0])]
    return Differences(revised, {name: count for name, count in gone.items() if count}, *told)


def _merged(new: Dataset, before: Dataset, name: str) -> pd.DataFrame:
    key, value = KEYS[name]
    now, then = (getattr(one, name)[[*key, value]].rename(columns={value: "value"}) for one in (new, before))
    return now.merge(then, on=key, how="outer", suffixes=("_now", "_before"), indicator=True, validate="one_to_one")


def _revised(name: str, both: pd.DataFrame) -> pd.DataFrame:
    """Values that differ by more than rounding."""
    rows = both[both["_merge"] == "both"]
    rows = rows[~np.isclose(rows["value_now"], rows["value_before"], rtol=1e-9, atol=0)]
    series = {"indicators": "indicator", "movements": "measure"}.get(name)
    ends = [rows[one].astype(str) for one in ("region", "origin", "destination") if one in rows]
    region = ends[0] if len(ends) == 1 else ends[0] + " → " + ends[1]
    return pd.DataFrame(
        {
            "table": name,
            "series": rows[series].astype(str) if series else "persons",
            "region": region,
            "year": rows["year"],
            "before": rows["value_before"].astype("float64"),
            "now": rows["value_now"].astype("float64"),
            "relative": (rows["value_now"] - rows["value_before"]) / rows["value_before"].abs().clip(lower=1e-9),
        },
        columns=REVISED,
    )
