"""Draws that add up: in every draw what leaves arrives, net = inflow − out_migration, people are whole numbers."""

import numpy as np


def balance_net(net: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Net draws (draw, horizon, region) that sum to zero over regions; what is too much is taken by variance."""
    share = spread**2 / (spread**2).sum(axis=-1, keepdims=True)
    return net - net.sum(axis=-1, keepdims=True) * share


def reconcile(
    inflow: np.ndarray, out_migration: np.ndarray, net: np.ndarray | None, spread: dict[str, np.ndarray]
) -> tuple[np.ndarray, np.ndarray]:
    """The inflow and out_migration nearest to three forecasts that each stand alone, with inflow − out_migration = net.

    Least squares with the errors' variances as weights (Wickramasuriya, Athanasopoulos & Hyndman 2019, diagonal case).
    Arrays (draw, horizon, region), spread (horizon, region). Without a net forecast both are scaled to one total.
    Where a region would lose more people than leave it, both counts are lifted together, so that the net stays.
    """
    if net is None:
        return one_total(inflow, out_migration)
    variance = {name: array**2 for name, array in spread.items()}
    implied = inflow - out_migration
    counts = variance["inflow"] + variance["out_migration"]
    trust = counts / (counts + variance["net_migration"])
    change = balance_net(implied + trust * (net - implied), spread["net_migration"]) - implied
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
    order = np.argsort(np.argsort(floor - draws, axis=-1, kind="stable"), axis=-1, kind="stable")
    rounds, extra = np.divmod(rest, draws.shape[-1])
    return (floor + rounds[..., None] + (order < extra[..., None])).astype(np.int64)


def whole_net(net: np.ndarray, balanced: bool) -> np.ndarray:
    """Whole net numbers; in a closed country they sum to zero in every draw."""
    return whole(net, np.zeros(net.shape[:-1])) if balanced else np.rint(net).astype(np.int64)


def whole_margins(inflow: np.ndarray, out_migration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Whole inflow and out_migration with the same sum in every draw, none below zero."""
    inflow, out_migration = one_total(inflow, out_migration)
    totals = np.rint(np.maximum(inflow.sum(axis=-1), out_migration.sum(axis=-1)))
    return whole(inflow, totals), whole(out_migration, totals)


def one_total(inflow: np.ndarray, out_migration: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both scaled to the mean of their totals."""
    arriving, leaving = inflow.sum(axis=-1, keepdims=True), out_migration.sum(axis=-1, keepdims=True)
    total = (arriving + leaving) / 2
    return inflow * (total / np.maximum(arriving, 1e-9)), out_migration * (total / np.maximum(leaving, 1e-9))
