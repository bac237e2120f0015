"""Where a bundle comes from: a folder, or MLflow's model registry. Knows MLflow, and only when it is asked for."""

import os
import re
import tempfile
from pathlib import Path
from typing import Any

from models.bundle import Bundle, load_bundle

SCHEME = "models:/"
TRACKING = "sqlite:///build/mlflow.db"
"""Where training tracks its runs if MLFLOW_TRACKING_URI is not set."""
FETCHED = Path("build/served")
FORM = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


class SourceError(ValueError):
    """A source from which no bundle can be had; says what was wrong and what would be right."""


def fetch_bundle(source: str) -> Bundle:
    """The bundle in a folder, or of a registered version: `models:/name@alias` or `models:/name/version`.

    MLflow is asked at MLFLOW_TRACKING_URI, else where training tracks its runs by default.
    Raises SourceError, or BundleError for a folder that is no whole bundle.
    """
    if not source.startswith(SCHEME):
        return load_bundle(source)
    with tempfile.TemporaryDirectory(prefix="qonys-") as folder:
        return load_bundle(_downloaded(source, Path(folder)))


def fetched_folder(source: str) -> Path:
    """Where a fetched bundle is kept to be served: one folder per registered name and alias or version."""
    return FETCHED / source.removeprefix(SCHEME).replace("/", "-")


def _downloaded(source: str, folder: Path) -> Path:
    asked = FORM.fullmatch(source)
    if asked is None:
        raise SourceError(f"{source}: must be models:/NAME@ALIAS or models:/NAME/VERSION")
    # MLflow reads this when it is imported; without it, it sends records of its use.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    try:
        import mlflow
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException
    except ImportError:
        raise SourceError(
            f"{source}: MLflow is not installed; install 'qonys[train]', or give a bundle folder"
        ) from None
    uri = os.environ.get("MLFLOW_TRACKING_URI") or TRACKING
    _check_store(source, uri)
    client = mlflow.MlflowClient(uri)
    try:
        artifacts = client.get_model_version_download_uri(asked["name"], _version(client, asked))
        return Path(download_artifacts(artifacts, dst_path=str(folder), tracking_uri=uri))
    except (MlflowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SourceError(f"{source}: {reason}; {_there(client, asked['name'])} in {uri}") from None


def _check_store(source: str, uri: str) -> None:
    # MLflow would make an empty database where none is.
    path = uri.removeprefix("sqlite:///")
    if path != uri and not Path(path).is_file():
        raise SourceError(f"{source}: no MLflow store at {uri}; train first, or set MLFLOW_TRACKING_URI to where it is")


def _version(client: Any, asked: re.Match[str]) -> str:
    return asked["version"] or client.get_model_version_by_alias(asked["name"], asked["alias"]).version


def _there(client: Any, name: str) -> str:
    """What could have been asked for."""
    registered = {model.name: model for model in client.search_registered_models()}
    if name not in registered:
        return f"registered models: {', '.join(sorted(registered)) or 'none; train one first'}"
    versions = sorted(int(version.version) for version in client.search_model_versions(f"name='{name}'"))
    aliases = ", ".join(f"@{alias}" for alias in sorted(registered[name].aliases))
    return f"there are versions {', '.join(map(str, versions)) or 'none'} and aliases {aliases or 'none'}"
