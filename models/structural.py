"""Structural models: flows between regions from indicators and geography alone, also to and from new regions.

Past flows are only what the models learn from, never what they see. M_ij = L · o_i · P(j | i): the level L is that of
the last known year; a gain of one destination is a loss of the others (Wilson 1971).
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from features.boundaries import at_constant_boundaries
from features.dataset import Dataset
from features.indicators import INDICATORS
from features.pair_features import OF_PAIR, Pairs, blocks_of_pairs, geography, pairs_at, region_table, regions_of
from models.trees import Trees

if TYPE_CHECKING:
    from lightgbm import Booster

BASE = ("origin_log_population", "destination_log_population", "log_distance", "contiguous")
"""What the gravity model under the trees sees."""

MAX_YEARS = 10
ENOUGH_FLOWS = 150_000
"""Training takes the last years until they hold this many non-zero flows, at most MAX_YEARS."""

REGIONS_PER_COLUMN = 5
"""Gravity takes indicators where there are this many regions for each, and for population."""

OWN_PART = 0.01
"""Gravity leaves out a column of which less than this part, in standard deviations, is not told by those before it."""

ZEROS = 60_000
"""Zero flows in the training rows of a year, each of the weight of all that it stands for."""

LIKELY = 1_000_000
"""The trees see this many pairs, those of which gravity expects most: over 99 % of the moves between US counties."""

SEED = 20
TREES = {
    "objective": "poisson",
    "learning_rate": 0.15,
    "num_leaves": 255,
    "min_data_in_leaf": 50,
    "lambda_l2": 5.0,
    "feature_fraction": 0.6,
    "poisson_max_delta_step": 0.3,
    "seed": SEED,
    "deterministic": True,
    "force_row_wise": True,
    "num_threads": 1,
    "verbosity": -1,
}
ROUNDS = 80
THREADS = 2
"""In predicting, where rows are independent. In training, threads that wait for each other cost more than they save."""

SIGNS = {"destination_log_population": 1, "log_distance": -1}
"""Signs of the effect on a flow, all other features as they are; indicators have theirs on net migration."""


# --- what both models share -----------------------------------------------------------------------------------------


def national_level(dataset: Dataset, cutoff: int) -> float:
    """All moves between regions of the last year known at the cutoff, in persons."""
    flows = at_constant_boundaries(dataset.as_of(cutoff), cutoff).flows
    return float(flows.loc[flows["year"] == flows["year"].max(), "persons"].sum())


def shares_of_destinations(expected: np.ndarray) -> np.ndarray:
    """P(destination | origin) from expected flows, both (region, region) float32; rows sum to 1."""
    return expected / expected.sum(axis=1, keepdims=True)


def at_level(expected: np.ndarray, level: float) -> np.ndarray:
    """Expected flows that sum to a level, (region, region) float32."""
    return expected * np.float32(level / expected.sum(dtype="float64"))


@dataclass(frozen=True, eq=False)
class Observed:
    """Flows of one year, and the pairs with what was known a year before.

    flows: (region, region) float32, in units of the mean over all pairs; what the source withholds is zero.
    """

    pairs: Pairs
    flows: np.ndarray


def observed_years(dataset: Dataset, cutoff: int) -> list[Observed]:
    """The years a model learns from, all known at the cutoff.

    Raises ValueError where there is none.
    """
    known = dataset.as_of(cutoff)
    years = _training_years(known)
    if not years:
        raise ValueError(f"{dataset.name}: no flows up to {cutoff} between regions of known population the year before")
    constant = at_constant_boundaries(known, years[0] - 1)
    return [_observed(constant, year) for year in years]


def _training_years(known: Dataset) -> list[int]:
    counts = known.flows.loc[known.flows["persons"] > 0, "year"].value_counts().sort_index(ascending=False)
    enough = counts.cumsum().shift(fill_value=0) < ENOUGH_FLOWS
    years = [int(year) for year in counts.index[enough][:MAX_YEARS]]
    return sorted(year for year in years if len(regions_of(known, year - 1)) > 1)


def _observed(constant: Dataset, year: int) -> Observed:
    """Regions without any flow in all years are left out: theirs are not zero, but not recorded."""
    recorded = set(constant.flows["origin"].unique()) | set(constant.flows["destination"].unique())
    table = region_table(constant, year - 1)
    table = table[table.index.isin(recorded)]
    flows = _flow_matrix(constant.flows[constant.flows["year"] == year], table.index)
    mean = flows.sum(dtype="float64") / (len(table) * (len(table) - 1))
    return Observed(Pairs(table, geography(constant, tuple(table.index))), flows / np.float32(mean))


def _flow_matrix(rows: pd.DataFrame, regions: pd.Index) -> np.ndarray:
    rows = rows[rows["origin"].isin(regions) & rows["destination"].isin(regions)]
    matrix = np.zeros((len(regions), len(regions)), dtype="float32")
    origin, destination = (regions.get_indexer(pd.Index(rows[end])) for end in ("origin", "destination"))
    matrix[origin, destination] = rows["persons"].to_numpy()
    return matrix


def training_rows(
    years: Sequence[Observed], eligible: Sequence[np.ndarray], columns: tuple[str, ...]
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Features, flows and weights of all non-zero and some zero flows among eligible pairs, year after year."""
    rng = np.random.default_rng(SEED)
    features, flows, weights = [], [], []
    for year, among in zip(years, eligible, strict=True):
        origin, destination, weight = _sampled(year.flows, among, rng)
        features.append(year.pairs.features(origin, destination, columns))
        flows.append(year.flows[origin, destination])
        weights.append(weight)
    return np.concatenate(features), np.concatenate(flows), np.concatenate(weights)


def _sampled(
    flows: np.ndarray, among: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of origins and destinations, and weights: 1 of a flow, of a zero the number it stands for."""
    moved, empty = np.flatnonzero(among & (flows > 0)), np.flatnonzero(among & (flows == 0))
    taken = np.sort(rng.choice(empty, ZEROS, replace=False)) if len(empty) > ZEROS else empty
    weight = np.full(len(taken), len(empty) / max(len(taken), 1))
    origin, destination = np.divmod(np.concatenate([moved, taken]), len(flows))
    return origin, destination, np.concatenate([np.ones(len(moved)), weight])


def all_pairs(year: Observed) -> np.ndarray:
    return ~np.eye(len(year.flows), dtype=bool)


# --- gravity --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Gravity:
    """log E(flow) = intercept + Σ coefficient · column, by Poisson pseudo-maximum likelihood.

    (Santos Silva & Tenreyro 2006.) An indicator that is not known counts as the mean of the regions.
    """

    columns: tuple[str, ...] = ()
    coefficients: tuple[float, ...] = ()
    intercept: float = 0.0

    def expected(self, pairs: Pairs) -> np.ndarray:
        """Expected flows in units of the mean, (region, region) float32, with a zero diagonal."""
        regions = len(pairs.table)
        blocks = [self._expected(pairs, *block) for block in blocks_of_pairs(regions)]
        expected = np.concatenate(blocks).reshape(regions, regions)
        np.fill_diagonal(expected, 0)
        return expected

    def _expected(self, pairs: Pairs, origin: np.ndarray, destination: np.ndarray) -> np.ndarray:
        return np.exp(self.log_expected(pairs.features(origin, destination, self.columns)))

    def log_expected(self, features: np.ndarray) -> np.ndarray:
        """From features (pair, column) to (pair) float32."""
        return np.nan_to_num(features, nan=0.0) @ np.asarray(self.coefficients, dtype="float32") + np.float32(
            self.intercept
        )


def fit_gravity(features: np.ndarray, flows: np.ndarray, weights: np.ndarray, columns: tuple[str, ...]) -> Gravity:
    """Gravity from rows of features (pair, column). A column that those before it make up has the coefficient 0."""
    from sklearn.linear_model import PoissonRegressor

    known = np.nan_to_num(features.astype("float64"), nan=0.0)
    own = _independent(known)
    if not own.any():
        return Gravity(columns, (0.0,) * len(columns), float(np.log(np.average(flows, weights=weights))))
    model = PoissonRegressor(alpha=0, solver="newton-cholesky", tol=1e-8, max_iter=100)
    model.fit(known[:, own], flows, sample_weight=weights)
    coefficients = np.zeros(len(columns))
    coefficients[own] = model.coef_
    return Gravity(columns, tuple(coefficients.tolist()), float(model.intercept_))


def _independent(matrix: np.ndarray) -> np.ndarray:
    """Which columns vary, and not only as a linear combination of columns before them, (column)."""
    centred = matrix - matrix.mean(axis=0)
    spread = np.sqrt((centred**2).sum(axis=0))
    left = np.abs(np.diag(np.linalg.qr(centred, mode="r")))
    own = np.zeros(len(spread), dtype=bool)
    own[: len(left)] = left > np.maximum(OWN_PART * spread[: len(left)], 1e-6)
    return own


@dataclass(frozen=True)
class StructuralGravity:
    """Gravity of populations, distance, border, indicators of both ends, and competing destinations.

    (Fotheringham 1983.)
    """

    gravity: Gravity = Gravity()
    name: str = "structural_gravity"

    def fit(self, dataset: Dataset, cutoff: int) -> "StructuralGravity":
        years = observed_years(dataset, cutoff)
        indicators = _few_enough(years[-1].pairs)
        ends = tuple(f"{end}_{name}" for end in ("origin", "destination") for name in indicators)
        columns = (*BASE, "competing_destinations", *ends)
        rows = training_rows(years, [all_pairs(year) for year in years], columns)
        return StructuralGravity(fit_gravity(*rows, columns))

    def expected(self, pairs: Pairs) -> np.ndarray:
        """Expected flows in units of the mean, (region, region) float32, with a zero diagonal."""
        return self.gravity.expected(pairs)

    def destination_choice(self, pairs: Pairs) -> np.ndarray:
        """P(destination | origin), (region, region) float32; rows sum to 1."""
        return shares_of_destinations(self.expected(pairs))

    def predict(self, dataset: Dataset, cutoff: int) -> np.ndarray:
        """Expected persons a year, origin × destination over `regions_of(dataset, cutoff)`, float32."""
        return at_level(self.expected(pairs_at(dataset, cutoff)), national_level(dataset, cutoff))

    def to_texts(self) -> dict[str, str]:
        return {"gravity": json.dumps(asdict(self.gravity))}

    @staticmethod
    def from_texts(texts: dict[str, str]) -> "StructuralGravity":
        return StructuralGravity(_gravity_from(json.loads(texts["gravity"])))


def _few_enough(pairs: Pairs) -> tuple[str, ...]:
    """The indicators, or none where the regions are too few to tell their effects apart."""
    indicators = pairs.indicators
    return indicators if len(pairs.table) >= REGIONS_PER_COLUMN * (1 + len(indicators)) else ()


def _gravity_from(words: dict) -> Gravity:
    return Gravity(tuple(words["columns"]), tuple(words["coefficients"]), words["intercept"])


# --- trees ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class StructuralBoosted:
    """Gravity of populations, distance and border, times what boosted trees make of all pair features.

    The trees (LightGBM, Poisson) are monotone where the sign of an effect is known: with all else as it is, higher pay
    at the destination never lowers a flow. They see the LIKELY pairs; `rest` is what the others get of gravity's flow.
    """

    base: Gravity = Gravity()
    booster: "Booster | Trees | None" = field(default=None, compare=False)
    columns: tuple[str, ...] = ()
    rest: float = 0.0
    name: str = "structural_boosted"

    def fit(self, dataset: Dataset, cutoff: int) -> "StructuralBoosted":
        years = observed_years(dataset, cutoff)
        base = fit_gravity(*training_rows(years, [all_pairs(year) for year in years], BASE), BASE)
        expected = [base.expected(year.pairs) for year in years]
        likely = [_likely(flows) for flows in expected]
        columns = years[-1].pairs.columns
        booster = _boosted(*training_rows(years, likely, columns), columns, base)
        return StructuralBoosted(base, booster, columns, _rest(years, expected, likely))

    def expected(self, pairs: Pairs) -> np.ndarray:
        """Expected flows in units of the mean, (region, region) float32, with a zero diagonal."""
        expected = self.base.expected(pairs)
        likely = _likely(expected)
        expected[~likely] *= np.float32(self.rest)
        for part in np.array_split(np.flatnonzero(likely), 1 + LIKELY // 250_000):
            origin, destination = np.divmod(part, len(expected))
            expected[origin, destination] *= self._correction(pairs.features(origin, destination, self.columns))
        return expected

    def _correction(self, features: np.ndarray) -> np.ndarray:
        assert self.booster is not None, "fit first"
        return np.exp(np.asarray(self.booster.predict(features, raw_score=True, num_threads=THREADS)))

    def destination_choice(self, pairs: Pairs) -> np.ndarray:
        """P(destination | origin), (region, region) float32; rows sum to 1."""
        return shares_of_destinations(self.expected(pairs))

    def predict(self, dataset: Dataset, cutoff: int) -> np.ndarray:
        """Expected persons a year, origin × destination over `regions_of(dataset, cutoff)`, float32."""
        return at_level(self.expected(pairs_at(dataset, cutoff)), national_level(dataset, cutoff))

    def to_texts(self) -> dict[str, str]:
        """`parts` in JSON, `booster` in LightGBM's text form."""
        assert self.booster is not None, "fit first"
        parts = {"base": asdict(self.base), "columns": self.columns, "rest": self.rest}
        return {"parts": json.dumps(parts), "booster": self.booster.model_to_string()}

    @staticmethod
    def from_texts(texts: dict[str, str]) -> "StructuralBoosted":
        parts = json.loads(texts["parts"])
        booster = Trees(texts["booster"])
        return StructuralBoosted(_gravity_from(parts["base"]), booster, tuple(parts["columns"]), parts["rest"])


def _boosted(
    features: np.ndarray, flows: np.ndarray, weights: np.ndarray, columns: tuple[str, ...], base: Gravity
) -> "Booster":
    import lightgbm

    start = base.log_expected(features[:, [columns.index(column) for column in base.columns]])
    rows = lightgbm.Dataset(
        features,
        flows,
        weight=weights,
        init_score=start,
        feature_name=list(columns),
        params={"verbosity": -1},
    )
    constraints = [sign_of(column) for column in columns]
    return lightgbm.train(TREES | {"monotone_constraints": constraints}, rows, num_boost_round=ROUNDS)


def sign_of(column: str) -> int:
    """Assumed sign of a pair feature's effect on the flow: -1, 1, or 0 where none is.

    >>> sign_of("destination_average_pay"), sign_of("origin_average_pay"), sign_of("log_distance")
    (1, -1, -1)
    """
    if column in SIGNS or column in OF_PAIR:
        return SIGNS.get(column, 0)
    end, name = column.split("_", 1)
    sign = INDICATORS[name].sign if name in INDICATORS else 0
    return -sign if end == "origin" else sign


def _likely(expected: np.ndarray) -> np.ndarray:
    """Which pairs are among the LIKELY of which gravity expects most, (region, region); all where there are fewer."""
    pairs = expected.size - len(expected)
    least = np.partition(expected, -LIKELY, axis=None)[-LIKELY] if pairs > LIKELY else 0.0
    likely = expected >= least
    np.fill_diagonal(likely, False)
    return likely


def _rest(years: Sequence[Observed], expected: Sequence[np.ndarray], likely: Sequence[np.ndarray]) -> float:
    """Flow of the pairs that are not likely, as a part of what gravity expects of them."""
    told = sum(float(year.flows[~seen].sum(dtype="float64")) for year, seen in zip(years, likely, strict=True))
    assumed = sum(float(flows[~seen].sum(dtype="float64")) for flows, seen in zip(expected, likely, strict=True))
    return told / assumed if assumed else 0.0
