"""Figures of a bundle's advice: drivers, population of cities, and the worked case of a city that is served."""

from collections.abc import Iterator

from matplotlib.figure import Figure

from models.bundle import Bundle
from models.outlook import Outlook
from models.served_population import residents_of, served_population
from models.served_population_case import example
from training.decision_figures import driver_heat_map
from training.figure_parts import cities
from training.projection_figures import fan_figure, pyramid_figure
from training.served_figures import served_figure

LEVEL = "medium"


def every_advice_figure(bundle: Bundle) -> Iterator[tuple[str, Figure]]:
    """With a name that can be a file's; of what the bundle has."""
    advice = bundle.advice
    if advice.drivers is not None:
        yield "drivers", driver_heat_map(bundle, advice.drivers)
    if advice.outlook is not None:
        yield from _of_outlook(bundle, advice.outlook)


def _of_outlook(bundle: Bundle, outlook: Outlook) -> Iterator[tuple[str, Figure]]:
    shown = [city for city in cities(bundle) if city in outlook.regions]
    if shown:
        yield "population", fan_figure(outlook, LEVEL, bundle.dataset, shown)
    for city in shown:
        yield f"pyramid_{city}", pyramid_figure(outlook, LEVEL, bundle.dataset, city)
    case = example()
    if case.city.region in shown and case.city.date.year in outlook.years:
        residents = residents_of(outlook, bundle.dataset, case.city.region, LEVEL)
        yield f"served_{case.city.region}", served_figure(served_population(case, residents, outlook.years[-1]))
