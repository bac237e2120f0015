"""What docs/projection.md says of the command and of assumptions is so."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from models import schedules
from training.projection_command import project_command

PAGE = (Path(__file__).parent.parent / "docs" / "projection.md").read_text("utf-8")

app = typer.Typer()
app.command()(project_command)


@pytest.mark.parametrize("command", re.findall(r"^(qonys .+)$", PAGE, flags=re.MULTILINE))
def test_options_of_the_page_exist(command):
    told = CliRunner().invoke(app, ["--help"], terminal_width=200).stdout

    assert shlex.split(command)[:2] == ["qonys", "project"]
    assert [word for word in shlex.split(command) if word.startswith("--") and word not in told] == []


def test_the_page_names_every_assumption_with_its_numbers():
    rows = {line.split("|")[1].strip(): line for line in PAGE.splitlines() if line.startswith("|")}

    assert [f"{number:g}" in rows["migrants by age"] for number in schedules.MOVES] == [True] * len(schedules.MOVES)
    hazard = ", ".join(("0.175", "1.40", "0.00368", "0.000075", "0.0917"))
    assert hazard in rows["mortality by age"]
    assert [float(number) for number in hazard.split(", ")] == list(schedules.SILER)
    assert [str(years) in rows["mortality by sex"] for years in schedules.EXPECTANCIES] == [True, True]
    assert f"mean {schedules.MEAN_AGE}, deviation {schedules.SPREAD}" in rows["births by age"]
