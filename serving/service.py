"""The BentoML service: loads a bundle once, answers by look-up. Knows BentoML."""

import gc
import os
import socket
from functools import lru_cache
from pathlib import Path

import bentoml

from features.contracts import DatasetError
from models.bundle import BundleError, load_bundle, save_bundle
from serving.answers import Answers, answers_of
from serving.bundle_source import SCHEME, SourceError, fetch_bundle, fetched_folder
from serving.routes import create_app

BUNDLE = "QONYS_BUNDLE"


class AddressError(ValueError):
    """An address that cannot be listened on."""


UserError = (BundleError, DatasetError, SourceError, AddressError)
app = create_app()


@bentoml.service(name="qonys", workers=1)
@bentoml.asgi_app(app)
class Qonys:
    """Forecasts who leaves a region and who arrives in a city.

    The bundle is the folder in the environment variable QONYS_BUNDLE, else build/bundle beside the code.
    """

    def __init__(self) -> None:
        app.state.answers = _answers(_folder())

    @bentoml.on_deployment
    @staticmethod
    def check() -> None:
        """Runs before any worker is started: a worker that fails would be started again for ever."""
        folder = _folder().resolve()
        try:
            _answers(folder)
        except UserError as error:
            raise SystemExit(f"error: {error}") from None
        # Workers of a Bento run in another folder.
        os.environ[BUNDLE] = str(folder)

    @bentoml.on_startup
    def freeze(self) -> None:
        """What was loaded stays for ever: looking through it for garbage cost requests up to 0.4 s."""
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 50, 100)


def serve(source: str, port: int, host: str = "127.0.0.1") -> None:
    """Answer over HTTP until interrupted. source: as for fetch_bundle.

    Raises one of UserError before anything is started.
    """
    folder = save_bundle(fetch_bundle(source), fetched_folder(source)) if source.startswith(SCHEME) else Path(source)
    _answers(folder.resolve())
    address = _free_address(host, port)
    os.environ |= {BUNDLE: str(folder.resolve()), "BENTOML_DO_NOT_TRACK": "true"}
    Qonys.serve_http(host=address, port=port)


def _folder() -> Path:
    told = os.environ.get(BUNDLE)
    return Path(told) if told else Path(Qonys.working_dir) / "build" / "bundle"


@lru_cache(maxsize=1)
def _answers(folder: Path) -> Answers:
    return answers_of(load_bundle(folder))


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
