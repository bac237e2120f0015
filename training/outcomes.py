"""Outcomes: what came, beside what would have been served at past cutoffs, region by region."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.dataset import Dataset
from features.flows import flow_history, sums_by
from features.targets import TARGETS, target_history
from models.flow_record import FlowRecord, size_class, size_names
from models.forecast import FLOW
from models.track_record import TrackRecord
from training.backtest import SERVED, Backtest
from training.gate import PERSISTENCE

COLUMNS = ["target", "cutoff", "horizon", "year", "region", "size", "forecast", "persistence", "observed"]


def outcomes(tested: Backtest, dataset: Dataset, known_until: int) -> pd.DataFrame:
    """One row per target, cutoff, horizon and region (COLUMNS) whose outcome was known until then; persons.

    forecast: point forecast of the model that the gate would have served at the cutoff. size: mean of |persons| a year
    as known at the cutoff; of sums of flows the last year's. Regions are units of constant boundaries.
    """
    tables = [*_regional(tested, dataset, known_until), *_of_flows(tested, dataset, known_until)]
    if not tables:
        return no_outcomes()
    table = pd.concat(tables, ignore_index=True)
    table = table.assign(year=table["cutoff"] + table["horizon"])
    told = table[["forecast", "persistence", "observed"]].notna().all(axis=1)
    return table.loc[told, COLUMNS].reset_index(drop=True)


def no_outcomes() -> pd.DataFrame:
    """The table without rows."""
    types = {"target": "str", "region": "str", "cutoff": "int64", "horizon": "int64", "year": "int64"}
    return pd.DataFrame({column: pd.Series(dtype=types.get(column, "float64")) for column in COLUMNS})


def _regional(tested: Backtest, dataset: Dataset, known_until: int) -> Iterator[pd.DataFrame]:
    for target, record in tested.records.items():
        observed = record.actual(dataset, known_until)
        for cutoff, horizon, model in _chosen(tested, target):
            yield _rows_of(record, observed, cutoff, horizon, model)


def _rows_of(record: TrackRecord, observed: np.ndarray, cutoff: int, horizon: int, model: str) -> pd.DataFrame:
    row, h = record.cutoffs.index(cutoff), record.horizons.index(horizon)
    said = {"forecast": record.points[model][row, h], "persistence": record.points[PERSISTENCE][row, h]}
    where = {"target": record.target, "cutoff": cutoff, "horizon": horizon, "region": list(record.regions)}
    return pd.DataFrame(where | {"size": record.size[row], "observed": observed[row, h]} | said)


def _of_flows(tested: Backtest, dataset: Dataset, known_until: int) -> Iterator[pd.DataFrame]:
    """Regions' sums of flows, where they are recorded."""
    if tested.flows is None:
        return
    known = dataset.as_of(known_until)
    for target in (target for target in TARGETS if target not in tested.records):
        for cutoff, horizon, model in _chosen(tested, target):
            if model in tested.flows.points[cutoff]:
                yield _sums(tested.flows, known, target, cutoff, horizon, model)


def _sums(record: FlowRecord, known: Dataset, target: str, cutoff: int, horizon: int, model: str) -> pd.DataFrame:
    regions = flow_history(known.as_of(cutoff)).regions
    h = record.horizons.index(horizon)
    said, last = (_sum(known, record.points[cutoff][name][h], target, cutoff) for name in (model, PERSISTENCE))
    persons = target_history(known, target).persons.reindex(index=[cutoff + horizon], columns=list(regions))
    where = {"target": target, "cutoff": cutoff, "horizon": horizon, "region": list(regions)}
    told = {"size": np.abs(last), "forecast": said, "persistence": last, "observed": persons.to_numpy()[0]}
    return pd.DataFrame(where | told)


def _sum(known: Dataset, flows: np.ndarray, target: str, cutoff: int) -> np.ndarray:
    then = flow_history(known.as_of(cutoff))
    out, into = (sums_by(end, flows.astype("float64"), len(then.regions)) for end in (then.origin, then.destination))
    return {"inflow": into, "out_migration": out, "net_migration": into - out}[target]


def _chosen(tested: Backtest, target: str) -> Iterator[tuple[int, int, str]]:
    """Cutoff, horizon and the model that the gate would have served."""
    for cutoff, decisions in tested.choices.items():
        yield from ((cutoff, one.horizon, one.model) for one in decisions if one.target == target != FLOW)


# --- summed ---------------------------------------------------------------------------------------------------------


def by_region(table: pd.DataFrame) -> pd.DataFrame:
    """target, horizon, region, n, mae (persons), wape, skill against persistence, over all cutoffs."""
    return _errors(table, ["target", "horizon", "region"])


def by_size(table: pd.DataFrame) -> pd.DataFrame:
    """The same by class of size, smallest first."""
    names = pd.CategoricalDtype(size_names(), ordered=True)
    classes = pd.Categorical.from_codes(size_class(table["size"].to_numpy(dtype="float64")), dtype=names)
    return _errors(table.assign(size_class=classes), ["target", "horizon", "size_class"])


def coverage_by_size(by_size: pd.DataFrame) -> pd.DataFrame:
    """target, horizon, size_class, n, abs_error, abs_actual, coverage_80 of what was served, over all cutoffs.

    by_size: as of `training.flow_backtest.SIZE_COLUMNS`. Classes of sums of flows are those of people leaving.
    """
    rows = by_size[by_size["model"] == SERVED]
    rows = rows.assign(inside=rows["coverage_80"] * rows["n"])
    key, summed = ["target", "horizon", "size_class"], ["n", "abs_error", "abs_actual", "inside"]
    sums = rows.groupby(key, sort=False)[summed].sum().reset_index()
    return sums.assign(coverage_80=sums["inside"] / sums["n"]).drop(columns="inside")


def _errors(table: pd.DataFrame, key: list[str]) -> pd.DataFrame:
    table = table.assign(
        error=(table["observed"] - table["forecast"]).abs(),
        last=(table["observed"] - table["persistence"]).abs(),
        came=table["observed"].abs(),
    )
    sums = table.groupby(key, observed=True).agg(n=("error", "size"), error=("error", "sum"), last=("last", "sum"))
    came = table.groupby(key, observed=True)["came"].sum().clip(lower=1)
    sums = sums.assign(mae=sums["error"] / sums["n"], wape=sums["error"] / came)
    sums = sums.assign(skill=1 - sums["error"] / sums["last"].clip(lower=1e-9))
    return sums.drop(columns=["error", "last"]).reset_index()
