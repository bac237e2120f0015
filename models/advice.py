"""Advice: what a bundle says beyond its forecast: drivers of moves, what would change them, many years ahead.

<content>/drivers_<table>.parquet   tables of drivers
<content>/scenario_model.json       effects of indicators, and what was seen of them
<content>/outlook.npz               projections of every level
<content>/moves.parquet             past moves of regions by the balanced record, where none are recorded
<content>/advice.json               why a part is missing
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import pandas as pd

from features.account_sums import moves_of_regions
from features.accounts import balanced_record
from features.dataset import Dataset
from features.evidence import EvidenceError
from models.attraction_panel import AttractionError
from models.drivers import Drivers, DriversError, drivers_of
from models.estimated_flows import estimates_flows
from models.forecast import Forecast
from models.outlook import Outlook, outlook
from models.projection import ProjectionError
from models.scenario import count_of
from models.scenario_model import ScenarioModel
from models.vital_history import HistoryError

DRIVERS, SCENARIO_MODEL, OUTLOOK, MOVES, WHY = "drivers", "scenario_model", "outlook", "moves", "advice.json"
REFUSED = (AttractionError, DriversError, EvidenceError, HistoryError, ProjectionError)
"""What a dataset can lack; any other error is a fault of the program."""


class AdviceError(ValueError):
    """A part of the advice that a bundle does not have; says why."""


@dataclass(frozen=True, eq=False)
class Advice:
    """Parts are None where the data at hand do not bear them. why: the reason, by name of the part.

    moves: as of `moves_of_regions`; None where flows are recorded.
    """

    drivers: Drivers | None = None
    scenario_model: ScenarioModel | None = None
    outlook: Outlook | None = None
    moves: pd.DataFrame | None = None
    why: dict[str, str] = field(default_factory=dict)

    def need_drivers(self) -> Drivers:
        """Raises AdviceError where there are none."""
        return self.drivers or self._lack(DRIVERS)

    def need_scenario_model(self) -> ScenarioModel:
        """Raises AdviceError where there is none."""
        return self.scenario_model or self._lack(SCENARIO_MODEL)

    def need_outlook(self) -> Outlook:
        """Raises AdviceError where there is none."""
        return self.outlook or self._lack(OUTLOOK)

    def _lack(self, part: str):
        reason = self.why.get(part, "the bundle was trained without advice; train with advice = true")
        raise AdviceError(f"no {part.replace('_', ' ')}: {reason}")


def advice_of(
    dataset: Dataset, cutoff: int, forecast: Forecast, progress: Callable[[str], None] | None = None
) -> Advice:
    """All parts that the data bear, from what was known at the cutoff."""
    made = Advice()
    steps: dict[str, Callable[[], object]] = {
        DRIVERS: lambda: drivers_of(dataset, cutoff, forecast),
        SCENARIO_MODEL: lambda: ScenarioModel.fit(dataset, cutoff, count_of(forecast)),
        OUTLOOK: lambda: outlook(dataset, cutoff, forecast),
        MOVES: lambda: _moves(dataset.as_of(cutoff), cutoff),
    }
    for part, step in steps.items():
        if progress:
            progress(part.replace("_", " "))
        try:
            made = replace(made, **{part: step()})
        except REFUSED as error:
            made = replace(made, why=made.why | {part: str(error)})
    return made


def _moves(known: Dataset, cutoff: int) -> pd.DataFrame | None:
    return moves_of_regions(balanced_record(known)) if estimates_flows(known, cutoff) else None


def write_advice(advice: Advice, folder: Path) -> None:
    if advice.drivers is not None:
        for name, table in advice.drivers.tables().items():
            table.to_parquet(folder / f"{DRIVERS}_{name}.parquet", index=False)
    if advice.scenario_model is not None:
        for name, text in advice.scenario_model.to_texts().items():
            (folder / f"{name}.json").write_text(text, "utf-8")
    if advice.outlook is not None:
        arrays = advice.outlook.to_arrays()
        np.savez_compressed(folder / f"{OUTLOOK}.npz", **arrays)  # pyright: ignore[reportArgumentType] -- none is called allow_pickle
    if advice.moves is not None:
        advice.moves.to_parquet(folder / f"{MOVES}.parquet", index=False)
    (folder / WHY).write_text(json.dumps(advice.why, indent=1), "utf-8")


def read_advice(folder: Path) -> Advice:
    tables = {path.stem.removeprefix(f"{DRIVERS}_"): path for path in folder.glob(f"{DRIVERS}_*.parquet")}
    model, arrays, moves = (folder / name for name in (f"{SCENARIO_MODEL}.json", f"{OUTLOOK}.npz", f"{MOVES}.parquet"))
    return Advice(
        Drivers.from_tables({name: pd.read_parquet(path) for name, path in tables.items()}) if tables else None,
        ScenarioModel.from_texts({SCENARIO_MODEL: model.read_text("utf-8")}) if model.is_file() else None,
        _read_outlook(arrays) if arrays.is_file() else None,
        pd.read_parquet(moves) if moves.is_file() else None,
        json.loads((folder / WHY).read_text("utf-8")),
    )


def _read_outlook(path: Path) -> Outlook:
    with np.load(path, allow_pickle=False) as arrays:
        return Outlook.from_arrays(arrays)
