"""Futures of flows are whole persons that add up in every draw, and the same whichever of them are asked for."""

from dataclasses import replace

import numpy as np
import pytest

from features.flows import sums_by
from models import flow_futures
from models.flow_calibration import FlowCalibration
from models.flow_forecaster import quantiles_of
from models.flow_futures import FlowFutures, Pairs
from models.flow_models import FlowPersistence, StructureModel
from models.flow_record import FlowRecord, flow_cutoffs
from models.forecast import QUANTILES
from models.forecaster import MigrationForecaster
from models.size_curve import SizeCurve
from tests.tables import dataset_of, flows_country

CODES = ["A", "B", "C", "D", "E", "F"]
HORIZONS = (1, 2, 3)
COUNT = 200


def made(calibration: FlowCalibration, point: np.ndarray, threshold: float = 1.0, **told) -> FlowFutures:
    """Futures of all pairs of the calibration's regions. point: (horizon, pair)."""
    regions = len(calibration.regions)
    origin, destination = np.nonzero(~np.eye(regions, dtype=bool))
    pairs = Pairs(calibration.regions, origin, destination, origin, destination)
    words = {"horizons": tuple(range(1, len(point) + 1)), "count": COUNT, "seed": 20} | told
    return FlowFutures(pairs, point, calibrations=(calibration,) * len(point), threshold=threshold, **words)


def plain(regions: int = 6, level: float = 0.05, share: float = 0.1, noise: float = 1.0) -> FlowCalibration:
    """Shocks of known sizes and normal noise around each cell that is forecast above zero."""
    normal = np.sort(np.random.default_rng(0).standard_normal(1024)) * (noise > 0)
    shape = np.tile(normal - normal.mean(), (8, 1)) * (np.arange(8) > 0)[:, None]
    return FlowCalibration(
        regions=tuple(f"R{number:02d}" for number in range(regions)),
        class_of=np.full(regions, 4),
        level=np.linspace(0, level, 50),
        out=np.full(regions, share),
        into=np.full(regions, share),
        share=np.linspace(0, 2, 50),
        together=np.zeros(regions),
        curve=SizeCurve(0.0, noise, 0.0),
        shape=shape.astype(np.float32),
    )


def points(regions: int = 6, horizons: int = 3, smallest: float = 3.0, seed: int = 0) -> np.ndarray:
    flows = np.random.default_rng(seed).uniform(np.log(smallest), np.log(5_000), regions * (regions - 1))
    return np.tile(np.exp(flows), (horizons, 1))


@pytest.fixture(scope="module")
def forecast():
    dataset = dataset_of(**flows_country(CODES, range(2008, 2021)))
    models, cutoffs = (FlowPersistence(), StructureModel("margins", smoothed=True)), tuple(flow_cutoffs(dataset, 2020))
    said = {
        one: {model.name: model.predict(dataset, one, HORIZONS).astype(np.float32) for model in models}
        for one in cutoffs
    }
    served = {("flow", horizon): "margins" for horizon in HORIZONS}
    fitted = MigrationForecaster(served, draws=COUNT).fit(dataset, 2020, flows=FlowRecord(cutoffs, HORIZONS, said))
    return fitted.predict(dataset, 2020, HORIZONS)


# --- what adds up ---------------------------------------------------------------------------------------------------


def test_flows_of_every_draw_sum_to_what_leaves_and_what_arrives(forecast):
    flows, targets = forecast.flows, forecast.targets
    draws = flows.draws()

    out, into = (sums_by(end, draws, 6) for end in (flows.origin, flows.destination))

    np.testing.assert_array_equal(targets["out_migration"].draws, out)
    np.testing.assert_array_equal(targets["inflow"].draws, into)
    np.testing.assert_array_equal(targets["net_migration"].draws, into - out)


def test_flows_are_whole_and_never_negative(forecast):
    draws = forecast.flows.draws()

    assert draws.dtype.kind == "i"
    assert draws.min() >= 0


def test_quantiles_are_those_of_the_draws_and_never_cross(forecast):
    flows = forecast.flows

    assert (np.diff(flows.quantiles, axis=0) >= 0).all()
    np.testing.assert_allclose(flows.quantiles, np.quantile(flows.draws(), QUANTILES, axis=0), atol=0.5)


def test_quantiles_of_sorted_draws_are_numpys():
    ordered = np.sort(np.random.default_rng(0).poisson(50, (30, 101)), axis=1)

    np.testing.assert_allclose(quantiles_of(ordered), np.quantile(ordered, QUANTILES, axis=1), atol=0.5)


# --- the same futures -----------------------------------------------------------------------------------------------

SLICES = [
    pytest.param(slice(0, 1), id="first"),
    pytest.param(slice(7, 19), id="middle"),
    pytest.param(slice(29, None), id="last"),
    pytest.param(slice(None, None, 5), id="every_fifth"),
    pytest.param(slice(4, 4), id="none"),
]


@pytest.mark.parametrize("block", [flow_futures.BLOCK, 5 * COUNT, COUNT, 1], ids=["one", "of_five", "of_one", "tiny"])
@pytest.mark.parametrize("wanted", SLICES)
def test_some_pairs_have_the_futures_that_they_have_among_all(monkeypatch, block, wanted):
    monkeypatch.setattr(flow_futures, "BLOCK", block)
    futures = made(plain(), points())

    np.testing.assert_array_equal(futures.draws(wanted), futures.draws()[:, :, wanted])


@pytest.mark.parametrize("block", [5 * COUNT, 1])
def test_sums_over_blocks_are_sums_over_all(monkeypatch, block):
    monkeypatch.setattr(flow_futures, "BLOCK", block)
    futures = made(plain(), points())
    draws = futures.draws()

    out, into, blocks = futures.summed(lambda h, pairs, flows: (h, pairs.start, flows.T))

    np.testing.assert_array_equal(out, sums_by(futures.pairs.origin, draws, 6))
    np.testing.assert_array_equal(into, sums_by(futures.pairs.destination, draws, 6))
    for h, of_horizon in enumerate(blocks):
        assert [told[0] for told in of_horizon] == [h] * len(of_horizon)
        assert [told[1] for told in of_horizon] == sorted(told[1] for told in of_horizon)
        np.testing.assert_array_equal(np.concatenate([told[2] for told in of_horizon], axis=1), draws[:, h])


def test_the_seed_makes_the_futures():
    one, same, other = (made(plain(), points(), seed=seed).draws() for seed in (20, 20, 21))

    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5


def test_a_horizon_has_the_same_futures_without_later_ones():
    three, one = made(plain(), points()), made(plain(), points()[:1])

    np.testing.assert_array_equal(three.draws()[:, :1], one.draws())


def test_a_thousand_futures_of_twenty_regions_have_their_shapes():
    futures = made(plain(20), points(20), count=1000)

    out, into, _ = futures.summed(lambda *_: None)

    assert futures.draws(slice(0, 40)).shape == (1000, 3, 40)
    assert out.shape == into.shape == (1000, 3, 20)
    np.testing.assert_array_equal(out.sum(axis=2), into.sum(axis=2))


# --- the middle and the spread --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("calibration", "threshold"),
    [
        pytest.param(plain(), 1, id="all_told"),
        pytest.param(plain(noise=30), 1, id="much_noise"),
        pytest.param(plain(share=0.25), 1, id="large_shocks"),
        pytest.param(plain(noise=3), 20, id="withheld"),
    ],
)
def test_totals_have_the_middle_that_was_forecast(calibration, threshold):
    point = np.where(points() < threshold, 0.0, points())
    futures = made(calibration, point, threshold, count=1000)

    for drawn, end in zip(
        futures.summed(lambda *_: None)[:2], (futures.pairs.origin, futures.pairs.destination), strict=True
    ):
        np.testing.assert_allclose(np.median(drawn, axis=0), sums_by(end, point, 6), rtol=0.04)


def test_without_shocks_and_noise_there_is_one_future():
    point = np.rint(points())

    draws = made(plain(level=0, share=0, noise=0), point).draws()

    np.testing.assert_array_equal(draws, np.tile(point, (COUNT, 1, 1)))


@pytest.mark.parametrize("threshold", [10.0, 25.0])
def test_no_flow_is_told_that_the_source_would_withhold(threshold):
    draws = made(plain(noise=4), points(), threshold).draws()

    assert not ((draws > 0) & (draws < threshold)).any()
    assert (draws == 0).any()


def test_a_flow_that_is_forecast_as_zero_stays_zero_where_no_noise_was_seen_at_zero():
    point = points()
    point[:, 3] = 0

    assert (made(plain(), point).draws()[:, :, 3] == 0).all()


@pytest.mark.parametrize("part", ["level", "share", "noise"])
def test_each_part_of_a_future_widens_it(part):
    calm = {"level": 0.01, "share": 0.01, "noise": 0.1}

    narrow, wide = (made(plain(**calm | more), points()).draws().std(axis=0) for more in ({}, {part: 10 * calm[part]}))

    assert np.median(wide / narrow) > 1.5


def test_a_shock_to_the_level_moves_the_whole_country():
    draws = made(plain(level=0.5, share=0.01, noise=0.1), points(smallest=200)).draws()[:, 0]

    assert np.corrcoef(draws.T)[0].min() > 0.9


def test_shares_leave_the_level_as_it_is():
    """What one region loses others gain: the national sum hardly moves where the level has no shock."""
    out, _, _ = made(plain(level=0, share=0.2, noise=0), points()).summed(lambda *_: None)

    assert (out.std(axis=0) / out.mean(axis=0)).min() > 0.05
    assert (out.sum(axis=2).std(axis=0) / out.sum(axis=2).mean(axis=0)).max() < 0.03


def test_shocks_of_a_region_that_come_together_leave_its_balance():
    together, apart = (made(replace(plain(noise=0.1), together=np.full(6, one)), points()) for one in (0.95, -0.95))

    balances = []
    for futures in (together, apart):
        out, into, _ = futures.summed(lambda *_: None)
        balances.append((into - out)[:, 0].std(axis=0))

    assert np.median(balances[1] / balances[0]) > 1.5


def test_a_later_year_is_where_the_earlier_one_went():
    """Each horizon has shocks of one size here, of which the earlier are a part."""
    out, _, _ = made(plain(noise=0.1), points(), count=1000).summed(lambda *_: None)

    near, far = (np.corrcoef(out[:, 0, 0], out[:, h, 0])[0, 1] for h in (1, 2))

    assert 0.9 > near > far > 0.3


def test_drawing_twice_gives_the_same(forecast):
    flows = forecast.flows
    before = flows.draws(slice(3, 9))
    flows.draws()

    np.testing.assert_array_equal(flows.draws(slice(3, 9)), before)
