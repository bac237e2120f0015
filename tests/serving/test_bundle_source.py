"""A bundle comes from a folder or from MLflow, whole or not at all."""

import builtins
import shutil

import pytest

from models.bundle import BundleError
from serving.bundle_source import SourceError, fetch_bundle


@pytest.fixture
def _asked(store, monkeypatch) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)


@pytest.mark.usefixtures("_asked")
@pytest.mark.parametrize("source", ["models:/qonys@champion", "models:/qonys/1"])
def test_a_registered_bundle_forecasts_as_the_folder_does(bundle, source):
    fetched = fetch_bundle(source)

    assert fetched.manifest == bundle.manifest
    assert fetched.forecast.table().equals(bundle.forecast.table())


def test_a_folder_is_read_as_it_is(bundle, bundle_folder):
    assert fetch_bundle(str(bundle_folder)).manifest == bundle.manifest


@pytest.mark.usefixtures("_asked")
@pytest.mark.parametrize(
    ("source", "told"),
    [
        pytest.param("models:/qonys@challenger", "versions 1 and aliases @champion", id="unknown_alias"),
        pytest.param("models:/qonys/7", "versions 1 and aliases @champion", id="unknown_version"),
        pytest.param("models:/konys@champion", "registered models: qonys", id="unknown_name"),
        pytest.param("models:/qonys", "must be models:/NAME@ALIAS or models:/NAME/VERSION", id="no_version"),
        pytest.param("models:/qonys@", "must be models:/NAME@ALIAS or models:/NAME/VERSION", id="empty_alias"),
    ],
)
def test_an_unknown_version_is_told_what_there_is(source, told):
    with pytest.raises(SourceError) as caught:
        fetch_bundle(source)

    assert told in str(caught.value)
    assert str(caught.value).startswith(f"{source}: ")
    assert "\n" not in str(caught.value)


def test_no_store_is_made_where_none_is(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")

    with pytest.raises(SourceError, match="no MLflow store"):
        fetch_bundle("models:/qonys@champion")

    assert not list(tmp_path.iterdir())


def test_without_mlflow_a_folder_still_serves(bundle_folder, monkeypatch):
    real = builtins.__import__

    def without_mlflow(name, *rest):
        if name.partition(".")[0] == "mlflow":
            raise ImportError(name)
        return real(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without_mlflow)

    assert fetch_bundle(str(bundle_folder)).manifest.cutoff
    with pytest.raises(SourceError, match="MLflow is not installed"):
        fetch_bundle("models:/qonys@champion")


def test_a_damaged_bundle_is_refused(bundle_folder, tmp_path):
    damaged = tmp_path / "bundle"
    shutil.copytree(bundle_folder, damaged)
    scores = next(damaged.glob("*/scores.csv"))
    scores.write_text(scores.read_text("utf-8").replace("served", "severd"), "utf-8")

    with pytest.raises(BundleError, match=r"scores\.csv: was changed"):
        fetch_bundle(str(damaged))
