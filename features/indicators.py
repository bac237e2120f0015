"""INDICATORS: what each published number means, when it becomes known, and how it behaves when regions are merged."""

from dataclasses import dataclass
from typing import Literal

Group = Literal["demography", "pay", "work", "output", "housing", "public_services"]


@dataclass(frozen=True)
class Indicator:
    """One published socioeconomic number of a region and a year.

    publication_lag: rounds of release after the one that brings the migration figures of the same year (0: together
    with them or before). Only used where a row does not say itself when it was `published`.
    combine: how the value of a merged region follows from its parts: `sum`, or `mean` weighted by population.
    sign: of the assumed effect on net migration, where there is one: +1, -1, or 0 for not known.
    scale: how a feature sees it: `log` for amounts (persons, money), `level` for rates and indices.
    """

    name: str
    unit: str
    meaning: str
    source: str
    publication_lag: int
    bounds: tuple[float, float]
    group: Group
    combine: Literal["sum", "mean"]
    sign: Literal[-1, 0, 1] = 0
    scale: Literal["log", "level"] = "level"


ANY = float("inf")
POSITIVE = (0.0, ANY)
PERCENT = (0.0, 100.0)

_ENTRIES = [
    Indicator("population", "persons", "Population on 1 January", "BNS 6584", 0, (1, ANY), "demography", "sum"),
    Indicator(
        "population_average", "persons", "Mean population of the year", "BNS 6576", 0, (1, ANY), "demography", "sum"
    ),
    Indicator("population_female", "persons", "Women on 1 January", "BNS 6584", 0, POSITIVE, "demography", "sum"),
    Indicator("population_male", "persons", "Men on 1 January", "BNS 6584", 0, POSITIVE, "demography", "sum"),
    Indicator("population_0_15", "persons", "Children below 16, 1 January", "BNS", 0, POSITIVE, "demography", "sum"),
    Indicator(
        "population_working_age",
        "persons",
        "16 to the pension age of the time, 1 January",
        "BNS",
        0,
        POSITIVE,
        "demography",
        "sum",
    ),
    Indicator(
        "population_pension_age",
        "persons",
        "Of the pension age of the time, 1 January",
        "BNS",
        0,
        POSITIVE,
        "demography",
        "sum",
    ),
    Indicator("births", "persons", "Live births", "BNS 6548", 0, POSITIVE, "demography", "sum"),
    Indicator("deaths", "persons", "Deaths", "BNS 6550", 0, POSITIVE, "demography", "sum"),
    Indicator("life_expectancy", "years", "Life expectancy at birth", "BNS", 1, (10, 110), "demography", "mean"),
    Indicator(
        "average_wage", "national currency per month", "Mean nominal wage", "BNS", 0, POSITIVE, "pay", "mean", 1, "log"
    ),
    Indicator(
        "average_pay",
        "national currency per year",
        "Mean pay of a job",
        "BLS QCEW",
        1,
        POSITIVE,
        "pay",
        "mean",
        1,
        "log",
    ),
    Indicator(
        "income_per_capita",
        "national currency per month",
        "Mean nominal money income",
        "BNS 19298",
        0,
        POSITIVE,
        "pay",
        "mean",
        1,
        "log",
    ),
    Indicator(
        "consumption_per_capita",
        "national currency per year",
        "Private consumption",
        "KOSIS",
        1,
        POSITIVE,
        "pay",
        "mean",
        0,
        "log",
    ),
    Indicator(
        "poverty_rate",
        "%",
        "Share with income below the subsistence minimum",
        "BNS SDG 1.2.1",
        1,
        PERCENT,
        "pay",
        "mean",
        -1,
    ),
    Indicator("unemployment_rate", "%", "Unemployed in the labour force", "BNS 102790", 0, PERCENT, "work", "mean", -1),
    Indicator(
        "labour_force",
        "persons",
        "Employed and unemployed, 15 and older",
        "BNS 102800",
        0,
        POSITIVE,
        "work",
        "sum",
        0,
        "log",
    ),
    Indicator(
        "self_employed",
        "persons",
        "Self-employed; defined anew in 2014",
        "BNS 102793",
        0,
        POSITIVE,
        "work",
        "sum",
        0,
        "log",
    ),
    Indicator("employment", "persons", "Jobs", "BLS QCEW", 1, POSITIVE, "work", "sum", 0, "log"),
    Indicator(
        "youth_neet_rate",
        "%",
        "Youth not in work, education or training",
        "BNS SDG 8.6.1",
        1,
        PERCENT,
        "work",
        "mean",
        -1,
    ),
    Indicator(
        "grp", "million national currency", "Gross regional product", "BNS 5923", 1, POSITIVE, "output", "sum", 0, "log"
    ),
    Indicator(
        "grp_per_capita",
        "national currency per year",
        "Product per head",
        "KOSIS",
        1,
        POSITIVE,
        "output",
        "mean",
        1,
        "log",
    ),
    Indicator(
        "grp_volume_index", "% of previous year", "Volume index of product", "BNS 5926", 1, (0, 1000), "output", "mean"
    ),
    Indicator(
        "investment",
        "million national currency",
        "Fixed capital investment",
        "BNS 5546",
        0,
        POSITIVE,
        "output",
        "sum",
        0,
        "log",
    ),
    Indicator(
        "housing_commissioned",
        "m2",
        "Dwellings commissioned, floor area",
        "BNS 4289",
        0,
        POSITIVE,
        "housing",
        "sum",
        0,
        "log",
    ),
    Indicator(
        "housing_per_person", "m2", "Housing stock for each resident", "BNS SDG 11.3.1", 1, (0, 1000), "housing", "mean"
    ),
    Indicator(
        "fair_market_rent",
        "national currency per month",
        "Rent of two bedrooms",
        "HUD FMR",
        0,
        POSITIVE,
        "housing",
        "mean",
        0,
        "log",
    ),
    Indicator(
        "doctors",
        "persons",
        "Doctors of all specialities, end of year",
        "BNS",
        1,
        POSITIVE,
        "public_services",
        "sum",
        0,
        "log",
    ),
]

INDICATORS: dict[str, Indicator] = {entry.name: entry for entry in _ENTRIES}

UNKNOWN_LAG = 1
"""Publication lag of an indicator that is not in the dictionary: the careful choice."""
