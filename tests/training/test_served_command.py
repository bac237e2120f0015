"""`qonys served` and `qonys labour`: a training's projection, from file to report, table and figure."""

import json

import pandas as pd
import pytest
from typer.testing import CliRunner

from models.labour import LabourError
from models.served_population_case import ASTANA
from training.__main__ import app
from training.config import ConfigError


def run(*words):
    return CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)


def test_astana_is_answered_from_ledger_to_demand_and_marked_illustrative(bundle_folder, folder):
    told = run(
        "served", "--bundle", bundle_folder, "--to", 2040, "--out", folder / "served.csv", "--figure", folder / "s.png"
    )

    rows = pd.read_csv(folder / "served.csv")
    assert "registered     1,625,000 ± 25,000, stated 1,650,000 ± 28,868" in told.output
    assert "norms and capacities ILLUSTRATIVE" in told.output
    assert "source: https://baq.kz/" in told.output
    assert set(rows["part"]) == {"presence", "demand", "recipients", "cost"}
    assert (rows["year"].min(), rows["year"].max()) == (2026, 2040)
    assert (rows["quantile_0.1"] <= rows["quantile_0.9"]).all()
    assert set(rows["basis"]) == {"assumed"}
    assert (folder / "s.png").read_bytes().startswith(b"\x89PNG")


def test_a_city_without_norms_has_no_demand(bundle_folder, folder):
    told = run(
        "served", ASTANA, "--bundle", bundle_folder, "--out", folder / "served.json", "--figure", folder / "s.svg"
    )

    assert "no norms are given, so no demand is answered" in told.output
    assert "ILLUSTRATIVE" not in told.output
    assert {row["part"] for row in json.loads((folder / "served.json").read_text("utf-8"))} == {"presence"}
    assert "<svg" in (folder / "s.svg").read_text("utf-8")


def test_labour_answers_supply_alone_or_with_the_gap_to_jobs(bundle_folder, folder):
    (folder / "jobs.csv").write_text("region,year,jobs,source\nKZ-71,2030,5000000,a plan\n")
    words = ("labour", "--bundle", bundle_folder, "--region", "KZ-71", "--region", "KZ-61", "--to", 2035)

    alone = run(*words)
    both = run(*words, "--demand", folder / "jobs.csv", "--out", folder / "l.csv", "--figure", folder / "l.png")

    assert "no jobs are given, so supply alone is answered" in alone.output
    assert "Astana: " in both.output
    assert "jobs 5,000,000, missing workers " in both.output
    rows = pd.read_csv(folder / "l.csv").set_index(["region", "year"])
    assert rows.loc[("KZ-71", 2030), "probability_shortage"] == 1
    assert rows.loc[("KZ-71", 2030), "gap"] == pytest.approx(5_000_000 - rows.loc[("KZ-71", 2030), "supply"])
    assert rows["gap"].count() == 1
    assert (folder / "l.png").exists()


def test_what_a_user_gets_wrong_is_told(bundle_folder, folder):
    with pytest.raises(ConfigError, match=r"must end with \.csv or \.json"):
        run("served", "--bundle", bundle_folder, "--out", folder / "served.xlsx")
    with pytest.raises(LabourError) as told:
        run("labour", "--bundle", bundle_folder, "--region", "KZ-17", "--to", 2900)
    region, year = str(told.value).splitlines()
    assert region.startswith("region 'KZ-17' is not projected")
    assert year.startswith("last year 2900 is not projected")
