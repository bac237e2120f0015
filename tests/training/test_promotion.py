"""Who becomes champion."""

import numpy as np
import pandas as pd
import pytest

from training.promotion import CHALLENGER, CHAMPION, promotion

CUTOFFS = range(2004, 2024)


def served(errors, coverage: float = 0.8, horizons=(1, 2), cutoffs=CUTOFFS) -> pd.DataFrame:
    """Scores of what a version serves: `errors` at each cutoff, the same at all horizons."""
    rows = [
        {"target": "net_migration", "model": "served", "cutoff": cutoff, "horizon": horizon, "n": 16}
        | {"abs_error": error, "coverage_80": coverage}
        for horizon in horizons
        for cutoff, error in zip(cutoffs, np.broadcast_to(errors, len(cutoffs)), strict=True)
    ]
    return pd.DataFrame(rows)


CHAMPIONS = served(100.0)
UNCLEAR = np.where(np.arange(len(CUTOFFS)) % 2, 90.0, 109.0)


@pytest.mark.parametrize(
    ("scores", "cutoff", "alias", "because"),
    [
        pytest.param(served(90.0), 2024, CHAMPION, "proven ahead", id="ahead_everywhere"),
        pytest.param(served(UNCLEAR), 2024, CHALLENGER, "not proven ahead", id="ahead_by_chance"),
        pytest.param(served(100.0), 2024, CHALLENGER, "identical", id="identical"),
        pytest.param(served(110.0), 2024, CHALLENGER, "not proven ahead", id="behind"),
        pytest.param(served(90.0, coverage=0.5), 2024, CHALLENGER, "covers 50.0%", id="intervals_too_narrow"),
        pytest.param(served(90.0, coverage=0.97), 2024, CHALLENGER, "covers 97.0%", id="intervals_too_wide"),
        pytest.param(
            served(90.0, cutoffs=CUTOFFS[:14]), 2024, CHALLENGER, "14 cutoffs in common", id="too_few_cutoffs"
        ),
        pytest.param(served(90.0, horizons=(1,)), 2024, CHALLENGER, "net_migration 2 ahead", id="horizon_lost"),
        pytest.param(served(90.0), 2023, CHALLENGER, "before the champion's", id="older_data"),
        pytest.param(served(100.0), 2025, CHAMPION, "seen data up to 2025", id="newer_data_same_model"),
        pytest.param(served(UNCLEAR), 2025, CHAMPION, "not proven behind", id="newer_data_behind_by_chance"),
        pytest.param(served(110.0), 2025, CHALLENGER, "proven behind", id="newer_data_but_proven_behind"),
        pytest.param(served(90.0, horizons=(1,)), 2025, CHALLENGER, "2 ahead", id="newer_data_horizon_lost"),
    ],
)
def test_the_champion_gives_way_only_to_what_is_proven_or_has_seen_newer_data(scores, cutoff, alias, because):
    given, reason = promotion(scores, CHAMPIONS, cutoff, 2024)

    assert given == alias
    assert because in reason
    assert "\n" not in reason


def test_the_first_version_is_champion():
    assert promotion(served(100.0), None, 2024, None) == (CHAMPION, "there was no champion")


def test_targets_weigh_the_same_however_many_people_move():
    many = served(1_000_000.0).assign(target="inflow")
    champion = pd.concat([served(100.0), many])
    better_at_few = pd.concat([served(50.0), many.assign(abs_error=1_010_000.0)])

    assert promotion(better_at_few, champion, 2024, 2024)[0] == CHAMPION


def test_only_what_is_served_counts():
    worse_models = served(500.0).assign(model="boosted")

    alias, _ = promotion(pd.concat([served(90.0), worse_models]), CHAMPIONS, 2024, 2024)

    assert alias == CHAMPION
