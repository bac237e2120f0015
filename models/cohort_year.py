"""Cohort year: everybody of one 1 January to the next, in whole persons.

Out-migrants leave by Rogers–Castro on the people of their region, and go where its flows go; who moves is exposed to
death, and gives birth, for half a year here and half there. Children of the year move from the next year on.
"""

from dataclasses import dataclass

import numpy as np

from models import schedules
from models.age_structure import BIRTHS, aged
from models.mobility import Moves
from models.schedules import OPEN, SEXES
from models.whole_people import luck, placed, shared_out, whole_cells

CELLS = len(SEXES) * (OPEN + 1)


class ProjectionError(ValueError):
    """A projection that cannot be made; lists all that is wrong."""


@dataclass(frozen=True, eq=False)
class CohortYear:
    """Whole persons. By cell, (draw, region, sex, age at the beginning of the year): deaths, out, into, balance;
    newborn and their deaths, (draw, region, sex). people: of the next 1 January."""

    people: np.ndarray
    deaths: np.ndarray
    out: np.ndarray
    into: np.ndarray
    balance: np.ndarray
    newborn: np.ndarray
    newborn_deaths: np.ndarray


def cohort_year(
    people: np.ndarray, moves: Moves, fertility: np.ndarray, mortality: np.ndarray, rng: np.random.Generator
) -> CohortYear:
    """people: (draw, region, sex, age); fertility, mortality: (draw, region).

    Raises ProjectionError where moves take away more people than there are.
    """
    cells = people.reshape(*people.shape[:2], CELLS)
    propensity = np.tile(schedules.moving(), len(SEXES)).astype("float32")
    out, into = _flows(cells, moves, propensity, rng)
    balance = _balance(cells - out, moves.balance, propensity, rng)
    moved = into - out + balance
    after = cells + moved
    exposed = (cells + moved * np.float32(0.5)).astype("float32").reshape(people.shape)
    risk, young = schedules.dying(mortality)
    deaths = whole_cells((risk * exposed).reshape(cells.shape), luck(rng, mortality.shape))
    deaths = np.minimum(deaths, after)
    newborn = _newborn(exposed, fertility, rng)
    lost = np.minimum(whole_cells(newborn * young, luck(rng, mortality.shape)), newborn)
    living = (after - deaths).reshape(people.shape)
    died, left, came, net = (one.reshape(people.shape) for one in (deaths, out, into, balance))
    return CohortYear(aged(living, newborn - lost), died, left, came, net, newborn, lost)


def _flows(
    cells: np.ndarray, moves: Moves, propensity: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    if moves.out is None or moves.into is None or moves.share is None:
        return np.zeros_like(cells), np.zeros_like(cells)
    _check_leaving(moves.out, cells)
    out = shared_out(moves.out, cells * propensity, cells, luck(rng, moves.out.shape))
    wanted = np.swapaxes(moves.share, 1, 2) @ out.astype("float32")
    return out, placed(out.sum(axis=1, dtype=np.int32), wanted, moves.into, luck(rng, moves.into.shape))


def _balance(stayed: np.ndarray, balance: np.ndarray, propensity: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Who comes is as old as movers of the whole country, who goes as movers of the region."""
    movers, gains = stayed * propensity, balance[..., None] > 0
    weights = np.where(gains, movers.sum(axis=1, keepdims=True), movers)
    _check_leaving(-balance, stayed)
    total = np.abs(balance)
    room = np.where(gains, total[..., None], stayed).astype(np.int32)
    return np.where(gains, 1, -1) * shared_out(total, weights, room, luck(rng, balance.shape))


def _check_leaving(leaving: np.ndarray, cells: np.ndarray) -> None:
    over = leaving - cells.sum(axis=-1)
    if (over > 0).any():
        draw, region = np.unravel_index(over.argmax(), over.shape)
        raise ProjectionError(
            f"region at position {region}: {leaving[draw, region]:,} people leave in a draw of the forecast, and "
            f"{cells[draw, region].sum():,} live there; forecast fewer, or join the region to another"
        )


def _newborn(exposed: np.ndarray, fertility: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Girls and boys, (draw, region, sex)."""
    mothers = exposed[:, :, SEXES.index("female")] @ schedules.fertility().astype("float32")
    births = fertility * mothers
    return whole_cells(births[..., None] * BIRTHS, luck(rng, births.shape))
