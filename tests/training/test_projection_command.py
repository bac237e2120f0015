"""`qonys project` prints, writes and draws what a bundle's forecast leads to."""

import json
import warnings
from io import BytesIO

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from models.outlook import outlook_of
from models.projection import project
from training.__main__ import app
from training.config import ConfigError
from training.projection_figures import fan_figure, pyramid_figure

TO = 2029


@pytest.fixture(scope="module")
def projection(trained):
    made, _ = trained
    return project(made.dataset, made.manifest.cutoff, made.forecast, TO)


@pytest.fixture
def run(bundle_folder):
    def run(*asked: str) -> str:
        words = ["project", "--to", str(TO), "--bundle", str(bundle_folder), *asked]
        result = CliRunner().invoke(app, words, catch_exceptions=False)
        assert result.exit_code == 0
        return result.output

    return run


def test_a_region_is_told_drawn_and_written_as_csv_and_json(folder, projection, run):
    files = ["--out", str(folder / "astana.csv"), "--figure", str(folder / "fan.svg")]
    told = run("--region", "KZ-71", *files, "--figures", str(folder / "figures"))
    run("--region", "KZ-71", "--ages", "--out", str(folder / "astana.json"))

    assert f"project: to {TO}, 150 of 200 draws" in told
    assert "Astana" in told
    assert "Almaty" not in told.partition("assumed")[0]
    assert "pension age: men 63" in told
    summary = pd.read_csv(folder / "astana.csv")
    middle = summary[(summary["measure"] == "population") & (summary["quantile"] == 0.5)].set_index("year")["value"]
    expected = np.rint(np.median(projection.measure("population")[:, :, projection.regions.index("KZ-71")], axis=0))
    assert middle.loc[TO] == expected[-1]
    assert set(summary["region"]) == {"KZ-71"}
    ages = pd.DataFrame(json.loads((folder / "astana.json").read_text("utf-8")))
    assert set(ages["basis"]) == {"estimated"}
    assert len(ages) == 7 * 5 * 2 * 18
    assert "<svg" in (folder / "fan.svg").read_text("utf-8")
    assert {path.name for path in (folder / "figures").iterdir()} == {"population_KZ-71.png", "pyramid_KZ-71.png"}


def test_figures_are_drawn_without_a_warning_and_say_what_is_estimated(trained, projection):
    dataset, outlook = trained[0].dataset, outlook_of([projection])
    fan = fan_figure(outlook, "medium", dataset, ["KZ-71", "KZ-75"])
    figures = [fan, pyramid_figure(outlook, "medium", dataset, "KZ-71")]

    for figure in figures:
        with warnings.catch_warnings(), BytesIO() as file:
            warnings.simplefilter("error")
            figure.savefig(file, format="png", dpi=50)
        assert any("Bureau of National Statistics" in text.get_text().replace("\n", " ") for text in figure.texts)
    outlines = [line for line in figures[1].axes[0].lines if line.get_linestyle() == "--"]
    assert len(outlines) >= 2, "ages of the start are estimated: dashed"
    assert any("estimated" in text.get_text() for text in figures[1].texts)


def test_the_pyramid_is_of_the_projection(trained, projection):
    axes = pyramid_figure(outlook_of([projection]), "medium", trained[0].dataset, "KZ-71").axes[0]
    middle = np.rint(np.median(projection.population[:, -1, projection.regions.index("KZ-71")], axis=0))

    widths = [bar.get_width() for bar in axes.patches]  # pyright: ignore[reportAttributeAccessIssue] -- bars

    np.testing.assert_allclose(widths, np.concatenate([middle[0], -middle[1]]))


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        pytest.param(["--region", "KZ-99"], "--region KZ-99: not projected; known: KZ-10", id="unknown_region"),
        pytest.param(["--out", "people.xlsx"], "must end with .csv or .json", id="another_file"),
        pytest.param(["--figure", "people.pdf"], "must end with .png or .svg", id="another_figure"),
    ],
)
def test_what_cannot_be_done_is_told_before_the_work(asked, said, run):
    with pytest.raises(ConfigError, match=said):
        run(*asked)
