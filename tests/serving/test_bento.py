"""A Bento holds what answers, and nothing else."""

import shutil
import subprocess
import tomllib
from pathlib import Path

import httpx
import pytest
from packaging.requirements import Requirement

from tests.serving.process import BENTOML, ROOT, environment, running

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


@pytest.fixture(scope="module")
def home(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("bentoml")


@pytest.fixture(scope="module")
def bento(home, bundle_folder, tmp_path_factory) -> Path:
    """Built from a copy of the project that has a bundle and is ignored by git as the project's is."""
    project = tmp_path_factory.mktemp("project")
    for room in ("features", "models", "training", "serving", "tests"):
        shutil.copytree(ROOT / room, project / room)
    for file in ("pyproject.toml", ".gitignore", "README.md"):
        shutil.copy(ROOT / file, project)
    shutil.copytree(bundle_folder, project / "build" / "bundle")
    command = [str(BENTOML), "build", "--output", "tag"]
    env = environment(BENTOML_HOME=home)
    built = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True, check=True)
    name, version = built.stdout.strip().splitlines()[-1].removeprefix("__tag__:").split(":")
    return home / "bentos" / name / version


@pytest.mark.long
@pytest.mark.slow
def test_a_bento_holds_what_answers_and_the_bundle(bento, bundle_folder):
    files = {str(path.relative_to(bento / "src")) for path in (bento / "src").rglob("*") if path.is_file()}

    assert {"serving/service.py", "models/bundle.py", "features/dataset.py", "build/bundle/manifest.json"} <= files
    code = {name for name in files if name.endswith(".py")}
    assert {Path(name).parts[0] for name in code} == {"serving", "models", "features"}
    assert {Path(name).parts[0] for name in files - code} <= {"build", "bentofile.yaml", "serving", "features"}
    data = {str(Path(name).parent) for name in files - code if name.startswith("features/")}
    assert data == {"features/kazakhstan/served"}
    bundle = {str(path.relative_to(bundle_folder)) for path in bundle_folder.rglob("*") if path.is_file()}
    assert bundle == {name.removeprefix("build/bundle/") for name in files if name.startswith("build/")}


@pytest.mark.slow
def test_a_bento_holds_no_pickle(bento):
    pickles = (".pkl", ".pickle", ".joblib", ".pyc")

    assert not [path for path in bento.rglob("*") if path.name.endswith(pickles)]
    assert not [path for path in bento.rglob("*") if path.is_file() and path.read_bytes()[:1] == b"\x80"]


@pytest.mark.slow
def test_a_bento_installs_what_the_project_depends_on_and_no_more(bento):
    lines = (bento / "env/python/requirements.txt").read_text("utf-8").splitlines()

    asked = {Requirement(line).name for line in lines if line}
    assert asked == {Requirement(line).name for line in PROJECT["project"]["dependencies"]}


def test_the_packages_of_a_bento_are_the_projects_dependencies_alone():
    """BentoML adds `project.dependencies` to a list of its own; there must be none."""
    assert "packages" not in PROJECT["tool"]["bentoml"]["build"]["python"]


@pytest.mark.long
@pytest.mark.slow
def test_a_bento_serves_the_bundle_that_it_holds(client, home, bento, free_port, tmp_path):
    tag = f"{bento.parent.name}:{bento.name}"
    command = [str(BENTOML), "serve", tag, "--host", "127.0.0.1", "--port", str(free_port)]

    with running(command, free_port, tmp_path / "log", environment(BENTOML_HOME=home)) as (address, _):
        answer = httpx.post(f"{address}/forecast", json={})

    assert answer.content == client.post("/forecast", json={}).content
