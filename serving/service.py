"""The BentoML service: loads a bundle, answers by look-up, takes another when there is one. Knows BentoML."""

import asyncio
import gc
import os
import socket
import tempfile
import threading
from contextlib import suppress
from functools import lru_cache
from pathlib import Path

import bentoml
from bentoml._internal.configuration.containers import BentoMLContainer
from starlette.types import ASGIApp, Receive, Scope, Send

from features.contracts import DatasetError
from models.bundle import BundleError
from serving.answers import Answers
from serving.bundle_source import (
    SCHEME,
    SourceError,
    fetch_bundle,
    fetched_folder,
    keep_bundle,
    pinned,
    registered_version,
    store_address,
)
from serving.errors import RequestError
from serving.metrics import metrics
from serving.patience import close_slow
from serving.protocol import speak
from serving.reload import Origin, Reloader, keep_trying, load_served, settle, watch
from serving.requests_log import start_log
from serving.routes import create_app
from serving.rules import Rules
from serving.scoreboard import VINTAGES, folder
from serving.settings import SettingsError, settings_of
from serving.shutdown import end_gently, running_server
from serving.supervision import supervise

BUNDLE, SOURCE = "QONYS_BUNDLE", "QONYS_SOURCE"


class AddressError(ValueError):
    """An address that cannot be listened on."""


UserError = (BundleError, DatasetError, SourceError, AddressError, SettingsError)
app = create_app()


class Fronted(bentoml.Service):
    """A service whose requests come to our app first, which passes on what BentoML answers itself.

    The other way round, each goes through BentoML's tracing, log and clock, which take ten times as long as an answer;
    what they refuse has forms of its own; and their metrics have a label for every path that anybody ever tried.
    """

    def to_asgi(self, is_main: bool = True) -> ASGIApp:
        behind = app.state.bentoml = super().to_asgi(is_main)

        async def front(scope: Scope, receive: Receive, send: Send) -> None:
            await (app if scope["type"] == "http" else behind)(scope, receive, send)

        return front


@bentoml.service(name="qonys", workers=1, service_class=Fronted, logging={"access": {"enabled": False}})
@bentoml.asgi_app(app)
class Qonys:
    """Forecasts who leaves a region and who arrives in a city.

    The bundle is the folder in the environment variable QONYS_BUNDLE, else build/bundle beside the code. QONYS_SOURCE
    says which registered model is kept there.
    """

    def __init__(self) -> None:
        # Until all is loaded nothing is garbage; `settle` turns it on again.
        gc.disable()
        settings = settings_of(os.environ)
        start_log(settings.access_log)
        counted = metrics()
        app.state.rules = Rules(settings, counted)
        app.state.reloader = Reloader(_origin(), _swap, counted)
        with suppress(RequestError):
            app.state.reloader.begin()
        self._ended = threading.Event()

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Runs before any worker is started: what cannot be served is told at once."""
        origin = _origin()
        try:
            settings_of(os.environ)
            _check(origin)
        except UserError as error:
            raise SystemExit(f"error: {error}") from None
        # Workers of a Bento run in another folder.
        os.environ[BUNDLE] = str(origin.folder)
        supervise()

    @bentoml.on_startup
    def begin(self) -> None:
        rules, reloader = app.state.rules, app.state.reloader
        server = running_server()
        end_gently(rules)
        if server is not None:
            speak(server, app.refuse)
            self._closing = asyncio.get_running_loop().create_task(close_slow(server))
        if reloader.served is None:
            gc.enable()
            keep_trying(reloader, self._ended)
        if "@" in reloader.origin.registered and rules.settings.watch:
            watch(reloader, rules.settings.watch, self._ended)

    @bentoml.on_shutdown
    def end(self) -> None:
        self._ended.set()


def serve(source: str, port: int, host: str = "127.0.0.1") -> None:
    """Answer over HTTP until interrupted. source: as for fetch_bundle.

    Raises one of UserError before anything is started.
    """
    settings_of(os.environ)
    registered = source if source.startswith(SCHEME) else ""
    origin = Origin((fetched_folder(source) if registered else Path(source)).resolve(), registered)
    if registered:
        version = registered_version(source)
        keep_bundle(fetch_bundle(pinned(source, version)), source, version, origin.folder)
        os.environ["MLFLOW_TRACKING_URI"] = store_address()
    _check(origin)
    address = _free_address(host, port)
    told = {BUNDLE: str(origin.folder), SOURCE: registered, VINTAGES: str(folder().resolve())}
    os.environ |= told | {"BENTOML_DO_NOT_TRACK": "true"}
    with tempfile.TemporaryDirectory(prefix="qonys-metrics-") as counted:
        # BentoML's own folder is one for all services of a user, and the next that starts empties it.
        BentoMLContainer.prometheus_multiproc_dir.set(counted)
        Qonys.serve_http(host=address, port=port)


def _origin() -> Origin:
    told = os.environ.get(BUNDLE)
    folder = Path(told) if told else Path(Qonys.working_dir) / "build" / "bundle"
    return Origin(folder.resolve(), os.environ.get(SOURCE, ""))


@lru_cache(maxsize=1)
def _check(origin: Origin) -> None:
    """Whether it can be served; asked twice, it is looked at once. Raises BundleError or DatasetError."""
    load_served(origin)


def _swap(answers: Answers) -> None:
    app.state.answers = answers
    settle()
    threading.Thread(target=answers.prepare, name="qonys-prepare", daemon=True).start()


def _free_address(host: str, port: int) -> str:
    """The host as an IP address, on which the port is free."""
    if not 0 < port < 2**16:
        raise AddressError(f"port {port}: must be from 1 to 65535")
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        raise AddressError(
            f"{host}:{port}: cannot listen there ({error.strerror}); choose another --port or --host"
        ) from None
    return str(address[0])
