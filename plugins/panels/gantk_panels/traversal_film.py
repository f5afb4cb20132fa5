"""A traversal as a film: one code moves, and every sample of a sheet moves with it."""

from __future__ import annotations

import math

from PIL import Image
from torch import Tensor

from gan_toolkit import Dataset, Grid, LatentSpace, Panel, Picture, View
from gantk_panels.sheet import Cells, Heading, sheet
from gantk_panels.traversal import closes, sweep

SLOWER = 4
"""How many times longer a category stays than a value of a number: it has no neighbour."""


class TraversalFilm(Panel):
    """A film for the latent, or for each member of a group. Needs images.

    A code that closes on itself goes round, a number there and back, categories in their order.
    """

    def __init__(
        self,
        latents: LatentSpace,
        data: Dataset,
        latent: str,
        samples: int = 16,
        frames: int = 24,
        milliseconds: int = 120,
    ) -> None:
        if len(data.sample_shape) != 3:
            raise ValueError(f"a film shows images; the samples of {data.name} are points")
        self._members = latents.group(latent)
        self._samples, self._frames, self._milliseconds = samples, frames, milliseconds

    def draw(self, view: View) -> list[Picture]:
        """Return one picture with its film for each latent, in `films/<latent>`."""
        return [self._picture(view, member) for member in self._members]

    def _picture(self, view: View, member: str) -> Picture:
        grid, way = self._way(view, member)
        samples = view.generate(sweep(view, member, grid, self._samples))
        stills = [
            self._still(view, member, samples[at :: len(grid.labels)], grid, at)
            for at in range(len(grid.labels))
        ]
        slower = SLOWER if view.space[member].discrete else 1
        return Picture(
            f"films/{member}",
            stills[0],
            f"{self._samples} samples while {member} moves. {view.title}",
            [stills[at] for at in way],
            self._milliseconds * slower,
        )

    def _way(self, view: View, member: str) -> tuple[Grid, list[int]]:
        """Return the values, and the order in which they are shown."""
        latent = view.space[member]
        grid = latent.grid(self._frames)
        if latent.discrete or closes(grid.values):
            return grid, list(range(len(grid.labels)))
        grid = latent.grid(self._frames // 2 + 1)
        there = list(range(len(grid.labels)))
        return grid, there + there[-2:0:-1]

    def _still(self, view: View, member: str, samples: Tensor, grid: Grid, at: int) -> Image.Image:
        # One heading over the whole sheet: its line is as high in every frame.
        beyond = "" if grid.trained[at] else " (beyond training)"
        heading = Heading(f"{member} = {grid.labels[at]}{beyond}", marked=grid.trained[at])
        columns = math.ceil(math.sqrt(len(samples)))
        return sheet(Cells(samples, columns, [heading]), title=view.title)
