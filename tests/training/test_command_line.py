"""The command line: help that can be read, and faults that are told before the work rather than after it."""

import shlex
import sys

import pandas as pd
import pytest
from typer.testing import CliRunner

import training.__main__ as command_line
from training.__main__ import COMMANDS, app, main
from training.config import ConfigError
from training.csv_file import write_csv

IN_IMPORT = ("moves", "bureau")
EVERY = [[name] for commands in COMMANDS.values() for name in commands]
EVERY += [["import"], *(["import", name] for name in IN_IMPORT)]


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Exit code and errors of a whole command line, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(line: str) -> tuple[object, str]:
        monkeypatch.setattr(sys, "argv", ["qonys", *shlex.split(line)])
        with pytest.raises(SystemExit) as ended:
            main()
        return ended.value.code, capsys.readouterr().err

    return run


def helped(words: list[str], width: int = 80) -> str:
    told = CliRunner().invoke(app, [*words, "-h"], terminal_width=width, env={"COLUMNS": str(width)})
    assert told.exit_code == 0
    return told.output


def words_of(text: str) -> str:
    """Without frames, in one line."""
    return " ".join(text.replace("│", " ").split())


@pytest.mark.parametrize("words", EVERY, ids=" ".join)
def test_the_help_of_a_command_has_an_example_of_it_and_is_not_cut(words):
    told = helped(words)
    (example,) = (line.strip() for line in told.splitlines() if line.strip().startswith("Example: "))

    named = shlex.split(example)[1:]
    assert named[: 1 + len(words)] == ["qonys", *words]
    for option in (word for word in named if word.startswith("--") and words != ["import"]):
        assert option in told
    assert "…" not in told


def test_the_help_begins_with_what_to_start_with():
    told = helped([])

    panels = [line.split()[1] for line in told.splitlines() if line.startswith("╭─")]
    assert panels == ["Options", *COMMANDS]
    assert told.index("│ up ") < told.index("│ doctor ")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        pytest.param(["scenario"], "JSON: [[change]] region, indicator, change", id="scenario"),
        pytest.param(["labour"], "TOML with [[jobs]].", id="labour"),
        pytest.param(["serve"], "docs/serving.md tells how: QONYS_API_KEYS (made by qonys key)", id="serve"),
    ],
)
def test_the_help_says(words, said):
    assert said in words_of(helped(words))


def test_the_version_is_told():
    assert CliRunner().invoke(app, ["--version"]).output == f"qonys {command_line.version('qonys')}\n"


def test_a_key_is_made_by_the_service(monkeypatch):
    became = []
    monkeypatch.setattr(command_line.os, "execv", lambda _, words: became.append(words[1:]))
    CliRunner().invoke(app, ["key", "--scope", "admin", "--name", "ministry"], catch_exceptions=False)

    assert became == [["-m", "serving", "key", "--scope", "admin", "--name", "ministry"]]


# Data that are not there: a check that came after reading them would tell of them instead.
@pytest.mark.parametrize(
    ("line", "said"),
    [
        pytest.param("train --data nowhere --bundle plain", "--bundle plain: is a file; must be a folder", id="file"),
        pytest.param("train --data nowhere --bundle /proc/it", "--bundle /proc/it: /proc cannot be written", id="proc"),
        pytest.param("report --bundle nowhere --out /proc/x.html", "/proc cannot be written to", id="report"),
        pytest.param("vintages --folder nowhere --out /proc/x.csv", "/proc cannot be written to", id="vintages"),
        pytest.param("drift --data nowhere --out /proc/x.csv", "/proc cannot be written to", id="drift"),
        pytest.param("accounts --data nowhere --out /proc/x", "/proc cannot be written to", id="accounts"),
        pytest.param(
            "import moves moves.csv --into nowhere --rejects /proc/x.csv", "--rejects /proc/x.csv: /proc", id="rejects"
        ),
        pytest.param("train --config nope.toml", "nope.toml: is not there; must be a TOML file", id="config"),
        pytest.param("scenario nope.toml", "FILE nope.toml: is not there; must be a scenario in TOML", id="scenario"),
        pytest.param("served nope.toml", "FILE nope.toml: is not there; must be a TOML file of a city", id="served"),
        pytest.param("served --norms nope.toml", "--norms nope.toml: is not there; must be a TOML", id="norms"),
        pytest.param("labour --demand nope.csv", "--demand nope.csv: is not there; must be a CSV", id="labour"),
        pytest.param("labour --demand .", "--demand .: is a folder; must be a CSV", id="folder"),
    ],
)
def test_a_place_that_cannot_be_is_told_before_the_work(run, tmp_path, line, said):
    (tmp_path / "plain").write_text("kept")

    code, told = run(line)

    assert code == 2
    assert said in told
    assert "Errno" not in told
    assert [path.name for path in tmp_path.iterdir()] == ["plain"]


def test_a_file_that_cannot_be_replaced_is_told_and_leaves_nothing_beside_it(tmp_path):
    (tmp_path / "scores.csv").mkdir()

    with pytest.raises(ConfigError, match=r"scores\.csv: cannot be written \(Is a directory\); choose another place"):
        write_csv(pd.DataFrame({"a": [1]}), tmp_path / "scores.csv")
    assert [path.name for path in tmp_path.iterdir()] == ["scores.csv"]
