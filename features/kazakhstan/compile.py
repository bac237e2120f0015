"""How the tables of this folder are made from a long table of released figures.

    python features/kazakhstan/compile.py FOLDER

FOLDER holds `indicators_long_as_published.csv` (code, territory, year, indicator, value, source, flag; figures of the
Bureau of National Statistics as released, boundaries of the time), `migration_internal_monthly_2024.csv` (code, year,
month, arrivals, departures, net), `population_jan1_sex_urban_2000_2023.csv`, `age_groups_2019_2024.csv`,
`regions.csv`, `adjacency_20.csv` and `distances_20.csv` (both between today's 20 regions). Rules, in one place:

- the official net balance is used wherever there is one; where there is none (2002-2012) it is derived from the
  population balance, except for 2008, whose population change holds the re-basing to the census of 2009;
- the balances of 2000 and 2001 are left out too: the population change of Astana and Akmola holds land that was joined
  to the city, which cannot be told from moves (+58 thousand and +51 thousand, then +7 thousand in 2002);
- what is computed rather than released is `derived`; what is extrapolated (2025) is left out;
- population by sex in 2023 is of an earlier release than the population: in all it is the same, a region's differs by
  up to 105 persons;
- broad age groups of 2022 are left out: they are of before the census and the boundaries of that year. In the others
  the code of Almaty city stands at the region too; whose a row is, is told by its total;
- a figure is known `publication_lag` years after its year (features/indicators.py).

`statements.csv` is kept by hand: figures of moves between regions that the Bureau's releases told and the press or an
institute quotes, each with its address. `error` is what rounding leaves open, or more where it is not clear what was
counted; a share of arrivals that was told is given as persons, `derived`.
"""

import hashlib
import json
import sys
from pathlib import Path

import pandas as pd

from features.indicators import INDICATORS

HERE = Path(__file__).parent

# released name → our name, BNS table, factor to our unit
RELEASED = {
    "population_jan1": ("population", "BNS 6584", 1),
    "population_avg": ("population_average", "BNS 6576", 1),
    "births": ("births", "BNS 6548", 1),
    "deaths": ("deaths", "BNS 6550", 1),
    "avg_wage": ("average_wage", "BNS average monthly nominal wage", 1),
    "income_per_capita_kzt_month": ("income_per_capita", "BNS 19298", 1),
    "unemployment_rate": ("unemployment_rate", "BNS 102790", 1),
    "labour_force": ("labour_force", "BNS 102800", 1),
    "self_employed_ths": ("self_employed", "BNS 102793", 1000),
    "grp_mln_kzt": ("grp", "BNS 5923", 1),
    "grp_volume_index": ("grp_volume_index", "BNS 5926", 1),
    "investment_mln_kzt": ("investment", "BNS 5546", 1),
    "housing_commissioned_m2": ("housing_commissioned", "BNS 4289", 1),
    "housing_m2_per_person": ("housing_per_person", "BNS SDG 11.3.1", 1),
    "poverty_rate": ("poverty_rate", "BNS SDG 1.2.1", 1),
    "youth_neet_rate": ("youth_neet_rate", "BNS SDG 8.6.1", 1),
    "doctors": ("doctors", "BNS doctors of all specialities", 1),
    "life_expectancy": ("life_expectancy", "BNS life expectancy at birth", 1),
}
SEXES = {"women": "population_female", "men": "population_male"}
AGE_GROUPS = {
    "age_0_15": "population_0_15",
    "working_age": "population_working_age",
    "pension_age": "population_pension_age",
}
BEFORE_CENSUS = 2022
INTERNAL = {"internal_arrivals": "arrivals", "internal_departures": "departures", "internal_net": "net"}

FORMER = {
    # code: (code that has its main town today, names, area_km2 is the sum of its successors)
    "KZ-19o": ("KZ-33", "Almaty region (until 2022)", "Алматинская область (до 2022)", "Алматы облысы (2022 дейін)"),
    "KZ-35o": ("KZ-35", "Karaganda (until 2022)", "Карагандинская область (до 2022)", "Қарағанды облысы (2022 дейін)"),
    "KZ-51": ("KZ-79", "South Kazakhstan", "Южно-Казахстанская область", "Оңтүстік Қазақстан облысы"),
    "KZ-63o": (
        "KZ-63",
        "East Kazakhstan (until 2022)",
        "Восточно-Казахстанская область (до 2022)",
        "Шығыс Қазақстан облысы (2022 дейін)",
    ),
}
CHANGES = [
    (2018, "KZ-51", "KZ-61"),
    (2018, "KZ-51", "KZ-79"),
    (2022, "KZ-19o", "KZ-19"),
    (2022, "KZ-19o", "KZ-33"),
    (2022, "KZ-35o", "KZ-35"),
    (2022, "KZ-35o", "KZ-62"),
    (2022, "KZ-63o", "KZ-63"),
    (2022, "KZ-63o", "KZ-10"),
]


def main(folder: Path) -> None:
    released = pd.read_csv(folder / "indicators_long_as_published.csv")
    released = released[(released["code"] != "KZ") & (released["flag"] != "estimated")]
    released = released.rename(columns={"code": "region"})
    tables = {
        "regions": regions(pd.read_csv(folder / "regions.csv")),
        "indicators": indicators(released, by_sex(folder), by_age(folder, released)),
        "movements": movements(released, pd.read_csv(folder / "migration_internal_monthly_2024.csv")),
        "pairs": pairs(pd.read_csv(folder / "distances_20.csv"), pd.read_csv(folder / "adjacency_20.csv")),
        "boundary_changes": pd.DataFrame(CHANGES, columns=["year", "predecessor", "successor"]),
    }
    for name, table in tables.items():  # all but `statements`, which is read from here
        table.to_csv(HERE / f"{name}.csv", index=False, lineterminator="\n")
    told = descriptor([*tables, "statements"])
    (HERE / "datapackage.json").write_text(json.dumps(told, indent=2, ensure_ascii=False) + "\n")


def regions(released: pd.DataFrame) -> pd.DataFrame:
    """Today's 20 regions and the four former ones, with the coordinates of the main town."""
    today = pd.DataFrame(
        {
            "region": released["code"],
            "name": released["name_en"],
            "name_ru": released["name_ru"],
            "name_kk": released["name_kk"],
            "kind": released["kind"].str.startswith("city").map({True: "city", False: "region"}),
            "latitude": released["capital_lat"],
            "longitude": released["capital_lon"],
            "area_km2": released["area_km2"],
            "valid_from": released["since"].str[:4],
            "valid_to": None,
        }
    )
    former = []
    for code, (town, name, name_ru, name_kk) in FORMER.items():
        successors = [successor for _, predecessor, successor in CHANGES if predecessor == code]
        ended = next(year for year, predecessor, _ in CHANGES if predecessor == code)
        row = today[today["region"] == town].iloc[0].to_dict()
        row |= {"region": code, "name": name, "name_ru": name_ru, "name_kk": name_kk, "kind": "region"}
        row |= {"valid_from": None, "valid_to": str(ended - 1)}
        row["area_km2"] = today.loc[today["region"].isin(successors), "area_km2"].sum()
        former.append(row)
    return pd.concat([today, pd.DataFrame(former)]).sort_values("region")


def indicators(released: pd.DataFrame, *others: pd.DataFrame) -> pd.DataFrame:
    rows = released[released["indicator"].isin(RELEASED)].copy()
    ours = rows["indicator"].map(RELEASED)
    computed = rows["flag"].fillna("").str.contains("derived|national minus|2\\*average")
    rows["basis"] = computed.map({True: "derived", False: "official"})
    rows["indicator"], rows["source"] = ours.str[0], ours.str[1]
    rows["value"] = (rows["value"] * ours.str[2]).round(6)
    rows = pd.concat([rows, *others])
    rows["published"] = rows["year"] + rows["indicator"].map(
        {name: one.publication_lag for name, one in INDICATORS.items()}
    )
    key = ["region", "year", "indicator"]
    return rows[[*key, "value", "published", "basis", "source"]].sort_values(key)


def by_sex(folder: Path) -> pd.DataFrame:
    """Women and men on 1 January, all localities."""
    rows = pd.read_csv(folder / "population_jan1_sex_urban_2000_2023.csv").rename(columns={"code": "region"})
    rows = rows[(rows["region"] != "KZ") & (rows["locality"] == "all")]
    rows = rows.assign(indicator=rows["sex"].map(SEXES), value=rows["population"])
    return rows.assign(basis="official", source="BNS 6584")


def by_age(folder: Path, released: pd.DataFrame) -> pd.DataFrame:
    """Children, people of working age, of pension age on 1 January, as the law was then."""
    rows = pd.read_csv(folder / "age_groups_2019_2024.csv").rename(columns={"code": "region"})
    rows = rows[(rows["region"] != "KZ") & (rows["year"] != BEFORE_CENSUS)]
    rows = _with_almaty_region(rows, released[released["indicator"] == "population_jan1"])
    rows = rows.rename(columns=AGE_GROUPS).melt(["region", "year"], list(AGE_GROUPS.values()), "indicator")
    return rows.assign(basis="official", source="BNS population by broad age group")


def _with_almaty_region(rows: pd.DataFrame, population: pd.DataFrame) -> pd.DataFrame:
    """Rows of Almaty city that are not of its size are the region's."""
    city = population[population["region"] == "KZ-75"].set_index("year")["value"]
    others = (rows["region"] == "KZ-75") & ((rows["total"] / rows["year"].map(city) - 1).abs() > 0.01)
    region = rows["year"].lt(BEFORE_CENSUS).map({True: "KZ-19o", False: "KZ-19"})
    return rows.assign(region=rows["region"].where(~others, region))


def movements(released: pd.DataFrame, by_month: pd.DataFrame) -> pd.DataFrame:
    """Net balance of all moves 2002-2024 without 2008; arrivals, departures and net within the country 2022-2024, and
    by month 2024. Years come first."""
    official = released[released["indicator"] == "net_migration"].assign(basis="official", source="BNS 6567")
    balance = released[(released["indicator"] == "net_migration_residual") & (released["year"] < 2013)]
    balance = balance[(balance["year"] > 2001) & (balance["year"] != 2008)].assign(
        basis="derived", source="BNS 6584, 6548, 6550"
    )
    net = pd.concat([official, balance]).assign(measure="net", scope="all")

    internal = released[released["indicator"].isin(INTERNAL)].copy()
    internal["measure"] = internal["indicator"].map(INTERNAL)
    internal = pd.concat([internal, months(by_month)])
    internal = internal.assign(scope="within_country", basis="official", source="BNS monthly migration release")

    rows = pd.concat([net, internal]).astype({"month": "Int64"})
    rows["persons"], rows["published"] = rows["value"].astype(int), rows["year"]
    key = ["region", "year", "month", "measure", "scope"]
    rows = rows[[*key, "persons", "published", "basis", "source"]].sort_values(key)
    return pd.concat([rows[rows["month"].isna()], rows[rows["month"].notna()]])


def months(released: pd.DataFrame) -> pd.DataFrame:
    """One row per region, month and measure."""
    rows = released.rename(columns={"code": "region"})
    return rows.melt(["region", "year", "month"], ["arrivals", "departures", "net"], "measure")


def pairs(distances: pd.DataFrame, borders: pd.DataFrame) -> pd.DataFrame:
    """Both directions of every pair of today's regions; distance is between main towns, over the great circle."""
    bordering = set(zip(borders["code_a"], borders["code_b"], strict=True))
    bordering |= {(b, a) for a, b in bordering}
    table = distances.rename(columns={"capital_distance_km": "distance_km"})
    both = zip(table["origin"], table["destination"], strict=True)
    return table.assign(contiguous=[pair in bordering for pair in both])


def descriptor(tables: list[str]) -> dict:
    def resource(name: str) -> dict:
        digest = hashlib.sha256((HERE / f"{name}.csv").read_bytes()).hexdigest()
        entry: dict[str, object] = {"name": name, "path": f"{name}.csv", "hash": f"sha256:{digest}"}
        if name == "movements":
            why = "population change 2008 holds the re-basing to the census of 2009, so no balance can be derived"
            entry["gaps"] = [{"measure": "net", "scope": "all", "years": [2008], "reason": why}]
        return entry

    bureau = "Bureau of National Statistics, Agency for Strategic Planning and Reforms of the Republic of Kazakhstan"
    return {
        "name": "kazakhstan",
        "title": "Kazakhstan: regions, population, migration balances and indicators, 1993-2026",
        "licenses": [{"title": "Published figures; the Bureau asks to be cited wherever they are shown"}],
        "sources": [
            {"title": bureau, "path": "https://stat.gov.kz"},
            {"title": "Press and institutes that quote the Bureau: the address stands beside each statement"},
            {"title": "Borders: today's 20 regions; distances: great circle between main towns"},
        ],
        "resources": [resource(name) for name in tables],
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
