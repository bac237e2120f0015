"""The README's examples of advice run as they are printed, on a bundle of the embedded data."""

import re
import shlex
import shutil
from itertools import pairwise
from pathlib import Path

import pytest
from mlflow import MlflowClient
from typer.testing import CliRunner

from training.__main__ import app

ROOT = Path(__file__).parents[2]
SECTIONS = ("Why people leave, and what would hold them", "Many years ahead, work and infrastructure")


def commands() -> list[str]:
    readme = (ROOT / "README.md").read_text("utf-8")
    parts = [readme.partition(f"\n## {title}\n")[2].partition("\n## ")[0] for title in SECTIONS]
    return [line for part in parts for line in re.findall(r"^qonys .+$", part, flags=re.MULTILINE)]


@pytest.fixture(scope="module")
def work(folder, bundle_folder):
    (folder / "build").mkdir(exist_ok=True)
    shutil.copytree(bundle_folder, folder / "build" / "bundle")
    shutil.copytree(ROOT / "docs" / "examples", folder / "docs" / "examples")
    return folder


def test_every_kind_of_advice_has_an_example():
    names = {shlex.split(command)[1] for command in commands()}

    assert names == {"drivers", "scenario", "counter-magnets", "project", "labour", "served"}


@pytest.mark.parametrize("command", commands())
def test_an_example_of_the_readme_answers_and_writes_what_it_says(work, command):
    words = shlex.split(command)[1:]
    done = CliRunner().invoke(app, words, catch_exceptions=False)

    assert done.exit_code == 0
    assert any(label in done.output for label in ("associated", "assumed"))
    for option, place in pairwise(words):
        if option in ("--out", "--figure"):
            assert (work / place).stat().st_size > 100
        if option == "--figures":
            assert list((work / place).glob("*.png"))


def test_an_answer_is_kept_as_a_run_with_its_table_and_pictures(work):
    done = CliRunner().invoke(app, ["labour", "--region", "KZ-71", "--track"], catch_exceptions=False)

    run_id, _, uri = done.output.rpartition("run ")[2].strip().partition(" in ")
    client = MlflowClient(uri)
    assert {file.path for file in client.list_artifacts(run_id)} == {"answer.csv", "answer.txt", "labour.png"}
    assert client.get_run(run_id).data.tags["dataset.name"] == "kazakhstan"
    assert client.get_run(run_id).data.params["level"] == "medium"
