"""A bundle whose inflow and out-migration are estimated, and counted in no region by its cutoff, is answered from."""

import json

import pandas as pd
import pytest

from features.boundaries import unit_of_region
from models.bundle import Bundle, manifest_of
from models.decision import Decision
from models.estimated_flows import NAME
from models.forecaster import MigrationForecaster
from serving.answers import answers_of
from tests.tables import dataset_of, net_country

CODES = ["A", "B", "C", "D"]
YEARS = range(2015, 2021)


@pytest.fixture(scope="module")
def made() -> Bundle:
    """A was split into C and D in 2018; moves are counted in the country alone."""
    tables = net_country(CODES, YEARS)
    for name in ("movements", "indicators"):
        one = tables[name]
        tables[name] = one[(one["region"] == "B") | ((one["region"] == "A") == (one["year"] < 2018))]
    changes = pd.DataFrame({"year": [2018, 2018], "predecessor": ["A", "A"], "successor": ["C", "D"]})
    counted = pd.DataFrame({"year": YEARS, "measure": "arrivals", "scope": "within_country", "persons": 9_000})
    counted = counted.assign(region=None, other=None, first_month=1, last_month=12, source="Yearbook")
    dataset = dataset_of(**tables, boundary_changes=changes, statements=counted)
    forecaster = MigrationForecaster(horizons=(1,), draws=20).fit(dataset, 2020)
    decisions = [Decision(target, 1, NAME, "", 0) for target in ("net_migration", "inflow", "out_migration", "flow")]
    nothing = pd.DataFrame({"score": []})
    return Bundle(manifest_of(dataset, 2020, decisions, {}, (1,)), forecaster, dataset, nothing, nothing)


def test_regions_of_estimated_targets_have_the_units_of_the_balances_they_are_estimated_from(made):
    told = json.loads(answers_of(made).regions)["regions"]

    units = unit_of_region(made.dataset.regions["region"], made.dataset.boundary_changes, YEARS[0])
    assert units["C"] == units["D"] == "A"
    for region in told:
        assert region["unit"] == dict.fromkeys(("net_migration", "inflow", "out_migration"), units[region["region"]])
