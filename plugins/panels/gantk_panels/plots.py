"""Plots: one style for every figure that is not a sheet of images.

Figures use matplotlib's objects and the Agg canvas: no global state, no window.
"""

from __future__ import annotations

import io
import textwrap

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

DPI = 130
SERIES = ("#1f57a4", "#d1610b", "#2a8a4a", "#9a3fa0", "#b8282e", "#5a6270", "#0f8b8d", "#a67c00")
"""Colours that stay apart in print and for colour-blind readers."""


def figure(
    width: float, height: float, title: str, subtitle: str = "", *, beside: float = 0.0
) -> tuple[Figure, Axes]:
    """Return a figure of that many inches with one plain set of axes under a title.

    The subtitle stands over the axes, which begin about `beside` inches from the left.
    """
    made = Figure(figsize=(width, height), dpi=DPI)
    made.set_layout_engine("constrained", w_pad=0.12, h_pad=0.12)
    FigureCanvasAgg(made)
    axes = made.subplots()
    # 10 points of bold sans take about 0.085 inches a letter.
    wrapped = textwrap.wrap(title, int(width / 0.088))
    made.suptitle("\n".join(wrapped), fontsize=10, fontweight="bold", x=0.02, ha="left")
    if subtitle:
        axes.set_title(
            "\n".join(textwrap.wrap(subtitle, int((width - beside) / 0.075))),
            fontsize=8.5,
            color="#5a5a5a",
            loc="left",
        )
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=8.5)
    return made, axes


def render(made: Figure) -> Image.Image:
    """Return the figure as an image."""
    buffer = io.BytesIO()
    made.savefig(buffer, format="png")
    buffer.seek(0)
    return Image.open(buffer).convert("RGB")
