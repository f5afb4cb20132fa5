"""What each real data set is, who gives it, and where its files go. Reads no file."""

from __future__ import annotations

from gantk_data.sources import digits, factors, pictures

SOURCES = {
    source.component: source for source in (*digits.SOURCES, *pictures.SOURCES, *factors.SOURCES)
}
"""By the name a recipe uses."""
