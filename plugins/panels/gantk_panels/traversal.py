"""Traversals: one code goes through its values, everything else stands still.

The convention of Chen et al. (2016), figures 2 to 6: the code varies from left to right, and each
row keeps one draw of the noise and of all other codes.
"""

from __future__ import annotations

from torch import Tensor

from gan_toolkit import Grid, LatentSpace, Panel, Picture, View
from gantk_panels.points import by_value
from gantk_panels.sheet import Cells, headings_of, sheet

POINTS = 2_000


class Traversal(Panel):
    """A sheet for the latent, or for each member of a group; for points, a coloured scatter."""

    def __init__(self, latents: LatentSpace, latent: str, rows: int = 8, columns: int = 10) -> None:
        self._members = latents.group(latent)
        self._rows, self._columns = rows, columns

    def draw(self, view: View) -> list[Picture]:
        """Return one picture for each latent, in `traversals/<latent>`."""
        return [self._picture(view, member) for member in self._members]

    def _picture(self, view: View, member: str) -> Picture:
        grid = view.space[member].grid(self._columns)
        headings = headings_of(grid)
        if len(view.data.sample_shape) == 3:
            samples = view.generate(sweep(view, member, grid, self._rows))
            subtitle = f"{member} varies from left to right; each row keeps all else"
            if not all(grid.trained):
                subtitle += "; the bar marks the trained range"
            cells = Cells(samples, len(headings), headings)
            image = sheet(cells, title=view.title, subtitle=subtitle)
        else:
            rows = max(1, POINTS // len(headings))
            samples = view.generate(sweep(view, member, grid, rows))
            groups = [samples[column :: len(headings)] for column in range(len(headings))]
            image = by_value(
                view.real(POINTS).samples,
                groups,
                headings,
                discrete=view.space[member].discrete,
                closed=closes(grid.values),
                title=view.title,
                subtitle=f"samples coloured by {member}, over real points in grey"
                + ("" if all(grid.trained) else "; (values) lie outside the trained range"),
            )
        return Picture(f"traversals/{member}", image, f"Traversal of {member}. {view.title}")


def sweep(view: View, member: str, grid: Grid, rows: int) -> Tensor:
    """Return the latents of a sheet, row by row, with `member` set to each value in turn."""
    fixed = view.space.sample(rows, view.rng("traversal"))
    latent = fixed.repeat_interleave(len(grid.values), dim=0)
    latent[:, view.space.columns(member)] = grid.values.to(latent).repeat(rows, 1)
    return latent


def closes(values: Tensor) -> bool:
    """Return whether the last value leads back to the first in one more step."""
    steps = (values[1:] - values[:-1]).norm(dim=1)
    return len(values) > 2 and bool((values[0] - values[-1]).norm() <= 1.5 * steps.max())
