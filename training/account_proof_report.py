"""What the proof of the balanced record tells, as tables in Markdown."""

from collections.abc import Iterable, Iterator

import pandas as pd

from training.account_proof import AS_IN_KAZAKHSTAN, CLASSES, INSIDE_CHANGE, INSIDE_SPREAD, MADE_INSIDE

WORTH_TELLING = 0.01
"""Change of a share of arrivals below which a source that is left out is not told."""
SCORES = {
    "cpc": "CPC",
    "cpc_plain": "plain gravity",
    "cpc_fitted": "gravity fitted to the truth",
    "cpc_independence": "independence",
    "cpc_product": "product",
    "coverage": "coverage",
}
CLASSES_TOLD = "by quarter of size"
OTHERS = {
    "coverage_arrivals": "arrivals",
    "coverage_departures": "departures",
    "level": "level",
    "share": "share between",
    "true_share": "true share",
}


def proof_report(scores: pd.DataFrame, constants: pd.DataFrame) -> str:
    """Means over years of each estimate; and the constants of the prior as the truth has them."""
    words = (
        "CPC of the estimate, of population × population / distance at its level, and of what sees the truth: gravity\n"
        "fitted to it, the independence table and the plain product of its sums. Coverage of 80 % intervals of flows;\n"
        "by quarter of the true flows, the smallest first; of arrivals and departures. Level: estimated over true.\n"
        f"'{AS_IN_KAZAKHSTAN}': moves inside are made, {MADE_INSIDE:g} for each move between regions, spread "
        f"{INSIDE_SPREAD:g} between regions and {INSIDE_CHANGE:g} between years.\n"
    )
    return "\n".join(
        [words, proof_table(scores), "", "Constants of the prior, and the same in the truth:\n", _constants(constants)]
    )


def proof_table(scores: pd.DataFrame) -> str:
    """One row per estimate and span of years."""
    header = ["case", "elasticities", "years", *SCORES.values(), CLASSES_TOLD, *OTHERS.values()]
    return markdown(header, _proof_rows(scores))


def _proof_rows(scores: pd.DataFrame) -> Iterator[list[str]]:
    for (case, name), rows in scores.groupby(["case", "elasticities"], sort=False):
        spans = [rows] if rows["late"].all() else [rows, rows[~rows["late"]], rows[rows["late"]]]
        for span in spans:
            mean = span.mean(numeric_only=True)
            classes = " ".join(f"{mean[f'coverage_{one + 1}']:.2f}" for one in range(CLASSES))
            years = f"{span['year'].min()}-{span['year'].max()}"
            told = [_number(mean[one]) for one in SCORES], classes, [_number(mean[one]) for one in OTHERS]
            yield [str(case), str(name), years, *told[0], told[1], *told[2]]


def _number(value: float) -> str:
    return "" if pd.isna(value) else f"{value:.3f}"


def _constants(constants: pd.DataFrame) -> str:
    rows = ([row[0], f"{row[1]:.3g}", f"{row[2]:.3g}"] for row in constants.itertuples(index=False))
    return markdown(["constant", "used", "in the truth"], rows)


def held_out_report(scores: pd.DataFrame, sources: pd.DataFrame) -> str:
    """Figures of pairs beside a record made without them; and what changes where a source is left out."""
    words = (
        "Figures of pairs beside a record that was made without them, by the region reached. Inside: of their 80 %\n"
        "interval. Factor: what typically lies between estimate and figure, exp(median |log|).\n"
    )
    told = sources[(sources["kept"] < sources["places"]) | (sources["change"].abs() >= WORTH_TELLING)]
    places = int(sources["places"].max())
    about = (
        f"Without one source: how many of the cities' {places} largest origins stay, and where a share changes most.\n"
        f"{len(sources) - len(told)} more sources change none of them, and no share by {WORTH_TELLING:.0%}.\n"
    )
    return "\n".join([words, held_out_table(scores), "", about, _sources(told)])


def held_out_table(scores: pd.DataFrame) -> str:
    header = ["to", "figures", "inside", "median estimate / figure", "factor", "factor of plain gravity"]
    rows = (
        [to, str(figures), f"{inside} ({inside / figures:.0%})", *(f"{value:.2f}" for value in ratios)]
        for to, figures, inside, *ratios in scores.itertuples(index=False)
    )
    return markdown(header, rows)


def _sources(sources: pd.DataFrame) -> str:
    header = ["without", "origins that stay", "largest change of a share, points"]
    return markdown(header, (_source(row) for row in sources.to_dict("records")))


def _source(row: dict) -> list[str]:
    where = f"{row['origin']} → {row['city']} {row['year']}"
    return [row["source"], f"{row['kept']} of {row['places']}", f"{100 * row['change']:+.0f}, {where}"]


def markdown(header: list[str], rows: Iterable[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
