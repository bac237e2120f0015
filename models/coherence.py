"""Draws that add up: in every draw what leaves arrives, net = inflow − out_migration, people are whole numbers."""

import numpy as np


def balance_net(net: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Net draws (draw, horizon, region) that sum to zero over regions; what is too much is taken by variance."""
    share = spread**2 / (spread**2).sum(axis=-1, keepdims=True)
    return net - net.sum(axis=-1, keepdims=True) * share


def reconcile(
    inflow: np.ndarray,
    out_migration: np.ndarray,
    net: np.ndarray | None,
    spread: dict[str, np.ndarray],
    balanced: bool = True,
) -> tuple[np.ndarray, np.ndarray]:
    """The inflow and out_migration nearest to three forecasts that each stand alone, with inflow − out_migration = net.

    Least squares with the errors' variances as weights (Wickramasuriya, Athanasopoulos & Hyndman 2019, diagonal case).
    Arrays (draw, horizon, region), spread (horizon, region). balanced: whether every arrival is a departure elsewhere.
    Without a net forecast both are scaled to one total, or left as they are where moves abroad are counted. Where a
    region would lose more people than leave it, both counts are lifted together, so that the net stays.
    """
    if net is None:
        return one_total(inflow, out_migration) if balanced else (inflow, out_migration)
    variance = {name: array**2 for name, array in spread.items()}
    implied = inflow - out_migration
    counts = variance["inflow"] + variance["out_migration"]
    trust = counts / (counts + variance["net_migration"])
    wanted = implied + trust * (net - implied)
    change = (balance_net(wanted, spread["net_migration"]) if balanced else wanted) - implied
    part = variance["inflow"] / counts
    inflow, out_migration = inflow + part * change, out_migration - (1 - part) * change
    lift = np.maximum(0.0, -np.minimum(inflow, out_migration))
    return inflow + lift, out_migration + lift


def whole(draws: np.ndarray, totals: np.ndarray) -> np.ndarray:
    """Whole numbers along the last axis that sum to whole totals: largest remainders get the rest.

    >>> whole(np.array([[0.4, 1.4, 0.2]]), np.array([2])).tolist()
    [[1, 1, 0]]
    """
    floor = np.floor(draws)
    rest = np.rint(totals - floor.sum(axis=-1)).astype(int)
    order = np.empty(draws.shape, dtype=int)
    by_remainder = np.argsort(floor - draws, axis=-1, kind="stable")
    np.put_along_axis(order, by_remainder, np.arange(draws.shape[-1]), axis=-1)
    rounds, extra = np.divmod(rest, draws.shape[-1])
    return (floor + rounds[..., None] + (order < extra[..., None])).astype(np.int64)


def whole_net(net: np.ndarray, balanced: bool) -> np.ndarray:
    """Whole net numbers; in a closed country they sum to zero in every draw."""
    return whole(net, np.zeros(net.shape[:-1])) if balanced else np.rint(net).astype(np.int64)


def whole_margins(
    inflow: np.ndarray, out_migration: np.ndarray, balanced: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """Whole inflow and out_migration, none below zero; with the same sum in every draw where every arrival is a
    departure elsewhere."""
    inflow, out_migration = np.maximum(inflow, 0.0), np.maximum(out_migration, 0.0)
    if not balanced:
        return np.rint(inflow).astype(np.int64), np.rint(out_migration).astype(np.int64)
    inflow, out_migration = one_total(inflow, out_migration)
    totals = np.rint(np.maximum(inflow.sum(axis=-1), out_migration.sum(axis=-1)))
    return whole(inflow, totals), whole(out_migration, totals)


def one_total(inflow: np.ndarray, out_migration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both scaled to the mean of their totals."""
    arriving, leaving = inflow.sum(axis=-1, keepdims=True), out_migration.sum(axis=-1, keepdims=True)
    total = (arriving + leaving) / 2
    return inflow * (total / np.maximum(arriving, 1e-9)), out_migration * (total / np.maximum(leaving, 1e-9))


def settled(flows: np.ndarray, balances: np.ndarray) -> np.ndarray:
    """Whole flows, (…, origin, destination), whose balances are as told, (…, region), which sum to zero: what regions
    gained too much moves on to those that gained too little.

    >>> settled(np.array([[0, 5], [3, 0]]), np.array([-3, 3])).tolist()
    [[0, 6], [3, 0]]
    """
    flows = flows.copy()
    lacking = balances - (flows.sum(axis=-2) - flows.sum(axis=-1))
    while lacking.any():
        short, over = lacking.argmax(axis=-1), lacking.argmin(axis=-1)
        moved = np.minimum(lacking.max(axis=-1), -lacking.min(axis=-1))
        at = np.indices(moved.shape)
        flows[(*at, over, short)] += moved
        lacking[(*at, short)] -= moved
        lacking[(*at, over)] += moved
    return flows
