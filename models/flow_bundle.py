"""What a bundle keeps of flows: npz arrays, LightGBM texts and JSON.

flows_calibration_h<horizon>.npz   shocks and cell noise
flows_correction_h<horizon>.npz    the linear model of the correction; flows_correction_h<horizon>.txt its trees
flows_newcomers_<part>.txt         the structural model, where regions without a history are forecast
"""

from dataclasses import asdict
from pathlib import Path

import numpy as np

from models.flow_calibration import FlowCalibration
from models.flow_correction import Correction
from models.flow_forecaster import FittedFlows
from models.flow_models import CorrectedModel, FlowModel, flow_model
from models.size_curve import SizeCurve
from models.structural import StructuralBoosted
from models.trees import Trees

ARRAYS = ("class_of", "level", "out", "into", "share", "together", "shape")


def write_flows(fitted: FittedFlows, folder: Path) -> dict:
    """Write the files; the rest, as JSON can hold it."""
    for horizon, calibration in zip(fitted.horizons, fitted.calibrations, strict=True):
        np.savez(_calibration(folder, horizon), **{name: getattr(calibration, name) for name in ARRAYS})
    corrected = [model for model in fitted.models.values() if isinstance(model, CorrectedModel)]
    # All corrected models share their corrections.
    corrections = corrected[0].corrections if corrected else {}
    for horizon, correction in corrections.items():
        if correction is not None:
            linear = {name: getattr(correction, name) for name in ("mean", "scale", "slope")}
            np.savez(_correction(folder, horizon), **linear)
            text = correction.booster.model_to_string()
            _correction(folder, horizon).with_suffix(".txt").write_text(text, "utf-8")
    newcomers = {} if fitted.newcomers is None else fitted.newcomers.to_texts()
    for part, text in newcomers.items():
        _newcomers(folder, part).write_text(text, "utf-8")
    return {
        "horizons": fitted.horizons,
        "served": fitted.served,
        "models": sorted(fitted.models),
        "cutoffs": {h: one.cutoffs for h, one in corrections.items() if one is not None},
        "regions": fitted.calibrations[0].regions,
        "curves": [asdict(calibration.curve) for calibration in fitted.calibrations],
        "newcomers": sorted(newcomers),
    }


def read_flows(folder: Path, told: dict) -> FittedFlows:
    horizons = tuple(told["horizons"])
    learnt = {int(horizon): cutoffs for horizon, cutoffs in told["cutoffs"].items()}
    corrections = {h: _read_correction(folder, h, learnt[h]) if h in learnt else None for h in horizons}
    newcomers = {part: _newcomers(folder, part).read_text("utf-8") for part in told["newcomers"]}
    return FittedFlows(
        horizons,
        {int(horizon): name for horizon, name in told["served"].items()},
        {name: _model(name, corrections) for name in told["models"]},
        tuple(_read_calibration(folder, told, place) for place in range(len(horizons))),
        StructuralBoosted.from_texts(newcomers) if newcomers else None,
    )


def _model(name: str, corrections: dict[int, Correction | None]) -> FlowModel:
    model = flow_model(name)
    return CorrectedModel(name, model.level, corrections) if isinstance(model, CorrectedModel) else model


def _read_calibration(folder: Path, told: dict, place: int) -> FlowCalibration:
    with np.load(_calibration(folder, told["horizons"][place]), allow_pickle=False) as arrays:
        return FlowCalibration(
            regions=tuple(told["regions"]),
            curve=SizeCurve(**told["curves"][place]),
            **{name: arrays[name] for name in ARRAYS},
        )


def _read_correction(folder: Path, horizon: int, cutoffs: int) -> Correction:
    booster = Trees(_correction(folder, horizon).with_suffix(".txt").read_text("utf-8"))
    with np.load(_correction(folder, horizon), allow_pickle=False) as linear:
        return Correction(linear["mean"], linear["scale"], linear["slope"], booster, cutoffs)


def _calibration(folder: Path, horizon: int) -> Path:
    return folder / f"flows_calibration_h{horizon}.npz"


def _correction(folder: Path, horizon: int) -> Path:
    return folder / f"flows_correction_h{horizon}.npz"


def _newcomers(folder: Path, part: str) -> Path:
    return folder / f"flows_newcomers_{part}.txt"
