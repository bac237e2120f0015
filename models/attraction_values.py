"""Values of regions as they were last published."""

from collections.abc import Sequence

import numpy as np

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.region_features import MAX_AGE


def last_published(
    dataset: Dataset, cutoff: int, regions: Sequence[str], indicators: Sequence[str]
) -> tuple[np.ndarray, np.ndarray]:
    """Last value in its unit, no older than MAX_AGE years, and its year, both (region, indicator); NaN for none."""
    known = at_constant_boundaries(dataset.as_of(cutoff), cutoff)
    raw, year = (np.full((len(regions), len(indicators)), np.nan) for _ in range(2))
    for place, name in enumerate(indicators):
        values = known.indicator(name).reindex(columns=list(regions)).loc[cutoff - MAX_AGE + 1 : cutoff]
        for row in values.index:
            told = values.loc[row].notna().to_numpy()
            raw[told, place], year[told, place] = values.loc[row].to_numpy()[told], row
    return raw, year
