"""What docs/accounts.md says is so, as far as the embedded data can tell."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.tables import kazakhstan
from training.__main__ import app
from training.account_held_out import held_out_pairs, pair_scores
from training.account_proof_report import held_out_table

PAGE = (Path(__file__).parent.parent / "docs" / "accounts.md").read_text("utf-8")
INSIDE = 2
"""The one column that needs as many draws as the command makes."""


def cells_of(table: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in table.strip().splitlines()]


def test_the_table_of_pairs_that_are_held_out_is_what_the_command_gives():
    regions = kazakhstan().regions
    cities = regions[regions["kind"] == "city"].set_index("region")["name"].to_dict()

    found = cells_of(held_out_table(pair_scores(held_out_pairs(kazakhstan(), draws=2), cities)))

    told = cells_of(PAGE.split("<!-- held out -->")[1].split("\n\n")[0])
    for row in (*told, *found):
        del row[INSIDE]
    assert told == found


@pytest.mark.parametrize("command", re.findall(r"^(qonys .+)$", PAGE, flags=re.MULTILINE))
def test_commands_of_the_page_exist_with_their_options(command):
    name, *words = shlex.split(command)[1:]
    told = CliRunner().invoke(app, [name, "--help"], terminal_width=200)

    assert told.exit_code == 0
    for word in words:
        if word.startswith("--"):
            assert word in told.stdout


def test_tests_that_the_page_names_are_there():
    names = re.findall(r"`(test_\w+)`", PAGE)
    there = "".join(path.read_text("utf-8") for path in Path(__file__).parent.rglob("test_*.py"))

    assert names
    for name in names:
        assert f"def {name}(" in there, name
