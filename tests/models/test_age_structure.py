"""The age structure agrees with every figure that is recorded, and says that it is estimated."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from models import schedules
from models.age_structure import age_structure
from models.vital_history import HistoryError
from tests.projections import CODES, CUTOFF, vital_country
from tests.tables import kazakhstan

REGIONS = tuple(
    f"KZ-{number}" for number in (10, 11, 15, 19, 23, 27, 31, 33, 35, 39, 43, 47, 55, 59, 61, 62, 63, 71, 75, 79)
)


@pytest.fixture(scope="module")
def structure():
    return age_structure(kazakhstan().as_of(2024), 2024, REGIONS)


def test_the_people_of_2025_are_those_of_2024_and_what_the_year_brought(structure):
    known = kazakhstan().as_of(2024)
    movements = known.movements[(known.movements["scope"] == "all") & (known.movements["year"] == 2024)]
    people, births, deaths = (
        known.indicator(name).loc[2024, list(REGIONS)].to_numpy() for name in ("population", "births", "deaths")
    )

    told = people + births - deaths + movements.set_index("region").loc[list(REGIONS), "persons"].to_numpy()

    assert structure.year == 2025
    assert structure.persons.sum(axis=(1, 2)).tolist() == told.tolist()
    assert (structure.persons >= 0).all()
    assert set(structure.basis.values()) == {"estimated"}


def test_broad_groups_a_year_earlier_lead_to_those_of_the_start(structure):
    known = kazakhstan().as_of(2024)
    found = structure.persons[:, :, :16].sum(axis=(1, 2)) / structure.persons.sum(axis=(1, 2))
    told = known.indicator("population_0_15").loc[2024] / known.indicator("population").loc[2024]

    np.testing.assert_allclose(found, told.reindex(REGIONS), atol=0.01)


def test_mortality_from_recorded_deaths_comes_near_life_expectancies_that_it_did_not_see(structure):
    years = list(structure.history.years)
    told = structure.history.life_expectancy
    found = schedules.life_expectancy(structure.mortality)
    missed = {year: np.abs(found - told)[years.index(year)].mean() for year in (2005, 2012, 2018, 2022)}

    assert max(missed.values()) < 3
    assert missed[2022] < 1, "with broad age groups known"


def test_children_of_a_woman_come_near_the_published_number(structure):
    """2.96 in the country in 2023, 4.39 in Turkistan, 1.82 in North Kazakhstan: Bureau, release of 22 April 2024."""
    row = structure.fertility[structure.history.years.index(2023)]
    women = structure.persons[:, 0, 15:50].sum(axis=1)

    assert (row * women).sum() / women.sum() == pytest.approx(2.96, abs=0.25)
    assert row[REGIONS.index("KZ-61")] == pytest.approx(4.39, abs=0.4)
    assert row[REGIONS.index("KZ-59")] == pytest.approx(1.82, abs=0.2)


def test_an_age_structure_that_is_given_is_used():
    groups = ["0-14", "15-64", "65+"]
    persons = {"0-14": 30_000, "15-64": 60_000, "65+": 20_000}
    rows = [
        (code, CUTOFF, sex, group, persons[group]) for code in CODES for sex in ("female", "male") for group in groups
    ]
    by_age = pd.DataFrame(rows, columns=["region", "year", "sex", "age_group", "persons"])

    found = age_structure(vital_country(by_age=by_age).as_of(CUTOFF), CUTOFF, CODES)

    shares = found.persons[..., 65:].sum(axis=-1) / found.persons.sum(axis=-1)
    np.testing.assert_allclose(shares, 20 / 110, atol=0.02)
    assert set(found.basis.values()) == {"derived"}


def test_nothing_after_the_cutoff_is_seen():
    country = vital_country()
    later = country.indicators.assign(value=country.indicators["value"].where(country.indicators["year"] <= 2016, 7.0))

    seen = age_structure(country.as_of(2016), 2016, CODES)
    changed = age_structure(replace(country, indicators=later, _known={}).as_of(2016), 2016, CODES)

    assert (seen.persons == changed.persons).all()


def test_what_is_missing_is_listed_at_once():
    country = vital_country()
    rows = country.indicators
    gone = (rows["year"] == CUTOFF) & (rows["indicator"] != "population") & (rows["region"] == "North")

    with pytest.raises(
        HistoryError, match="births of 2020 is not known of North; deaths of 2020 is not known of North"
    ):
        age_structure(replace(country, indicators=rows[~gone], _known={}).as_of(CUTOFF), CUTOFF, CODES)
