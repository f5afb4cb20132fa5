"""How many samples a measure takes when nobody says it."""

from __future__ import annotations

from gan_toolkit import View

FACTORS = {"fast": 0.2, "default": 1.0, "full": 5.0}


def samples_for(view: View, chosen: int | None, usual: int) -> int:
    """Return `chosen`, or else what the effort of the view makes of the usual number."""
    return chosen or round(usual * FACTORS[view.effort])
