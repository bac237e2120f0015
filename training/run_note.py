"""A run's note: five answers for a reviewer in Markdown, which MLflow shows as description of a run and a version.

MLflow's pages put no space between the cells of a table, so tables are text of equal width.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.indicators import INDICATORS
from training.changes import Change, short
from training.gate import COVERAGE
from training.misses import largest_misses, worst
from training.outcomes import by_region, by_size, coverage_by_size
from training.review import Review
from training.scorecard import KEY
from training.sharpness import relative_widths
from training.text_table import text_table

LONGEST = 5000
"""Of a version's description in MLflow's tables; a run's may have 8000."""
MISSES = 3
CHANGES = 12
LEVELS = (50, 80, 90)
FEWEST = 30
"""Outcomes below which a class of size says little of coverage."""


def run_note(review: Review) -> str:
    """Which version serves and why; what changed; where it is worst; whether it is calibrated; what data it was."""
    answers = {
        "1. Which version serves, and why": _serves(review),
        "2. What changed from the last run": _changed(review),
        "3. Where is it worst": _worst(review),
        "4. Is it calibrated": _calibrated(review),
        "5. What data was it": _data(review),
        "Scores of what is served": _scores(review),
    }
    told = "\n\n".join(f"### {title}\n{text}" for title, text in answers.items())
    return f"{_first_line(review)}\n\n{told}"[:LONGEST]


# --- 1, 2 -----------------------------------------------------------------------------------------------------------


def _first_line(review: Review) -> str:
    """All that lists show."""
    verdict = review.verdict
    return f"{verdict.alias}: {verdict.reason}" if verdict else f"no version: {review.name}"


def _serves(review: Review) -> str:
    verdict = review.verdict
    if verdict is None:
        return "This run has registered no version."
    this = f"This run is version **{verdict.version}** of `{verdict.model}`"
    if verdict.alias == "champion":
        return f"{this}. It became the **champion**, whose bundle is served: {verdict.reason}."
    return f"{this}, a **challenger**: {verdict.reason}. Version **{verdict.champion}** stayed champion and is served."


def _changed(review: Review) -> str:
    if review.before is None:
        return "It is the first training of this dataset here."
    last = f"[{review.before.name}]({review.before.link})"
    if not review.changes:
        return f"Nothing, against {last}."
    rows = [_change_row(one) for one in review.changes[:CHANGES]]
    more = len(review.changes) - CHANGES
    rest = [f"* {more} more: compare the two runs, parameters with *Show diff only*."] if more > 0 else []
    return "\n".join([f"Against {last}:", "", *rows, *rest])


def _change_row(change: Change) -> str:
    if change.before == change.after:
        return f"* `{change.key}`: `{short(change.after)}`, uncommitted: code may differ."
    return f"* `{change.key}`: `{short(change.before)[:48]}` → `{short(change.after)[:48]}`"


# --- 3, 4 -----------------------------------------------------------------------------------------------------------


def _worst(review: Review) -> str:
    served = review.served
    lines = [f"* Least skill: {_least(row)}." for row in served.nsmallest(1, "skill").to_dict("records")]
    if len(review.outcomes):
        lines += list(_worst_places(review))
    return "\n".join(lines) or "No outcome of a past forecast is known yet."


def _least(row: dict) -> str:
    where = f"{_ahead(row)}, {row['skill']:+.3f}"
    return where if row["skill"] < 0 else f"{where}; nowhere behind persistence"


def _ahead(row: dict) -> str:
    return f"{row['target']} {row['horizon']} year{'s' if row['horizon'] > 1 else ''} ahead"


def _worst_places(review: Review) -> Iterator[str]:
    """The region and the class of size that lose most to persistence, and the largest misses."""
    names = review.bundle.dataset.regions.set_index("region")["name"]
    region, size = worst(by_region(review.outcomes), "skill"), worst(by_size(review.outcomes), "skill")
    if region:
        told = f"{_ahead(region)}, skill {region['skill']:+.3f}, {region['n']} outcomes"
        yield f"* Region: {names.get(region['region'], region['region'])} ({told})."
    if size:
        told = f"{_ahead(size)}, skill {size['skill']:+.3f}, {size['n']} outcomes"
        yield f"* Size: regions with {size['size_class']} persons a year ({told})."
    for row in largest_misses(review.outcomes, review.bundle.dataset, MISSES).to_dict("records"):
        told = f"forecast {row['forecast']:,.0f} in {row['cutoff']}, came {row['observed']:,.0f}"
        yield f"* Miss: {row['target']} of {row['name']} in {row['year']}, {told}: {row['reason']}."


def _calibrated(review: Review) -> str:
    served = review.served
    if not len(served):
        return "Not known: no outcome of a past forecast is known yet."
    low, high = COVERAGE
    off = served[~served["coverage_80"].between(low, high)]
    told = "; ".join(_ahead(row) for row in off.to_dict("records"))
    verdict = f"**No** for {told}" if told else "**Yes**"
    card = served.merge(relative_widths(review.bundle.scores), on=KEY, how="left", validate="one_to_one")
    head = ["target", "ahead", *(f"{level} %" for level in LEVELS), "width 80 %", "outcomes"]
    return "\n".join(
        [
            f"{verdict} at 80 %, where the gate accepts {_percent(low)} to {_percent(high)}. {_amiss(served)}",
            "",
            _fenced([head, *(_coverage_row(row) for row in card.to_dict("records"))]),
            "Outcomes inside each interval at past cutoffs; width: of the 80 % interval, over mean |outcome|.",
            *_furthest_off(review),
        ]
    )


def _furthest_off(review: Review) -> Iterator[str]:
    """The class of size whose 80 % intervals are furthest from what they say."""
    classes = coverage_by_size(review.by_size)
    classes = classes[classes["n"] >= FEWEST]
    if len(classes):
        off = (classes["coverage_80"].astype("float64") - 0.8).abs()
        row = classes.iloc[int(off.argmax())].to_dict()
        told = f"{_percent(row['coverage_80'])} of {row['n']:,} outcomes, {_ahead(row)}"
        yield f"Furthest off by size: {row['size_class']} persons a year, 80 % covered {told}."


def _amiss(served: pd.DataFrame) -> str:
    """Where another interval is off by more than the gate would let pass at 80 %."""
    slack = (COVERAGE[1] - COVERAGE[0]) / 2
    told = [
        f"{level} % covered {_percent(row[f'coverage_{level}'])} for {_ahead(row)}"
        for level in LEVELS
        for row in served.to_dict("records")
        if level != 80 and abs(row[f"coverage_{level}"] - level / 100) > slack
    ]
    return f"Amiss: {'; '.join(told)}." if told else ""


def _coverage_row(row: dict) -> list[str]:
    covered = [_percent(row[f"coverage_{level}"]) for level in LEVELS]
    width = "" if np.isnan(row["width_80"]) else f"{row['width_80']:.2f}"
    return [row["target"], str(row["horizon"]), *covered, width, f"{row['n']:,}"]


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %"


def _fenced(rows: list[list[str]]) -> str:
    return "\n".join(["```", *text_table(rows), "```"])


# --- 5, scores ------------------------------------------------------------------------------------------------------


def _data(review: Review) -> str:
    told, dataset, cutoff = review.bundle.manifest.dataset, review.bundle.dataset, review.bundle.manifest.cutoff
    rows = ", ".join(f"{name} {len(table):,}" for name, table in dataset.tables().items())
    used = sorted(set(dataset.indicators["indicator"].unique()) & set(INDICATORS))
    return "\n".join(
        [
            f"* **{told['title']}**, {told['first_year']}–{told['last_year']}, seen up to {cutoff}.",
            f"* Sources: {'; '.join(told['sources']) or 'not told'}.",
            f"* Rows: {rows}; {len(used)} indicators.",
            f"* sha256 `{told['sha256']}`.",
        ]
    )


def _scores(review: Review) -> str:
    """Skill of what is served by target and horizon, then the gate's reasons, each once."""
    head = ["target", "ahead", "skill", "80 % interval", "error", "cutoffs"]
    table = _fenced([head, *(_score_row(row) for row in review.served.to_dict("records"))])
    told = (
        "Of what the gate would have served at past cutoffs. Skill is against persistence: above 0 is better. "
        "Error: mean |outcome − forecast| over mean |outcome|. Served now:"
    )
    return "\n".join([table, told, "", *_reasons(review)])


def _score_row(row: dict) -> list[str]:
    interval = "" if np.isnan(row["skill_low"]) else f"{row['skill_low']:+.3f} … {row['skill_high']:+.3f}"
    return [
        row["target"],
        str(row["horizon"]),
        f"{row['skill']:+.3f}",
        interval,
        _percent(row["wape"]),
        str(row["cutoffs"]),
    ]


def _reasons(review: Review) -> list[str]:
    served: dict[tuple[str, str], dict[str, list[str]]] = {}
    for one in review.bundle.manifest.decisions:
        targets = served.setdefault((one.model, one.reason), {})
        targets.setdefault(one.target, []).append(str(one.horizon))
    return [
        f"* **{model}** for {'; '.join(f'{name} {_listed(years)} ahead' for name, years in targets.items())}: {reason}."
        for (model, reason), targets in served.items()
    ]


def _listed(years: list[str]) -> str:
    return ", ".join(years)


def models_note(champions: pd.DataFrame, view: str) -> str:
    """What serves now, of all registered models: columns model, version, cutoff, reason. view: link to trainings."""
    lines = [
        f"{row['model']} serves version {row['version']}, cutoff {row['cutoff']}: {row['reason']}."
        for row in champions.to_dict("records")
    ]
    told = (
        f"[Trainings beside each other]({view}), also in the menu *Views*. A run is a training, with a child run per "
        "model. Its description answers what a reviewer asks; `report.html` among its artifacts is the whole report."
    )
    return "\n\n".join([*lines, told])
