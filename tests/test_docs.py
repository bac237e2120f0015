"""What the README says is so."""

import re
import shlex
from pathlib import Path

import pytest
from typer.testing import CliRunner

from training.__main__ import app

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


def test_the_lock_names_no_addresses():
    assert not re.search(r"https?://|--index|--find-links", (ROOT / "requirements.lock").read_text())
