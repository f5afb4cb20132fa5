"""The information bound against steps, beside the entropy of each code.

For a discrete code the entropy is the ceiling of the bound, for a number it is only a mark: the
information about a number has no ceiling. The two are drawn differently.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from gan_toolkit import Panel, Picture, View, did_you_mean
from gantk_panels.plots import SERIES, figure, render

Curve = tuple[list[int], list[float]]


class BoundCurve(Panel):
    """One curve for every code whose bound the regulariser table `of` logs."""

    def __init__(self, of: str = "information") -> None:
        self._of = of

    def draw(self, view: View) -> list[Picture]:
        """Return one picture, in `curves`; none before the first log.

        Raises ValueError when there are logs, yet none of this regulariser.
        """
        logs = [record for record in view.history if record.get("event") == "log"]
        if not logs:
            return []
        curves = {code: _curve(logs, f"{self._of}/{code}") for code in view.space}
        curves = {code: curve for code, curve in curves.items() if curve[0]}
        if not curves:
            raise ValueError(self._nothing(logs))
        made, axes = figure(7.2, 4.4, view.title, "information bound, logged while training")
        for (code, (steps, values)), colour in zip(curves.items(), SERIES * 8, strict=False):
            axes.plot(steps, values, color=colour, lw=1.4, label=code)
        _entropies(axes, view, list(curves))
        axes.set_xlabel("step", fontsize=9)
        axes.set_ylabel("nats", fontsize=9)
        axes.margins(x=0)
        axes.xaxis.set_major_formatter("{x:,.0f}")
        axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=8.5)
        return [Picture("curves", render(made), f"Information bound per code. {view.title}")]

    def _nothing(self, logs: list[Mapping[str, Any]]) -> str:
        tables = sorted({key.split("/")[0] for record in logs for key in record if "/" in key})
        return (
            f"no log holds {self._of}/<code>; logged: {', '.join(tables) or 'nothing'}"
            f"{did_you_mean(self._of, tables)}"
        )


def _curve(logs: list[Mapping[str, Any]], key: str) -> Curve:
    points = [(record["step"], record[key]) for record in logs if record.get(key) is not None]
    return [step for step, _ in points], [value for _, value in points]


def _entropies(axes: Axes, view: View, codes: list[str]) -> None:
    """Draw a line at each H(c), once for codes that share it."""
    shared: dict[tuple[float, bool], list[int]] = {}
    for place, code in enumerate(codes):
        latent = view.space[code]
        shared.setdefault((round(latent.entropy(), 6), latent.discrete), []).append(place)
    for (entropy, discrete), places in shared.items():
        who = codes[places[0]] if len(places) == 1 else f"{len(places)} codes"
        axes.axhline(
            entropy,
            color=SERIES[places[0] % len(SERIES)] if len(places) == 1 else "#404040",
            lw=1.0,
            ls="--" if discrete else ":",
            label=f"H({who}) = {entropy:.2f}" + ("" if discrete else ", no ceiling"),
        )
