"""A new model takes the place of the one that answers; a broken one does not."""

import gc
import shutil
import sys
import threading
import weakref
from pathlib import Path

import pytest

from models.bundle import load_bundle, save_bundle
from serving.bundle_source import keep_bundle
from serving.errors import RequestError
from serving.reload import Origin, Reloader, keep_trying, load_served, settle, watch
from serving.requests_log import FAULTS

HEAVY = ("mlflow", "scipy", "pandera", "lightgbm", "sklearn", "matplotlib", "optuna")


class Counted:
    """Metrics of reloads."""

    def __init__(self) -> None:
        self.outcomes: list[str] = []

    def reloaded(self, outcome: str) -> None:
        self.outcomes.append(outcome)

    def loaded(self, timestamp: float) -> None:
        assert timestamp > 1.7e9


def reloader(origin: Origin) -> Reloader:
    """One that serves what is in the folder; `swapped` has what came after it."""
    swapped: list = []
    reloading = Reloader(origin, swapped.append, Counted())  # pyright: ignore[reportArgumentType]
    reloading.begin()
    swapped.clear()
    reloading.swapped = swapped  # pyright: ignore[reportAttributeAccessIssue]
    return reloading


def spoil(folder: Path) -> None:
    scores = next(folder.glob("*/scores.csv"))
    scores.write_text(scores.read_text("utf-8") + "\n", "utf-8")


@pytest.fixture
def folder(bundle_folder, tmp_path) -> Path:
    return Path(shutil.copytree(bundle_folder, tmp_path / "bundle"))


@pytest.fixture
def registry(store, monkeypatch, bundle_folder, flow_bundle_folder, tmp_path):
    """Of the model `swap`: version 1 as the service starts with, 2 another, 3 broken."""
    import mlflow

    client = mlflow.MlflowClient(store)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", store)
    broken = Path(shutil.copytree(bundle_folder, tmp_path / "broken"))
    spoil(broken)
    client.create_registered_model("swap")
    for source in (bundle_folder, flow_bundle_folder, broken):
        client.create_model_version("swap", str(source))
    client.set_registered_model_alias("swap", "champion", "1")
    yield client
    client.delete_registered_model("swap")


# --- a folder -------------------------------------------------------------------------------------------------------


def test_a_folder_is_read_again(folder, flow_bundle):
    reloading = reloader(Origin(folder))
    assert reloading.reload().outcome == "unchanged"

    save_bundle(flow_bundle, folder)
    told = reloading.reload()

    assert told.outcome == "swapped"
    assert told.served.content == next(one.name for one in folder.iterdir() if one.is_dir())
    assert [answers.tag for answers in reloading.swapped] == [reloading.served.answers.tag]
    assert b"R1" in reloading.served.answers.regions


def test_what_is_loaded_needs_the_folder_no_more(folder):
    from serving.api import ForecastRequest
    from serving.flows import FlowsRequest

    answers = load_served(Origin(folder)).answers
    shutil.rmtree(folder)

    for target in answers.targets:
        asked = ForecastRequest.model_validate({"target": target}, context=answers.known)
        assert answers.forecast(asked).endswith(b"]}")
    assert answers.recorded_flows().answer(FlowsRequest(top=3)).endswith(b"]}")


def test_a_damaged_bundle_is_refused_with_the_reason_and_the_old_goes_on(folder, flow_bundle):
    reloading = reloader(Origin(folder))
    before = reloading.served
    save_bundle(flow_bundle, folder)
    spoil(folder)

    with pytest.raises(RequestError, match="the bundle is damaged") as caught:
        reloading.reload()

    assert (caught.value.status, caught.value.error.code) == (409, "model_refused")
    assert [one.expected.partition(":")[0] for one in caught.value.error.details] == ["scores.csv"]
    assert reloading.served is before
    assert reloading.swapped == []
    assert reloading._metrics.outcomes == ["refused"]


def test_a_folder_that_is_gone_is_told(folder):
    reloading = reloader(Origin(folder))
    shutil.rmtree(folder)

    with pytest.raises(RequestError, match="no bundle there"):
        reloading.reload()


def test_what_answered_before_is_let_go(folder, flow_bundle):
    reloading = reloader(Origin(folder))
    before = weakref.ref(reloading.served.answers.advising("scenario").bundle.dataset)
    save_bundle(flow_bundle, folder)

    reloading.reload()
    settle()
    gc.unfreeze()

    assert before() is None


def test_a_start_with_a_broken_bundle_is_refused_and_comes_back_when_it_is_mended(folder, monkeypatch):
    monkeypatch.setattr("serving.reload.FIRST_PAUSE", 0.02)
    scores, swapped, ended = next(folder.glob("*/scores.csv")), [], threading.Event()
    whole = scores.read_bytes()
    spoil(folder)
    reloading = Reloader(Origin(folder), swapped.append, Counted())  # pyright: ignore[reportArgumentType]

    with pytest.raises(RequestError, match="the bundle is damaged"):
        reloading.begin()
    trying = keep_trying(reloading, ended)
    while len(reloading._metrics.outcomes) < 3 and trying.is_alive():
        ended.wait(0.02)
    assert reloading.served is None
    scores.write_bytes(whole)
    trying.join(30)

    assert set(reloading._metrics.outcomes) == {"refused"}
    assert [answers.tag for answers in swapped] == [reloading.served.answers.tag]


def test_a_start_imports_nothing_that_only_training_needs(folder, flow_bundle_folder):
    """In another process: this one has imported all of it."""
    import subprocess

    from tests.serving.process import ROOT, environment

    code = (
        "import sys; from pathlib import Path; import serving.service; from serving.reload import *\n"
        "from serving.scenario import ScenarioRequest\n"
        f"load_served(Origin(Path({str(flow_bundle_folder)!r})))\n"
        f"scenarios = load_served(Origin(Path({str(folder)!r}))).answers.advising('scenario')\n"
        "change = {'region': 'KZ-61', 'indicator': 'average_wage', 'change': '+1 %'}\n"
        "scenarios.answer(ScenarioRequest(changes=[change]))\n"
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    told = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment(), check=True, capture_output=True)

    assert told.stdout == b"[]\n"


# --- the registry ---------------------------------------------------------------------------------------------------


def of_champion(folder: Path) -> Reloader:
    keep_bundle(load_bundle(folder), "models:/swap@champion", "1", folder)
    return reloader(Origin(folder, "models:/swap@champion"))


def test_a_new_champion_is_served_and_kept_for_the_next_start(registry, folder):
    reloading = of_champion(folder)
    assert reloading.reload().outcome == "unchanged"

    registry.set_registered_model_alias("swap", "champion", "2")
    told = reloading.reload()

    assert (told.outcome, told.served.version, told.served.source) == ("swapped", "2", "models:/swap@champion")
    assert b"R1" in reloading.served.answers.regions
    assert load_served(reloading.origin).told.version == "2"


def test_a_broken_champion_is_refused_once_and_not_kept(registry, folder):
    reloading = of_champion(folder)
    registry.set_registered_model_alias("swap", "champion", "3")

    reloading.look()
    reloading.look()

    assert reloading._metrics.outcomes == ["refused"]
    assert reloading.served.told.version == "1"
    assert load_served(reloading.origin).told.version == "1"
    with pytest.raises(RequestError, match="the bundle is damaged"):
        reloading.reload()


def test_a_start_with_a_broken_copy_fetches_the_model_anew(registry, folder):
    origin = of_champion(folder).origin
    spoil(folder)

    again = reloader(origin)

    assert again.served.told.version == "1"
    assert load_served(origin).told.content == again.served.told.content


def test_a_registry_that_is_gone_is_told_once_and_leaves_the_service_as_it_is(registry, folder, monkeypatch, tmp_path):
    reloading, told = of_champion(folder), []
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/gone.db")
    monkeypatch.setattr(FAULTS, "warning", told.append)

    reloading.look()
    reloading.look()

    assert reloading.served.told.version == "1"
    assert reloading._metrics.outcomes == ["unreachable", "unreachable"]
    assert [line["message"] for line in told] == ["the registry does not answer"]


def test_the_watcher_sees_a_new_champion(registry, folder):
    reloading, ended = of_champion(folder), threading.Event()
    registry.set_registered_model_alias("swap", "champion", "2")

    watching = watch(reloading, 0.05, ended)
    for _ in range(100):
        if reloading.swapped:
            break
        ended.wait(0.1)
    ended.set()
    watching.join(5)

    assert reloading.served.told.version == "2"
    assert not watching.is_alive()
