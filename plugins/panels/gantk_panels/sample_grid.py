"""A sheet of samples from latents that never change, so that steps can be compared."""

from __future__ import annotations

from gan_toolkit import Panel, Picture, View
from gantk_panels.points import real_and_samples
from gantk_panels.sheet import Cells, sheet

POINTS = 2_000


class SampleGrid(Panel):
    """Samples in `rows` by `columns`; for points, a scatter over real ones."""

    def __init__(self, rows: int = 8, columns: int = 8) -> None:
        self._rows, self._columns = rows, columns

    def draw(self, view: View) -> list[Picture]:
        """Return one picture, in `samples`."""
        images = len(view.data.sample_shape) == 3
        count = self._rows * self._columns if images else POINTS
        samples = view.generate(view.space.sample(count, view.rng("sample_grid")))
        if images:
            picture = sheet(Cells(samples, self._columns), title=view.title)
        else:
            picture = real_and_samples(view.real(POINTS).samples, samples, view.title)
        return [Picture("samples", picture, f"{count} samples. {view.title}")]
