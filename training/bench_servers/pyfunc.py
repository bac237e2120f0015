"""The pyfunc: a bundle as a model of MLflow, as `mlflow models serve` answers it. MLflow reads this file as code."""

from pathlib import Path
from typing import Any

import mlflow
import pandas as pd

from models.bundle import Bundle, load_bundle
from models.scenario import answer
from models.scenario_package import package_of
from models.scenario_tables import region_effects


class BundleModel(mlflow.pyfunc.PythonModel):  # pyright: ignore[reportPrivateImportUsage]
    """Asked with a row whose column `path` says for what: what can be prepared is prepared, as in the service."""

    def load_context(self, context: Any) -> None:
        bundle = self.bundle = load_bundle(Path(context.artifacts["bundle"]))
        flows = bundle.forecast.flows
        assert flows is not None
        self.flow_draws = flows.draws()
        self.forecasts = dict(iter(_wide(bundle.forecast.table()).groupby(["target", "region"])))
        self.flows = dict(iter(_wide(bundle.forecast.flow_table()).groupby("horizon")))

    def predict(self, context: Any, model_input: Any, params: Any = None) -> Any:
        asked = model_input.to_dict("records")[0]
        if asked["path"] == "/forecast":
            return self.forecasts[asked["target"], asked["regions"][0]]
        if asked["path"] == "/flows":
            return self.flows[asked["horizons"][0]]
        return _what_if(self.bundle, asked, self.flow_draws)


def _wide(table: pd.DataFrame) -> pd.DataFrame:
    """A column for each quantile."""
    wide = table.assign(quantile=table["quantile"].astype(str))
    keys = [name for name in table.columns if name not in ("quantile", "value")]
    return wide.pivot(index=keys, columns="quantile", values="value").reset_index().astype({"horizon": int})


def _what_if(bundle: Bundle, asked: dict[str, Any], flow_draws: Any) -> pd.DataFrame:
    model, forecast = bundle.advice.need_scenario_model(), bundle.forecast
    years = [bundle.manifest.cutoff + horizon for horizon in bundle.manifest.horizons]
    package = package_of({"name": "bench", "change": asked["changes"]}, model, years)
    return region_effects(answer(model, forecast, package, flow_draws, asked["allow_extrapolation"]))


mlflow.models.set_model(BundleModel())  # pyright: ignore[reportPrivateImportUsage]
