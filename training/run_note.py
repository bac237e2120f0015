"""A run's note: five answers for a reviewer in Markdown, which MLflow shows as description of a run and a version."""

from collections.abc import Iterator

import numpy as np
import pandas as pd

from features.indicators import INDICATORS
from training.changes import Change, short
from training.gate import COVERAGE
from training.misses import largest_misses, worst
from training.outcomes import by_region, by_size
from training.review import Review

LONGEST = 5000
"""Of a version's description in MLflow's tables; a run's may have 8000."""
MISSES = 3
CHANGES = 12
LEVELS = (50, 80, 90)


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
    rest = (
        [f"\n\n{len(review.changes) - CHANGES} more in tags and parameters."] if len(review.changes) > CHANGES else []
    )
    head = [f"Against {last}:", "", "| what | before | now |", "| --- | --- | --- |"]
    return "\n".join([*head, *rows, *rest])


def _change_row(change: Change) -> str:
    return f"| {change.key} | `{short(change.before)[:48]}` | `{short(change.after)[:48]}` |"


# --- 3, 4 -----------------------------------------------------------------------------------------------------------


def _worst(review: Review) -> str:
    served = review.served
    lines = [f"* Least skill: {_least(row)}." for row in served.nsmallest(1, "skill").to_dict("records")]
    if len(review.outcomes):
        lines += list(_worst_places(review))
    return "\n".join(lines) or "No outcome of a past forecast is known yet."


def _least(row: dict) -> str:
    where = f"{row['target']} {row['horizon']} ahead, {row['skill']:+.3f} against persistence"
    return where if row["skill"] < 0 else f"{where}; nothing is behind it"


def _worst_places(review: Review) -> Iterator[str]:
    """The region and the class of size that lose most to persistence, and the largest misses."""
    names = review.bundle.dataset.regions.set_index("region")["name"]
    region, size = worst(by_region(review.outcomes), "skill"), worst(by_size(review.outcomes), "skill")
    if region:
        told = f"{region['target']} {region['horizon']} ahead, skill {region['skill']:+.3f}, {region['n']} outcomes"
        yield f"* Region: {names.get(region['region'], region['region'])} ({told})."
    if size:
        told = f"{size['target']} {size['horizon']} ahead, skill {size['skill']:+.3f}, {size['n']} outcomes"
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
    told = "; ".join(f"{row['target']} {row['horizon']} ahead" for row in off.to_dict("records"))
    verdict = f"**No** for {told}" if told else "**Yes**"
    head = [
        f"{verdict}: at 80 % the gate accepts {low:.0%} to {high:.0%}. Outcomes inside the intervals:",
        "",
        "| target | years ahead | 50 % | 80 % | 90 % | outcomes |",
        "| --- | --- | --- | --- | --- | --- |",
    ]
    return "\n".join([*head, *(_coverage_row(row) for row in served.to_dict("records"))])


def _coverage_row(row: dict) -> str:
    covered = " | ".join(f"{row[f'coverage_{level}']:.0%}" for level in LEVELS)
    return f"| {row['target']} | {row['horizon']} | {covered} | {row['n']:,} |"


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
    lines = ["| target | years ahead | skill | 80 % interval | cutoffs |", "| --- | --- | --- | --- | --- |"]
    lines += [f"| {row['target']} | {row['horizon']} | {_shown(row)} |" for row in review.served.to_dict("records")]
    told = "Skill is of what the gate would have served at past cutoffs, against persistence: above 0 is better."
    return "\n".join([*lines, "", told, "", *_reasons(review)])


def _shown(row: dict) -> str:
    interval = "" if np.isnan(row["skill_low"]) else f"{row['skill_low']:+.3f} … {row['skill_high']:+.3f}"
    return f"{row['skill']:+.3f} | {interval} | {row['cutoffs']}"


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


def models_note(champions: pd.DataFrame) -> str:
    """What serves now, of all registered models: columns model, version, cutoff, reason."""
    lines = [
        f"**{row['model']}** serves version {row['version']}, cutoff {row['cutoff']}: {row['reason']}."
        for row in champions.to_dict("records")
    ]
    told = (
        "A run is a training, with a child run per model. Its description answers what a reviewer asks; "
        "`report.html` among its artifacts is the whole report."
    )
    return "\n\n".join([*lines, told])
