"""The model card: a run's report as one page that loads nothing, for the screen and for paper."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from jinja2 import Environment, StrictUndefined

from features.indicators import INDICATORS
from models.bundle import Bundle
from training.backtest import SERVED
from training.gate import COVERAGE, PERSISTENCE, PROBABILITY, PROVEN_FROM
from training.misses import largest_misses
from training.outcomes import by_region, by_size
from training.review import Review

TEMPLATE = Path(__file__).parent / "model_card.html"
MISSES = 12
"""Of each target."""
REGIONS = 40
"""Of a table; where there are more, those that lose most to persistence."""
FEWEST = 10
"""Outcomes below which a class of size says little."""
METHODS = {
    "persistence": "The last known rate stays; for flows, last year's flows.",
    "mean_of_years": "The mean of the last three years.",
    "exponential_smoothing": "Exponential smoothing of the rate, with one constant for all regions.",
    "long_mean_pull": "The last rate, pulled to the mean of all years by 0.1 at two years, 0.2 from three on.",
    "expert_average": "The last rate, the mean of three years and the mean of all, weighted by their past errors.",
    "combination": "A weighted average of all models; weights follow past errors.",
    "boosted": "Gradient-boosted trees on the change of the rate, over all regions.",
    "structure": "Each flow smoothed over the years by its size, at last year's totals.",
    "margins": "The same, with totals of small regions smoothed too.",
    "corrected": "The same, corrected by the surprises and the growth of the last years.",
    "corrected_drift": "The same, at a national level that drifts on.",
    "corrected_part_year": "The same, at the national level of the running year's months.",
    "balanced_record": "Continues the balanced record, an estimate from all figures that are published of moves.",
}


def model_card(review: Review, pictures: Mapping[str, bytes]) -> str:
    """HTML. pictures: PNG by name, as `training.figures.every_figure` names them; what is not there is left out."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "signed": _signed, "percent": _percent, "words": _words}
    bundle = review.bundle
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        title=f"{bundle.manifest.dataset['title'].partition(':')[0]}: forecast from {bundle.manifest.cutoff}",
        review=review,
        told=bundle.manifest,
        tables={name: len(table) for name, table in bundle.dataset.tables().items()},
        sources=[
            {"title": one.get("title", ""), "path": _address(one.get("path", ""))} for one in bundle.dataset.origins
        ],
        indicators=_indicators(bundle),
        methods=_methods(bundle),
        gate={"from": PROVEN_FROM, "probability": PROBABILITY, "low": COVERAGE[0], "high": COVERAGE[1]},
        scores=list(_scores(bundle)),
        served=_rows(review.served),
        regions=list(_regions(review)),
        sizes=list(_sizes(review)),
        misses=_rows(largest_misses(review.outcomes, bundle.dataset, MISSES)),
        drivers=_drivers(bundle),
        limits=list(_limits(review)),
        pictures={name: base64.b64encode(png).decode("ascii") for name, png in pictures.items()},
    )


def _rows(table: pd.DataFrame) -> list[dict]:
    """What is not known is None."""
    return table.astype("object").where(table.notna(), None).to_dict("records")


# --- numbers --------------------------------------------------------------------------------------------------------


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}".replace("-", "−")


def _signed(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:+,.{digits}f}".replace("-", "−")


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.0f} %"


def _words(name: str) -> str:
    return name.replace("_", " ")


def _address(text: str) -> str:
    return text if text.startswith(("http://", "https://")) else ""


# --- tables ---------------------------------------------------------------------------------------------------------


def _sources(bundle: Bundle) -> list[dict[str, str]]:
    origins = bundle.dataset.origins
    return [{"title": one.get("title", ""), "path": _address(one.get("path", ""))} for one in origins]


def _indicators(bundle: Bundle) -> list[dict]:
    """Name, meaning, first and last year of every indicator that is used."""
    years = bundle.dataset.indicators.groupby("indicator")["year"].agg(["min", "max"])
    return [
        {"name": name, "meaning": INDICATORS[name].meaning, "first": int(first), "last": int(last)}
        for name, first, last in years.itertuples()
        if name in INDICATORS
    ]


def _methods(bundle: Bundle) -> list[dict]:
    """Served model, its horizons and why, by target; with what it does."""
    rows = pd.DataFrame([vars(one) for one in bundle.manifest.decisions])
    return [
        {"target": target, "model": model, "reason": reason, "horizons": sorted(own["horizon"])}
        | {"method": METHODS.get(str(model), "")}
        for (target, model, reason), own in rows.groupby(["target", "model", "reason"], sort=False)
    ]


def _scores(bundle: Bundle) -> Iterator[dict]:
    """By target: horizons, span of cutoffs, and a row per model with a cell per horizon; the served first."""
    card = bundle.scorecard
    for target, own in card.groupby("target", sort=False):
        cutoffs = bundle.scores.loc[bundle.scores["target"] == target, "cutoff"]
        names = sorted(own["model"].unique(), key=lambda name: (name != SERVED, name != PERSISTENCE, name))
        horizons = sorted(own["horizon"].unique())
        by_key = {(row["model"], row["horizon"]): row for row in _rows(own)}
        models = [{"name": name, "cells": [by_key.get((name, horizon)) for horizon in horizons]} for name in names]
        yield {"target": target, "horizons": horizons, "models": models, "first": cutoffs.min(), "last": cutoffs.max()}


def _regions(review: Review) -> Iterator[dict]:
    """By target: horizons, and a row per region with skill, WAPE and mean error of each horizon, the worst first."""
    names = review.bundle.dataset.regions.set_index("region")["name"]
    for target, own in by_region(review.outcomes).groupby("target", sort=False):
        horizons = sorted(own["horizon"].unique())
        order = own.groupby("region")["skill"].mean().sort_values().index
        by_key = {(row["region"], row["horizon"]): row for row in _rows(own)}
        rows = [
            {"name": names.get(region, region), "cells": [by_key.get((region, horizon)) for horizon in horizons]}
            for region in order[:REGIONS]
        ]
        yield {"target": target, "horizons": horizons, "rows": rows, "every": len(order)}


def _sizes(review: Review) -> Iterator[dict]:
    """The same by class of size; of flows with coverage, of which regions' outcomes have none."""
    regional = by_size(review.outcomes)
    for target, own in regional[regional["n"] >= FEWEST].groupby("target", sort=False):
        yield _by_class(str(target), own)
    served = review.by_size[review.by_size["model"] == SERVED] if len(review.by_size) else review.by_size
    known = set(review.outcomes["target"])
    for target, own in served.groupby("target", sort=False) if len(served) else []:
        if target not in known:
            yield _by_class(str(target), _pooled_classes(own))


def _pooled_classes(rows: pd.DataFrame) -> pd.DataFrame:
    """horizon, size_class, n, mae, wape, coverage_80 over all cutoffs, in the order of the classes."""
    rows = rows.assign(inside=rows["coverage_80"] * rows["n"])
    sums = rows.groupby(["horizon", "size_class"], sort=False)[["n", "abs_error", "abs_actual", "inside"]].sum()
    sums = sums[sums["n"] >= FEWEST].reset_index()
    ratios = {"mae": sums["abs_error"] / sums["n"], "wape": sums["abs_error"] / sums["abs_actual"].clip(lower=1)}
    return sums.assign(**ratios, skill=np.nan, coverage_80=sums["inside"] / sums["n"])


def _by_class(target: str, own: pd.DataFrame) -> dict:
    horizons = sorted(own["horizon"].unique())
    by_key = {(str(row["size_class"]), row["horizon"]): row for row in _rows(own)}
    classes = list(dict.fromkeys(str(name) for name in own["size_class"]))
    rows = [{"name": name, "cells": [by_key.get((name, horizon)) for horizon in horizons]} for name in classes]
    return {"target": target, "horizons": horizons, "rows": rows, "covered": "coverage_80" in own}


def _drivers(bundle: Bundle) -> list[dict]:
    """By model and measure: groups of indicators, by the mean of |contribution| to regions' rates, largest first.

    A contribution of 0.1 is a rate higher or lower by a tenth.
    """
    drivers = bundle.advice.drivers
    if drivers is None:
        return []
    rows = drivers.regions.assign(size=drivers.regions["contribution"].abs())
    told = []
    for (model, measure), own in rows.groupby(["model", "measure"], sort=False):
        sizes = own.groupby("group")["size"].mean().sort_values(ascending=False)
        groups = [{"name": name, "size": size, "part": size / sizes.iloc[0]} for name, size in sizes.items()]
        told.append({"model": model, "measure": measure, "groups": groups})
    return told


def _limits(review: Review) -> Iterator[str]:
    """What a reader must not take from the numbers; only what applies."""
    bundle = review.bundle
    yield "Not an official forecast. It continues what the sources publish, with their errors."
    yield "A shock that no past value announces, as a change of law, a war or a register's clean-up, is in no forecast."
    estimated = sorted(
        _words(target) for target, one in bundle.forecast.targets.items() if "estimated" in one.basis.values()
    )
    if estimated:
        yield (
            f"Estimated in all or some regions: {', '.join(estimated)}. Where figures are estimated their error cannot "
            "be measured against a record, and no skill is claimed for it."
        )
    if any(one.provisional for one in bundle.manifest.decisions):
        yield "Some decisions are provisional: they rest on five past cutoffs or fewer."
    low, high = COVERAGE
    off = review.served[~review.served["coverage_80"].between(low, high)]
    for row in off.to_dict("records"):
        share, where = _percent(row["coverage_80"]), f"{_words(row['target'])}, {row['horizon']} ahead"
        yield f"Intervals of {where}, covered {share} of outcomes where 80 % were said."
    behind = review.served[review.served["skill"] < 0]
    for row in behind.to_dict("records"):
        where = f"{_words(row['target'])}, {row['horizon']} ahead"
        yield f"Behind persistence at past cutoffs: {where} ({_signed(row['skill'])})."
    if not len(review.outcomes):
        yield "Single outcomes are not in a bundle: errors by region and the largest misses are in the run's report."
    yield "Errors are measured between units of constant boundaries; regions split since then get shares of them."
