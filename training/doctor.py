"""A set-up's health: checks that each say in one line what is, and what would be right."""

import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata, requires, version
from pathlib import Path
from typing import Literal

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.version import Version

Status = Literal["ok", "warn", "fail"]
LOCK = Path(__file__).parents[1] / "requirements.lock"
NEEDED, WANTED = 200e6, 2e9
"""Bytes that must be free, and that should be: a training leaves 5 to 50 MB, a store grows."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Check:
    """told: what is. right: what would be right; empty where all is well."""

    name: str
    status: Status
    told: str
    right: str = ""

    @property
    def line(self) -> str:
        return f"{self.status:<4} {self.name}: {self.told}" + (f"; {self.right}" if self.right else "")


def checks(bundle: Path, uri: str, storage: str | None, host: str, port: int, build: Path) -> Iterator[Check]:
    """uri: MLflow's store. storage: Optuna's, where one is set. build: where a training writes."""
    yield _python()
    yield _libraries()
    yield _locked()
    yield _driver(uri, storage)
    yield from _store(uri)
    if storage:
        yield _reached("optuna storage", storage, "start it, or set QONYS_OPTUNA_STORAGE")
    yield from _bundle(bundle)
    yield _port(host, port)
    yield _writable("build", build)
    yield _disk(build)
    yield _browser()


# --- versions -------------------------------------------------------------------------------------------------------


def _python() -> Check:
    wanted, own = metadata("qonys")["Requires-Python"], ".".join(map(str, sys.version_info[:3]))
    if Version(own) in SpecifierSet(wanted):
        return Check("python", "ok", own)
    return Check("python", "fail", own, f"must be {wanted}")


def _libraries() -> Check:
    """Against the bounds of the project."""
    told = [Requirement(line) for line in requires("qonys") or ()]
    wanted = [one for one in told if one.marker is None or one.marker.evaluate({"extra": "train"})]
    faults = [fault for one in wanted if (fault := _fault(one))]
    if faults:
        return Check("libraries", "fail", "; ".join(faults), "install with `pip install -c requirements.lock .[train]`")
    return Check("libraries", "ok", f"{len(wanted)} within the project's bounds")


def _fault(wanted: Requirement) -> str | None:
    there = _installed(wanted.name)
    if there is None:
        return f"{wanted.name} is not installed, must be {wanted.specifier}"
    if wanted.specifier.contains(there, prereleases=True):
        return None
    return f"{wanted.name} {there}, must be {wanted.specifier}"


def _locked() -> Check:
    """Pins of other machines and Pythons do not count, nor what is not installed."""
    if not LOCK.is_file():
        return Check("lock", "ok", "no requirements.lock here, so the project's bounds alone count")
    lines = re.findall(r"^[\w.-]+==[^\\\n]+", LOCK.read_text("utf-8"), re.MULTILINE)
    told = [one for one in map(Requirement, lines) if one.marker is None or one.marker.evaluate()]
    there = {one.name: _installed(one.name) for one in told}
    off = [f"{one.name} {there[one.name]}, must be {one.specifier}" for one in told if _differs(one, there[one.name])]
    if off:
        some = "; ".join(off[:5])
        return Check("lock", "warn", f"{len(off)} of {len(told)} differ: {some}", "tested are those of the lock")
    return Check("lock", "ok", f"as in requirements.lock, {len(told)} pins")


def _differs(pin: Requirement, there: str | None) -> bool:
    return there is not None and not pin.specifier.contains(there, prereleases=True)


def _installed(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def _driver(uri: str, storage: str | None) -> Check:
    asked = [one for one in (uri, storage or "") if one.startswith("postgresql")]
    if not asked:
        return Check("database driver", "ok", "none is needed")
    named = {one.partition("://")[0].partition("+")[2] or "psycopg2" for one in asked}
    missing = sorted(name for name in named if _installed(name) is None and _installed(f"{name}-binary") is None)
    if not missing:
        return Check("database driver", "ok", ", ".join(sorted(named)))
    right = 'write postgresql+psycopg://… and `pip install "qonys[postgres]"`'
    return Check("database driver", "fail", f"{', '.join(missing)} is not installed", right)


# --- store ----------------------------------------------------------------------------------------------------------


def _store(uri: str) -> Iterator[Check]:
    """Store, registry, champion: each needs the one before."""
    from training.store import EXPERIMENT, TrackingError, existing, quiet, sqlite_file, told
    from training.vintages import vintages_folder

    path = sqlite_file(uri)
    if path is not None and not path.exists():
        yield Check("store", "warn", f"none at {_hidden(uri)}", "`qonys train` makes one, or set MLFLOW_TRACKING_URI")
        return
    right = "start it, set MLFLOW_TRACKING_URI, or run `mlflow db upgrade` where the schema is old"
    if uri.startswith("postgresql") and (reached := _reached("store", uri, right)).status == "fail":
        yield reached
        return
    try:
        with told(uri), quiet():
            client = existing(uri)
            found = client.get_experiment_by_name(EXPERIMENT)
    except (TrackingError, ImportError, OSError) as error:
        yield Check("store", "fail", _first_line(error, uri), right)
        return
    if found is None:
        yield Check("store", "warn", f"{_hidden(uri)} has no experiment '{EXPERIMENT}'", "`qonys train` makes it")
        return
    yield Check("store", "ok", _hidden(uri)) if path is None else _writable("store", path)
    yield _artifacts(str(found.artifact_location))
    yield _writable("vintages", vintages_folder(path))
    yield from _champions(client, uri)


def _artifacts(location: str) -> Check:
    folder = location.removeprefix("file://")
    if "://" in folder:
        return Check("artifacts", "ok", f"at {location}, which is not tried")
    return _writable("artifacts", Path(folder))


def _writable(name: str, place: Path) -> Check:
    """Of a folder that is made where it is missing: the folder above."""
    there = next(one for one in (place.absolute(), *place.absolute().parents) if one.exists())
    if os.access(there, os.W_OK):
        return Check(name, "ok", str(place))
    return Check(name, "fail", f"{there} cannot be written to", "must be writable by who trains")


def _champions(client, uri: str) -> Iterator[Check]:
    """Every registered champion, and whether its bundle can be read."""
    from models.bundle import BundleError, load_bundle
    from training.store import TrackingError, artifact, quiet, told

    with quiet():
        models = [model for model in client.search_registered_models() if "champion" in model.aliases]
    if not models:
        yield Check("registry", "warn", "no champion is registered", "`qonys train` registers one")
    for model in models:
        number = str(model.aliases["champion"])
        try:
            with told(uri), quiet():
                load_bundle(artifact(client.get_model_version(model.name, number).source, uri))
            yield Check("registry", "ok", f"{model.name} serves version {number}")
        except (BundleError, TrackingError, OSError) as error:
            right = "train again, or move the alias to a version that can be read"
            yield Check("registry", "fail", f"{model.name} version {number}: {_first_line(error, uri)}", right)


def _reached(name: str, uri: str, right: str) -> Check:
    """One try, without MLflow's and Optuna's patience."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import SQLAlchemyError

    try:
        engine = create_engine(uri)
        engine.connect().close()
        engine.dispose()
    except (SQLAlchemyError, ImportError) as error:
        return Check(name, "fail", f"{_hidden(uri)}: {_first_line(error, uri)}", right)
    return Check(name, "ok", _hidden(uri))


def _first_line(error: Exception, uri: str) -> str:
    """Without the store's password; of a server that does not answer why, without the whole request.

    >>> why = "HTTPConnectionPool(host='db', port=9): ... [Errno 111] Connection refused'))"
    >>> _first_line(OSError(f"API request to http://db:9/api failed with exception {why}"), "http://db:9")
    'http://db:9: Connection refused'
    """
    line = str(error).splitlines()[0].replace(uri, _hidden(uri))
    refused = re.search(r"ConnectionPool.*\[Errno -?\d+\] ([\w ]+)", line)
    return f"{_hidden(uri)}: {refused[1]}" if refused else line


def _hidden(uri: str) -> str:
    """
    >>> _hidden("postgresql+psycopg://qonys:secret@db/mlflow")
    'postgresql+psycopg://qonys:***@db/mlflow'
    """
    return re.sub(r"(://[^:/@]*):[^@/]*@", r"\1:***@", uri)


# --- bundle, machine ------------------------------------------------------------------------------------------------


def _bundle(folder: Path) -> Iterator[Check]:
    from models.bundle import BundleError, load_bundle
    from training.run import git_commit

    if not (folder / "manifest.json").is_file():
        yield Check("bundle", "warn", f"none in {folder}", "`qonys train` makes one")
        return
    try:
        told = load_bundle(folder).manifest
    except (BundleError, ValueError, OSError) as error:
        yield Check("bundle", "fail", str(error).splitlines()[0].removesuffix("; train again"), "train again")
        return
    yield Check("bundle", "ok", f"{folder}: {told.dataset['name']}, cutoff {told.cutoff}")
    yield _same("bundle's Qonys", told.versions["qonys"], version("qonys"))
    yield _same("bundle's commit", told.versions["commit"], git_commit())


def _same(name: str, made_by: str, own: str) -> Check:
    if made_by == own:
        return Check(name, "ok", own)
    return Check(name, "warn", f"{made_by}, this is {own}", "train again where the difference matters")


def _port(host: str, port: int) -> Check:
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            one.bind((host, port))
        except OSError as error:
            right = "stop what listens there, or choose another with --port"
            return Check("port", "fail", f"{host}:{port}: {error.strerror}", right)
    return Check("port", "ok", f"{host}:{port} is free")


def _disk(folder: Path) -> Check:
    there = next(one for one in (folder.absolute(), *folder.absolute().parents) if one.exists())
    free = shutil.disk_usage(there).free
    told = f"{free / 1e9:,.1f} GB free at {there}"
    if free >= WANTED:
        return Check("disk", "ok", told)
    return Check("disk", "warn" if free >= NEEDED else "fail", told, f"should be {WANTED / 1e9:.0f} GB or more")


def _browser(which: Callable[[str], str | None] = shutil.which) -> Check:
    found = next((path for name in BROWSERS if (path := which(name))), None)
    if found:
        return Check("browser", "ok", found)
    return Check("browser", "warn", "no Chromium", "only tests of pages need one; they are skipped without")
