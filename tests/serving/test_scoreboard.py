"""The scoreboard is what `qonys score` wrote, and its absence is told."""

import json
from pathlib import Path

import pandas as pd
import pytest

from models.bundle import Bundle
from serving.scoreboard import FILE
from tests.tables import dataset_of, flows_country
from training.scoreboard import vintage_scores, write_scoreboard
from training.vintages import seal, vintages


@pytest.fixture
def board(tmp_path, monkeypatch):
    monkeypatch.setenv("QONYS_VINTAGES", str(tmp_path))
    return tmp_path


def sealed_and_scored(bundle: Bundle, folder: Path) -> pd.DataFrame:
    """What came is known now: the next two years of the same country."""
    seal(bundle, folder, "qonys-made", "1", "run", "the first")
    since = dataset_of(**flows_country([f"R{number}" for number in range(1, 6)], range(2005, 2023)))
    scores = vintage_scores(vintages(folder), folder, since)
    write_scoreboard(scores, vintages(folder), folder, since)
    return scores


def test_where_nothing_was_scored_yet_the_board_is_empty(flow_client, board):
    assert flow_client.get("/scoreboard").json() == {"made": None, "vintages": [], "scores": []}


def test_a_scoreboard_that_cannot_be_read_is_told(flow_client, board):
    (board / FILE).write_text('{"made": 1')
    answer = flow_client.get("/scoreboard")

    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no_scoreboard")


def test_every_score_is_what_was_written(flow_client, flow_bundle, board):
    scores = sealed_and_scored(flow_bundle, board)
    answer = flow_client.get("/scoreboard").json()

    assert set(scores["target"]) == {"net_migration", "inflow", "out_migration", "flow"}
    assert answer["scores"] == json.loads(scores.to_json(orient="records"))
    assert [one["name"] for one in answer["vintages"]] == list(scores["vintage"].unique())
