"""Answers: everything a bundle can answer, computed once and kept as JSON; a request is a look-up."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from models.advice import AdviceError
from models.bundle import Bundle
from serving.api import ForecastRequest
from serving.drivers import DriversAnswers
from serving.errors import RequestError
from serving.flows import FlowAnswers, flow_answers_of, no_flows
from serving.history import history_response
from serving.kept import KeptAnswers
from serving.known import Known
from serving.labour import LabourAnswers
from serving.levers import LeversAnswers
from serving.projection import ProjectionAnswers
from serving.responses import forecast_response, known_of, model_response, regions_response
from serving.scenario import ScenarioAnswers
from serving.served_population import ServedAnswers

Advising = DriversAnswers | ScenarioAnswers | ProjectionAnswers | ServedAnswers | LabourAnswers | LeversAnswers
ADVISING: Mapping[str, Callable[[Bundle], Advising]] = {
    "drivers": DriversAnswers.of,
    "scenario": ScenarioAnswers.of,
    "projection": ProjectionAnswers.of,
    "served_population": ServedAnswers.of,
    "labour": LabourAnswers.of,
    "indicators": LeversAnswers.of,
}
END = b"]}"
"""How a ForecastResponse ends: its list of forecasts is its last field."""


@dataclass(frozen=True)
class TargetAnswer:
    """head: a ForecastResponse up to its list of forecasts. forecasts: by region and horizon."""

    head: bytes
    forecasts: Mapping[tuple[str, int], bytes]


@dataclass(frozen=True)
class Answers:
    """JSON in UTF-8: what each endpoint answers. known: what can be asked for. flows: where they are forecast.

    advice: answers that are made when they are asked for, by name; the reason where there are none. tag: changes with
    whatever is answered; empty: not known. kept: what was asked before.
    """

    known: Known
    regions: bytes
    model: bytes
    history: bytes
    targets: Mapping[str, TargetAnswer]
    flows: FlowAnswers | None
    advice: Mapping[str, Advising | AdviceError]
    tag: str = ""
    kept: KeptAnswers = field(default_factory=KeptAnswers, init=False, repr=False, compare=False)

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

    def prepare(self) -> None:
        """Make what a what-if of a large country needs, so that the first need not wait; may take seconds."""
        found = self.advice["scenario"]
        if isinstance(found, ScenarioAnswers):
            found.prepare()

    def advising(self, name: str) -> Advising:
        """Raises RequestError where the bundle has no such advice."""
        found = self.advice[name]
        if isinstance(found, AdviceError):
            raise RequestError(409, f"no_{name}", str(found))
        return found


def answers_of(bundle: Bundle) -> Answers:
    return Answers(
        known_of(bundle),
        regions_response(bundle).model_dump_json().encode(),
        model_response(bundle).model_dump_json().encode(),
        history_response(bundle, bundle.advice.moves).model_dump_json().encode(),
        {target: _target_answer(bundle, target) for target in bundle.forecast.targets},
        flow_answers_of(bundle, bundle.forecast.flows) if bundle.forecast.flows else None,
        {name: _advising(make, bundle) for name, make in ADVISING.items()},
    )


def _advising(make: Callable[[Bundle], Advising], bundle: Bundle) -> Advising | AdviceError:
    try:
        return make(bundle)
    except AdviceError as error:
        return error


def _target_answer(bundle: Bundle, target: str) -> TargetAnswer:
    whole = forecast_response(bundle, target)
    head = whole.model_copy(update={"forecasts": []}).model_dump_json().encode().removesuffix(END)
    return TargetAnswer(head, {(one.region, one.horizon): one.model_dump_json().encode() for one in whole.forecasts})
