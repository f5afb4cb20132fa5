"""Real samples beside generated ones; and beside each generated one the real one nearest to it."""

from __future__ import annotations

import torch
from torch import Tensor

from gan_toolkit import Dataset, Panel, Picture, View
from gantk_panels.sheet import Cells, Heading, sheet

CHUNK = 500


class RealAndGenerated(Panel):
    """Two grids of one size, the real one named after its data and source. Needs images.

    With `neighbours` a second sheet: each generated sample beside the one of so many real ones
    that is nearest by the L2 distance of pixels. A copy looks like its neighbour, and is nearer
    to it than real samples are to each other. Pixels see no copy that is shifted or mirrored.
    """

    def __init__(self, data: Dataset, rows: int = 8, columns: int = 6, neighbours: int = 0) -> None:
        if len(data.sample_shape) != 3:
            raise ValueError(
                f"the samples of {data.name} are points; sample_grid draws them over real ones"
            )
        self._rows, self._columns, self._neighbours = rows, columns, neighbours

    def draw(self, view: View) -> list[Picture]:
        """Return one picture, in `real_and_generated`, or two, the other in `neighbours`."""
        count = self._rows * self._columns
        latent = view.space.sample(count, view.rng("real_and_generated"))
        generated, real = view.generate(latent), view.real(count).samples
        name = f"real: {view.data.name} ({view.data.source})"
        grids = (
            Cells(real, self._columns, name=name),
            Cells(generated, self._columns, name=f"generated: step {view.step:,}"),
        )
        caption = f"{len(real)} samples of {view.data.name} beside {count} generated ones."
        image = sheet(*grids, title=view.title)
        pictures = [Picture("real_and_generated", image, f"{caption} {view.title}")]
        if self._neighbours:
            pictures.append(self._nearest(view, generated))
        return pictures

    def _nearest(self, view: View, generated: Tensor) -> Picture:
        real = view.real(self._neighbours).samples
        found, distances = nearest(generated, real)
        _, apart = nearest(real[: len(generated)], real, itself=False)
        pairs = torch.stack([generated, real[found]], dim=1).flatten(0, 1)
        headings = [Heading("generated"), Heading("nearest real", marked=False)] * self._columns
        told = (
            f"nearest of {len(real):,} real samples by pixels: {distances.mean():.2f} away in the "
            "mean"
        )
        if len(real) > 1:
            told += f"; a real sample is {apart.mean():.2f} from its nearest other"
        image = sheet(Cells(pairs, 2 * self._columns, headings), title=view.title, subtitle=told)
        return Picture("neighbours", image, f"{told}. {view.title}")


def nearest(samples: Tensor, real: Tensor, *, itself: bool = True) -> tuple[Tensor, Tensor]:
    """Return which of `real` (N, …) is nearest to each sample (B, …), and how far: (B,) both.

    Without `itself` sample i is real sample i, and the nearest other one is found.
    """
    flat = samples.flatten(1)
    best, place = torch.full((len(flat),), torch.inf), torch.zeros(len(flat), dtype=torch.long)
    for start in range(0, len(real), CHUNK):
        distance = torch.cdist(flat, real[start : start + CHUNK].flatten(1))
        if not itself:
            own = torch.arange(len(flat))[start : start + CHUNK]
            distance[own, own - start] = torch.inf
        near, at = distance.min(dim=1)
        place = torch.where(near < best, at + start, place)
        best = torch.minimum(best, near)
    return place, best
