"""Vintages: forecasts that were sealed when their version became champion, never to be changed.

    index.jsonl                      a line per vintage, only ever appended to
    <dataset>/<cutoff>-<hash>.parquet  the forecast, a row per target, region or pair, and year
    <dataset>/<cutoff>-<hash>.json     what it is: the same as its line in the index
    scoreboard.json                  how right each was (training.scoreboard)

The hash is of the forecast's numbers, so what was changed after sealing is found out, whatever wrote the file.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pandas as pd

from features.flows import flow_history, has_flows
from models import flow_placement, placement
from models.baselines import Persistence
from models.bundle import Bundle
from models.flow_models import FlowPersistence
from models.forecast import FLOW, QUANTILES, FlowForecast, TargetForecast
from training.backtest import last_value_year

INDEX, SCOREBOARD = "index.jsonl", "scoreboard.json"
LEVELS = [f"q{round(100 * level):02d}" for level in QUANTILES]
"""Columns of quantiles, as q05."""
KEY = ["target", "region", "origin", "destination"]
COLUMNS = [*KEY, "year", "horizon", *LEVELS, "persistence", "scope", "model", "basis"]
SHOWN = 12
"""Letters of the hash in a file's name."""


class VintageError(ValueError):
    """A vintage that cannot be read, or that is not as it was sealed; names the file."""


@dataclass(frozen=True)
class Vintage:
    """What was sealed. sha256: of the forecast. sealed: when, UTC. dataset_sha256: of the data it was made from.

    data_until: last year with a value that was at hand, which is after the cutoff where the forecast was made for a
    past cutoff: outcomes up to it were known, so scores of them are in hindsight.
    """

    dataset: str
    cutoff: int
    sha256: str
    sealed: str
    data_until: int
    dataset_sha256: str
    model: str
    version: str
    run_id: str
    reason: str
    commit: str

    @property
    def name(self) -> str:
        return f"{self.cutoff}-{self.sha256[:SHOWN]}"

    def path(self, folder: Path, suffix: str) -> Path:
        return folder / plain_name(self.dataset) / f"{self.name}{suffix}"


def plain_name(dataset: str) -> str:
    """Fit for a file or a registered model.

    >>> plain_name("Korea: 17 provinces")
    'Korea-17-provinces'
    """
    return re.sub(r"[^\w.-]+", "-", dataset).strip("-")


def vintages_folder(store: Path | None) -> Path:
    """QONYS_VINTAGES, else beside the store where it is a file, else build/vintages."""
    told = os.environ.get("QONYS_VINTAGES")
    return Path(told) if told else (store.parent if store else Path("build")) / "vintages"


# --- sealing --------------------------------------------------------------------------------------------------------


def seal(bundle: Bundle, folder: Path, model: str, version: str, run_id: str, reason: str) -> Vintage:
    """Write the bundle's forecast once and for all; what has the same numbers already stays as it was sealed."""
    table = sealed_table(bundle)
    told = bundle.manifest
    made = Vintage(
        dataset=told.dataset["name"],
        cutoff=told.cutoff,
        sha256=table_sha256(table),
        sealed=datetime.now(UTC).isoformat(timespec="seconds"),
        data_until=last_value_year(bundle.dataset),
        dataset_sha256=told.dataset["sha256"],
        model=model,
        version=version,
        run_id=run_id,
        reason=reason,
        commit=told.versions["commit"],
    )
    _write_once(made.path(folder, ".parquet"), lambda path: table.to_parquet(path, index=False))
    line = json.dumps(asdict(made), ensure_ascii=False) + "\n"
    _write_once(made.path(folder, ".json"), lambda path: path.write_text(line, "utf-8"))
    return _listed(folder, made.path(folder, ".json").read_text("utf-8"))


def _listed(folder: Path, line: str) -> Vintage:
    """In the index too, once; a sealing that was stopped before is completed by the next of the same forecast."""
    sealed = Vintage(**json.loads(line))
    if sealed not in vintages(folder):
        # One write at the end of the file: lines of two processes do not mix.
        with (folder / INDEX).open("a", encoding="utf-8") as index:
            index.write(line)
    return sealed


def _write_once(path: Path, write: Callable[[Path], object]) -> None:
    """Whole or not at all; a file that is there stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        write(unfinished)
        if not path.exists():
            unfinished.chmod(0o444)
            os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def sealed_table(bundle: Bundle) -> pd.DataFrame:
    """COLUMNS: quantiles and persistence in persons; persistence is empty where nothing was recorded to stay."""
    targets = [_target_rows(bundle, forecast) for forecast in bundle.forecast.targets.values()]
    flows = [] if bundle.forecast.flows is None else [_flow_rows(bundle, bundle.forecast.flows)]
    return pd.concat([*targets, *flows], ignore_index=True)[COLUMNS]


def _target_rows(bundle: Bundle, forecast: TargetForecast) -> pd.DataFrame:
    rows = _rows(forecast, forecast.quantiles(), pd.DataFrame({"region": list(forecast.regions)}))
    basis = rows["region"].map(forecast.basis)
    rows = rows.assign(target=forecast.target, origin=None, destination=None, scope=forecast.scope, basis=basis)
    last = _persistence(bundle, forecast)
    return rows.merge(last, on=["region", "horizon"], how="left", validate="one_to_one")


def _flow_rows(bundle: Bundle, flows: FlowForecast) -> pd.DataFrame:
    names = np.array(flows.regions)
    ends = {"origin": names[flows.origin], "destination": names[flows.destination]}
    rows = _rows(flows, flows.quantiles, pd.DataFrame(ends | {"basis": flows.basis.astype(str)}))
    rows = rows.assign(target=FLOW, region=None, scope="between_regions")
    last = _last_flows(bundle, flows)
    return rows.merge(last, on=["origin", "destination"], how="left", validate="many_to_one")


def _rows(forecast: TargetForecast | FlowForecast, quantiles: np.ndarray, cells: pd.DataFrame) -> pd.DataFrame:
    """quantiles: (level, horizon, cell). Sorted by horizon."""
    tables = [
        cells.assign(
            **dict(zip(LEVELS, quantiles[:, h].astype("int64"), strict=True)),
            horizon=horizon,
            year=forecast.cutoff + horizon,
            model=forecast.models[horizon],
        )
        for h, horizon in enumerate(forecast.horizons)
    ]
    return pd.concat(tables, ignore_index=True)


def _persistence(bundle: Bundle, forecast: TargetForecast) -> pd.DataFrame:
    """region, horizon, persistence: the last known rate stays; sums of recorded flows stay as they were."""
    known, cutoff, horizons = bundle.dataset.as_of(forecast.cutoff), forecast.cutoff, forecast.horizons
    if forecast.target in bundle.forecaster.fitted:
        units = Persistence().predict(known, forecast.target, cutoff, horizons).sort_index()
        points = units.to_numpy().T[None]
        placed = placement.in_present_regions(known, {forecast.target: points}, np.random.default_rng(0))
        regions, draws, _ = placed[forecast.target]
        index = pd.MultiIndex.from_product([horizons, regions], names=["horizon", "region"])
        return pd.DataFrame({"persistence": draws[0].ravel().round(1)}, index=index).reset_index()
    if bundle.forecaster.flows is None:
        return pd.DataFrame({"region": list(forecast.regions)}).merge(
            pd.DataFrame({"horizon": list(horizons), "persistence": np.nan}), how="cross"
        )
    sums = _summed(_last_flows(bundle, bundle.forecast.flows), forecast.target)
    return sums.merge(pd.DataFrame({"horizon": list(horizons)}), how="cross")


def _last_flows(bundle: Bundle, flows: FlowForecast | None) -> pd.DataFrame:
    """origin, destination, persistence between the regions of the day; empty where flows are only estimated."""
    known = bundle.dataset.as_of(bundle.manifest.cutoff)
    if flows is None or not has_flows(known):
        return pd.DataFrame({"origin": [], "destination": []}, dtype="str").assign(persistence=np.nan)
    last = FlowPersistence().predict(known, flows.cutoff, flows.horizons[:1]).astype("float64")
    units = flow_history(known).regions
    placed = flow_placement.in_present_regions(known, flows.cutoff, last, units, None)
    names = np.array(placed.pairs.regions)
    ends = {"origin": names[placed.pairs.origin], "destination": names[placed.pairs.destination]}
    return pd.DataFrame(ends | {"persistence": placed.point[0].round(1)})


def _summed(flows: pd.DataFrame, target: str) -> pd.DataFrame:
    into, out = (flows.groupby(end)["persistence"].sum() for end in ("destination", "origin"))
    sums = {"inflow": into, "out_migration": out, "net_migration": into.sub(out, fill_value=0)}[target]
    return sums.rename_axis("region").reset_index()


def table_sha256(table: pd.DataFrame) -> str:
    """Of the numbers, written as text: it does not depend on what wrote the file."""
    return hashlib.sha256(table[COLUMNS].to_csv(index=False, lineterminator="\n").encode()).hexdigest()


# --- reading --------------------------------------------------------------------------------------------------------


def vintages(folder: Path) -> list[Vintage]:
    """Every vintage of the index, in the order of sealing. Raises VintageError for a line that is none."""
    path = folder / INDEX
    return list(_lines(path)) if path.exists() else []


def _lines(path: Path) -> Iterator[Vintage]:
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        try:
            yield Vintage(**json.loads(line))
        except (json.JSONDecodeError, TypeError) as error:
            raise VintageError(f"{path}: line {number}: {error}; must be a sealed vintage in JSON") from None


def read_vintage(vintage: Vintage, folder: Path) -> pd.DataFrame:
    """The sealed forecast (COLUMNS). Raises VintageError where it is missing or not as it was sealed."""
    path = vintage.path(folder, ".parquet")
    try:
        table = pd.read_parquet(path)
    except (OSError, ValueError) as error:
        raise VintageError(f"{path}: {error}; must be the forecast that was sealed on {vintage.sealed}") from None
    if table_sha256(table) != vintage.sha256:
        told = f"was changed after it was sealed on {vintage.sealed}"
        raise VintageError(f"{path}: {told}; its hash must be {vintage.sha256}")
    return table
