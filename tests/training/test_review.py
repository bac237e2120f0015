"""What a reviewer sees: changes, outcomes, misses, the comparison of two trainings, the model card."""

from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import typer
from typer.testing import CliRunner

from models.bundle import save_bundle
from tests.tables import dataset_of, net_country, table
from training.changes import changes, summary
from training.compare_command import comparison_report
from training.comparison import comparison
from training.misses import largest_misses
from training.model_card import model_card
from training.outcomes import by_region, by_size, outcomes
from training.report_command import report
from training.review import Review, Verdict
from training.run_note import run_note
from training.sharpness import crps_skill, relative_widths

# --- changes --------------------------------------------------------------------------------------------------------


BEFORE = {
    "config.draws": "200",
    "bundle.cutoff": "2023",
    "dataset.sha256": "a",
    "version.commit": "c",
    "config.data": "x",
}


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        pytest.param({}, "nothing changed", id="nothing"),
        pytest.param({"config.data": "elsewhere"}, "nothing changed", id="place_of_the_data"),
        pytest.param({"dataset.sha256": "b", "bundle.cutoff": "2024"}, "data", id="data"),
        pytest.param({"bundle.cutoff": "2024"}, "cutoff 2023→2024", id="cutoff"),
        pytest.param({"config.draws": "400"}, "draws 200→400", id="config"),
        pytest.param({"version.commit": "d"}, "code", id="code"),
        pytest.param({"version.commit": "c+changes"}, "code", id="uncommitted"),
        pytest.param({"version.pandas": "4.0"}, "libraries pandas none→4.0", id="library"),
    ],
)
def test_a_run_is_named_by_what_changed(changed, told):
    assert summary(changes(BEFORE, BEFORE | changed)) == told


def test_the_same_uncommitted_commit_is_told_since_the_code_may_differ():
    same = {"version.commit": "c+changes"}

    assert summary(changes(same, same)) == "code"


# --- outcomes, misses -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def came(trained):
    bundle, tested = trained
    return outcomes(tested, bundle.dataset, bundle.manifest.cutoff)


def test_outcomes_give_the_skill_of_the_scorecard(came, trained):
    """Both are of what was served; the scorecard's of the median of draws, which is near the point."""
    errors = came.assign(
        own=(came["observed"] - came["forecast"]).abs(), last=(came["observed"] - came["persistence"]).abs()
    )
    sums = errors.groupby("horizon")[["own", "last"]].sum()
    served = trained[0].scorecard.query("model == 'served' and target == 'net_migration'").set_index("horizon")

    assert np.allclose(1 - sums["own"] / sums["last"], served["skill"], atol=0.02)
    assert (came.groupby("horizon").size() == served["n"]).all()


def test_regions_and_classes_of_size_hold_every_outcome(came):
    assert by_region(came)["n"].sum() == by_size(came)["n"].sum() == len(came)


def example(**tables):
    return dataset_of(**(net_country(["North", "South"], range(2010, 2021)) | tables))


ROWS = table("""
    target        cutoff horizon year region size forecast persistence observed
    net_migration 2014   1       2015 North  10   0        0           900
    net_migration 2014   1       2015 South  10   0        0           10
    net_migration 2015   1       2016 North  10   0        0           10
    net_migration 2015   1       2016 South  10   0        0           500
""")


def test_a_miss_without_a_note_in_the_data_is_not_explained():
    found = largest_misses(ROWS, example(), 2)

    assert list(found["missed"]) == [900, 500]
    assert set(found["reason"]) == {"not explained"}


def test_a_miss_beside_a_gap_has_the_words_of_the_data():
    tables = net_country(["North", "South"], range(2010, 2021))
    tables["movements"] = tables["movements"].query("year != 2015")
    gap = {"measure": "net", "scope": "all", "years": [2015], "reason": "the census of 2015"}

    found = largest_misses(ROWS, dataset_of(gaps={"movements": [gap]}, **tables), 2)

    assert list(found["reason"]) == ["gap of 2015: the census of 2015"] * 2


def test_a_year_in_which_every_region_was_missed_is_told_and_not_explained(came, trained):
    found = largest_misses(came, trained[0].dataset, 3)
    first = found.iloc[0]

    assert (first["name"], first["year"]) == ("Astana", 2016)
    assert first["reason"].startswith("not explained; 88% of regions missed by more")


# --- sharpness, comparison ------------------------------------------------------------------------------------------


def test_sharpness_is_the_width_at_past_cutoffs_over_the_size_of_what_came():
    told = {"target": "inflow", "model": "served", "horizon": 1, "width_50": 10.0, "width_80": 20.0, "width_90": 30.0}
    past = pd.DataFrame({"cutoff": [2000, 2001], "abs_actual": [100.0, 300.0]} | told)

    (row,) = relative_widths(past).to_dict("records")

    assert (row["width_50"], row["width_80"], row["width_90"]) == pytest.approx((20 / 400, 40 / 400, 60 / 400))


def test_wider_intervals_cover_more(trained):
    scores = trained[0].scores

    assert (scores["width_50"] < scores["width_80"]).all()
    assert (scores["width_80"] < scores["width_90"]).all()
    assert (scores["coverage_50"] <= scores["coverage_80"]).all()


def test_persistence_has_no_crps_skill(trained):
    found = crps_skill(trained[0].scores).query("model == 'persistence'")

    assert np.allclose(found["crps_skill"], 0)


def scores(errors, horizon: int = 1, actual: float = 1000.0) -> pd.DataFrame:
    cutoffs = np.arange(2000, 2000 + len(errors))
    told = {"target": "net_migration", "model": "served", "horizon": horizon, "n": 10, "coverage_80": 0.8}
    return pd.DataFrame({"cutoff": cutoffs, "abs_error": errors, "abs_actual": actual} | told)


USUAL = np.full(20, 100.0)
NOISE = USUAL + 0.3 + 10 * (-1.0) ** np.arange(20)


@pytest.mark.parametrize(
    ("second", "verdict"),
    [
        pytest.param(USUAL * 0.9, "second is better", id="better"),
        pytest.param(USUAL * 1.1, "first is better", id="worse"),
        pytest.param(USUAL, "identical", id="identical"),
        pytest.param(USUAL * 1.0005, "alike", id="worse_by_less_than_decides_anything"),
        pytest.param(NOISE, "not told apart from chance", id="chance"),
    ],
)
def test_a_difference_matters_where_it_is_not_chance(second, verdict):
    found = comparison(scores(USUAL), scores(second))

    assert list(found["verdict"]) == [verdict]


def test_only_the_same_cutoffs_and_cells_are_compared():
    second = scores(USUAL * 0.9)
    second.loc[0, "n"] = 11

    found = comparison(scores(USUAL[:18]), second)

    assert list(found["cutoffs"]) == [17]
    assert list(comparison(scores(USUAL), scores(USUAL * 0.9, actual=900.0))["outcomes_revised"]) == [20]


def test_sharpness_is_compared_beside_coverage():
    found = comparison(scores(USUAL).assign(width_80=500.0), scores(USUAL).assign(width_80=400.0))

    assert (found["width_first"][0], found["width_second"][0]) == (0.5, 0.4)
    assert "80 % → 80 %            0.50 → 0.40" in comparison_report(found)


def test_a_comparison_begins_with_its_answer():
    better, chance = (comparison_report(comparison(scores(USUAL), scores(other))) for other in (USUAL * 0.9, NOISE))

    assert better.startswith("does it matter: yes, second is better: skill +0.100")
    assert chance.startswith("does it matter: not known, not told apart from chance")


def test_overlapping_errors_give_a_wider_interval_than_independent_ones():
    """Two years in a row better, two worse, and so on: what h years ahead have in common."""
    waves = USUAL + np.repeat(np.random.default_rng(1).normal(0, 20, 10), 2)
    one, two = (comparison(scores(USUAL, h), scores(waves, h)).iloc[0] for h in (1, 2))

    assert two["skill_high"] - two["skill_low"] > one["skill_high"] - one["skill_low"]


# --- the model card -------------------------------------------------------------------------------------------------


class Page(HTMLParser):
    """Tags that are open, what is loaded from elsewhere, headings, all text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.open, self.loaded, self.text = [], [], ""
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        self.open += [] if tag in ("meta", "img", "br") else [tag]
        self.loaded += [value for name, value in attrs if name in ("src", "srcset") and not value.startswith("data:")]
        self.loaded += [tag] if tag in ("link", "script", "iframe") else []

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text += data


def test_a_card_is_whole_and_loads_nothing(trained, came):
    verdict = Verdict("qonys-kazakhstan", "2", "challenger", "not <proven>", "1")
    page = Page(model_card(Review(trained[0], came, trained[1].by_size, verdict=verdict), {"fans_inflow": b"png"}))

    assert (page.open, page.loaded) == ([], [])
    for heading in ("Data", "Method", "by region", "by class of size", "Calibration", "Largest misses", "Limits"):
        assert heading in page.text
    assert "Version 2 of qonys-kazakhstan is a challenger." in page.text
    assert "Why: not <proven>. Version 1 stayed the champion." in page.text
    assert trained[0].dataset.sha256 in page.text
    skill = trained[0].scorecard.query("model == 'served' and horizon == 1")["skill"].iloc[0]
    assert f"{skill:+.3f}".replace("-", "−") in page.text


def test_a_note_without_a_version_or_outcomes_is_whole(trained):
    note = run_note(Review(trained[0]))

    assert note.count("\n### ") == 6
    assert "has registered no version" in note


@pytest.fixture
def app():
    app = typer.Typer()
    app.command()(report)
    return app


def test_a_bundle_has_a_report_that_says_what_it_lacks(app, trained, tmp_path, monkeypatch):
    monkeypatch.setattr("training.report_command._pictures", lambda _: iter(()))
    folder = save_bundle(trained[0], tmp_path / "bundle")

    told = CliRunner().invoke(app, ["--bundle", str(folder), "--out", str(tmp_path / "report.html")])

    assert told.exit_code == 0, told.output
    page = Page((tmp_path / "report.html").read_text("utf-8"))
    assert "Single outcomes are not in a bundle" in page.text
    assert "Largest misses" not in page.text
