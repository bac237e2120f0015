"""A challenger is served only where it is proven."""

import numpy as np
import pandas as pd
import pytest

from models.decision import Decision
from training.gate import PROVEN_FROM, decide


def scores(target: str = "net_migration", cutoffs: int = PROVEN_FROM, coverage: float = 0.8, **errors) -> pd.DataFrame:
    """Backtest rows of a target at horizon 1: by model its error at every cutoff, one number or one per cutoff."""
    rows = [
        {
            "target": target,
            "model": model,
            "cutoff": 2000 + number,
            "horizon": 1,
            "n": 20,
            "abs_error": float(error),
            "coverage_50": 0.5,
            "coverage_80": coverage if model != "persistence" else 0.8,
            "coverage_90": 0.9,
        }
        for model, given in ({"persistence": 100} | errors).items()
        for number, error in enumerate(np.broadcast_to(given, cutoffs))
    ]
    return pd.DataFrame(rows)


def decision(evidence: pd.DataFrame, fallback: str = "persistence") -> Decision:
    (one,) = decide(evidence, ["net_migration"], 1, fallback)
    return one


NOISE = np.random.default_rng(0).normal(0, 30, 20)
NOISE -= NOISE.mean()


@pytest.mark.parametrize(
    ("evidence", "model", "reason"),
    [
        pytest.param(scores(boosted=90), "boosted", "proven: above persistence at 15 cutoffs", id="proven"),
        pytest.param(
            scores(boosted=90, cutoffs=14),
            "persistence",
            "14 past cutoffs with a known outcome, 15 are needed",
            id="few",
        ),
        pytest.param(scores(boosted=90, coverage=0.69), "persistence", "no challenger is proven", id="too_narrow"),
        pytest.param(scores(boosted=90, coverage=0.91), "persistence", "no challenger is proven", id="too_wide"),
        pytest.param(scores(boosted=101), "persistence", "no challenger is proven", id="behind"),
        pytest.param(scores(boosted=100), "persistence", "no challenger is proven", id="the_same"),
        pytest.param(
            scores(boosted=99.5 + NOISE, cutoffs=20), "persistence", "no challenger is proven", id="ahead_by_luck"
        ),
        pytest.param(scores(boosted=90, combination=85), "combination", "proven", id="the_better_of_two"),
        pytest.param(
            scores(boosted=90, combination=[0, 174] * 10, cutoffs=20), "boosted", "proven", id="the_surer_of_two"
        ),
    ],
)
def test_what_is_served(evidence, model, reason):
    one = decision(evidence)

    assert one.model == model
    assert reason in one.reason


@pytest.mark.parametrize(
    ("evidence", "model"),
    [
        pytest.param(scores(long_mean_pull=90), "long_mean_pull", id="the_fallback_is_good"),
        pytest.param(scores(long_mean_pull=90, boosted=95), "long_mean_pull", id="a_challenger_behind_the_fallback"),
        pytest.param(scores(long_mean_pull=90, boosted=80), "boosted", id="a_challenger_ahead_of_the_fallback"),
        pytest.param(scores(long_mean_pull=110), "persistence", id="the_fallback_is_proven_to_be_behind"),
        pytest.param(scores(long_mean_pull=110, cutoffs=14), "long_mean_pull", id="too_few_to_leave_the_fallback"),
        pytest.param(scores(long_mean_pull=100.5 + NOISE, cutoffs=20), "long_mean_pull", id="behind_by_chance"),
    ],
)
def test_what_is_served_where_the_fallback_is_another(evidence, model):
    assert decision(evidence, "long_mean_pull").model == model


def test_the_decision_carries_the_evidence_of_the_served_model():
    one = decision(scores(boosted=90))

    assert (one.cutoffs, one.skill, one.probability, one.coverage_80) == (15, 0.1, 1.0, 0.8)
    assert not one.provisional


def test_without_a_past_the_fallback_is_served_without_evidence():
    one = decision(scores(cutoffs=0).reindex(columns=scores().columns))

    assert (one.model, one.cutoffs, one.skill) == ("persistence", 0, None)
    assert one.provisional


def test_what_was_served_is_no_evidence():
    assert decision(scores(served=1)).model == "persistence"


@pytest.mark.parametrize(
    ("inflow", "model"),
    [pytest.param(90, "boosted", id="proven_for_both"), pytest.param(110, "persistence", id="proven_for_one")],
)
def test_targets_that_add_up_are_served_by_one_model(inflow, model):
    evidence = pd.concat([scores("net_migration", boosted=90), scores("inflow", boosted=inflow)])

    decisions = decide(evidence, ["net_migration", "inflow"], 1, "persistence")

    assert [one.target for one in decisions] == ["net_migration", "inflow"]
    assert [one.model for one in decisions] == [model] * 2


def test_a_model_of_one_target_alone_is_no_choice_for_two():
    evidence = pd.concat([scores("net_migration", expert_average=50), scores("inflow", boosted=110)])

    decisions = decide(evidence, ["net_migration", "inflow"], 1, "persistence")

    assert [one.model for one in decisions] == ["persistence"] * 2


def test_other_horizons_and_targets_are_no_evidence():
    other = pd.concat([scores(boosted=50).assign(horizon=2), scores("inflow", boosted=50), scores(boosted=110)])

    assert decision(other).model == "persistence"


def test_the_order_of_rows_does_not_matter():
    evidence = scores(boosted=90 + NOISE, combination=92 - NOISE, cutoffs=20)

    assert decision(evidence.sample(frac=1, random_state=1)) == decision(evidence)
