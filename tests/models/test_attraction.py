"""Attraction: what a gravity model finds, and how sure of it it is."""

import numpy as np
import pytest
import statsmodels.api as sm
from sklearn.linear_model import PoissonRegressor

from models.attraction import fit_attraction, fit_difference
from models.attraction_fit import fit_poisson
from models.attraction_index import Indices, indices_of
from models.attraction_panel import AttractionError, panel_of
from tests.models.attracted_country import CODES, YEARS, country
from tests.tables import dataset_of, net_country


def test_coefficients_and_clustered_errors_are_those_of_others():
    rng = np.random.default_rng(0)
    matrix, year = rng.normal(size=(300, 3)) * [1, 10, 0.1], rng.integers(2000, 2003, 300)
    origin, destination = rng.integers(0, 30, 300), rng.integers(0, 30, 300)
    counts = rng.poisson(np.exp(1 + matrix @ [0.3, 0.02, -2] + 0.1 * (year - 2000))).astype("float64")

    fit = fit_poisson(matrix, counts, year, (origin, destination))

    design = np.concatenate([year[:, None] == np.unique(year), matrix], axis=1).astype("float64")
    other = PoissonRegressor(alpha=0, fit_intercept=False, tol=1e-10, max_iter=1000).fit(design, counts)
    assert fit.coefficients == pytest.approx(other.coef_[3:], rel=1e-4)
    glm = sm.GLM(counts, design, family=sm.families.Poisson())
    ways = [
        glm.fit(cov_type="cluster", cov_kwds={"groups": labels, "df_correction": False, "use_correction": False})
        for labels in (origin, destination, origin * 100 + destination)
    ]
    one, two, both = (way.cov_params()[3:, 3:] for way in ways)
    groups = [len(np.unique(labels)) for labels in (origin, destination, origin * 100 + destination)]
    g = [count / (count - 1) for count in groups]
    assert fit.covariance == pytest.approx(one * g[0] + two * g[1] - both * g[2], rel=1e-6, abs=1e-12)
    alone = fit_poisson(matrix, counts, year, (origin,))
    assert alone.covariance == pytest.approx(one * g[0], rel=1e-6, abs=1e-12)


def test_effects_that_were_put_in_are_found():
    panel = panel_of(dataset_of(**country(pull=1.5, hold=0.5)), 2017)
    indices = indices_of(panel)
    per_log = indices.spread[indices.indicators.index("average_wage")]

    made = fit_attraction(panel, indices)
    effect, covariance = fit_difference(panel, indices)

    assert panel.basis == "official"
    assert made.effects("destination")[0] / per_log == pytest.approx(1.5, abs=0.1)
    assert made.effects("origin")[0] / per_log == pytest.approx(-0.5, abs=0.1)
    assert effect[0] / per_log == pytest.approx(1.0, abs=0.2)
    assert np.sqrt(covariance[0, 0]) < effect[0]


def test_index_is_the_mean_of_what_is_known():
    indices = Indices(("average_wage", "poverty_rate", "doctors"), (0.5, 2.0, 1.0))

    value = indices.of(np.array([[0.5, -2.0, 1.0], [0.5, np.nan, np.nan], [np.nan, 2.0, np.nan]]))

    assert indices.groups == ("pay", "public_services")
    assert value == pytest.approx(np.array([[1.0, 1.0], [1.0, 0.0], [-1.0, 0.0]]))


def test_nothing_after_the_cutoff_is_seen():
    tables = country(pull=1.0)
    later = {name: table.copy() for name, table in tables.items()}
    late = later["flows"]["year"] > 2015
    later["flows"].loc[late, "persons"] *= 7
    later["indicators"].loc[later["indicators"]["year"] > 2015, "value"] *= 3

    one, two = (panel_of(dataset_of(**each), 2015) for each in (tables, later))

    found = [fit_attraction(each, indices_of(each)).fit.coefficients for each in (one, two)]
    assert (found[0] == found[1]).all()


def test_without_flows_it_says_what_it_needs():
    with pytest.raises(AttractionError, match="no flows are recorded, and none can be estimated"):
        panel_of(dataset_of(**net_country(CODES, YEARS)), 2017)
