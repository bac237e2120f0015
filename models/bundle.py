"""Bundle: what training leaves and serving picks up. A folder of JSON, npz, LightGBM texts and Parquet; no pickle.

    manifest.json            what it is; names the content folder and the sha256 of every file in it
    <content>/forecaster.json, calibration_<target>.npz, <target>_<model>_h<horizon>.txt
    <content>/flows_*                as in models/flow_bundle.py, where flows are recorded
    <content>/estimated_flows.npz    the last year of the balanced record in draws, where flows are estimated
    <content>/forecast.*     its forecast, as in models/forecast_bundle.py
    <content>/scores.csv     the backtest on which the gate decided; scorecard.csv, the same pooled over cutoffs
    <content>/dataset/       the dataset it forecasts from, in the dataset format
    and what models/advice.py says

The content folder is named after its bytes and written first; replacing manifest.json, which is atomic, makes it the
bundle. A crash before that leaves the bundle that was there.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property, lru_cache
from pathlib import Path

import numpy as np
import pandas as pd

from features.dataset import Dataset, read_saved, save_dataset
from models.advice import Advice, read_advice, write_advice
from models.boosted import BoostedRateChange
from models.calibration import Calibration
from models.decision import Decision
from models.estimated_flows import EstimatedFlows
from models.flow_bundle import read_flows, write_flows
from models.forecast import Forecast
from models.forecast_bundle import read_forecast, write_forecast
from models.forecaster import FittedTarget, MigrationForecaster
from models.track_record import models_of

FORMAT = 5
ESTIMATED = "estimated_flows.npz"


class BundleError(ValueError):
    """A folder that is no bundle, or one that this version cannot read."""


@dataclass(frozen=True)
class Manifest:
    """What a bundle is.

    dataset: name, title, sha256, sources, first_year, last_year. versions: of Qonys, its commit, Python, the libraries.
    decisions: one per target and horizon.
    """

    cutoff: int
    horizons: tuple[int, ...]
    dataset: dict
    versions: dict[str, str]
    decisions: tuple[Decision, ...]

    def decision(self, target: str, horizon: int) -> Decision:
        return next(d for d in self.decisions if (d.target, d.horizon) == (target, horizon))


@dataclass(frozen=True, eq=False)
class Bundle:
    """kept: its forecast, where it was computed and written before."""

    manifest: Manifest
    forecaster: MigrationForecaster
    dataset: Dataset
    scores: pd.DataFrame
    scorecard: pd.DataFrame
    advice: Advice = field(default_factory=Advice)
    kept: Forecast | None = field(default=None, repr=False)

    @cached_property
    def forecast(self) -> Forecast:
        """Every target, region and horizon at the bundle's cutoff; computed once."""
        return self.kept or self.forecast_again()

    def forecast_again(self) -> Forecast:
        """The same, computed by its models."""
        return self.forecaster.predict(self.dataset, self.manifest.cutoff, self.manifest.horizons)


def manifest_of(
    dataset: Dataset, cutoff: int, decisions: Sequence[Decision], versions: dict[str, str], horizons: Sequence[int]
) -> Manifest:
    years = dataset.indicators["year"]
    told = {
        "name": dataset.name,
        "title": dataset.title,
        "sha256": dataset.sha256,
        "sources": list(dataset.sources),
        "first_year": int(years.min()),
        "last_year": int(years.max()),
    }
    return Manifest(cutoff, tuple(horizons), told, versions, tuple(decisions))


# --- writing --------------------------------------------------------------------------------------------------------


def save_bundle(bundle: Bundle, folder: Path) -> Path:
    """Write the bundle into a folder and return it. The bundle that was there stays whole until the new one is."""
    folder.mkdir(parents=True, exist_ok=True)
    unfinished = folder / f".unfinished-{os.getpid()}"
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        _write_content(bundle, unfinished)
        files = {str(path.relative_to(unfinished)): _sha256(path) for path in _files(unfinished)}
        content = _content(files)
        # One that is there with the same content, and whole, stays.
        if _damage(folder / content, files):
            shutil.rmtree(folder / content, ignore_errors=True)
            os.replace(unfinished, folder / content)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    manifest = {"format": FORMAT, "content": content} | asdict(bundle.manifest) | {"files": files}
    _replace_text(folder / "manifest.json", json.dumps(manifest, indent=2, ensure_ascii=False) + "\n")
    for other in folder.iterdir():
        if (
            other.is_dir()
            and other.name != content
            and (len(other.name) == 16 or other.name.startswith(".unfinished-"))
        ):
            shutil.rmtree(other, ignore_errors=True)
    return folder


def _write_content(bundle: Bundle, folder: Path) -> None:
    forecaster = bundle.forecaster
    targets = {}
    for target, fitted in forecaster.fitted.items():
        boosted = fitted.models.get("boosted")
        columns = list(boosted.columns) if isinstance(boosted, BoostedRateChange) else []
        targets[target] = {
            "regions": list(fitted.regions),
            "served": fitted.served,
            "weights": {horizon: weights.tolist() for horizon, weights in fitted.weights.items()},
            "models": sorted(fitted.models),
            "columns": columns,
        }
        learnt = fitted.calibration
        np.savez(folder / f"calibration_{target}.npz", errors=learnt.errors, scale=learnt.scale, size=learnt.size)
        if isinstance(boosted, BoostedRateChange):
            for name, text in boosted.to_texts().items():
                (folder / f"{target}_boosted_{name}.txt").write_text(text, "utf-8")
    told = {"horizons": forecaster.horizons, "draws": forecaster.draws, "seed": forecaster.seed, "targets": targets}
    told["running"] = bundle.dataset.running
    told["flows"] = None if forecaster.flows is None else write_flows(forecaster.flows, folder)
    told["estimated"] = forecaster.estimated is not None
    if forecaster.estimated is not None:
        arrays = forecaster.estimated.to_arrays()
        np.savez(folder / ESTIMATED, **arrays)  # pyright: ignore[reportArgumentType] -- none is called allow_pickle
    (folder / "forecaster.json").write_text(json.dumps(told, indent=1), "utf-8")
    bundle.scores.to_csv(folder / "scores.csv", index=False)
    bundle.scorecard.to_csv(folder / "scorecard.csv", index=False)
    save_dataset(bundle.dataset, folder / "dataset")
    write_forecast(bundle.forecast, folder)
    write_advice(bundle.advice, folder)


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


def _content(files: dict[str, str]) -> str:
    """Name of the folder of files whose sha256 are told by their names."""
    return hashlib.sha256(json.dumps(files, sort_keys=True).encode()).hexdigest()[:16]


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _replace_text(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.{os.getpid()}")
    with new.open("w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    os.replace(new, path)


# --- reading --------------------------------------------------------------------------------------------------------


def load_bundle(folder: Path | str) -> Bundle:
    """Read a bundle, checking every file against the manifest. What was checked when it was made is not checked anew.

    Raises BundleError that names what is wrong: no bundle, another format, a file that is missing or changed.
    """
    folder = Path(folder)
    told = _manifest(folder)
    content = folder / told["content"]
    faults = [] if _content(told["files"]) == told["content"] else ["manifest.json: was changed after training"]
    faults += _damage(content, told["files"])
    if faults:
        raise BundleError("\n".join([f"{folder}: the bundle is damaged; train again", *(f"  {f}" for f in faults)]))
    decisions = tuple(Decision(**decision) for decision in told["decisions"])
    manifest = Manifest(told["cutoff"], tuple(told["horizons"]), told["dataset"], told["versions"], decisions)
    running = json.loads((content / "forecaster.json").read_text("utf-8"))["running"]
    dataset = replace(read_saved(content / "dataset"), running=running)
    scores, scorecard = pd.read_csv(content / "scores.csv"), pd.read_csv(content / "scorecard.csv")
    made = Bundle(manifest, _read_forecaster(content), dataset, scores, scorecard, read_advice(content))
    return replace(made, kept=read_forecast(content, lru_cache(made.forecast_again)))


def _damage(content: Path, files: dict[str, str]) -> list[str]:
    """Files that are not as their sha256 says."""
    return [
        f"{name}: {'is missing' if not (content / name).is_file() else 'was changed after training'}"
        for name, digest in files.items()
        if not (content / name).is_file() or _sha256(content / name) != digest
    ]


def _manifest(folder: Path) -> dict:
    path = folder / "manifest.json"
    if not path.is_file():
        raise BundleError(
            f"{folder}: no bundle there (no manifest.json); make one with 'qonys train --bundle {folder}'"
        )
    try:
        told = json.loads(path.read_text("utf-8"))
    except (json.JSONDecodeError, UnicodeDecodeError) as error:
        raise BundleError(f"{path}: {error}; must be JSON") from None
    if told.get("format") != FORMAT:
        raise BundleError(f"{path}: format is {told.get('format')!r}; this version reads {FORMAT}; train again")
    return told


def _read_forecaster(content: Path) -> MigrationForecaster:
    told = json.loads((content / "forecaster.json").read_text("utf-8"))
    fitted = {target: _read_target(content, target, state) for target, state in told["targets"].items()}
    served = {(target, horizon): name for target, one in fitted.items() for horizon, name in one.served.items()}
    flows = None if told["flows"] is None else read_flows(content, told["flows"])
    made = MigrationForecaster(served, tuple(told["horizons"]), told["draws"], told["seed"], fitted=fitted, flows=flows)
    if not told["estimated"]:
        return made
    with np.load(content / ESTIMATED, allow_pickle=False) as arrays:
        return replace(made, estimated=EstimatedFlows.from_arrays(arrays))


def _read_target(content: Path, target: str, state: dict) -> FittedTarget:
    models = {model.name: model for model in models_of(target) if model.name in state["models"]}
    if "boosted" in models:
        found = sorted(content.glob(f"{target}_boosted_h*.txt"))
        texts = {path.stem.rsplit("_", 1)[1]: path.read_text("utf-8") for path in found}
        models["boosted"] = BoostedRateChange.from_texts(texts, state["columns"])
    with np.load(content / f"calibration_{target}.npz", allow_pickle=False) as arrays:
        calibration = Calibration(**arrays, counts=target != "net_migration")
    return FittedTarget(
        tuple(state["regions"]),
        {int(horizon): name for horizon, name in state["served"].items()},
        models,
        {int(horizon): np.array(weights) for horizon, weights in state["weights"].items()},
        calibration,
    )
