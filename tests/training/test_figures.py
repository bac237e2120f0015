"""Figures of real trainings: of the embedded data, and of a country that records flows."""

import warnings
from dataclasses import replace
from io import BytesIO

import numpy as np
import pytest

from features.accounts import balanced_record
from features.targets import target_history
from models.forecast import QUANTILES
from tests.tables import flows_country, write_folder
from training.config import load_config
from training.figures import every_figure, fan, fans, served_points, skill_by_horizon
from training.flow_figures import flow_matrix, inflow_by_origin
from training.run import train
from training.scorecard import scorecard


@pytest.fixture(scope="module")
def figures(trained):
    return dict(every_figure(*trained))


@pytest.fixture(scope="module")
def trained_on_flows(tmp_path_factory):
    """Bundle and backtest; City is the largest region, then A, B, C, D."""
    tables = flows_country(["City", "A", "B", "C", "D"], range(2005, 2021))
    tables["regions"].loc[0, "kind"] = "city"
    data = write_folder(tmp_path_factory.mktemp("flows"), **tables)
    # Advice is drawn of the embedded data.
    return train(load_config(["draws=100", "horizons=[1, 2]", "advice=false"], data=data))


@pytest.fixture(scope="module")
def flow_figures(trained_on_flows):
    return dict(every_figure(*trained_on_flows))


def texts(figure) -> str:
    return " ".join(text.get_text() for text in figure.texts) + (figure.get_suptitle() or "")


def cells(axes) -> list[str]:
    return [text.get_text() for text in axes.texts]


@pytest.mark.long
def test_every_figure_is_drawn_without_a_warning(figures, flow_figures):
    for figure in [*figures.values(), *flow_figures.values()]:
        with warnings.catch_warnings(), BytesIO() as file:
            warnings.simplefilter("error")
            figure.savefig(file, format="png", dpi=50)


def test_there_is_a_page_per_target_and_a_figure_per_city(figures):
    targets = ("net_migration", "inflow", "out_migration")
    cities = ("KZ-71", "KZ-75", "KZ-79")

    assert {f"fans_{target}" for target in targets} | {f"fan_{city}" for city in cities} <= set(figures)
    assert {f"{what}_net_migration" for what in ("skill", "coverage", "observed")} <= set(figures)


def test_axes_say_what_they_are_of(figures, flow_figures):
    for name, figure in [*figures.items(), *flow_figures.items()]:
        assert figure.get_suptitle(), name
        shown = [axes for axes in figure.axes if axes.axison]
        assert any(axes.get_xlabel() for axes in shown), name
        if not name.startswith(("skill", "inflow_by_origin")):  # models and regions are named beside it
            assert any(axes.get_ylabel() for axes in shown), name


def test_forecasts_cite_the_source(figures):
    assert "Bureau of National Statistics" in texts(figures["fan_KZ-71"])
    assert "Bureau of National Statistics" in texts(figures["fans_net_migration"])


def test_flows_cite_the_source(flow_figures):
    assert "Source: Made up" in texts(flow_figures["flow_matrix"])
    assert "Source: Made up" in texts(flow_figures["inflow_by_origin_City"])


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


# --- flows ----------------------------------------------------------------------------------------------------------


def test_flows_are_drawn_where_they_are_forecast(figures, flow_figures):
    drawn = {"flow_matrix", "inflow_by_origin_City"}

    assert drawn <= set(flow_figures)
    assert {"flow_matrix", "inflow_by_origin_KZ-71"} <= set(figures)
    assert {"skill_flow", "coverage_flow"} <= set(flow_figures)


def test_the_matrix_tells_medians_and_their_change_from_the_largest_region_down(trained_on_flows, flow_figures):
    flows = trained_on_flows[0].forecast.flows
    rows = trained_on_flows[0].dataset.flows
    last = rows.query("origin == 'City' and destination == 'A' and year == 2020")["persons"].item()
    a, city = flows.regions.index("A"), flows.regions.index("City")
    median = flows.median[0, (flows.origin == city) & (flows.destination == a)].item()

    left, right = flow_figures["flow_matrix"].axes

    assert [tick.get_text() for tick in left.get_yticklabels()] == ["City", "A", "B", "C", "D"]
    assert cells(left)[:2] == ["", f"{median:,}"]
    change = round(100 * (median / last - 1))
    assert cells(right)[1] == (f"{change:+d}".replace("-", "−") if change else "0")


def test_of_many_regions_the_largest_are_shown(trained_on_flows, monkeypatch):
    monkeypatch.setattr("training.flow_figures.IN_A_MATRIX", 3)
    bundle = trained_on_flows[0]

    figure = flow_matrix(bundle, bundle.forecast.flows)

    assert [tick.get_text() for tick in figure.axes[0].get_xticklabels()] == ["City", "A", "B"]
    assert "the 3 largest of 5 regions" in texts(figure)


def test_estimates_are_marked(trained_on_flows):
    bundle = trained_on_flows[0]
    flows = replace(bundle.forecast.flows, basis=np.full(20, "estimated"))

    matrix, city = flow_matrix(bundle, flows), inflow_by_origin(bundle, flows, "City")

    assert all(text.startswith("~") for text in cells(matrix.axes[0]) if text)
    assert cells(city.axes[0])[0].startswith("~A")
    for figure in (matrix, city):
        assert "~ continues estimates" in texts(figure)


def test_ribbons_tell_the_median_and_the_interval_of_each_origin_and_of_all(trained_on_flows, monkeypatch):
    monkeypatch.setattr("training.flow_figures.ORIGINS", 2)
    bundle = trained_on_flows[0]
    flows, inflow = bundle.forecast.flows, bundle.forecast.targets["inflow"]
    into = flows.quantiles[:, 0, flows.destination == flows.regions.index("City")]
    largest = into[:, into[QUANTILES.index(0.5)].argmax()]
    every = inflow.quantiles()[:, 0, inflow.regions.index("City")]

    told = cells(inflow_by_origin(bundle, flows, "City").axes[0])

    assert told[0].endswith(f"   {largest[3]:,} ({largest[1]:,} – {largest[5]:,})")
    assert told[2].startswith("2 others   ")
    assert told[3] == f"City\n{every[3]:,} ({every[1]:,} – {every[5]:,})"


def test_a_fan_of_estimates_continues_the_record_and_no_figure_of_other_moves(trained):
    """Recorded arrivals of Astana count moves inside it too: 271,695 in 2024."""
    panel = fan(trained[0], "KZ-71").axes[1]
    lines = [line for line in panel.lines if line.get_color() != "#0072B2"]
    flows = balanced_record(trained[0].dataset.as_of(2024)).flows()
    arrivals = flows.loc[(flows["year"] == 2024) & (flows["destination"] == "KZ-71"), "persons"].sum()

    assert {line.get_linestyle() for line in lines} == {"--"}
    assert lines[0].get_ydata()[-1] == arrivals < 271_695 / 2
