"""The page of an audit: what a balanced record is, what it holds, and where its sources contradict each other."""

import base64
import re
from pathlib import Path
from urllib.parse import urlsplit

import pandas as pd
from jinja2 import Environment, StrictUndefined

from features.account_sums import fitted_evidence, largest_origins, levels
from features.accounts import BalancedRecord
from features.audit import Audit
from features.balance_sheet import REVISION
from features.contradictions import RESIDUAL
from features.dataset import Dataset

TEMPLATE = Path(__file__).parent / "audit_page.html"
ORIGINS = 5


def audit_page(record: BalancedRecord, dataset: Dataset, found: Audit, picture: bytes) -> str:
    """HTML that loads nothing from elsewhere. picture: PNG."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"number": _number, "signed": _signed, "percent": _percent, "split_sources": _split_sources}
    first, last = record.years[0], record.years[-1]
    sheet, by_year = found.sheet, _rows(levels(record))
    between_sources = found.contradictions[found.contradictions["kind"] != RESIDUAL]
    years = f"{first}–{last}" if first < last else f"{last}"
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        title=f"The balanced record of {dataset.title.partition(':')[0] or dataset.name}, {years}",
        estimated=any(row["basis"] == "estimated" for row in by_year),
        faults=found.faults,
        balances=found.balances,
        years=years,
        last=last,
        regions=len(record.told.standing[last]),
        level=by_year[-1],
        levels=by_year,
        found=_rows(between_sources),
        largest=int(between_sources["persons"].max()) if len(between_sources) else 0,
        residuals=_rows(_far_residuals(sheet)),
        revised=_rows(_revised(sheet)),
        left_over=int(sheet["residual"].abs().sum()),
        missing=_missing(sheet),
        picture=base64.b64encode(picture).decode("ascii"),
        origins=_origins(record, dataset),
        sheet=_rows(sheet[sheet["year"] == last]),
        evidence=_rows(_evidence(record, dataset)),
        sources=[{"title": one.get("title", ""), "path": _address(one.get("path", ""))} for one in dataset.origins],
        dataset=dataset.name,
        sha256=dataset.sha256,
        draws=len(record.draws),
    )


def _rows(table: pd.DataFrame) -> list[dict]:
    """What is not known is None."""
    return table.astype("object").where(table.notna(), None).to_dict("records")


# --- numbers --------------------------------------------------------------------------------------------------------


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.0f}".replace("-", "−")


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+,.0f}".replace("-", "−").replace("+0", "0")


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _split_sources(source: str) -> list[dict[str, str]]:
    """Sources that are joined by semicolons: address, where it has one; name, the site of it; what else is said."""
    found = []
    for one in re.split(r"; (?![^(]*\))", source):
        address, _, told = one.partition(" ") if _address(one) else ("", "", "")
        name = urlsplit(address).netloc.removeprefix("www.") if address else one
        found.append({"name": name, "address": address, "told": f" {told}" if told else ""})
    return found


def _address(text: str) -> str:
    """Of a site; empty where it is none."""
    return text if urlsplit(text).scheme in ("http", "https") else ""


# --- tables ---------------------------------------------------------------------------------------------------------


def _far_residuals(sheet: pd.DataFrame) -> pd.DataFrame:
    """The largest first; without what a revision leaves."""
    rows = sheet[(sheet["residual"].fillna(0) != 0) & (sheet["reason"] != REVISION)]
    return rows.iloc[(-rows["residual"].abs()).argsort(kind="stable")]


def _revised(sheet: pd.DataFrame) -> pd.DataFrame:
    """What revisions leave, by year: regions, persons, largest."""
    rows = sheet[sheet["reason"] == REVISION].assign(persons=lambda all_: all_["residual"].abs())
    years = rows.groupby("year")["persons"].agg(["size", "sum", "max"]).reset_index()
    return years.set_axis(["year", "regions", "persons", "largest"], axis=1).assign(reason=REVISION)


def _missing(sheet: pd.DataFrame) -> list[str]:
    rows = sheet[sheet["residual"].isna()]
    return [f"{reason} ({', '.join(own['name'])})" for reason, own in rows.groupby("reason", sort=False)]


def _origins(record: BalancedRecord, dataset: Dataset) -> list[dict]:
    places = dataset.regions.set_index("region")
    cities = [one for one in record.told.standing[record.years[-1]] if places.loc[one, "kind"] == "city"]
    flows = largest_origins(record, cities, ORIGINS)
    flows = flows.assign(name=flows["origin"].map(places["name"]))
    return [{"name": places.loc[city, "name"], "flows": _rows(flows[flows["destination"] == city])} for city in cities]


def _evidence(record: BalancedRecord, dataset: Dataset) -> pd.DataFrame:
    """By source: years, what it tells of, figures, largest gap, and the largest in standard errors; those of most
    figures first."""
    rows = fitted_evidence(record)
    rows = rows.assign(off=rows["gap"].abs(), errors=(rows["gap"] / rows["error"]).abs())
    names = dataset.regions.set_index("region")["name"]
    told = []
    for source, own in rows.groupby("source"):
        first, last = own["year"].min(), own["year"].max()
        regions = own.loc[own["region"] != "", "region"].map(names).unique()
        whom = ", ".join(regions) if 0 < len(regions) <= 3 else f"{len(regions)} regions" if len(regions) else "country"
        told.append(
            {
                "source": source,
                "years": f"{first}–{last}" if first < last else str(first),
                "what": f"{', '.join(sorted(own['measure'].unique()))}: {whom}",
                "figures": len(own),
                "gap": own["off"].max(),
                "errors": own["errors"].max(),
            }
        )
    columns = ["source", "years", "what", "figures", "gap", "errors"]
    return pd.DataFrame(told, columns=columns).sort_values(["figures", "source"], ascending=[False, True])
