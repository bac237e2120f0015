"""Recorded flows are hidden, estimated and compared; regions can be merged before."""

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from features.dataset import Dataset, save_dataset
from tests.tables import dataset_of, flows_country, net_country, population_of, regions_of, table
from training.__main__ import app
from training.account_constants import measured_constants
from training.account_proof import (
    AS_IN_KAZAKHSTAN,
    LATE_YEARS,
    MARGINS,
    ProofError,
    hidden,
    product,
    proof,
    proportional,
    true_tables,
)
from training.merged_regions import merged

YEARS = range(2014, 2020)


@pytest.fixture(scope="module")
def recorded() -> Dataset:
    return dataset_of(**flows_country(["A", "B", "C", "D", "E"], YEARS))


def test_margins_are_kept_and_flows_are_not(recorded):
    kept = hidden(recorded, MARGINS, seed=1).dataset

    assert not len(kept.flows)
    told = kept.movements.set_index(["measure", "year", "region"])["persons"]
    flows = recorded.flows
    assert told["arrivals"].to_dict() == flows.groupby(["year", "destination"])["persons"].sum().to_dict()
    assert told["departures"].to_dict() == flows.groupby(["year", "origin"])["persons"].sum().to_dict()


def test_as_in_kazakhstan_balances_are_kept_and_late_sums_include_made_moves_inside(recorded):
    found, again, other = (hidden(recorded, AS_IN_KAZAKHSTAN, seed) for seed in (1, 1, 2))
    rows = found.dataset.movements
    late = rows["year"] > YEARS[-1] - LATE_YEARS

    assert set(rows.loc[~late, "measure"]) == {"net"}
    assert set(rows.loc[late, "scope"]) == {"within_country"}
    wide = rows[late].pivot(index=["year", "region"], columns="measure", values="persons")
    flows = recorded.flows
    arrived = flows.groupby(["year", "destination"])["persons"].sum().rename_axis(["year", "region"])
    left = flows.groupby(["year", "origin"])["persons"].sum().rename_axis(["year", "region"])
    inside = wide["arrivals"] - arrived.loc[wide.index]
    pd.testing.assert_series_equal(inside, wide["departures"] - left.loc[wide.index], check_names=False)
    assert (inside > 0).all()
    assert found.between_share == again.between_share != other.between_share


def test_the_proof_scores_every_case_and_year_beside_yardsticks(recorded):
    scores = proof(true_tables(recorded), draws=4, seed=1)

    assert set(scores["case"]) == {MARGINS, AS_IN_KAZAKHSTAN}
    assert (scores.groupby(["case", "elasticities"]).size() == len(YEARS)).all()
    shares = scores.filter(regex="cpc|coverage")
    assert shares.min(axis=None) >= 0
    assert shares.max(axis=None) <= 1
    margins = scores[scores["case"] == MARGINS]
    np.testing.assert_allclose(margins["level"], 1, atol=0.01)
    assert (margins["cpc"] > margins["cpc_plain"]).all()


def test_constants_of_a_truth_made_by_gravity_are_found(recorded):
    truth = true_tables(recorded)
    side = len(truth.around.distance_km)
    shares = truth.around.gravity(np.array([0.5]), np.array([0.4]), np.zeros((1, side, side)))[0]
    made = type(truth)(truth.dataset, truth.around, 1e6 * shares)

    found = measured_constants(made).set_index("constant")["measured"]

    assert found["elasticity to distance"] == 0.5
    assert found["CPC with the true sums"] == pytest.approx(1, abs=1e-6)
    assert found["cell spread"] == pytest.approx(0, abs=1e-3)


def test_yardsticks_have_the_true_sums():
    truth = np.array([[0.0, 30, 10], [20, 0, 5], [8, 12, 0]])

    found = proportional(~np.eye(3, dtype=bool), truth.sum(axis=1), truth.sum(axis=0))

    np.testing.assert_allclose(found.sum(axis=0), truth.sum(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.sum(axis=1), truth.sum(axis=1), rtol=1e-6)
    assert product(truth).sum() == pytest.approx(truth.sum())


def test_a_dataset_without_flows_proves_nothing():
    with pytest.raises(ProofError, match="example: records no flows; must have some"):
        true_tables(dataset_of(**net_country(["A", "B"], YEARS)))


def test_counties_are_counted_as_states():
    counties = ["N-1", "N-2", "S-1", "S-2", "E-1"]
    pairs = pd.DataFrame({"origin": ["N-2"], "destination": ["S-1"], "contiguous": [True]})
    dataset = dataset_of(
        regions=regions_of(*counties),
        indicators=population_of(counties[:4], range(2019, 2021)),
        pairs=pairs,
        flows=table("""
            origin destination year persons
            N-1    N-2         2020 900
            N-1    S-1         2020 40
            N-2    S-2         2020 2
            S-1    N-1         2020 7
        """),
    )

    states = merged(dataset, 1)

    assert states.regions["region"].tolist() == ["N", "S"]
    assert states.regions["longitude"].tolist() == [0.5, 2.5]
    assert states.indicator("population").loc[2020].to_dict() == {"N": 200_000, "S": 200_000}
    assert states.flows.set_index(["origin", "destination"])["persons"].to_dict() == {("N", "S"): 42, ("S", "N"): 7}
    assert states.pairs["contiguous"].all()


def test_the_command_writes_scores_and_constants_and_prints_both(recorded, tmp_path):
    save_dataset(recorded, tmp_path / "data")
    words = ["--data", str(tmp_path / "data"), "--draws", "4", "--out", str(tmp_path / "proof.csv")]

    told = CliRunner().invoke(app, ["accounts-proof", *words])

    assert told.exit_code == 0
    assert "| margins | as used | 2014-2019 |" in told.stdout
    assert "| elasticity to distance | 0.7 |" in told.stdout
    assert len(pd.read_csv(tmp_path / "proof.csv")) == 7 * len(YEARS)
    assert len(pd.read_csv(tmp_path / "proof_constants.csv")) == 8
