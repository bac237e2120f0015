"""What the README says is so."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from features.dataset import load_dataset
from training.__main__ import app
from training.backtest import backtest
from training.scorecard import scorecard

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def commands() -> list[str]:
    """Every call of qonys that the README shows, with its words."""
    shown = re.findall(r"`(qonys [^`]+)`", README) + re.findall(r"^(qonys .+)$", README, flags=re.MULTILINE)
    return sorted(set(" ".join(command.split()) for command in shown))


@pytest.mark.parametrize("command", commands())
def test_commands_in_the_readme_exist_with_their_options(command):
    name, *words = shlex.split(command)[1:]
    told = CliRunner().invoke(app, [name, "--help"], terminal_width=200)

    assert told.exit_code == 0
    for word in words:
        if word.startswith("--"):
            assert word in told.stdout


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def readme_table() -> dict[str, list[str]]:
    table = README.split("<!-- scores -->")[1].split("\n\n")[0]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    return {row[0]: row[1:] for row in rows}


def test_the_table_of_skill_in_the_readme_is_what_the_backtest_gives():
    scores = backtest(load_dataset()).scores
    reported = scores[(scores["target"] == "net_migration") & scores["cutoff"].between(2009, 2023)]
    card = scorecard(reported).set_index(["model", "horizon"])
    found = {
        model: [
            f"{card.loc[(model, h), 'skill']:+.3f} ({100 * card.loc[(model, h), 'coverage_80']:.0f} %)"
            for h in (1, 2, 3)
        ]
        for model in reported["model"].unique()
    }

    assert readme_table() == found


def test_the_lock_names_no_addresses():
    assert not re.search(r"https?://|--index|--find-links", (ROOT / "requirements.lock").read_text())
