"""Small real bundles, and the real service on them."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from models.bundle import Bundle, load_bundle, save_bundle
from serving.answers import answers_of
from serving.routes import create_app
from tests.tables import flows_country, write_folder
from training.config import load_config
from training.run import train

os.environ.setdefault("BENTOML_DO_NOT_TRACK", "true")


@pytest.fixture(scope="session")
def bundle_folder(embedded: Path) -> Path:
    return embedded / "bundle"


@pytest.fixture(scope="session")
def bundle(bundle_folder: Path) -> Bundle:
    return load_bundle(bundle_folder)


@pytest.fixture(scope="session")
def client(bundle_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QONYS_BUNDLE", str(bundle_folder))
        patch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path_factory.mktemp("metrics")))
        from serving.service import Qonys

        # BentoML makes an ASGI app once per process, not twice.
        with TestClient(Qonys.to_asgi()) as client:
            yield client


@pytest.fixture(scope="session")
def flow_bundle_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Of a country that records flows; regions are R1, the largest, to R5."""
    tables = flows_country([f"R{number}" for number in range(1, 6)], range(2005, 2021))
    data = write_folder(tmp_path_factory.mktemp("flows"), **tables)
    made, _ = train(load_config(["draws=100", "horizons=[1,2]"], data=data))
    return save_bundle(made, tmp_path_factory.mktemp("flow_bundle"))


@pytest.fixture(scope="session")
def flow_bundle(flow_bundle_folder: Path) -> Bundle:
    return load_bundle(flow_bundle_folder)


@pytest.fixture(scope="session")
def flow_client(flow_bundle: Bundle) -> TestClient:
    """The routes alone: BentoML makes one app per process."""
    app = create_app()
    app.state.answers = answers_of(flow_bundle)
    return TestClient(app)


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory, bundle_folder: Path) -> str:
    """A store in which version 1 of `qonys` is the bundle, and its champion."""
    import mlflow

    folder = tmp_path_factory.mktemp("mlflow")
    uri = f"sqlite:///{folder}/mlflow.db"
    client = mlflow.MlflowClient(uri)
    experiment = client.create_experiment("qonys", artifact_location=str(folder / "artifacts"))
    run = client.create_run(experiment)
    client.log_artifacts(run.info.run_id, str(bundle_folder), "bundle")
    client.create_registered_model("qonys")
    client.create_model_version("qonys", f"{run.info.artifact_uri}/bundle", run.info.run_id)
    client.set_registered_model_alias("qonys", "champion", "1")
    return uri


@pytest.fixture
def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
