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
    return sorted({" ".join(command.split()) for command in shown})


@pytest.mark.parametrize("command", commands())
def test_commands_in_the_readme_exist_with_their_options(command):
    name, *words = shlex.split(command)[1:]
    groups = {group.name for group in app.registered_groups}
    told = CliRunner().invoke(app, [name, *(words[:1] if name in groups else []), "--help"], terminal_width=200)

    assert told.exit_code == 0
    for word in words:
        if word.startswith("--"):
            assert word in told.stdout


def test_links_in_the_readme_lead_somewhere():
    for target in re.findall(r"\]\(([^)#]+)\)", README):
        assert (ROOT / target).exists(), target


def readme_table() -> dict[tuple[str, int], list[float]]:
    """Skill and coverage in percent, by model and horizon."""
    table = README.split("<!-- scores -->")[1].split("\n\n")[0]
    rows = [[cell.strip(" *") for cell in line.strip("|").split("|")] for line in table.strip().splitlines()[2:]]
    cells = {(model, horizon): cell for model, *cells in rows for horizon, cell in enumerate(cells, start=1)}
    return {key: [float(number) for number in re.findall(r"[+-]?[0-9.]+", cell)] for key, cell in cells.items()}


def test_the_table_of_skill_in_the_readme_is_what_the_backtest_gives():
    scores = backtest(load_dataset()).scores
    reported = scores[(scores["target"] == "net_migration") & scores["cutoff"].between(2009, 2023)]
    card = scorecard(reported).set_index(["model", "horizon"])
    told = readme_table()

    assert set(told) == set(card.index)
    for key, (skill, coverage) in told.items():
        assert skill == pytest.approx(card.loc[key, "skill"], abs=0.002), key
        assert coverage == pytest.approx(100 * card.loc[key, "coverage_80"], abs=1), key


def test_the_lock_names_no_addresses():
    assert not re.search(r"https?://|--index|--find-links", (ROOT / "requirements.lock").read_text())
