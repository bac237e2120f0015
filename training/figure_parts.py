"""What figures have in common: panels, headline, footnote, legend, and how regions and numbers are written."""

import textwrap
from collections.abc import Sequence

import numpy as np
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from models.bundle import Bundle

# Okabe and Ito (2008): told apart with every kind of colour vision.
BLUE, VERMILION, GREEN, ORANGE, GREY, BLACK = "#0072B2", "#D55E00", "#009E73", "#E69F00", "#8C8C8C", "#222222"
ON_A_PAGE = 24
BANDS = ((0.05, 0.95, 0.15, "90 %"), (0.1, 0.9, 0.18, "80 %"), (0.25, 0.75, 0.3, "50 %"))
"""Of a fan: quantiles of both ends, opacity, name; drawn one on the other."""


def panels_of(figure: Figure, rows: int, columns: int, sharex: bool = False, sharey: bool = False) -> list[Axes]:
    panels = list(figure.subplots(rows, columns, squeeze=False, sharex=sharex, sharey=sharey).flat)
    for axes in panels:
        axes.spines[["top", "right"]].set_visible(False)
        axes.tick_params(labelsize=8)
        axes.grid(axis="y", color="#E5E5E5", linewidth=0.7)
        axes.set_axisbelow(True)
        axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: persons_text(value)))
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    return panels


def headline(figure: Figure, text: str) -> None:
    figure.suptitle(_wrapped(figure, text, 12), x=0.01, ha="left", fontsize=12)


def below(figure: Figure, footnote: str, legend: Sequence[Artist] = ()) -> float:
    """A footnote, and above it a legend. Returns where the panels may begin, as a share of the height."""
    wrapped, height = _wrapped(figure, footnote, 8), figure.get_figheight()
    top = (0.16 * (wrapped.count("\n") + 1) + 0.1) / height
    figure.text(0.01, 0.05 / height, wrapped, fontsize=8, color="#555555", va="bottom")
    if legend:
        columns = min(len(legend), int(figure.get_figwidth() / 1.7))
        figure.legend(
            handles=legend, loc="lower left", bbox_to_anchor=(0, top), ncols=columns, frameon=False, fontsize=8
        )
        top += (0.18 * -(-len(legend) // columns) + 0.12) / height
    return top


def band_handles(axes: Axes) -> list[Artist]:
    """Of BANDS, in the shades that they have on one another."""
    strengths = 1 - np.cumprod([1 - strength for _, _, strength, _ in BANDS])
    return [
        axes.fill_between([], [], color=BLUE, alpha=float(strength), linewidth=0, label=f"{name} interval")
        for strength, (_, _, _, name) in zip(strengths, BANDS, strict=True)
    ]


def lay_out(figure: Figure, bottom: float) -> None:
    figure.set_layout_engine("constrained", rect=(0, bottom, 1, 1 - bottom))


def lay_out_grid(figure: Figure, bottom: float) -> None:
    """Panels of one size in fixed places: a page of 20 takes half as long as when every label is measured."""
    width, height = figure.get_size_inches()
    figure.subplots_adjust(
        left=0.85 / width,
        right=1 - 0.15 / width,
        top=1 - 0.65 / height,
        bottom=bottom + 0.45 / height,
        wspace=0.27,
        hspace=0.22,
    )


def source(bundle: Bundle) -> str:
    sources = "; ".join(bundle.dataset.sources) or bundle.dataset.title
    return f"Source: {sources}. Forecast: Qonys, from what was known in {bundle.manifest.cutoff}."


def _wrapped(figure: Figure, text: str, size: int) -> str:
    """Broken into lines that fit the figure; a letter is about half as wide as its size, in points of 1/72 inch."""
    return "\n".join(textwrap.wrap(text, int(figure.get_figwidth() * 72 / (0.57 * size))))


def persons_text(value: float) -> str:
    return f"{value:,.0f}".replace("-", "−")


def ahead(horizon: float) -> str:
    return f"{horizon:.0f} year{'s' if horizon > 1 else ''} ahead"


def cutoffs_text(count: float) -> str:
    return f"{count:.0f} cutoff{'s' if count > 1 else ''}"


def words(model: object) -> str:
    return str(model).replace("_", " ")


def last_year(bundle: Bundle) -> int:
    return bundle.manifest.cutoff + max(bundle.manifest.horizons)


def name_of(bundle: Bundle, region: str) -> str:
    return str(bundle.dataset.regions.set_index("region")["name"][region])


def cities(bundle: Bundle) -> list[str]:
    """Forecast regions of kind `city`, at most a page of them, those with most inhabitants first."""
    kinds = bundle.dataset.regions.set_index("region")["kind"]
    regions = sorted({region for forecast in bundle.forecast.targets.values() for region in forecast.regions})
    return [region for region in largest(bundle, regions) if kinds[region] == "city"][:ON_A_PAGE]


def largest(bundle: Bundle, regions: list[str]) -> list[str]:
    """By inhabitants, most first; regions without a figure last."""
    population = bundle.dataset.as_of(bundle.manifest.cutoff).indicator("population").ffill()
    last = population.iloc[-1].reindex(regions).fillna(0)
    return list(last.sort_values(ascending=False, kind="stable").index)
