"""Flows under a scenario: who stays, and who goes elsewhere; every diverted person has an origin and a destination."""

import numpy as np

Array = np.ndarray


def changed_flows(flows: Array, origin: Array, destination: Array, attraction: Array) -> Array:
    """By how many whole persons flows change, (draw, horizon, pair), when places become more, or less, attractive.

    flows: whole persons, (draw, horizon, pair), pairs sorted by origin. attraction: change of the log of attraction,
    (draw, horizon, region). Out of i leave exp(−a_i) times as many, and of these a part goes to j that is
    exp(a_j) / mean exp(a) times as large (origin-constrained; Wilson 1971).

    Invariants: no flow falls below zero; a flow that grows in expectation never falls, nor the other way round; rows
    whose factors are all 1 do not change at all.
    """
    first = np.flatnonzero(np.diff(origin, prepend=-1))
    row = np.cumsum(np.diff(origin, prepend=-1) > 0) - 1
    weighted = flows * np.exp(attraction)[..., destination]
    before, after = (np.add.reduceat(one, first, axis=-1, dtype="float64") for one in (flows, weighted))
    leave = np.exp(-attraction)[..., origin[first]]
    factor = np.divide(before * leave, after, out=np.ones_like(after), where=after > 0)
    weighted *= factor[..., row]
    weighted -= flows
    return _whole(weighted, first, row)


def _whole(change: Array, first: Array, row: Array) -> Array:
    """Whole persons whose sum over a row is that of the row, rounded: differences of rounded running sums.

    Rounding half up commutes with adding whole persons, so that a flow of m persons never loses more than m.
    """
    running = np.cumsum(change, axis=-1)
    start = running[..., first] - change[..., first]
    running -= start[..., row]
    np.floor(running + 0.5, out=running)
    whole = np.diff(running, axis=-1, prepend=0)
    whole[..., first] = running[..., first]
    return whole.astype(np.int32)
