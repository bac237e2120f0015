"""The small training on the embedded data that all tests of this folder see; and a folder to work in."""

import pickle

import pytest

from models.bundle import save_bundle
from training.config import load_config


@pytest.fixture(scope="session")
def config():
    """What `embedded` is trained with."""
    return load_config(["draws=200", "horizons=[1, 2]"])


@pytest.fixture(scope="session")
def trained(embedded):
    """Bundle and backtest."""
    return pickle.loads((embedded / "trained").read_bytes())


@pytest.fixture(scope="session")
def bundle_folder(trained, tmp_path_factory):
    return save_bundle(trained[0], tmp_path_factory.mktemp("trained") / "bundle")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """The current folder of a module's trainings and commands, which have no MLFLOW_TRACKING_URI."""
    folder = tmp_path_factory.mktemp("work")
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv("MLFLOW_TRACKING_URI", raising=False)
        patch.delenv("MLFLOW_RUN_ID", raising=False)
        patch.chdir(folder)
        yield folder
