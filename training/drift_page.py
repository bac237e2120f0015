"""The page of a drift report: what is unlike the figures that a model was trained on."""

from pathlib import Path

import pandas as pd
from jinja2 import Environment, StrictUndefined

from features.dataset import Dataset
from models.bundle import Manifest
from training.data_differences import Differences
from training.drift import FEWEST_YEARS, LEVEL, RARE

TEMPLATE = Path(__file__).parent / "drift_page.html"
SHOWN = 40
"""Rows of a table; files have all."""


def drift_page(
    new: Dataset, trained: Manifest, drifted: pd.DataFrame, regional: pd.DataFrame, found: Differences
) -> str:
    """HTML that loads nothing. trained: of the model's bundle. drifted, regional: as of `training.drift`."""
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    environment.filters |= {"signed": _signed, "number": _number, "words": lambda name: name.replace("_", " ")}
    names = new.regions.set_index("region")["name"]
    return environment.from_string(TEMPLATE.read_text("utf-8")).render(
        new=new,
        trained=trained.dataset,
        cutoff=trained.cutoff,
        series=_rows(drifted),
        count=int(drifted["drifts"].sum()),
        regional=_rows(regional.assign(name=regional["region"].map(names).fillna(regional["region"])).head(SHOWN)),
        regional_count=len(regional),
        found=found,
        revised=_rows(found.revised.head(SHOWN)),
        level=LEVEL,
        rare=RARE,
        fewest_years=FEWEST_YEARS,
    )


def _rows(table: pd.DataFrame) -> list[dict]:
    """What is not known is None."""
    return table.astype("object").where(table.notna(), None).to_dict("records")


def _signed(value: float | None) -> str:
    return "" if value is None else f"{value:+,.3f}".replace("-", "−")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:,.3g}".replace("-", "−") if abs(value) < 1000 else f"{value:,.0f}"
