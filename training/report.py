"""What a run tells on the terminal: scorecard, decisions, forecast."""

from collections.abc import Iterator

import pandas as pd
from rich import box
from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from features.targets import TARGETS
from models.bundle import Bundle
from models.decision import PROVISIONAL, Decision
from models.flow_record import size_names
from models.forecast import FLOW, QUANTILES, FlowForecast, TargetForecast
from training.backtest import SERVED, Backtest
from training.gate import PERSISTENCE
from training.scorecard import scorecard

LARGEST_FLOWS = 10
FEWEST_SHOWN = 200
"""Outcomes below which a coverage says little."""
GRAVITY, STRUCTURAL = "structural_gravity", "structural_boosted"
LARGEST = 30
"""Regions that are shown; files hold all."""
SCOPES = {"within_country": "with moves inside the region", "all": "with moves abroad", "between_regions": ""}


def scorecard_report(scores: pd.DataFrame) -> RenderableType:
    """Skill against persistence and coverage, by target, model and horizon."""
    card = scorecard(scores)
    return Group(
        *(
            _scorecard(card[card["target"] == target], scores)
            for target in (FLOW, *TARGETS)
            if target in set(card["target"])
        )
    )


def _scorecard(card: pd.DataFrame, scores: pd.DataFrame) -> RenderableType:
    target = card["target"].iloc[0]
    horizons = sorted(card["horizon"].unique())
    table = _table("model", [_ahead(horizon) for horizon in horizons])
    for model in sorted(card["model"].unique(), key=lambda name: (name == SERVED, name)):
        cells = card[card["model"] == model].set_index("horizon")
        shown = [_skill(cells.loc[horizon]) if horizon in cells.index else "" for horizon in horizons]
        table.add_row(model, *shown, style="bold" if model == SERVED else None)
    cutoffs = sorted(scores.loc[scores["target"] == target, "cutoff"].unique())
    title = _title(f"{target}: backtest", ["skill against persistence (coverage of nominal 80 %)"])
    span = f"cutoffs {cutoffs[0]}-{cutoffs[-1]}" + (", provisional" if len(cutoffs) <= PROVISIONAL else "")
    return Group(title, table, Text(f"{span}; served: what the gate would have served, knowing only the past\n", "dim"))


def flows_report(tested: Backtest) -> RenderableType:
    """Coverage of what was served by class of size, and models of flows that see no past flows."""
    return Group(_by_size(tested.by_size[tested.by_size["model"] == SERVED]), _structure(tested.structure))


def _by_size(served: pd.DataFrame) -> RenderableType:
    """A row per target and class of size, with at least FEWEST_SHOWN outcomes."""
    horizons = sorted(served["horizon"].unique())
    table = _table("target and size", [_ahead(horizon) for horizon in horizons])
    for target in served["target"].unique():
        for size in size_names():
            own = served[(served["target"] == target) & (served["size_class"] == size)]
            cells = {horizon: rows for horizon, rows in own.groupby("horizon") if rows["n"].sum() >= FEWEST_SHOWN}
            if cells:
                shown = [_coverage(cells[horizon]) if horizon in cells else "" for horizon in horizons]
                table.add_row(f"{target} {size}", *shown)
    told = "outcomes inside the 80 % interval, % (where an outcome that many draws equal counts by part)"
    return Group(_title("coverage by size", [told]), table, Text(""))


def _coverage(rows: pd.DataFrame) -> str:
    plain, part = (100 * (rows[name] * rows["n"]).sum() / rows["n"].sum() for name in ("coverage_80", "mass_80"))
    return f"{plain:.0f} ({part:.0f})"


def _structure(structure: pd.DataFrame) -> RenderableType:
    """Means over the cutoffs at which flows without a past were scored; the served flows beside them."""
    ahead = structure[structure["horizon"] == 1]
    cutoffs = ahead.loc[ahead["model"] == STRUCTURAL, "cutoff"].unique()
    shown = ahead[ahead["cutoff"].isin(cutoffs) & ahead["model"].isin([STRUCTURAL, GRAVITY, PERSISTENCE, SERVED])]
    table = _table("model", ["CPC", "R²"])
    for model, rows in shown.groupby("model"):
        table.add_row(str(model), f"{rows['cpc'].mean():.3f}", f"{rows['r2'].mean():.3f}")
    span = f"cutoffs {min(cutoffs)}-{max(cutoffs)}" if len(cutoffs) else "no cutoffs"
    note = f"{span}; structural models see no past flow. CPC and R² measure geography, not change\n"
    return Group(_title("flows from indicators alone", ["whole matrix, one year ahead"]), table, Text(note, "dim"))


def _skill(row: pd.Series) -> str:
    return f"{row['skill']:+.3f} ({100 * row['coverage_80']:.0f} %)"


def decisions_report(bundle: Bundle) -> RenderableType:
    """What is served, and why."""
    return Group(*(_decision(decision) for decision in bundle.manifest.decisions))


def _decision(decision: Decision) -> Text:
    mark = ", provisional" if decision.provisional else ""
    return Text(f"{decision.target}, {decision.horizon} ahead: {decision.model}{mark} ({decision.reason})")


def forecast_report(bundle: Bundle) -> RenderableType:
    """Median and 80 % interval of every target by region, in thousands, fit for 80 columns."""
    return Group(*_forecasts(bundle), *(Text(f"source: {source}", "dim") for source in bundle.dataset.sources))


def _forecasts(bundle: Bundle) -> Iterator[RenderableType]:
    names = bundle.dataset.regions.set_index("region")["name"]
    for target, forecast in bundle.forecast.targets.items():
        provisional = any(one.provisional for one in bundle.manifest.decisions if one.target == target)
        notes = ["thousand persons", SCOPES[forecast.scope], "provisional" if provisional else ""]
        yield _title(f"{target}: median (80 % interval)", notes)
        yield _forecast(forecast, names)
        if "estimated" in forecast.basis.values():
            yield Text("~ continues estimated figures", "dim")
        if len(forecast.regions) > LARGEST:
            yield Text(f"the {LARGEST} largest of {len(forecast.regions):,} regions", "dim")
        yield Text("")
    if bundle.forecast.flows is not None:
        yield _flows(bundle.forecast.flows, names)


def _forecast(forecast: TargetForecast, names: pd.Series) -> Table:
    """The first and the last year; files and the service have all."""
    low, median, high = forecast.quantiles((0.1, 0.5, 0.9)) / 1000
    ends = sorted({0, len(forecast.horizons) - 1})
    table = _table("region", [str(forecast.cutoff + forecast.horizons[h]) for h in ends])
    largest = set(abs(median[0]).argsort()[::-1][:LARGEST])
    for r, region in enumerate(forecast.regions):
        if r in largest:
            cells = [f"{median[h, r]:,.1f} ({low[h, r]:,.1f} … {high[h, r]:,.1f})" for h in ends]
            mark = " ~" if forecast.basis[region] == "estimated" else ""
            table.add_row(f"{region} {names[region]}{mark}", *cells)
    return table


def _flows(flows: FlowForecast, names: pd.Series) -> RenderableType:
    """The largest flows of the first and the last year, in thousands."""
    low, median, high = (flows.quantiles[QUANTILES.index(level)] / 1000 for level in (0.1, 0.5, 0.9))
    ends = sorted({0, len(flows.horizons) - 1})
    table = _table("from → to", [str(flows.cutoff + flows.horizons[h]) for h in ends])
    for pair in median[0].argsort()[::-1][:LARGEST_FLOWS]:
        ends_of = [names[flows.regions[place[pair]]] for place in (flows.origin, flows.destination)]
        cells = [f"{median[h, pair]:,.1f} ({low[h, pair]:,.1f} … {high[h, pair]:,.1f})" for h in ends]
        table.add_row(" → ".join(ends_of) + (" ~" if flows.basis[pair] == "estimated" else ""), *cells)
    title = _title("flow: median (80 % interval)", ["thousand persons"])
    return Group(title, table, Text(f"the {LARGEST_FLOWS} largest of {len(flows.origin):,} flows\n", "dim"))


def _ahead(horizon: int) -> str:
    return f"{horizon} year{'s' if horizon > 1 else ''} ahead"


def _title(what: str, notes: list[str]) -> Text:
    return Text.assemble((what, "bold"), ", ", ", ".join(note for note in notes if note))


def _table(first: str, columns: list[str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(first, no_wrap=True)
    for column in columns:
        table.add_column(column, justify="right", no_wrap=True)
    return table
