"""Placement: draws of units, each target by itself, to whole persons of regions that add up."""

import numpy as np
import pandas as pd

from features.boundaries import present_parts, split, unit_of_region
from features.dataset import Dataset
from features.targets import History, first_year, margins_agree, margins_record_net, records, target_history
from models import coherence

Placed = dict[str, tuple[tuple[str, ...], np.ndarray, dict[str, str]]]
"""By target: regions, draws (draw, horizon, region), basis by region."""


def reconciled(known: Dataset, draws: dict[str, np.ndarray], spread: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Draws of units in which inflow, out_migration and net_migration agree, in fractions of persons."""
    if {"inflow", "out_migration"} <= set(draws) and margins_agree(known):
        together = margins_record_net(known) and "net_migration" in draws
        net, balanced = draws["net_migration"] if together else None, target_history(known, "inflow").balanced
        inflow, out_migration = coherence.reconcile(draws["inflow"], draws["out_migration"], net, spread, balanced)
        draws = draws | {"inflow": inflow, "out_migration": out_migration}
        if together:
            return draws | {"net_migration": inflow - out_migration}
    if "net_migration" in draws and target_history(known, "net_migration").balanced:
        return draws | {"net_migration": coherence.balance_net(draws["net_migration"], spread["net_migration"])}
    return draws


def in_units(known: Dataset, draws: dict[str, np.ndarray]) -> Placed:
    """In the units themselves, in which outcomes can be compared over years."""
    histories = {target: target_history(known, target) for target in draws}
    return {target: (tuple(one.regions), draws[target], one.last_basis) for target, one in histories.items()}


def in_present_regions(known: Dataset, draws: dict[str, np.ndarray], rng: np.random.Generator) -> Placed:
    """In the regions in which people were last counted; what is split by shares is estimated."""
    placed = {}
    for target, unit_draws in draws.items():
        history = target_history(known, target)
        unit = unit_of_region(known.regions["region"], known.boundary_changes, first_year(known, target))
        parts = present_parts(known, unit)
        parts = parts[parts["unit"].isin(history.regions)].reset_index(drop=True)
        basis = history.last_basis
        told = zip(parts["region"], parts["unit"], parts["share"], strict=True)
        told = {region: basis[unit] if share == 1 else "estimated" for region, unit, share in told}
        regional = split(unit_draws, history.regions, parts, _differential(known, history, parts), rng)
        placed[target] = (tuple(parts["region"]), regional, told)
    return placed


def _differential(known: Dataset, history: History, parts: pd.DataFrame) -> pd.Series:
    """Persons by which a part lay above its share of its unit in the last year in which all its parts are recorded:
    persistence, inside a unit."""
    recorded = records(known, history.target)[1].pivot(index="year", columns="region", values="persons")
    above = {}
    for _, group in parts[parts["share"] < 1].groupby("unit"):
        last = recorded.reindex(columns=group["region"]).dropna().iloc[-1:].sum()
        above |= (last - last.sum() * group.set_index("region")["share"]).to_dict()
    return pd.Series(above, dtype="float64")


def whole_persons(known: Dataset, placed: Placed) -> Placed:
    """Whole persons in every draw; moves inside one country balance."""
    done = dict(placed)
    margins = {"inflow", "out_migration"} <= set(placed) and margins_agree(known)
    if margins:
        (regions, inflow, basis_in), (_, out, basis_out) = placed["inflow"], placed["out_migration"]
        inflow, out = coherence.whole_margins(inflow, out, target_history(known, "inflow").balanced)
        done |= {"inflow": (regions, inflow, basis_in), "out_migration": (regions, out, basis_out)}
    for target in set(placed) - ({"inflow", "out_migration"} if margins else set()):
        regions, draws, basis = placed[target]
        if target == "net_migration" and margins and margins_record_net(known):
            whole = done["inflow"][1] - done["out_migration"][1]
        elif target == "net_migration":
            whole = coherence.whole_net(draws, target_history(known, target).balanced)
        else:
            whole = np.rint(np.maximum(draws, 0)).astype(np.int64)
        done[target] = (regions, whole, basis)
    return done
