"""A configuration is the keys of default.toml, and nothing else."""

from pathlib import Path

import pytest

from features.dataset import KAZAKHSTAN
from training.config import ConfigError, load_config


def test_without_settings_the_embedded_data_are_forecast_to_the_last_year():
    config = load_config()

    assert (config.data, config.cutoff, config.horizons) == (KAZAKHSTAN, None, (1, 2, 3))


@pytest.mark.parametrize(
    ("setting", "key", "value"),
    [
        pytest.param("draws=200", "draws", 200, id="number"),
        pytest.param("horizons=[1, 2, 5]", "horizons", (1, 2, 5), id="list"),
        pytest.param("data=/some/folder", "data", Path("/some/folder"), id="text_without_quotes"),
        pytest.param('data="/some/folder"', "data", Path("/some/folder"), id="text_with_quotes"),
        pytest.param("cutoff=2020", "cutoff", 2020, id="year"),
        pytest.param("cutoff=0", "cutoff", None, id="last_year"),
    ],
)
def test_a_setting_overrides_its_key(setting, key, value):
    assert getattr(load_config([setting]), key) == value


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        pytest.param("draw=200", "'draw': unknown key; did you mean 'draws'?", id="misspelt"),
        pytest.param("draws", "'draws': must be key=value", id="no_value"),
        pytest.param("draws=many", "draws = 'many': must be even, from 20 to 100000", id="text_for_a_number"),
        pytest.param("draws=201", "draws = 201: must be even", id="odd"),
        pytest.param("draws=true", "draws = True: must be even", id="truth_for_a_number"),
        pytest.param("horizons=[3, 1]", "horizons = [3, 1]: must be rising", id="falling_horizons"),
        pytest.param("horizons=[]", "horizons = []: must be rising", id="no_horizons"),
        pytest.param("horizons=1", "horizons = 1: must be rising", id="horizon_without_list"),
        pytest.param("seed=-1", "seed = -1: must be a whole number from 0", id="negative_seed"),
        pytest.param("cutoff='now'", "cutoff = 'now': must be a year", id="cutoff_in_words"),
        pytest.param("data=7", "data = 7: must be a dataset folder", id="folder_is_a_number"),
    ],
)
def test_a_wrong_setting_is_refused(setting, told):
    with pytest.raises(ConfigError) as caught:
        load_config([setting])

    assert told in str(caught.value)
    assert len(str(caught.value).splitlines()) == 2


def test_all_faults_are_told_at_once():
    with pytest.raises(ConfigError) as caught:
        load_config(["draw=200", "draws=201", "seed"])

    assert len(str(caught.value).splitlines()) == 1 + 3


def test_the_last_of_two_settings_holds_and_arguments_come_last():
    config = load_config(["draws=200", "draws=400", "cutoff=2010"], data=Path("folder"), cutoff=2015)

    assert (config.draws, config.cutoff, config.data) == (400, 2015, Path("folder"))


def test_a_file_changes_the_defaults_and_settings_change_the_file(tmp_path):
    file = tmp_path / "own.toml"
    file.write_text("draws = 200\nseed = 7\n[boosted]\nrounds = 80\n")

    config = load_config(["seed=8"], file)

    assert (config.draws, config.seed, config.boosted.rounds) == (200, 8, 80)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("draw = 1", "'draw': unknown key; did you mean 'draws'?", id="unknown_key"),
        pytest.param("draws = ", "must be a TOML file", id="not_toml"),
        pytest.param(
            "[boosted]\nround = 8", "'boosted.round': unknown key; did you mean 'boosted.rounds'?", id="in_a_table"
        ),
        pytest.param("boosted = 8", "'boosted': unknown key", id="no_table"),
    ],
)
def test_a_wrong_file_is_refused(tmp_path, text, told):
    file = tmp_path / "own.toml"
    file.write_text(text)

    with pytest.raises(ConfigError) as caught:
        load_config([], file)

    assert told in str(caught.value)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load_config([], tmp_path / "nowhere.toml")
