"""Where a bundle comes from: a folder, or MLflow's model registry. Knows MLflow, and only when it is asked for."""

import json
import os
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

from models.bundle import Bundle, load_bundle, save_bundle

SCHEME = "models:/"
SQLITE = "sqlite:///"
TRACKING = f"{SQLITE}build/mlflow.db"
"""Where training tracks its runs if MLFLOW_TRACKING_URI is not set."""
FETCHED = Path("build/served")
VERSION = "version.json"
"""Beside a bundle that was fetched: what was asked for, and which version it was."""
FORM = re.compile(r"models:/(?P<name>[^/@]+)(?:@(?P<alias>[^/@]+)|/(?P<version>\d+))")


T = TypeVar("T")


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


def registered_version(source: str) -> str:
    """Version of `models:/name@alias` in the registry now.

    Raises SourceError.
    """
    asked = _asked(source)
    client, uri = _registry(source)
    return _told_by(client, uri, source, asked["name"], lambda: _version(client, asked))


def pinned(source: str, version: str) -> str:
    """The source with a version in place of its alias.

    >>> pinned("models:/qonys@champion", "7")
    'models:/qonys/7'
    """
    return f"{SCHEME}{_asked(source)['name']}/{version}"


def keep_bundle(bundle: Bundle, source: str, version: str, folder: Path) -> None:
    """Put a fetched bundle into the folder, in place of the one that is there once it is whole."""
    save_bundle(bundle, folder)
    (folder / VERSION).write_text(json.dumps({"source": source, "version": version}), "utf-8")


def kept_version(folder: Path) -> str | None:
    """Version of the registered bundle that is kept in a folder; None: not known."""
    try:
        return str(json.loads((folder / VERSION).read_text("utf-8"))["version"])
    except (OSError, ValueError, KeyError):
        return None


def content_of(folder: Path) -> str:
    """Hash of the content of the bundle in a folder; empty where none can be told, which load_bundle explains."""
    try:
        return str(json.loads((folder / "manifest.json").read_text("utf-8"))["content"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def store_address() -> str:
    """Where MLflow is asked, whatever folder one is in."""
    uri = os.environ.get("MLFLOW_TRACKING_URI") or TRACKING
    path = uri.removeprefix(SQLITE)
    return uri if path == uri else f"{SQLITE}{Path(path).resolve()}"


def _asked(source: str) -> re.Match[str]:
    asked = FORM.fullmatch(source)
    if asked is None:
        raise SourceError(f"{source}: must be models:/NAME@ALIAS or models:/NAME/VERSION")
    return asked


def _downloaded(source: str, folder: Path) -> Path:
    asked = _asked(source)
    client, uri = _registry(source)

    def download() -> Path:
        from mlflow.artifacts import download_artifacts

        artifacts = client.get_model_version_download_uri(asked["name"], _version(client, asked))
        return Path(download_artifacts(artifacts, dst_path=str(folder), tracking_uri=uri))

    return _told_by(client, uri, source, asked["name"], download)


def _registry(source: str) -> tuple[Any, str]:
    """MLflow's client, and where the registry is."""
    # MLflow reads this when it is imported; without it, it sends records of its use.
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")
    # A bar that moves is no line of a log.
    os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")
    try:
        import mlflow
    except ImportError:
        raise SourceError(
            f"{source}: MLflow is not installed; install 'qonys[train]', or give a bundle folder"
        ) from None
    uri = os.environ.get("MLFLOW_TRACKING_URI") or TRACKING
    _check_store(source, uri)
    return mlflow.MlflowClient(uri), uri


def _told_by(client: Any, uri: str, source: str, name: str, ask: Callable[[], T]) -> T:
    """What the registry answers.

    Raises SourceError that tells what could have been asked for.
    """
    from mlflow.exceptions import MlflowException

    try:
        return ask()
    except (MlflowException, OSError) as error:
        reason = str(error).splitlines()[0].rstrip(".")
        raise SourceError(f"{source}: {reason}; {_there(client, name)} in {uri}") from None


def _check_store(source: str, uri: str) -> None:
    # MLflow would make an empty database where none is.
    path = uri.removeprefix(SQLITE)
    if path != uri and not Path(path).is_file():
        raise SourceError(f"{source}: no MLflow store at {uri}; train first, or set MLFLOW_TRACKING_URI to where it is")


def _version(client: Any, asked: re.Match[str]) -> str:
    return asked["version"] or str(client.get_model_version_by_alias(asked["name"], asked["alias"]).version)


def _there(client: Any, name: str) -> str:
    """What could have been asked for."""
    registered = {model.name: model for model in client.search_registered_models()}
    if name not in registered:
        return f"registered models: {', '.join(sorted(registered)) or 'none; train one first'}"
    versions = sorted(int(version.version) for version in client.search_model_versions(f"name='{name}'"))
    aliases = ", ".join(f"@{alias}" for alias in sorted(registered[name].aliases))
    return f"there are versions {', '.join(map(str, versions)) or 'none'} and aliases {aliases or 'none'}"
