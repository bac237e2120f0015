"""An outlook keeps what projections of all levels said."""

from io import BytesIO

import numpy as np
import pytest

from models.outlook import Outlook, OutlookError, outlook_of
from models.projection import LEVELS, project
from models.projection_tables import MEASURES
from tests.projections import CUTOFF, made_forecast, vital_country


@pytest.fixture(scope="module")
def projections():
    country, forecast = vital_country(), made_forecast()
    return {level: project(country, CUTOFF, forecast, CUTOFF + 6, level) for level in LEVELS}


@pytest.fixture(scope="module")
def kept(projections):
    return outlook_of(list(projections.values()))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("measure", MEASURES)
def test_draws_are_those_of_the_projection(projections, kept, level, measure):
    assert (kept.draws(level, measure) == projections[level].measure(measure)).all()


def test_levels_share_the_years_that_are_forecast(kept):
    low, high = (kept.draws(level, "population") for level in ("low", "high"))
    until = kept.years.index(kept.forecast_until + 1) + 1

    assert (low[:, :until] == high[:, :until]).all()
    assert (low[:, -1] != high[:, -1]).any()


def test_it_survives_a_file_without_pickle(kept):
    file = BytesIO()
    np.savez_compressed(file, **kept.to_arrays())
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        read = Outlook.from_arrays(arrays)

    assert (read.years, read.regions, read.basis) == (kept.years, kept.regions, kept.basis)
    assert read.assumptions == kept.assumptions
    for level in LEVELS:
        assert read.summary(level).equals(kept.summary(level))
        assert read.table(level).equals(kept.table(level))


def test_what_it_does_not_have_is_told(kept):
    with pytest.raises(
        OutlookError, match=r"level 'top', measure 'jobs': must be one of low, medium, high, and one of"
    ):
        kept.draws("top", "jobs")
