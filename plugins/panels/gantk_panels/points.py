"""Scatter plots for data of two coordinates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import BoundaryNorm, ListedColormap, to_rgb
from matplotlib.patheffects import Normal, Stroke
from PIL import Image
from torch import Tensor

from gantk_panels.plots import SERIES, figure, render
from gantk_panels.sheet import Heading

CATEGORIES = (
    "#0072b2", "#e69f00", "#009e73", "#cc79a7", "#d55e00", "#56b4e9", "#1a1a1a", "#7a5c00",
)  # fmt: skip
"""Colours after Okabe and Ito (2008), which colour-blind readers tell apart, one for yellow's."""


def real_and_samples(real: Tensor, samples: Tensor, title: str) -> Image.Image:
    """Plot real points under generated ones."""
    made, axes = figure(5.2, 5.4, title)
    _dots(axes, real, color="#b9bec6", label=f"real ({len(real)})")
    _dots(axes, samples, color=SERIES[0], label=f"samples ({len(samples)})")
    _frame(axes, real)
    axes.legend(
        loc="upper center",
        bbox_to_anchor=(0.5, -0.06),
        ncols=2,
        frameon=False,
        fontsize=8.5,
        markerscale=3,
    )
    return render(made)


def ways(real: Tensor, paths: Tensor, title: str, subtitle: str) -> Image.Image:
    """Plot paths (R, n, 2) over real points, each from a dot to a ring."""
    made, axes = figure(5.2, 5.4, title, subtitle)
    _dots(axes, real, color="#d5d8dd")
    for path, colour in zip(paths, SERIES * len(paths), strict=False):
        x, y = path[:, :2].T.tolist()
        axes.plot(x, y, color=colour, lw=1.2, marker=".", ms=4)
        axes.plot(x[:1], y[:1], color=colour, marker="o", ms=7)
        axes.plot(x[-1:], y[-1:], color=colour, marker="o", ms=7, mfc="white", mew=1.5)
    _frame(axes, real)
    return render(made)


def by_value(
    real: Tensor,
    groups: Sequence[Tensor],
    headings: Sequence[Heading],
    *,
    discrete: bool,
    closed: bool = False,
    title: str,
    subtitle: str,
) -> Image.Image:
    """Plot one group of points per value of a code, coloured by the value.

    Values that close on themselves (`closed`) get colours that do.
    """
    made, axes = figure(6.0, 5.4, title, subtitle)
    _dots(axes, real, color="#d5d8dd")
    colours = _colours(len(groups), discrete=discrete, closed=closed)
    for group, colour in zip(groups, colours, strict=True):
        _dots(axes, group, color=colour)
    if discrete:
        _name(axes, groups, headings)
    _frame(axes, real)
    bar = made.colorbar(_scale(colours), ax=axes, shrink=0.85, pad=0.02)
    bar.set_ticks(np.arange(len(groups)).tolist(), labels=[_label(head) for head in headings])
    bar.minorticks_off()
    bar.ax.tick_params(labelsize=8, length=0)
    bar.outline.set_visible(False)
    return render(made)


def _name(axes: Axes, groups: Sequence[Tensor], headings: Sequence[Heading]) -> None:
    """Write the category beside the middle of its points: no colour has to be looked up."""
    for group, heading in zip(groups, headings, strict=True):
        x, y = group[:, :2].median(dim=0).values.tolist()
        named = axes.annotate(
            heading.text, (x, y), (7, 7), textcoords="offset points", fontsize=9, weight="bold"
        )
        named.set_path_effects([Stroke(linewidth=2.5, foreground="white"), Normal()])


def _colours(count: int, *, discrete: bool, closed: bool) -> list[tuple[float, ...]]:
    if discrete:
        return [to_rgb(CATEGORIES[index % len(CATEGORIES)]) for index in range(count)]
    scale = colormaps["twilight" if closed else "viridis"]
    return [scale(float(place)) for place in np.linspace(0, 1, count, endpoint=not closed)]


def _scale(colours: Sequence[tuple[float, ...]]) -> ScalarMappable:
    count = len(colours)
    bounds = np.arange(count + 1) - 0.5
    return ScalarMappable(BoundaryNorm(bounds.tolist(), count), ListedColormap(list(colours)))


def _label(heading: Heading) -> str:
    return heading.text if heading.marked else f"({heading.text})"


def _dots(axes: Axes, points: Tensor, *, color: object, label: str = "") -> None:
    x, y = points[:, :2].T.tolist()
    axes.scatter(x, y, s=8, color=[color], linewidths=0, alpha=0.75, label=label or None)


def _frame(axes: Axes, real: Tensor) -> None:
    """Fix the axes to the real data with room around, so that steps can be compared."""
    reach = float(real[:, :2].abs().amax()) * 1.3
    axes.set(xlim=(-reach, reach), ylim=(-reach, reach), aspect="equal")
