"""A challenger is served only where it is proven."""

import numpy as np
import pandas as pd
import pytest

from models.decision import Decision
from models.flow_models import FROZEN
from training.gate import PROVEN_FROM, WITHDRAWN_FROM, decide


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


# --- models that were fixed in advance ------------------------------------------------------------------------------

GOOD = {"corrected": 90, "margins": 95, "structure": 97}


def standing(evidence: pd.DataFrame, targets: tuple[str, ...] = ("net_migration",)) -> Decision:
    """What is served where flows are forecast."""
    first, *others = decide(evidence, targets, 1, "persistence", FROZEN)
    assert {one.model for one in others} <= {first.model}
    return first


@pytest.mark.parametrize(
    ("evidence", "model", "reason"),
    [
        pytest.param(scores(cutoffs=5, **GOOD), "corrected", "fixed in advance: 5 past cutoffs", id="good"),
        pytest.param(
            scores(cutoffs=5, **GOOD | {"corrected": 99}), "corrected", "fixed", id="the_fullest_not_the_best"
        ),
        pytest.param(scores(cutoffs=4, **GOOD | {"corrected": 150}), "corrected", "4 past cutoffs", id="too_few"),
        pytest.param(scores(cutoffs=5, **GOOD | {"corrected": 101}), "margins", "corrected withdrawn", id="behind"),
        pytest.param(
            scores(cutoffs=5, **GOOD | {"corrected": 101, "margins": 101}),
            "structure",
            "corrected, margins withdrawn",
            id="two_behind",
        ),
        pytest.param(
            scores(cutoffs=5, corrected=101, margins=101, structure=101), "persistence", "fallback", id="all_behind"
        ),
        pytest.param(
            scores(cutoffs=20, corrected=100.5 + NOISE, margins=100.2 - NOISE, structure=100),
            "corrected",
            "no challenger is proven",
            id="behind_by_chance",
        ),
        pytest.param(scores(cutoffs=14, **GOOD, corrected_drift=50), "corrected", "15 are needed", id="unproven"),
        pytest.param(scores(**GOOD, corrected_drift=85), "corrected_drift", "proven", id="a_challenger_is_better"),
        pytest.param(scores(**GOOD, corrected_drift=92), "corrected", "no challenger", id="a_challenger_is_behind_it"),
        pytest.param(
            scores(corrected=101, margins=101, structure=101, mean_of_years=90),
            "mean_of_years",
            "proven",
            id="a_challenger_where_all_are_withdrawn",
        ),
    ],
)
def test_what_was_fixed_in_advance_is_served_until_the_past_speaks_against_it(evidence, model, reason):
    one = standing(evidence)

    assert one.model == model
    assert reason in one.reason


@pytest.mark.parametrize(
    ("cutoffs", "model"), [pytest.param(WITHDRAWN_FROM, "margins", id="enough"), (WITHDRAWN_FROM - 1, "corrected")]
)
def test_one_target_that_is_behind_withdraws_it_for_all(cutoffs, model):
    targets = ("flow", "inflow", "out_migration", "net_migration")
    behind = GOOD | {"corrected": 102}
    evidence = [scores(target, cutoffs, **(behind if target == "out_migration" else GOOD)) for target in targets]

    assert standing(pd.concat(evidence), targets).model == model


def test_a_model_is_withdrawn_only_where_chance_is_unlikely():
    """The mean is behind in both; in one it is a single bad year."""
    steady, one_bad_year = (scores(cutoffs=10, **GOOD | {"corrected": errors}) for errors in (102, [98] * 9 + [128]))

    assert standing(steady).model == "margins"
    assert standing(one_bad_year).model == "corrected"


def test_without_a_past_the_fullest_is_served_without_evidence():
    one = standing(scores(cutoffs=0).reindex(columns=scores().columns))

    assert (one.model, one.cutoffs, one.skill) == ("corrected", 0, None)
    assert one.provisional


def test_other_horizons_withdraw_nothing():
    elsewhere = scores(**GOOD | {"corrected": 200}).assign(horizon=2)

    assert standing(pd.concat([elsewhere, scores(cutoffs=5, **GOOD)])).model == "corrected"
    assert standing(elsewhere).model == "corrected"


def test_the_decision_carries_the_evidence_of_the_model_that_stands():
    one = standing(scores(cutoffs=6, **GOOD | {"corrected": 110}))

    assert (one.model, one.cutoffs, one.skill) == ("margins", 6, 0.05)
