"""region_features(dataset, cutoff): what is known of each region at a cutoff, one row per region."""

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.indicators import INDICATORS, Indicator
from features.remembered import remembered
from features.targets import first_year, target_history

MAX_AGE = 3
"""Years after which the last value of an indicator says nothing of the cutoff any more and is left out."""


def region_features(dataset: Dataset, target: str, cutoff: int) -> pd.DataFrame:
    """Features of a target's regions at a cutoff: index region, columns float, NaN where not known.

    rate, rate_lag1, rate_lag2   the target's rate in the cutoff year, one and two years before, per 1,000
    rate_change                  rate − rate_lag1
    mean_3, mean_all             mean rate of the last three years; of all known years
    deviation                    rate − mean_all
    spread                       standard deviation of the yearly change of the rate
    national_rate, national_change   rate of all regions together, and its change in a year
    log_population, city         size, and 1 for a city
    <indicator>                  last known value: log ratio to (or difference from) the mean of the regions
    <indicator>_change           change of that over three years
    """
    return _features(dataset.as_of(cutoff), target, cutoff)


@remembered(512)
def _features(known: Dataset, target: str, cutoff: int) -> pd.DataFrame:
    history = target_history(known, target)
    rate = history.rate
    rate = rate.reindex(range(int(rate.index.min()), cutoff + 1))
    columns = _own_history(rate) | _national(history, rate.index)
    columns["log_population"] = history.population.ffill().iloc[-1].transform(np.log)
    constant = at_constant_boundaries(known, first_year(known, target))
    kind = constant.regions.set_index("region")["kind"].reindex(rate.columns)
    columns["city"] = (kind == "city").astype("float64")
    for name in sorted(set(constant.indicators["indicator"].unique()) & set(INDICATORS)):
        if INDICATORS[name].group != "demography":
            columns |= _indicator(constant, INDICATORS[name], rate.columns, cutoff)
    return pd.DataFrame(columns, index=rate.columns).rename_axis("region")


def _own_history(rate: pd.DataFrame) -> dict[str, pd.Series]:
    last, before = rate.iloc[-1], rate.iloc[-2] if len(rate) > 1 else rate.iloc[-1] * np.nan
    mean_all = rate.mean()
    return {
        "rate": last,
        "rate_lag1": before,
        "rate_lag2": rate.iloc[-3] if len(rate) > 2 else last * np.nan,
        "rate_change": last - before,
        "mean_3": rate.iloc[-3:].mean(),
        "mean_all": mean_all,
        "deviation": last - mean_all,
        "spread": rate.diff().std(),
    }


def _national(history, years: pd.Index) -> dict[str, float]:
    together = 1000 * history.persons.sum(axis=1, min_count=1) / history.population.sum(axis=1, min_count=1)
    together = together.reindex(years)
    return {
        "national_rate": together.iloc[-1],
        "national_change": together.iloc[-1] - together.iloc[-2] if len(together) > 1 else np.nan,
    }


def _indicator(dataset: Dataset, entry: Indicator, regions: pd.Index, cutoff: int) -> dict[str, pd.Series]:
    values = dataset.indicator(entry.name).reindex(columns=regions)
    if entry.combine == "sum":
        values = values / dataset.indicator("population").reindex(index=values.index, columns=regions)
    if entry.scale == "log":
        values = values.where(values > 0).transform(np.log)
    last, then = _last(values, cutoff), _last(values, cutoff - 3)
    return {entry.name: last, f"{entry.name}_change": last - then}


def _last(values: pd.DataFrame, year: int) -> pd.Series:
    """The last value up to a year, no older than MAX_AGE years, less the mean of all regions in its year."""
    recent = values.loc[year - MAX_AGE + 1 : year]
    last = pd.Series(np.nan, values.columns)
    for _, row in recent.iterrows():
        last = (row - row.mean()).fillna(last)
    return last
