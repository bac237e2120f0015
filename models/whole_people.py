"""Whole people: expected persons by cell made whole, so that they sum to what is told and none leaves who is not there.

Arrays end in cells of sex and age; `luck` is uniform in [0, 1), one for each sum, so that rounding is fair: every cell
has its expectation, and differs from it by less than one person.
"""

import numpy as np

NEARLY_ONE = 0.999


def luck(rng: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Below 1 by more than a sum of persons can be off in floating point."""
    return NEARLY_ONE * rng.random(shape)


def whole_cells(expected: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """Whole persons by cell, none further than one person from its expectation; their sum is the rounded sum.

    >>> whole_cells(np.array([0.4, 0.4, 0.4]), np.array(0.5)).tolist()
    [0, 1, 0]
    """
    return _steps(np.cumsum(expected, axis=-1, dtype="float64"), luck)


def shared_out(total: np.ndarray, weights: np.ndarray, room: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """`total` persons, (…), by cells of weights, (…, cell), at most `room` in each; room has to hold the total."""
    weight = weights.sum(axis=-1, keepdims=True)
    share = weights * (total[..., None] / np.where(weight > 0, weight, 1)).astype(weights.dtype)
    if (share > room).any():
        share = _within(total, share, room)
    sums = np.cumsum(share, axis=-1, dtype="float64")
    # What single precision lost, or weights of zero, is left to `_made_good`.
    made = _steps(np.minimum(sums, total[..., None], out=sums), luck)
    return _made_good(made, total, room)


def _steps(sums: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """Differences of the rounded sums."""
    sums += luck[..., None]
    whole = sums.astype(np.int32)
    steps = whole.copy()
    steps[..., 1:] -= whole[..., :-1]
    return steps


def _within(total: np.ndarray, share: np.ndarray, room: np.ndarray) -> np.ndarray:
    """What finds no room in its cell goes where there is some."""
    share = np.minimum(share.astype("float64"), room)
    left = np.maximum(total - share.sum(axis=-1), 0)[..., None]
    free = room - share
    return share + free * (left / np.maximum(free.sum(axis=-1, keepdims=True), 1e-9))


def _made_good(made: np.ndarray, total: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Sums and room kept to the person: what is over, or lacking, goes to the first cells that can take it."""
    if (made > room).any():
        made = np.minimum(made, room)
    lacking = total - made.sum(axis=-1)
    if lacking.any():
        made = made + _filled(np.maximum(lacking, 0), room - made) - _filled(np.maximum(-lacking, 0), made)
    return made


def _filled(total: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Cell after cell until the total is used up."""
    before = np.cumsum(room, axis=-1, dtype=np.int64) - room
    return np.clip(total[..., None] - before, 0, room).astype(room.dtype)


def placed(pool: np.ndarray, wanted: np.ndarray, totals: np.ndarray, luck: np.ndarray) -> np.ndarray:
    """Every person of a pool, (draw, cell), in one of the regions, (draw, region, cell): `totals`, (draw, region), to
    the person, by cells as `wanted`, (draw, region, cell), says, as nearly as whole people can."""
    later = np.flip(np.cumsum(np.flip(wanted, axis=1), axis=1), axis=1)
    made, left = np.empty(wanted.shape, dtype=np.int32), pool.copy()
    for region in range(wanted.shape[1] - 1):
        weights = left * (wanted[:, region] / np.maximum(later[:, region], 1e-12))
        made[:, region] = shared_out(totals[:, region], weights.astype("float32"), left, luck[:, region])
        left -= made[:, region]
    made[:, -1] = left
    return made
