"""Draw docs/results/pictures/mnist_bound.png from the folders of finished runs.

python docs/results/mnist_curves.py runs/infogan_mnist/* runs/gan_mnist/*
"""

from __future__ import annotations

import json
import math
import sys
from pathlib import Path

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

COLOURS = {"infogan_mnist": "#2b5d9b", "gan_mnist": "#b5651d"}
PICTURE = Path(__file__).parent / "pictures" / "mnist_bound.png"


def curve(run: Path) -> tuple[list[int], list[float]]:
    """Return steps and the bound of `digit` in nats, as evaluated on fresh samples."""
    bounds = {
        int(path.stem.removeprefix("step-")): score["value"]
        for path in sorted((run / "evaluations").glob("step-*.json"))
        for score in json.loads(path.read_text())["scores"]
        if (score["measure"], score["name"]) == ("bound", "digit")
    }
    return list(bounds), list(bounds.values())


def main(folders: list[str]) -> None:
    """Draw one line a run."""
    figure = Figure(figsize=(7, 4), dpi=110, layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots()
    for folder in map(Path, folders):
        recipe = folder.parent.name
        axes.plot(*curve(folder), "o-", ms=3, lw=1.2, color=COLOURS[recipe], label=recipe)
    axes.axhline(math.log(10), color="#404040", lw=1, ls="--", label="H = 2.303")
    axes.set(ylim=(-0.1, 2.5), xlabel="step", ylabel="bound of digit, nats", title="data: MNIST")
    named = dict(zip(*reversed(axes.get_legend_handles_labels()), strict=True))
    axes.legend(named.values(), named.keys(), frameon=False)
    figure.savefig(PICTURE)


if __name__ == "__main__":
    main(sys.argv[1:])
