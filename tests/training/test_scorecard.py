"""Scores pooled over cutoffs."""

import numpy as np
import pandas as pd
import pytest

from tests.tables import table
from training.scorecard import COLUMNS, scorecard


def scores_of(text: str) -> pd.DataFrame:
    """Backtest rows of one target; scores that the table does not give are those of a forecast that covers all."""
    rows = table(text).assign(target="net_migration")
    given = {"horizon": 1, "n": 4, "abs_actual": 100.0, "sign_agreement": 1.0, "crps": 1.0}
    covered = {f"coverage_{level}": 1.0 for level in (50, 80, 90)}
    return rows.assign(**{name: value for name, value in (given | covered).items() if name not in rows})


def row_of(card: pd.DataFrame, model: str) -> pd.Series:
    return card.set_index("model").loc[model]


def test_a_perfect_forecast_has_no_error_and_skill_one():
    card = scorecard(
        scores_of("""
            model       cutoff abs_error
            persistence 2010   10
            persistence 2011   30
            perfect     2010   0
            perfect     2011   0
        """)
    )

    perfect = row_of(card, "perfect")
    assert (perfect["wape"], perfect["skill"], perfect["won"]) == (0, 1, 1)
    assert (perfect["skill_low"], perfect["skill_high"]) == (1, 1)


def test_persistence_has_no_skill_and_wins_nowhere(trained):
    card = scorecard(trained[1].scores)

    persistence = card[card["model"] == "persistence"]
    assert (persistence["skill"] == 0).all()
    assert (persistence["won"] == 0).all()


def test_errors_are_summed_before_they_are_divided():
    card = scorecard(
        scores_of("""
            model       cutoff abs_error abs_actual
            persistence 2010   10        100
            persistence 2011   90        300
            model       2010   20        100
            model       2011   30        300
        """)
    )

    assert row_of(card, "model")["wape"] == pytest.approx(50 / 400)
    assert row_of(card, "model")["skill"] == pytest.approx(1 - 50 / 100)
    assert row_of(card, "model")["won"] == 0.5


def test_coverage_is_of_outcomes_and_not_of_cutoffs():
    card = scorecard(
        scores_of("""
            model       cutoff abs_error n  coverage_80
            persistence 2010   10        30 1.0
            persistence 2011   10        10 0.6
        """)
    )

    assert row_of(card, "persistence")["coverage_80"] == pytest.approx(0.9)
    assert row_of(card, "persistence")["n"] == 40


def test_skill_is_taken_at_cutoffs_that_persistence_was_scored_at_too():
    card = scorecard(
        scores_of("""
            model       cutoff abs_error
            persistence 2011   10
            model       2010   999
            model       2011   5
        """)
    )

    assert row_of(card, "model")["skill"] == 0.5
    assert row_of(card, "model")["cutoffs"] == 1


def test_one_cutoff_gives_no_interval():
    card = scorecard(
        scores_of("""
            model       cutoff abs_error
            persistence 2010   10
        """)
    )

    assert np.isnan(row_of(card, "persistence")["skill_low"])


def test_the_interval_holds_the_skill(trained):
    card = scorecard(trained[1].scores).dropna()

    assert len(card)
    assert (card["skill_low"] <= card["skill"] + 1e-12).all()
    assert (card["skill"] <= card["skill_high"] + 1e-12).all()


def test_it_has_one_row_per_target_horizon_and_model(trained):
    card = scorecard(trained[1].scores)

    assert list(card.columns) == COLUMNS
    assert not card.duplicated(["target", "horizon", "model"]).any()


def test_no_scores_make_an_empty_scorecard(trained):
    assert scorecard(trained[1].scores.iloc[:0]).empty
