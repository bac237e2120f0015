"""Figures of served population and labour: what they mark, and that they draw without a warning."""

import warnings
from io import BytesIO

import numpy as np

from models.labour import labour
from models.served_population import Residents, served_population
from models.served_population_case import ASTANA, example, read_case
from training.served_figures import labour_figure, served_figure

YEARS = tuple(range(2025, 2036))
POPULATION = np.linspace(1.5e6, 2.2e6, 11) * np.random.default_rng(0).uniform(0.99, 1.01, (20, 11))
SHARES = {"children": 0.35, "working_age": 0.57, "pension_age": 0.08}
RESIDENTS = Residents(YEARS, {"population": POPULATION} | {name: POPULATION * share for name, share in SHARES.items()})


def drawn(figure):
    with warnings.catch_warnings(), BytesIO() as file:
        warnings.simplefilter("error")
        figure.savefig(file, format="png", dpi=50)
    return figure


def test_demand_stands_against_capacity_and_the_first_year_over_is_marked():
    answer = served_population(example(), RESIDENTS, 2035)
    (power,) = [load for load in answer.of("demand") if load.name == "power"]

    figure = drawn(served_figure(answer))

    titles = [axes.get_title(loc="left") for axes in figure.axes]
    panel = figure.axes[titles.index("Power: demand against capacity")]
    assert "ILLUSTRATIVE" in figure.get_suptitle()
    assert f"first over 50 % in {power.first_year_over}" in titles
    assert [line.get_xdata()[0] for line in panel.lines if line.get_linestyle() == "--"] == [power.first_year_over]


def test_without_norms_nothing_is_illustrative():
    figure = drawn(served_figure(served_population(read_case(ASTANA), RESIDENTS, 2035)))

    assert figure.get_suptitle() == "Astana: who is served, 2026 to 2035"
    assert len(figure.axes) == 1


def test_jobs_are_drawn_where_they_are_given():
    jobs = np.full((11, 2), np.nan)
    jobs[[2, 10], 0] = [0.9e6, 2e6]
    people = np.stack([POPULATION * 0.57] * 2, axis=2)
    found = labour(people, YEARS, ["KZ-71", "KZ-75"], np.array([0.8, 0.7]), jobs, np.full((11, 2), np.nan))

    first, second = drawn(labour_figure(found, {"KZ-71": "Astana"})).axes

    assert first.get_title(loc="left") == "Astana: P(shortage) 100 % in 2035"
    assert [2027, 2035] in [list(line.get_xdata()) for line in first.lines]
    assert second.get_title(loc="left") == "KZ-75"
