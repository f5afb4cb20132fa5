"""How many samples, steps and trees a measure takes when nobody says it."""

from __future__ import annotations

from gan_toolkit import View

FACTORS = {"fast": 0.2, "default": 1.0, "full": 5.0}
STEPS = {"fast": 400, "default": 1_200, "full": 2_400}
"""Training steps of a probe."""
TREES = {"fast": 30, "default": 100, "full": 100}
"""Trees of a model; 100 in published tables."""


def samples_for(view: View, chosen: int | None, usual: int) -> int:
    """Return `chosen`, or else what the effort of the view makes of the usual number."""
    return chosen or round(usual * FACTORS[view.effort])


def steps_for(view: View, chosen: int | None) -> int:
    """Return `chosen`, or else the training steps of a probe at the effort of the view."""
    return chosen or STEPS[view.effort]


def trees_for(view: View) -> int:
    """Return the trees of a model at the effort of the view."""
    return TREES[view.effort]
