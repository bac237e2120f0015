"""What of a dataset was known at a cutoff, and that a dataset survives being written."""

import pandas as pd
import pytest

from features.dataset import load_dataset, save_dataset
from features.indicators import INDICATORS, UNKNOWN_LAG
from tests.tables import dataset_of, flows_country, kazakhstan, net_country, population_of, regions_of, table


def country_with_late_values():
    indicators = table("""
        region  year  indicator          value   published
        North   2018  population         500000  2018
        North   2019  population         495000  2019
        North   2020  population         490000  2020
        South   2018  population         800000  2018
        South   2019  population         810000  2019
        South   2020  population         820000  2020
        North   2018  unemployment_rate  6.1     2020
        North   2019  unemployment_rate  5.9     2019
    """)
    flows = table("""
        origin  destination  year  persons  published
        North   South        2018  700      2018
        North   South        2019  720      2020
        North   South        2020  740      2020
    """)
    return dataset_of(regions=regions_of("North", "South"), indicators=indicators, flows=flows)


def test_as_of_hides_later_years():
    known = country_with_late_values().as_of(2019)

    assert known.indicators["year"].max() == 2019
    assert known.flows["year"].tolist() == [2018]


def test_as_of_hides_what_was_published_later():
    dataset = country_with_late_values()

    assert dataset.as_of(2019).indicator("unemployment_rate").index.tolist() == [2019]
    assert dataset.as_of(2020).indicator("unemployment_rate").index.tolist() == [2018, 2019]
    assert dataset.as_of(2020).flows["persons"].tolist() == [700, 720, 740]


def test_as_of_an_earlier_vintage_hides_more_and_a_later_one_adds_nothing():
    dataset = country_with_late_values()

    assert dataset.as_of(2020).as_of(2018) is dataset.as_of(2018)
    assert dataset.as_of(2018).as_of(2020) is dataset.as_of(2018)


def test_a_cutoff_asked_twice_gives_the_same_object():
    dataset = country_with_late_values()

    assert dataset.as_of(2019) is dataset.as_of(2019)
    assert dataset.as_of(2019) is not dataset.as_of(2018)


def test_the_dataset_itself_is_not_changed():
    dataset = country_with_late_values()

    dataset.as_of(2018)

    assert dataset.flows["year"].max() == 2020


@pytest.mark.parametrize(
    ("indicator", "lag"),
    [
        pytest.param("average_wage", 0, id="with_the_migration_figures"),
        pytest.param("grp", 1, id="one_release_later"),
        pytest.param("hospital_beds", UNKNOWN_LAG, id="not_in_the_dictionary"),
    ],
)
def test_published_is_the_year_and_the_publication_lag_where_it_is_not_given(indicator, lag):
    row = pd.DataFrame({"region": ["A"], "year": [2019], "indicator": [indicator], "value": [5.0]})
    tables = net_country(["A", "B"], range(2018, 2021))
    dataset = dataset_of(**tables | {"indicators": pd.concat([tables["indicators"], row])})

    told = dataset.indicators[dataset.indicators["indicator"] == indicator]

    assert told["published"].tolist() == [2019 + lag]
    assert indicator not in INDICATORS or INDICATORS[indicator].publication_lag == lag


def test_moves_are_known_in_their_year_and_official_where_nothing_else_is_said():
    dataset = dataset_of(**net_country(["A", "B"], range(2018, 2021)))

    assert (dataset.movements["published"] == dataset.movements["year"]).all()
    assert (dataset.movements["basis"] == "official").all()


def test_what_is_said_of_one_row_leaves_the_others_to_the_rule():
    tables = net_country(["A", "B"], range(2018, 2020))
    tables["movements"]["published"] = [None, 2021, None, None]

    assert dataset_of(**tables).movements["published"].tolist() == [2018, 2021, 2019, 2019]


def test_indicator_is_year_by_region():
    dataset = dataset_of(
        regions=regions_of("North", "South"),
        indicators=population_of(["North", "South"], range(2018, 2020), 5),
        flows=flows_country(["North", "South"], range(2018, 2020))["flows"],
    )

    assert dataset.indicator("population").to_dict("index") == {
        2018: {"North": 5.0, "South": 5.0},
        2019: {"North": 5.0, "South": 5.0},
    }


def test_a_dataset_that_is_saved_is_read_back(tmp_path):
    dataset = kazakhstan()

    save_dataset(dataset, tmp_path)

    again = load_dataset(tmp_path)
    for words in ("name", "title", "licenses", "origins", "sources", "gaps", "revisions"):
        assert getattr(again, words) == getattr(dataset, words)
    assert again.licenses
    assert [source.get("path") for source in again.origins] == ["https://stat.gov.kz", None, None]
    for name, frame in dataset.tables().items():
        pd.testing.assert_frame_equal(again.tables()[name], frame)


def test_a_dataset_saved_twice_has_the_same_bytes(tmp_path):
    for folder in ("one", "two"):
        save_dataset(kazakhstan(), tmp_path / folder)

    written = {path.name: path.read_bytes() for path in (tmp_path / "one").iterdir()}
    assert written == {path.name: path.read_bytes() for path in (tmp_path / "two").iterdir()}


def test_the_hash_is_of_the_tables_and_not_of_the_words(tmp_path):
    save_dataset(kazakhstan(), tmp_path)
    before = load_dataset(tmp_path).sha256
    path = tmp_path / "datapackage.json"

    path.write_text(path.read_text("utf-8").replace("Kazakhstan:", "Republic of Kazakhstan:"), "utf-8")

    assert load_dataset(tmp_path).sha256 == before
