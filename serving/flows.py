"""Flows from region to region: what can be asked of them, and their answer, put together when it is asked.

There can be hundreds of thousands: then each is written from arrays when it is asked for, and only what flows of a
region or a year have in common is written before. Where they are few, each is written once.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from features.flows import flow_history, has_flows
from models.bundle import Bundle
from models.decision import PROVISIONAL
from models.forecast import FLOW, QUANTILES, FlowForecast
from serving.api import (
    BASIS,
    SCOPE_NOTES,
    Answer,
    Coverage,
    DatasetTold,
    Skill,
    dataset_told,
    region_names,
)
from serving.errors import Detail, RequestError
from serving.known import MOST, Known, known
from serving.responses import evidence_of

MOST_FLOWS = 20_000
"""Flows of one answer: 5 MB, and some 50 ms in which nobody else is answered."""
MOST_WRITTEN = 10_000
"""Pairs whose flows are written once and held, 260 bytes each and year."""
SCOPE = "between_regions"
NOTE = "Beside what `top` leaves out, pairs that are not listed are zero in every future{below}."
BELOW = ", or below the {threshold:,.0f} persons from which the source tells a flow"
ESTIMATED_NOTE = (
    "No flows are recorded: these continue an estimate that agrees with the published figures, which is not official."
)
END = "]}"
"""How a FlowsResponse ends: its list of flows is its last field."""


class FlowsRequest(BaseModel):
    """Which flows to forecast; an empty object asks for all of them."""

    model_config = ConfigDict(extra="forbid", strict=True)

    origins: list[Annotated[str, known("region", FLOW)]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST,
        description="Codes of the regions that are left. Left out or null: all.",
        examples=[["KZ-61"]],
    )
    destinations: list[Annotated[str, known("region", FLOW)]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST,
        description="Codes of the regions that are reached. Left out or null: all.",
        examples=[["KZ-71"]],
    )
    horizons: list[Annotated[int, known("horizon")]] | None = Field(
        default=None,
        min_length=1,
        max_length=MOST,
        description="Years after the cutoff. Left out or null: all.",
        examples=[[1]],
    )
    top: int | None = Field(
        default=None,
        ge=1,
        description="Only so many flows of each year, those with the largest medians. Left out or null: all.",
        examples=[10],
    )


class Flow(Answer):
    """One flow in one year."""

    origin: str = Field(description="Code of the region left.")
    origin_name: str = Field(description="Its name in English.")
    destination: str = Field(description="Code of the region reached.")
    destination_name: str = Field(description="Its name in English.")
    year: int = Field(description="Calendar year of the moves: cutoff + horizon.")
    horizon: int = Field(description="Years after the cutoff.")
    quantiles: dict[str, int] = Field(
        description="Whole persons in the year, by probability level: `0.5` is the median, `0.1` to `0.9` the 80 % "
        "interval. Never crossing. Quantiles of flows must not be added up: /forecast answers their sums.",
        json_schema_extra={"required": [f"{level}" for level in QUANTILES]},
        examples=[{"0.05": 700, "0.1": 750, "0.25": 820, "0.5": 900, "0.75": 990, "0.9": 1080, "0.95": 1150}],
    )
    model: str = Field(description="Model that is served for flows at this horizon; more of it in `served`.")
    basis: Literal["official", "derived", "estimated"] = Field(description=BASIS)


class ServedFlows(Answer):
    """What is served for flows at one horizon, and how well it did."""

    horizon: int = Field(description="Years after the cutoff.")
    model: str = Field(description="Model that is served for flows at this horizon.")
    why: str = Field(description="Why it is served.")
    provisional: bool = Field(description=f"Whether the evidence is of {PROVISIONAL} past cutoffs or fewer.")
    skill: Skill = Field(description="How much better than persistence the served model was in the backtest.")
    coverage_measured: Coverage = Field(description="Share of past outcomes inside the intervals; null: not measured.")


class FlowsResponse(Answer):
    """Forecast flows from region to region."""

    unit: Literal["persons"] = Field(default="persons", description="Unit of the quantiles.")
    scope: Literal["between_regions"] = Field(default=SCOPE, description="Which moves count.")
    scope_note: str = Field(default=SCOPE_NOTES[SCOPE], description="The scope in words.")
    cutoff: int = Field(description="Last calendar year whose values the forecast has seen.")
    dataset: DatasetTold = Field(description="What the forecast was learnt from.")
    served: list[ServedFlows] = Field(description="What is served and how well it did, per horizon of the answer.")
    note: str = Field(description="What the flows are, and what it means that a pair is not listed.")
    total: int = Field(description="Flows that were asked for, one per pair and year, before `top`.", ge=0)
    flows: list[Flow] = Field(description="By horizon, then from the largest median down, then by origin, destination.")


@dataclass(frozen=True, eq=False)
class PairsByEnd:
    """Pairs by one of their ends. end: position of the region, (pair). order: pairs, sorted by it. start: where in
    `order` those of a region start, (region), and its length."""

    end: np.ndarray
    order: np.ndarray
    start: np.ndarray

    def pairs(self, chosen: np.ndarray | None) -> np.ndarray:
        """Pairs with this end in the chosen regions; None: in any."""
        if chosen is None:
            return self.order
        return np.concatenate([self.order[self.start[region] : self.start[region + 1]] for region in chosen])

    def among(self, pairs: np.ndarray, chosen: np.ndarray | None) -> np.ndarray:
        """Those of some pairs that have this end in the chosen regions; None: in any."""
        return pairs if chosen is None else pairs[np.isin(self.end[pairs], chosen)]


@dataclass(frozen=True, eq=False)
class FlowAnswers:
    """Every flow of a bundle.

    place: position by region. empty: the answer without flows. served: by horizon. Of a Flow in JSON, forms: by
    horizon, what its ends, persons and basis are put into; origins, destinations: its ends, by region.
    """

    forecast: FlowForecast
    place: dict[str, int]
    by_origin: PairsByEnd
    by_destination: PairsByEnd
    empty: FlowsResponse
    served: dict[int, ServedFlows]
    forms: dict[int, str]
    origins: list[str]
    destinations: list[str]

    def answer(self, request: FlowsRequest) -> bytes:
        """A FlowsResponse, JSON in UTF-8. The request was validated with `Known`.

        Raises RequestError where it would be too long.
        """
        horizons = sorted(set(request.horizons or self.forecast.horizons))
        pairs = self._pairs(request)
        _check_length(len(horizons) * min(len(pairs), request.top or len(pairs)))
        rows = (row for horizon in horizons for row in self._rows(horizon, self._largest(horizon, pairs, request.top)))
        return (self._head(horizons, len(horizons) * len(pairs)) + ",".join(rows) + END).encode()

    def _pairs(self, request: FlowsRequest) -> np.ndarray:
        """Pairs that are asked for, rising."""
        origins, destinations = self._positions(request.origins), self._positions(request.destinations)
        fewest = min(self.by_origin.pairs(origins), self.by_destination.pairs(destinations), key=len)
        return np.sort(self.by_origin.among(self.by_destination.among(fewest, destinations), origins))

    def _positions(self, regions: list[str] | None) -> np.ndarray | None:
        return None if regions is None else np.array([self.place[region] for region in dict.fromkeys(regions)])

    def _largest(self, horizon: int, pairs: np.ndarray, top: int | None) -> np.ndarray:
        """From the largest median down; of equal ones the first pair is first."""
        median = self.forecast.median[self.forecast.horizons.index(horizon), pairs]
        return pairs[np.argsort(-median, kind="stable")[:top]]

    def _head(self, horizons: list[int], total: int) -> str:
        """The answer up to its list of flows."""
        told = {"served": [self.served[horizon] for horizon in horizons], "total": total}
        return self.empty.model_copy(update=told).model_dump_json().removesuffix(END)

    @cached_property
    def written(self) -> dict[int, list[str]]:
        """Flows in JSON by horizon and pair; none where there are too many to be held."""
        pairs = np.arange(len(self.forecast.origin))
        few = len(pairs) <= MOST_WRITTEN
        return {horizon: list(self._write(horizon, pairs)) for horizon in self.forecast.horizons} if few else {}

    def _rows(self, horizon: int, pairs: np.ndarray) -> Iterable[str]:
        """Flows in JSON."""
        written = self.written.get(horizon)
        return self._write(horizon, pairs) if written is None else [written[pair] for pair in pairs.tolist()]

    def _write(self, horizon: int, pairs: np.ndarray) -> Iterator[str]:
        forecast, form = self.forecast, self.forms[horizon]
        persons = forecast.quantiles[:, forecast.horizons.index(horizon), pairs].T.tolist()
        ends = forecast.origin[pairs].tolist(), forecast.destination[pairs].tolist()
        for origin, destination, quantiles, basis in zip(*ends, persons, forecast.basis[pairs].tolist(), strict=True):
            yield form % (self.origins[origin], self.destinations[destination], *quantiles, basis)


def flow_answers_of(bundle: Bundle, forecast: FlowForecast) -> FlowAnswers:
    """forecast: the bundle's."""
    regions = forecast.regions
    names = region_names(bundle)
    return FlowAnswers(
        forecast,
        {region: place for place, region in enumerate(regions)},
        _pairs_by(forecast.origin, len(regions)),
        _pairs_by(forecast.destination, len(regions)),
        FlowsResponse(
            cutoff=forecast.cutoff, dataset=dataset_told(bundle), served=[], note=_note(bundle), total=0, flows=[]
        ),
        {horizon: _served(bundle, forecast, horizon) for horizon in forecast.horizons},
        {horizon: _form(forecast, horizon) for horizon in forecast.horizons},
        _ends("origin", regions, [names[region] for region in regions]),
        _ends("destination", regions, [names[region] for region in regions]),
    )


def no_flows(known: Known) -> RequestError:
    """What /flows answers where the bundle forecasts none."""
    targets = ", ".join(known.names("target", ""))
    message = f"the dataset has no flows from region to region to forecast; /forecast answers {targets}"
    wanted = "a bundle of a dataset with a table `flows` (origin, destination, year, persons) up to the cutoff"
    return RequestError(422, "no_flows", message, [Detail(field="path", value="/flows", expected=wanted)])


def _check_length(flows: int) -> None:
    if flows > MOST_FLOWS:
        wanted = f"at most {MOST_FLOWS:,} flows; ask for fewer origins, destinations or horizons, or for the `top` ones"
        detail = Detail(field="body", value=flows, expected=wanted)
        raise RequestError(422, "too_many", f"{flows:,} flows would be answered", [detail])


def _pairs_by(end: np.ndarray, regions: int) -> PairsByEnd:
    order = np.argsort(end, kind="stable")
    return PairsByEnd(end, order, np.searchsorted(end, np.arange(regions + 1), sorter=order))


def _served(bundle: Bundle, forecast: FlowForecast, horizon: int) -> ServedFlows:
    return ServedFlows(horizon=horizon, model=forecast.models[horizon], **evidence_of(bundle, FLOW, horizon))


def _note(bundle: Bundle) -> str:
    known = bundle.dataset.as_of(bundle.manifest.cutoff)
    if not has_flows(known):
        return ESTIMATED_NOTE
    threshold = flow_history(known).threshold
    return NOTE.format(below=BELOW.format(threshold=threshold) if threshold > 1 else "")


def _form(forecast: FlowForecast, horizon: int) -> str:
    levels = ",".join(f'"{level}":%d' for level in QUANTILES)
    model = _json(forecast.models[horizon]).replace("%", "%%")
    year = f'"year":{forecast.cutoff + horizon},"horizon":{horizon}'
    return f'{{%s,%s,{year},"quantiles":{{{levels}}},"model":{model},"basis":"%s"}}'


def _ends(end: str, regions: Sequence[str], names: Sequence[str]) -> list[str]:
    told = zip(regions, names, strict=True)
    return [f'"{end}":{_json(region)},"{end}_name":{_json(name)}' for region, name in told]


def _json(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
