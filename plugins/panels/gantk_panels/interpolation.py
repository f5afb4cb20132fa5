"""Interpolation: from one draw of the latents to another, each latent on the way it has.

Normal noise goes along the great circle, uniform noise straight, a direction along its arc; a
category never mixes with another and keeps its value along the row (`Latent.between`).
"""

from __future__ import annotations

import torch
from torch import Tensor

from gan_toolkit import Panel, Picture, View
from gantk_panels.points import ways
from gantk_panels.sheet import Cells, Heading, sheet

POINTS = 2_000


class Interpolation(Panel):
    """A row for each pair of draws; for points, the path of each pair over real ones."""

    def __init__(self, rows: int = 6, columns: int = 9) -> None:
        self._rows, self._columns = rows, columns

    def draw(self, view: View) -> list[Picture]:
        """Return one picture, in `interpolations`."""
        latent = self._latents(view)
        samples = view.generate(latent.flatten(0, 1))
        subtitle = "each row leads from one draw to another"
        if any(view.space[name].discrete for name in view.space):
            subtitle += "; categories stay as in the first"
        if len(view.data.sample_shape) == 3:
            cells = Cells(samples, self._columns, self._headings())
            image = sheet(cells, title=view.title, subtitle=subtitle)
        else:
            paths = samples.unflatten(0, (self._rows, self._columns))
            subtitle = subtitle.replace("row", "path")
            image = ways(view.real(POINTS).samples, paths, view.title, subtitle)
        caption = f"{self._rows} interpolations of {self._columns} steps. {view.title}"
        return [Picture("interpolations", image, caption)]

    def _latents(self, view: View) -> Tensor:
        """Return the latents of all rows, (rows, columns, W)."""
        rng = view.rng("interpolation")
        ends = (view.space.sample(self._rows, rng), view.space.sample(self._rows, rng))
        first, last = (view.space.split(end) for end in ends)
        shares = torch.linspace(0, 1, self._columns)
        return torch.cat(
            [latent.between(first[n], last[n], shares) for n, latent in view.space.items()], dim=2
        )

    def _headings(self) -> list[Heading]:
        """Return the share of the way over each column; the ends, which were drawn, are marked."""
        last = self._columns - 1
        return [
            Heading(
                "start" if at == 0 else "end" if at == last else f"{100 * at / last:.0f} %",
                marked=at in (0, last),
            )
            for at in range(self._columns)
        ]
