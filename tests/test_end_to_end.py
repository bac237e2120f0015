"""The commands, as a user calls them, on the embedded data."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from typer.main import get_command
from typer.testing import CliRunner

from training.__main__ import app, main
from training.backtest import COLUMNS
from training.scorecard import scorecard

FORECAST_COLUMNS = [
    "target", "region", "origin", "destination", "year", "horizon", "quantile", "value", "unit", "model", "basis",
]  # fmt: skip


def qonys(*words: str, cwd: Path) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "training", *words]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=300, check=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("work")


@pytest.fixture(scope="module")
def scores(folder) -> pd.DataFrame:
    done = qonys("backtest", "--out", "scores.csv", cwd=folder)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(folder / "scores.csv")


def pooled(scores: pd.DataFrame, model: str, horizon: int) -> pd.Series:
    rows = scores[(scores["model"] == model) & (scores["horizon"] == horizon)]
    covered = (rows["coverage_80"] * rows["n"]).sum() / rows["n"].sum()
    return pd.Series({"error": rows["abs_error"].sum() / rows["abs_actual"].sum(), "coverage": covered})


def test_backtest_writes_one_row_per_target_model_cutoff_and_horizon(scores):
    assert list(scores.columns) == COLUMNS
    assert not scores.duplicated(["target", "model", "cutoff", "horizon"]).any()
    assert {"served", "persistence", "boosted", "combination", "long_mean_pull", "expert_average"} <= set(
        scores["model"]
    )


@pytest.mark.parametrize(("horizon", "skill"), [(1, 0.0), (2, 0.04), (3, 0.08)])
def test_served_net_migration_beats_persistence_and_its_intervals_hold(scores, horizon, skill):
    reported = scores[(scores["target"] == "net_migration") & scores["cutoff"].between(2009, 2023)]
    served, persistence = pooled(reported, "served", horizon), pooled(reported, "persistence", horizon)

    assert 1 - served["error"] / persistence["error"] >= skill
    assert 0.72 <= served["coverage"] <= 0.88


def readme_table() -> dict[tuple[str, int], list[float]]:
    """Skill and coverage in percent, by model and horizon."""
    readme = (Path(__file__).parent.parent / "README.md").read_text("utf-8")
    table = readme.split("<!-- scores -->")[1].split("\n\n")[0]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    cells = {(model, horizon): cell for model, *cells in rows for horizon, cell in enumerate(cells, start=1)}
    return {key: [float(number) for number in re.findall(r"[+-]?[0-9.]+", cell)] for key, cell in cells.items()}


def test_the_table_of_skill_in_the_readme_is_what_the_backtest_gives(scores):
    reported = scores[(scores["target"] == "net_migration") & scores["cutoff"].between(2009, 2023)]
    card = scorecard(reported).set_index(["model", "horizon"])
    told = readme_table()

    assert set(told) == set(card.index)
    for key, (skill, coverage) in told.items():
        assert skill == pytest.approx(card.loc[key, "skill"], abs=0.002), key
        assert coverage == pytest.approx(100 * card.loc[key, "coverage_80"], abs=1), key


@pytest.fixture(scope="module")
def forecasts(folder) -> pd.DataFrame:
    done = qonys("forecast", "--horizons", "1,2", "--out", "out/forecast.csv", "--set", "draws=200", cwd=folder)
    assert done.returncode == 0, done.stderr
    return pd.read_csv(folder / "out" / "forecast.csv")


@pytest.mark.long
def test_forecast_writes_quantiles_of_todays_20_regions(forecasts):
    assert list(forecasts.columns) == FORECAST_COLUMNS
    assert set(forecasts["target"]) == {"net_migration", "inflow", "out_migration"}
    assert forecasts["region"].nunique() == 20
    assert set(forecasts["year"]) == {2025, 2026}
    rising = forecasts.sort_values("quantile").groupby(["target", "region", "year"])["value"]
    assert rising.apply(lambda values: values.is_monotonic_increasing).all()


@pytest.mark.long
def test_regions_that_were_split_lately_are_marked_as_estimated(forecasts):
    net = forecasts[forecasts["target"] == "net_migration"].set_index("region")["basis"]

    assert set(net["KZ-61"]) == set(net["KZ-79"]) == {"estimated"}
    assert set(net["KZ-71"]) == {"official"}


@pytest.mark.long
def test_forecast_from_an_earlier_cutoff_speaks_of_the_regions_of_the_time(folder):
    done = qonys(
        "forecast", "--cutoff", "2016", "--horizons", "1", "--out", "early.csv", "--set", "draws=200", cwd=folder
    )
    assert done.returncode == 0, done.stderr
    regions = set(pd.read_csv(folder / "early.csv")["region"])

    assert len(regions) == 16
    assert {"KZ-51", "KZ-63o"} <= regions
    assert "KZ-61" not in regions


@pytest.mark.parametrize(
    ("words", "told"),
    [
        pytest.param(["validate", "nowhere"], "datapackage.json", id="no_dataset"),
        pytest.param(["train", "--set", "drwas=200"], "did you mean 'draws'", id="unknown_key"),
        pytest.param(["forecast", "--horizons", "0", "--out", "x.csv"], "horizons", id="horizon_zero"),
        pytest.param(["forecast", "--cutoff", "1990", "--out", "x.csv"], "1990", id="cutoff_before_the_data"),
        pytest.param(["forecast", "--cutoff", "2050", "--out", "x.csv"], "2024", id="cutoff_after_the_data"),
        pytest.param(["backtest"], "--out", id="missing_option"),
        pytest.param(["backtest", "--out", "."], "is a folder", id="out_is_a_folder"),
        pytest.param(["tune", "--storage", "nowhere://x"], "nowhere://x", id="no_such_storage"),
    ],
)
def test_a_users_error_is_told_without_a_traceback(tmp_path, monkeypatch, capsys, words, told):
    """In this process: each start takes three seconds."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["qonys", *words])

    with pytest.raises(SystemExit) as ended:
        main()

    assert ended.value.code == 2
    assert told in capsys.readouterr().err
    assert not (tmp_path / "x.csv").exists()


def test_a_users_error_ends_the_process_with_2_and_no_traceback(folder):
    done = qonys("serve", "--bundle", "nowhere", cwd=folder)

    assert done.returncode == 2
    assert "nowhere" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", sorted(get_command(app).commands))  # pyright: ignore[reportAttributeAccessIssue]
def test_every_command_has_help(command):
    assert "Usage" in CliRunner().invoke(app, [command, "--help"]).output
