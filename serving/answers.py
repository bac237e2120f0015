"""Answers: everything a bundle can answer, computed once and kept as JSON; a request is a look-up."""

from collections.abc import Mapping
from dataclasses import dataclass

from models.bundle import Bundle
from serving.api import ForecastRequest, Known, forecast_response, known_of, model_response, regions_response
from serving.flows import FlowAnswers, flow_answers_of, no_flows

END = b"]}"
"""How a ForecastResponse ends: its list of forecasts is its last field."""


@dataclass(frozen=True)
class TargetAnswer:
    """head: a ForecastResponse up to its list of forecasts. forecasts: by region and horizon."""

    head: bytes
    forecasts: Mapping[tuple[str, int], bytes]


@dataclass(frozen=True)
class Answers:
    """JSON in UTF-8: what each endpoint answers. known: what can be asked for. flows: where they are forecast."""

    known: Known
    regions: bytes
    model: bytes
    targets: Mapping[str, TargetAnswer]
    flows: FlowAnswers | None

    def forecast(self, request: ForecastRequest) -> bytes:
        """A ForecastResponse. The request was validated with `known`."""
        regions = dict.fromkeys(request.regions or self.known.regions[request.target])
        horizons = dict.fromkeys(request.horizons or self.known.horizons)
        answer = self.targets[request.target]
        return answer.head + b",".join(answer.forecasts[r, h] for r in regions for h in horizons) + END

    def recorded_flows(self) -> FlowAnswers:
        """Raises RequestError where the bundle has none."""
        if self.flows is None:
            raise no_flows(self.known)
        return self.flows


def answers_of(bundle: Bundle) -> Answers:
    return Answers(
        known_of(bundle),
        regions_response(bundle).model_dump_json().encode(),
        model_response(bundle).model_dump_json().encode(),
        {target: _target_answer(bundle, target) for target in bundle.forecast.targets},
        flow_answers_of(bundle, bundle.forecast.flows) if bundle.forecast.flows else None,
    )


def _target_answer(bundle: Bundle, target: str) -> TargetAnswer:
    whole = forecast_response(bundle, target)
    head = whole.model_copy(update={"forecasts": []}).model_dump_json().encode().removesuffix(END)
    return TargetAnswer(head, {(one.region, one.horizon): one.model_dump_json().encode() for one in whole.forecasts})
