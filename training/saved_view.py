"""A saved view: what MLflow's list of runs shows from its menu *Views*, or by a link, at one click.

MLflow keeps a view as a tag of the experiment, the state of its page as deflated JSON. A version of MLflow that does
not know the tag shows its own columns.
"""

import base64
import json
import zlib

from training.run_metrics import OVERALL

KEY = "trainings"
TAG = f"mlflow.sharedViewState.{KEY}"
NAME = "Trainings: skill, coverage, sharpness"
NAME_WIDTHS = {"attributes.`Run Name`": 340, "runDateAndNestInfo": 130, "tags.`verdict`": 100}
SCORE_WIDTH = 140
"""Of columns, pixels; all fit beside MLflow's menu on a screen of 1440. Its own cut names after some twenty letters."""


def view_link(experiment: str) -> str:
    """To the view, from MLflow's address or from another page of it; in the pages for model training."""
    return f"#/experiments/{experiment}/runs?viewStateShareKey={KEY}&workflowType=machine_learning"


def trainings_view(now: int) -> str:
    """Value of TAG: trainings alone, the newest first, with verdict and overall scores. now: milliseconds."""
    scores = [f"metrics.`overall/{score}`" for score in OVERALL]
    columns = ["tags.`verdict`", *scores, "attributes.`Dataset`"]
    state = {
        "searchFilter": "tags.kind = 'training'",
        "orderByKey": "attributes.start_time",
        "orderByAsc": False,
        "startTime": "ALL",
        "lifecycleFilter": "Active",
        "datasetsFilter": [],
        "modelVersionFilter": "All Runs",
        "selectedColumns": columns,
        "columnOrder": [*NAME_WIDTHS, *scores, "attributes.`Dataset`"],
        "columnWidths": NAME_WIDTHS | dict.fromkeys(scores, SCORE_WIDTH) | {"attributes.`Dataset`": 280},
    }
    told = base64.b64encode(zlib.compress(json.dumps(state).encode())).decode("ascii")
    return json.dumps({"name": NAME, "createdAt": now, "updatedAt": now, "state": f"deflate;{told}"})
