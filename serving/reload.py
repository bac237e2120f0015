"""Reloading: a new model is loaded beside the one that answers, and takes its place between two requests."""

import gc
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from features.remembered import forget
from models.bundle import Bundle, load_bundle
from serving.answers import Answers, answers_of
from serving.api import ModelResponse, ReloadResponse, ServedTold
from serving.bundle_source import content_of, fetch_bundle, keep_bundle, kept_version, pinned, registered_version
from serving.errors import SHOWN, Detail, RequestError
from serving.etags import answers_tag
from serving.metrics import Metrics
from serving.requests_log import FAULTS

TRIES = 3
"""Looks at a folder whose bundle is replaced while it is read."""
FIRST_PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds between tries to load a first model; each pause is twice the one before."""


@dataclass(frozen=True)
class Origin:
    """folder: of the bundle. registered: models:/NAME@ALIAS or models:/NAME/VERSION that is kept there; empty: none."""

    folder: Path
    registered: str = ""


@dataclass(frozen=True)
class Served:
    """What answers."""

    answers: Answers
    told: ServedTold


class Reloader:
    """served: what answers; None: nothing could be loaded yet. swap: called with what answers from now on, in the
    thread that asked for it."""

    def __init__(self, origin: Origin, swap: Callable[[Answers], None], metrics: Metrics) -> None:
        self.origin = origin
        self.served: Served | None = None
        self._swap = swap
        self._metrics = metrics
        # What was refused last, and why the registry could not be asked.
        self._refused: str | None = None
        self._unreachable = ""
        self._one_at_a_time = threading.Lock()

    def begin(self) -> None:
        """Serve what is in the folder; where that is broken and a model is registered, fetch it anew.

        Raises RequestError that tells why there is nothing to serve, which is in the log too.
        """
        with self._one_at_a_time:
            try:
                self._take(load_served(self.origin), "a model is served")
            # A worker that fails would be started again for ever, each time at the cost of seconds of a core.
            except Exception as error:
                fault = self._refuse(content_of(self.origin.folder), error)
                if not self.origin.registered:
                    raise fault from error
                self._reload()

    def reload(self) -> ReloadResponse:
        """Look for another model, whatever was refused before. Takes seconds where there is one.

        Raises RequestError that tells why what was found is not served.
        """
        with self._one_at_a_time:
            self._refused = None
            return self._reload()

    def look(self) -> None:
        """As reload, in the background: what was refused is not tried again, and faults go to the log."""
        with self._one_at_a_time:
            try:
                self._reload()
            except RequestError:
                return

    def _reload(self) -> ReloadResponse:
        mark = ""
        try:
            mark = self._mark()
            self._unreachable = ""
            if self.served is not None and mark in (self._mark_served(self.served), self._refused):
                return ReloadResponse(outcome="unchanged", served=self.served.told)
            loaded = self._load(mark)
        # Whatever is wrong with a new model, the old one must go on.
        except Exception as error:
            raise self._refuse(mark, error) from error
        self._take(loaded, "another model is served")
        self._metrics.reloaded("swapped")
        return ReloadResponse(outcome="swapped", served=loaded.told)

    def _take(self, loaded: Served, message: str) -> None:
        self.served = loaded
        self._swap(loaded.answers)
        self._metrics.loaded(datetime.now(UTC).timestamp())
        FAULTS.info({"message": message, **loaded.told.model_dump()})

    def _refuse(self, mark: str, error: Exception) -> RequestError:
        if self.origin.registered and not mark:
            self._note_unreachable(str(error))
        else:
            self._refused = mark
            self._metrics.reloaded("refused")
            FAULTS.warning({"message": "a model was refused", "mark": mark, "reason": str(error)})
        said, *faults = str(error).splitlines() or [type(error).__name__]
        details = [Detail(field="bundle", value=None, expected=fault.strip()) for fault in faults[:SHOWN]]
        return RequestError(409, "model_refused", f"not served: {said}", details)

    def _note_unreachable(self, reason: str) -> None:
        """Told once: the watcher would tell it again at every look."""
        self._metrics.reloaded("unreachable")
        if reason != self._unreachable:
            FAULTS.warning({"message": "the registry does not answer", "reason": reason})
        self._unreachable = reason

    def _mark(self) -> str:
        """What there is to be served: registered version, or content of the folder."""
        return registered_version(self.origin.registered) if self.origin.registered else content_of(self.origin.folder)

    def _mark_served(self, served: Served) -> str | None:
        return served.told.version if self.origin.registered else served.told.content

    def _load(self, mark: str) -> Served:
        registered, folder = self.origin.registered, self.origin.folder
        if not registered:
            return load_served(self.origin)
        bundle = fetch_bundle(pinned(registered, mark))
        answers = answers_of(bundle)
        # Kept where a worker that starts again finds it, once it is known to answer; none starts from the registry.
        keep_bundle(bundle, registered, mark, folder)
        return _served(self.origin, content_of(folder), answers)


def load_served(origin: Origin) -> Served:
    """What the bundle in the folder answers.

    Raises BundleError.
    """
    content, bundle = _read(origin.folder)
    return _served(origin, content, answers_of(bundle))


def _read(folder: Path) -> tuple[str, Bundle]:
    """Hash of the content, and the bundle, which may be replaced while it is read."""
    for _ in range(TRIES - 1):
        content = content_of(folder)
        try:
            return content, load_bundle(folder)
        except (ValueError, OSError):
            if content_of(folder) == content:
                raise
    return content_of(folder), load_bundle(folder)


def _served(origin: Origin, content: str, answers: Answers) -> Served:
    told = ServedTold(
        source=origin.registered or "folder",
        version=kept_version(origin.folder) if origin.registered else None,
        content=content,
        loaded_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    model = ModelResponse.model_validate_json(answers.model).model_copy(update={"served": told})
    whole = replace(answers, model=model.model_dump_json().encode(), tag=answers_tag(content))
    return Served(whole, told)


def settle() -> None:
    """What was loaded stays: looking through it for garbage cost requests up to 0.4 s. What answered before goes."""
    forget()
    gc.unfreeze()
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


def keep_trying(reloader: Reloader, ended: threading.Event) -> threading.Thread:
    """Try to load a first model until there is one, or `ended` is set; each try that fails is a line of the log."""

    def tries() -> None:
        pause = FIRST_PAUSE
        while reloader.served is None and not ended.wait(pause):
            with suppress(RequestError):
                reloader.begin()
            pause = min(2 * pause, LONGEST_PAUSE)

    trying = threading.Thread(target=tries, name="qonys-first-model", daemon=True)
    trying.start()
    return trying


def watch(reloader: Reloader, seconds: float, ended: threading.Event) -> threading.Thread:
    """Look at the registry every so many seconds until `ended` is set."""

    def looks() -> None:
        while not ended.wait(seconds):
            reloader.look()

    watching = threading.Thread(target=looks, name="qonys-watch", daemon=True)
    watching.start()
    return watching
