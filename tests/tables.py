"""Tables that one can read in a test, and datasets made of them, read by the real loader."""

import hashlib
import json
import tempfile
from functools import cache
from io import StringIO
from pathlib import Path

import numpy as np
import pandas as pd

from features.dataset import Dataset, load_dataset


@cache
def kazakhstan() -> Dataset:
    """The embedded data, read once, so that what is computed from them is kept between tests."""
    return load_dataset()


def table(text: str) -> pd.DataFrame:
    """A table from aligned text: the first line names the columns; `-` is an empty cell.

    >>> table('''
    ...     region year
    ...     North  2020
    ... ''').to_dict("list")
    {'region': ['North'], 'year': [2020]}
    """
    return pd.read_csv(StringIO(text.strip()), sep=r"\s+", na_values=["-"], keep_default_na=False)


def regions_of(*codes: str, kind: str = "region") -> pd.DataFrame:
    """One row per region, side by side on a parallel."""
    places = {"latitude": 45.0, "longitude": np.arange(len(codes), dtype=float)}
    return pd.DataFrame({"region": codes, "name": codes, "kind": kind} | places)


def population_of(codes: list[str], years: range, persons: float = 100_000) -> pd.DataFrame:
    """The same population everywhere, as rows of `indicators`."""
    rows = [(code, year, "population", persons) for code in codes for year in years]
    return pd.DataFrame(rows, columns=["region", "year", "indicator", "value"])


def write_folder(folder: Path, suffix: str = "csv", gaps: dict[str, list[dict]] | None = None, **tables) -> Path:
    """A dataset folder with a descriptor that gives the hash of every table."""
    folder.mkdir(parents=True, exist_ok=True)
    resources = []
    for name, frame in tables.items():
        path = folder / f"{name}.{suffix}"
        frame.to_csv(path, index=False) if suffix == "csv" else frame.to_parquet(path, index=False)
        entry = {"name": name, "path": path.name, "hash": f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"}
        resources.append(entry | ({"gaps": gaps[name]} if name in (gaps or {}) else {}))
    descriptor = {"name": "example", "title": "Example", "sources": [{"title": "Made up"}], "resources": resources}
    (folder / "datapackage.json").write_text(json.dumps(descriptor, indent=2), "utf-8")
    return folder


def dataset_of(gaps: dict[str, list[dict]] | None = None, **tables: pd.DataFrame) -> Dataset:
    """The dataset that the loader reads from a folder of these tables."""
    with tempfile.TemporaryDirectory() as folder:
        return load_dataset(write_folder(Path(folder), gaps=gaps, **tables))


def flows_country(codes: list[str], years: range, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Tables of a country whose flows wander: regions of unlike size, all pairs every year."""
    rng = np.random.default_rng(seed)
    size = np.geomspace(4, 1, len(codes))
    level = 300 * np.outer(size, size) * rng.lognormal(0, 0.4, (len(codes), len(codes)))
    flows, indicators = [], []
    for year in years:
        level = level * rng.lognormal(0, 0.08, level.shape)
        for i, origin in enumerate(codes):
            indicators.append((origin, year, "population", round(200_000 * size[i] * 1.01 ** (year - years[0]))))
            indicators.append((origin, year, "average_wage", round(float(1_000 + 50 * i + 20 * rng.random()), 2)))
            flows += [
                (origin, destination, year, int(rng.poisson(level[i, j])))
                for j, destination in enumerate(codes)
                if i != j
            ]
    return {
        "regions": regions_of(*codes),
        "indicators": pd.DataFrame(indicators, columns=["region", "year", "indicator", "value"]),
        "flows": pd.DataFrame(flows, columns=["origin", "destination", "year", "persons"]),
    }


def net_country(codes: list[str], years: range, seed: int = 0) -> dict[str, pd.DataFrame]:
    """Tables of a country that records the balance alone, with abroad."""
    rng = np.random.default_rng(seed)
    usual = rng.normal(0, 3_000, len(codes))
    rows = [
        (code, year, "net", "all", round(usual[i] + rng.normal(0, 800)))
        for year in years
        for i, code in enumerate(codes)
    ]
    return {
        "regions": regions_of(*codes),
        "indicators": population_of(codes, years, 500_000),
        "movements": pd.DataFrame(rows, columns=["region", "year", "measure", "scope", "persons"]),
    }


def small_country(residuals: dict[str, int] | None = None) -> dict[str, pd.DataFrame]:
    """Tables of three regions whose figures of 2018-2020 agree to the person; residuals: persons by region that the
    population of 2020 has beside them."""
    balances = {"North": -500, "South": -300, "Capital": 900}
    movements = [(one, year, "net", "all", net) for one, net in balances.items() for year in range(2018, 2021)]
    indicators = []
    for region, net in balances.items():
        population = 100_000
        for year in range(2018, 2022):
            population += (residuals or {}).get(region, 0) if year == 2020 else 0
            indicators += [(region, year, "population", population)]
            indicators += [(region, year, "births", 1500), (region, year, "deaths", 700)] if year < 2021 else []
            population += 1500 - 700 + net
    abroad = [
        (year, 1, 12, measure, "abroad", persons, "Register of borders")
        for year in range(2018, 2021)
        for measure, persons in (("arrivals", 300), ("departures", 200))
    ]
    statements = pd.DataFrame(
        abroad, columns=["year", "first_month", "last_month", "measure", "scope", "persons", "source"]
    ).assign(region=None, other=None)
    return {
        "regions": regions_of(*balances),
        "indicators": pd.DataFrame(indicators, columns=["region", "year", "indicator", "value"]),
        "movements": pd.DataFrame(movements, columns=["region", "year", "measure", "scope", "persons"]),
        "statements": statements,
    }
