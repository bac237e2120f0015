"""New figures beside those that a model was trained on."""

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import typer
from mlflow import MlflowClient
from typer.testing import CliRunner

from features.dataset import KAZAKHSTAN
from tests.tables import dataset_of, net_country
from training.data_differences import differences
from training.drift import drift, rarity, regional_drift, stability_index
from training.drift_command import drift as drift_command
from training.drift_command import drift_metrics, drift_report
from training.drift_page import drift_page

CODES = [f"R{number:02d}" for number in range(12)]
CUTOFF = 2019


def country(wage_of_2020: float = 0.0, one_region: float = 0.0) -> dict[str, pd.DataFrame]:
    """Wages grow by 5 % a year, give or take 2 % in a region; in 2020 by so much more."""
    tables, rng = net_country(CODES, range(2004, 2021)), np.random.default_rng(1)
    growth = 0.05 + 0.02 * rng.standard_normal((17, len(CODES)))
    growth[-1] += wage_of_2020
    growth[-1, 0] += one_region
    wages = 1000 * np.exp(growth.cumsum(axis=0))
    rows = [(code, 2004 + i, "average_wage", wages[i, j]) for i in range(17) for j, code in enumerate(CODES)]
    tables["indicators"] = pd.concat([tables["indicators"], pd.DataFrame(rows, columns=tables["indicators"].columns)])
    return tables


@pytest.fixture(scope="module")
def usual():
    return dataset_of(**country())


def test_years_like_the_others_do_not_drift(usual):
    found = drift(usual, usual, CUTOFF)

    assert set(found["series"]) == {"net_migration", "average_wage", "population"}
    assert not found["drifts"].any()


def test_a_year_unlike_all_others_drifts_in_its_series_alone(usual):
    found = drift(dataset_of(**country(wage_of_2020=0.2)), usual, CUTOFF).set_index("series")

    assert found.index[found["drifts"]].tolist() == ["average_wage"]
    wages = found.loc["average_wage"]
    assert wages["median_change"] == pytest.approx(0.25, abs=0.02)
    assert wages["psi"] > wages["psi_limit"]
    assert (wages["n"], wages["outside"]) == (12, 12)


def test_a_region_beyond_its_own_past_is_named(usual):
    found = regional_drift(dataset_of(**country(one_region=0.3)), usual, CUTOFF)

    assert found.iloc[0][["series", "region", "year"]].tolist() == ["average_wage", "R00", 2020]


def test_nothing_new_is_nothing_to_compare(usual):
    assert len(drift(usual, usual, 2020)) == len(regional_drift(usual, usual, 2020)) == 0


def test_few_years_are_never_rare():
    assert np.isnan(rarity(pd.DataFrame(np.zeros((3, 6))), np.ones(6)))


def test_chance_exceeds_the_limit_of_psi_rarely():
    rng = np.random.default_rng(3)
    found = [stability_index(rng.standard_normal(300), rng.standard_normal(20)) for _ in range(200)]

    assert np.mean([index > limit for index, limit in found]) < 0.12


def test_revised_new_and_missing_values_are_told(usual):
    tables = country()
    movements = tables["movements"].query("region != 'R11'")
    movements.loc[movements.index[0], "persons"] += 100
    tables |= {"movements": movements, "indicators": tables["indicators"].query("indicator != 'average_wage'")}
    tables = {name: rows[rows["region"] != "R11"] for name, rows in tables.items()}

    found = differences(dataset_of(**tables), usual)

    (revised,) = found.revised.to_dict("records")
    assert (revised["region"], revised["year"], revised["now"] - revised["before"]) == ("R00", 2004, 100)
    assert (found.missing_regions, found.missing_indicators) == (("R11",), ("average_wage",))
    assert found.gone == {"indicators": 17 * 13, "movements": 17}


def test_report_page_and_metrics_tell_what_drifts(usual, trained):
    new = dataset_of(**country(wage_of_2020=0.2))
    found = drift(new, usual, CUTOFF), regional_drift(new, usual, CUTOFF), differences(new, usual)

    page = drift_page(new, trained[0].manifest, *found)

    assert "1 of 3 series drift." in page
    assert "src=" not in page
    assert drift_metrics(*found)["series_drifting"] == 1
    assert "average_wage 2020: median change +0.2" in drift_report(*found)
    assert "values revised: 12;" in drift_report(*found)


# --- the command ----------------------------------------------------------------------------------------------------


def with_wages_of_2024(folder: Path) -> Path:
    """The embedded figures with wages of 2024: half as high again as in 2023 everywhere, thrice in Astana; and a census
    that found 5 % more people in Almaty in 2020."""
    shutil.copytree(KAZAKHSTAN, folder, ignore=shutil.ignore_patterns("*.py", "served"))
    rows = pd.read_csv(folder / "indicators.csv")
    wages = rows[(rows["indicator"] == "average_wage") & (rows["year"] == 2023)]
    factor = wages["region"].map({"KZ-71": 3.0}).fillna(1.5)
    wages = wages.assign(year=2024, published=2025, value=wages["value"] * factor)
    census = (rows["region"] == "KZ-75") & (rows["year"] == 2020) & (rows["indicator"] == "population")
    rows.loc[census, "value"] *= 1.05
    pd.concat([rows, wages]).to_csv(folder / "indicators.csv", index=False)
    descriptor = json.loads((folder / "datapackage.json").read_text("utf-8"))
    for one in descriptor["resources"]:
        one["hash"] = f"sha256:{hashlib.sha256((folder / one['path']).read_bytes()).hexdigest()}"
    (folder / "datapackage.json").write_text(json.dumps(descriptor), "utf-8")
    return folder


def test_the_command_names_what_drifts_and_keeps_page_and_metrics(folder, bundle_folder, tmp_path):
    new = with_wages_of_2024(tmp_path / "new")
    app, asked = typer.Typer(), ["--page", "drift.html", "--out", "drift.csv"]
    app.command()(drift_command)

    told = CliRunner().invoke(app, ["--data", str(new), "--bundle", str(bundle_folder), *asked])

    assert told.exit_code == 0, told.output
    assert "average_wage 2024: median change +0.4" in told.output
    assert "KZ-71 average_wage 2024: +1.0" in told.output
    assert "values revised: 1; no longer there: 0" in told.output
    page = Path("drift.html").read_text("utf-8")
    assert "average wage drifts" in page
    assert '<th scope="row">Astana</th><td class="left">average wage</td><td>2024</td>' in page
    table = pd.read_csv("drift.csv").set_index("series")
    assert table.index[table["drifts"]].tolist() == ["average_wage"]
    assert len(table) > 5
    assert table.loc["average_wage", "year"] == 2024
    client = MlflowClient(f"sqlite:///{folder}/build/mlflow.db")
    run = client.get_run(told.output.split("run ")[-1].split()[0])
    assert run.data.metrics["series_drifting"] == 1
    assert run.data.metrics["distance/average_wage"] == pytest.approx(table.loc["average_wage", "distance"])
    assert {"drift.html", "drift.csv"} <= {one.path for one in client.list_artifacts(run.info.run_id)}
