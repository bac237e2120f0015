"""Figures of a real training."""

import warnings
from io import BytesIO

import numpy as np
import pytest

from features.targets import target_history
from training.figures import every_figure, fan, fans, served_points, skill_by_horizon
from training.scorecard import scorecard


@pytest.fixture(scope="module")
def figures(trained):
    return dict(every_figure(*trained))


def texts(figure) -> str:
    return " ".join(text.get_text() for text in figure.texts) + (figure.get_suptitle() or "")


def test_every_figure_is_drawn_without_a_warning(figures):
    for figure in figures.values():
        with warnings.catch_warnings(), BytesIO() as file:
            warnings.simplefilter("error")
            figure.savefig(file, format="png", dpi=50)


def test_there_is_a_page_per_target_and_a_figure_per_city(figures):
    targets = ("net_migration", "inflow", "out_migration")
    cities = ("KZ-71", "KZ-75", "KZ-79")

    assert {f"fans_{target}" for target in targets} | {f"fan_{city}" for city in cities} <= set(figures)
    assert {f"{what}_net_migration" for what in ("skill", "coverage", "observed")} <= set(figures)


def test_axes_say_what_they_are_of(figures):
    for name, figure in figures.items():
        assert figure.get_suptitle(), name
        shown = [axes for axes in figure.axes if axes.axison]
        assert any(axes.get_xlabel() for axes in shown), name
        if not name.startswith("skill"):  # its vertical axis names models
            assert any(axes.get_ylabel() for axes in shown), name


def test_forecasts_cite_the_source(figures):
    assert "Bureau of National Statistics" in texts(figures["fan_KZ-71"])
    assert "Bureau of National Statistics" in texts(figures["fans_net_migration"])


def test_a_page_has_a_panel_per_region(trained):
    bundle, _ = trained

    titles = {axes.get_title(loc="left") for axes in fans(bundle, "net_migration").axes}

    assert {"Astana", "Almaty", "Ulytau"} <= titles
    assert len(titles) == 20


def test_the_median_starts_from_the_last_value_and_is_dashed_where_it_continues_estimates(trained):
    bundle, _ = trained
    medians = {
        region: next(line for line in fan(bundle, region).axes[0].lines if line.get_color() == "#0072B2")
        for region in ("KZ-71", "KZ-79")
    }

    assert medians["KZ-71"].get_linestyle() == "-"
    assert medians["KZ-79"].get_linestyle() == "--"
    last = bundle.dataset.movements.query("region == 'KZ-71' and year == 2024 and measure == 'net' and scope == 'all'")
    assert medians["KZ-71"].get_xydata()[0].tolist() == [2024, last["persons"].item()]


def test_a_year_without_a_value_is_a_gap_in_the_line(trained):
    history = fan(trained[0], "KZ-71").axes[0].lines[0]

    values = dict(zip(history.get_xdata(), history.get_ydata(), strict=True))

    assert np.isnan(values[2008])
    assert not np.isnan(values[2007])


def test_points_are_forecasts_of_later_years_and_their_outcomes(trained):
    bundle, tested = trained
    persons = target_history(bundle.dataset, "net_migration").persons

    points = served_points(tested, bundle.dataset, bundle.manifest.cutoff, "net_migration")

    first = points.iloc[0]
    assert first["observed"] == persons.loc[first["cutoff"] + first["horizon"], first["region"]]
    assert (points["cutoff"] + points["horizon"]).max() == bundle.manifest.cutoff


def test_skill_is_shown_where_it_was_measured(trained):
    card = scorecard(trained[1].scores)
    best = card.query("target == 'net_migration' and horizon == 1 and model == 'expert_average'")["skill"].item()

    figure = skill_by_horizon(card, "net_migration")

    assert best in [line.get_xdata()[0] for line in figure.axes[0].lines if len(line.get_xdata()) == 1]
