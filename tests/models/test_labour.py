"""Labour: supply from people of working age, the gap to jobs that are given, and faults of what is given."""

import numpy as np
import pytest

from models.labour import LabourError, jobs_array, labour, migrated, participation_of
from models.labour_demand import demand_of, read_demand
from tests.tables import kazakhstan, table

YEARS, REGIONS = [2026, 2027], ["A", "B"]
NOT_KNOWN = np.full((2, 2), np.nan)
WORKING_AGE = np.array([[[1000, 500], [1000, 500]], [[1000, 500], [1200, 500]], [[1000, 500], [1400, 500]]])
"""Three draws, two years, two regions."""
JOBS = table("""
    region year jobs source
    A      2027  900 plan
""")


def made(jobs=None):
    given = NOT_KNOWN if jobs is None else jobs_array(jobs, YEARS, REGIONS)
    return labour(WORKING_AGE, YEARS, REGIONS, np.array([0.8, 0.5]), given, NOT_KNOWN)


def test_the_gap_is_jobs_less_supply_and_migration_closes_it():
    found = made(JOBS)

    assert found.supply[:, 1, 0].tolist() == [800, 960, 1120]
    assert found.gap[:, 1, 0].tolist() == [100, -60, -220]
    assert found.closing_migration[:, 1, 0].tolist() == [125, -75, -275]
    assert found.probability_shortage[1, 0] == pytest.approx(1 / 3)
    # As many more of working age as would close it do.
    closed = labour(WORKING_AGE + found.closing_migration, YEARS, REGIONS, found.participation, found.jobs, NOT_KNOWN)
    assert closed.gap[:, 1, 0] == pytest.approx(0)


def test_without_jobs_only_the_supply_is_answered():
    rows = made().table()

    assert rows["supply"].tolist() == pytest.approx([800, 960, 250, 250])
    assert rows[["jobs", "gap", "closing_migration", "probability_shortage"]].isna().all(axis=None)
    assert not any("jobs" in told for told in made().assumptions)


def test_years_without_jobs_are_not_compared():
    rows = made(JOBS).table().set_index(["region", "year"])

    assert rows["gap"].dropna().to_dict() == pytest.approx({("A", 2027): -60})
    assert rows.loc[("A", 2027), ["gap_0.5", "closing_migration_0.5"]].tolist() == [-60, -75]
    assert set(rows["basis"]) == {"assumed"}


def test_participation_is_the_last_labour_force_over_the_people_of_its_year():
    dataset = kazakhstan()
    known = dataset.indicator("labour_force")[["KZ-71", "KZ-61"]].dropna()
    last = int(known.index[-1])
    people = np.array([[900_000.0, 1_000_000.0], [1_100_000.0, 1_000_000.0], [5.0, 5.0]])

    both = participation_of(dataset, ["KZ-71", "KZ-61"], [last, last + 1, last + 2], people)
    nearest = participation_of(dataset, ["KZ-71", "KZ-61"], [last + 1, last + 2, last + 3], people)

    assert both == pytest.approx(known.loc[last].to_numpy() / 1_000_000)
    assert nearest == pytest.approx(known.loc[last].to_numpy() / people[0])


def test_a_region_without_labour_force_is_named():
    with pytest.raises(LabourError, match=r"labour_force: no value of KZ-00; must have one"):
        participation_of(kazakhstan(), ["KZ-71", "KZ-00"], [2026], np.ones((1, 2)))


def test_balances_add_up_from_the_first_year_and_stop_where_they_are_not_known():
    moved = migrated({2025: np.array([1.0]), 2026: np.array([20.0]), 2027: np.array([300.0])}, [2026, 2027, 2028, 2029])

    assert moved[:3, 0].tolist() == [0, 20, 320]
    assert np.isnan(moved[3, 0])


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        pytest.param({"jobs": 10**400}, "jobs = 1000.*: must be a number from 0 to", id="larger_than_a_float"),
        pytest.param({"jobs": 1.7e308}, "jobs = .*: must be a number from 0 to", id="more_than_people"),
        pytest.param({"year": 10**400}, "year = .*: must be a projected year", id="year_larger_than_a_float"),
        pytest.param({"region": "A" * 10_000}, r"unknown region 'A{1,30}\.\.\.A{1,30}'; known", id="cut"),
    ],
)
def test_what_is_no_number_of_jobs_is_told_in_short(wrong, told):
    with pytest.raises(LabourError, match=told) as error:
        demand_of([{"region": "A", "year": 2026, "jobs": 1, "source": "plan"} | wrong], REGIONS, YEARS)

    assert len(str(error.value)) < 300


def test_more_rows_than_there_are_regions_and_years_are_one_fault():
    row = {"region": "C", "year": 2026, "jobs": 1, "source": "plan"}

    with pytest.raises(LabourError, match="has 1001 rows; must have one for a region and year, 1000 at most") as error:
        demand_of([row] * 1001, REGIONS, YEARS)
    assert len(str(error.value).splitlines()) == 2


# --- demand files ---------------------------------------------------------------------------------------------------

SOUND = "region,year,jobs,source\nA,2026,900,plan\nB,2027,400.5,plan\n"
FAULTY = "region,year,jobs,source\nA,2026,many,plan\nC,2026,5,plan\nA,2099,5,\nB,2027,-5,plan\nB,2027,5,plan\n"
FAULTS = [
    "  row 1: jobs = 'many': must be a number from 0 to 10,000,000,000",
    "  row 2: unknown region 'C'; known: A … B (2)",
    "  row 3: year = '2099': must be a projected year, 2026 to 2027",
    "  row 3: source is empty; must say whose figure it is",
    "  row 4: jobs = '-5': must be a number from 0 to 10,000,000,000",
    "  row 5: B 2027 a second time, after row 4; must be once",
]


def written(folder, text, name="jobs.csv"):
    (folder / name).write_text(text, "utf-8")
    return folder / name


def test_csv_and_toml_say_the_same(tmp_path):
    rows = '[[jobs]]\nregion = "A"\nyear = 2026\njobs = 900\nsource = "plan"\n'
    rows += '[[jobs]]\nregion = "B"\nyear = 2027\njobs = 400.5\nsource = "plan"\n'

    csv = read_demand(written(tmp_path, SOUND), REGIONS, YEARS)

    assert csv["jobs"].tolist() == [900, 400.5]
    assert csv.equals(demand_of(csv.to_dict("records"), REGIONS, YEARS))
    assert csv.equals(read_demand(written(tmp_path, rows, "jobs.toml"), REGIONS, YEARS))


def test_every_fault_of_a_file_is_told_at_once(tmp_path):
    with pytest.raises(LabourError) as told:
        read_demand(written(tmp_path, FAULTY), REGIONS, YEARS)

    assert str(told.value).splitlines()[1:] == FAULTS


@pytest.mark.parametrize(
    ("text", "name", "told"),
    [
        pytest.param(
            "regoin,year,jobs\nA,2026,5\n", "jobs.csv", "column 'regoin': unknown; did you mean 'region'?", id="csv"
        ),
        pytest.param("region,year,jobs,source\n", "jobs.csv", "has no row", id="no_row"),
        pytest.param(
            '[[jobs]]\nregion = "A"\nyear = 2026\njob = 5\n', "jobs.toml", "jobs 1: 'job': unknown; did", id="toml"
        ),
        pytest.param("jobs = 5\n", "jobs.toml", "must be a list of rows", id="no_rows"),
        pytest.param("[[jobs", "jobs.toml", "must be a TOML file", id="not_toml"),
        pytest.param("", "jobs.csv", "must be a CSV file with columns region, year, jobs, source", id="not_csv"),
    ],
)
def test_a_file_of_another_form_is_told(tmp_path, text, name, told):
    with pytest.raises(LabourError) as error:
        read_demand(written(tmp_path, text, name), REGIONS, YEARS)

    assert told in str(error.value)
