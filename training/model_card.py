"""The model card: a run's report as one page that loads nothing, for the screen and for paper."""

import base64
from collections.abc import Iterator, Mapping
from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from features.indicators import INDICATORS
from models.bundle import Bundle
from models.flow_record import size_names
from models.forecast import FLOW
from training.backtest import SERVED
from training.gate import COVERAGE, PERSISTENCE, PROBABILITY, PROVEN_FROM
from training.misses import largest_misses
from training.outcomes import by_region, by_size, coverage_by_size
from training.review import Review
from training.run_metrics import card_with_sharpness

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
    environment.filters |= {"ratio": _ratio}
    bundle = review.bundle
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        title=f"{bundle.manifest.dataset['title'].partition(':')[0]}: forecast from {bundle.manifest.cutoff}",
        review=review,
        told=bundle.manifest,
        tables={name: len(table) for name, table in bundle.dataset.tables().items()},
        sources=_sources(bundle),
        indicators=_indicators(bundle),
        methods=_methods(bundle),
        gate={"from": PROVEN_FROM, "probability": PROBABILITY, "low": COVERAGE[0], "high": COVERAGE[1]},
        scores=list(_scores(bundle)),
        served=_rows(_with_sharpness(review)),
        regions=list(_regions(review)),
        sizes=list(_sizes(review)),
        misses=_rows(largest_misses(review.outcomes, bundle.dataset, MISSES)),
        drivers=_drivers(bundle),
        limits=list(_limits(review)),
        pictures={name: base64.b64encode(png).decode("ascii") for name, png in pictures.items()},
    )


def _with_sharpness(review: Review) -> pd.DataFrame:
    return card_with_sharpness(review.served, review.bundle.scores)


def _rows(table: pd.DataFrame) -> list[dict]:
    """What is not known is None."""
    return table.astype("object").where(table.notna(), None).to_dict("records")


# --- numbers --------------------------------------------------------------------------------------------------------


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}".replace("-", "−")


def _signed(value: float | None, digits: int = 3) -> str:
    return "" if value is None else f"{value:+,.{digits}f}".replace("-", "−")


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


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
    """Served model, its targets, horizons and why; with what it does."""
    horizons: dict[tuple[str, str, str], list[int]] = {}
    for one in bundle.manifest.decisions:
        horizons.setdefault((one.target, one.model, one.reason), []).append(one.horizon)
    targets: dict[tuple[str, str, tuple[int, ...]], list[str]] = {}
    for (target, model, reason), ahead in horizons.items():
        targets.setdefault((model, reason, tuple(sorted(ahead))), []).append(target)
    return [
        {"targets": told, "horizons": ahead, "model": model, "reason": reason, "method": METHODS.get(model, "")}
        for (model, reason, ahead), told in targets.items()
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
    """The same by class of size, with coverage; of flows alone without skill."""
    covered = coverage_by_size(review.by_size)
    regional = by_size(review.outcomes).astype({"size_class": "str"})
    # Sums of flows are classed by people leaving there, by their own size here.
    shares = covered if FLOW not in set(covered["target"]) else covered.iloc[:0]
    shares = shares[["target", "horizon", "size_class", "coverage_80"]]
    regional = regional.merge(shares, on=["target", "horizon", "size_class"], how="left", validate="one_to_one")
    for target, own in regional[regional["n"] >= FEWEST].groupby("target", sort=False):
        yield _by_class(str(target), own)
    for target, own in covered[covered["n"] >= FEWEST].groupby("target", sort=False):
        if target not in set(regional["target"]):
            yield _by_class(str(target), own.assign(wape=own["abs_error"] / own["abs_actual"].clip(lower=1)))


def _by_class(target: str, own: pd.DataFrame) -> dict:
    """names: of the columns that are known."""
    horizons = sorted(own["horizon"].unique())
    by_key = {(str(row["size_class"]), row["horizon"]): row for row in _rows(own)}
    classes = [name for name in size_names() if name in set(own["size_class"])]
    rows = [{"name": name, "cells": [by_key.get((name, horizon)) for horizon in horizons]} for name in classes]
    known = ["wape", *(name for name in ("skill", "coverage_80") if name in own and own[name].notna().any()), "n"]
    names = {"wape": "error", "skill": "skill", "coverage_80": "covered", "n": "outcomes"}
    return {"target": target, "horizons": horizons, "rows": rows, "names": {name: names[name] for name in known}}


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
