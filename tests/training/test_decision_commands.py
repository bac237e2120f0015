"""`qonys drivers`, `qonys scenario`, `qonys counter-magnets` on a small training: tables, figures, what is said."""

import json
from pathlib import Path

import pandas as pd
import pytest
from typer.testing import CliRunner

from models.scenario_assumptions import effect_words
from models.scenario_package import ScenarioError
from training.__main__ import app
from training.config import ConfigError
from training.drivers_command import evidence_lines

EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "turkistan.toml"


@pytest.fixture
def run(bundle_folder, folder):
    def run(*words: str):
        return CliRunner().invoke(app, [*words, "--bundle", str(bundle_folder)], catch_exceptions=False)

    return run


def test_drivers_of_a_region_and_of_all(run, folder):
    told = run("drivers", "--region", "KZ-61", "--out", "one.csv")
    run("drivers", "--out", "all.json", "--figure", "heat.png")

    assert "Turkistan, 2025" in told.output
    assert "adds nothing" in told.output or "raises the error" in told.output or "lowers the error" in told.output
    assert "associated, not shown to cause" in told.output
    assert set(pd.read_csv("one.csv")["region"]) == {"KZ-61"}
    assert len({row["region"] for row in json.loads((folder / "all.json").read_text("utf-8"))}) == 20
    assert (folder / "heat.png").stat().st_size > 10_000


def test_drivers_of_a_corridor_tell_what_differs(run):
    told = run("drivers", "--origin", "KZ-61", "--destination", "KZ-71")

    assert "Turkistan → Astana" in told.output
    assert "average_wage: " in told.output
    with pytest.raises(ConfigError, match="a corridor needs both"):
        run("drivers", "--origin", "KZ-61")


def test_the_pages_show_what_is_printed(trained):
    advice = trained[0].advice
    model = advice.scenario_model
    signed = zip(model.indices.groups, model.indices.assumed, strict=True)

    assert block("drivers.md") == "\n".join(evidence_lines(advice.drivers))
    assert block("scenarios.md") == "\n".join(effect_words(model, group) for group, assumed in signed if assumed)


def block(page: str) -> str:
    """The one block of text on a page."""
    text = (EXAMPLE.parents[1] / page).read_text("utf-8")
    return text.split("```text\n")[1].split("\n```")[0]


def test_the_example_scenario_is_answered(run, folder):
    told = run("scenario", str(EXAMPLE), "--out", "answer.csv", "--figures", "figures")

    assert "people who stay in 2026" in told.output
    table = pd.read_csv("answer.csv")
    assert set(table["label"]) == {"assumed"}
    stays = table[(table["measure"] == "stays") & (table["region"] == "KZ-61") & (table["quantile"] == 0.5)]
    assert (stays["value"] > 0).all()
    assert {path.name for path in (folder / "figures").iterdir()} == {
        *("diverted.png", "waterfall_KZ-71.png", "waterfall_KZ-75.png", "waterfall_KZ-79.png"),
    }


def test_a_scenario_beyond_what_was_seen_needs_to_be_allowed(run, folder):
    (folder / "much.toml").write_text('[[change]]\nregion = "KZ-61"\nindicator = "average_wage"\nchange = "+500 %"\n')

    with pytest.raises(ScenarioError, match=r"KZ-61 average_wage \+500 %.*nearest seen case: KZ-23 in 20"):
        run("scenario", "much.toml")
    assert "outside" in run("scenario", "much.toml", "--allow-extrapolation").output


def test_counter_magnets_rank_regions(run):
    told = run("counter-magnets", "--city", "KZ-71", "--target", "-1000", "--trials", "10")

    assert "Astana: persons a year that single changes divert" in told.output
    assert "reaches the target of 1,000" in told.output
