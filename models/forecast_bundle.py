"""What a bundle keeps of its forecast, so that whoever answers from it need not compute it again.

forecast.json   scopes, models, regions and basis by target, and the same of flows
forecast.npz    draws of targets; of flows quantiles, and the draws where they are no more than MOST_KEPT
"""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from models.forecast import FlowForecast, Forecast, TargetForecast

MOST_KEPT = 5_000_000
"""Draws × horizons × pairs of flows that are kept, 20 MB unpacked; more are made again from their seed."""
FORECAST = "forecast"
TOLD = ("scope", "horizons", "regions", "models", "basis")
FLOW_ARRAYS = ("origin", "destination", "quantiles", "basis")


def write_forecast(forecast: Forecast, folder: Path) -> None:
    told = {target: {name: getattr(one, name) for name in TOLD} for target, one in forecast.targets.items()}
    arrays = {f"{target}_draws": one.draws for target, one in forecast.targets.items()}
    flows, written = forecast.flows, {"cutoff": forecast.cutoff, "targets": told, "flows": None}
    if flows is not None:
        written["flows"] = {name: getattr(flows, name) for name in ("horizons", "regions", "models")}
        arrays |= _flow_arrays(flows, len(next(iter(arrays.values()))))
    (folder / f"{FORECAST}.json").write_text(json.dumps(written, indent=1), "utf-8")
    np.savez_compressed(folder / f"{FORECAST}.npz", **arrays)  # pyright: ignore[reportArgumentType] -- none is called allow_pickle


def _flow_arrays(flows: FlowForecast, draws: int) -> dict[str, np.ndarray]:
    arrays = {f"flow_{name}": getattr(flows, name) for name in FLOW_ARRAYS} | {"flow_basis": flows.basis.astype("str")}
    if draws * len(flows.horizons) * len(flows.origin) <= MOST_KEPT:
        arrays["flow_draws"] = flows.draws()
    return arrays if flows.abroad is None else arrays | {"flow_abroad": flows.abroad}


def read_forecast(folder: Path, again: Callable[[], Forecast]) -> Forecast:
    """again: makes the forecast anew, for draws that are not kept."""
    told = json.loads((folder / f"{FORECAST}.json").read_text("utf-8"))
    with np.load(folder / f"{FORECAST}.npz", allow_pickle=False) as arrays:
        targets = {
            target: _target(target, told["cutoff"], one, arrays[f"{target}_draws"])
            for target, one in told["targets"].items()
        }
        flows = told["flows"] and _flows(told["cutoff"], told["flows"], dict(arrays), again)
    return Forecast(told["cutoff"], targets, flows)


def _target(target: str, cutoff: int, told: dict, draws: np.ndarray) -> TargetForecast:
    regions, horizons = tuple(told["regions"]), tuple(told["horizons"])
    return TargetForecast(
        target, told["scope"], cutoff, horizons, regions, draws, _by_horizon(told["models"]), told["basis"]
    )


def _flows(cutoff: int, told: dict, arrays: dict[str, np.ndarray], again: Callable[[], Forecast]) -> FlowForecast:
    draws = arrays.get("flow_draws")

    def futures(pairs: slice) -> np.ndarray:
        if draws is not None:
            return draws[:, :, pairs]
        made = again().flows
        assert made is not None
        return made.draws(pairs)

    origin, destination, quantiles, basis = (arrays[f"flow_{name}"] for name in FLOW_ARRAYS)
    horizons, regions, models = tuple(told["horizons"]), tuple(told["regions"]), _by_horizon(told["models"])
    abroad = arrays.get("flow_abroad")
    return FlowForecast(cutoff, horizons, regions, origin, destination, quantiles, models, basis, futures, abroad)


def _by_horizon(models: dict[str, str]) -> dict[int, str]:
    return {int(horizon): model for horizon, model in models.items()}
