"""Generated samples as a folder of pictures, for tools that read folders."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from PIL.Image import Image
from torch import Tensor

from gan_toolkit import Exporter, LatentSpace, Model, UsageError, to_images
from gantk_exporters.columns import kind_of, table_of
from gantk_exporters.drawing import Draw

TABLE = "latents.csv"


class Images(Exporter):
    """Writes `00000.png` and so on, `latents.csv` and `dataset.json`.

    A row of the table is a picture: its file, then its latents as `table_of` reads them, in nine
    digits, which give back the same float32. `labels` of `dataset.json` is as StyleGAN's tools
    read it: pairs of a file and a class, or null.
    """

    def __init__(
        self,
        latents: LatentSpace,
        count: int = 1000,
        seed: int = 0,
        codes: Mapping[str, Any] | None = None,
        label: str = "",
    ) -> None:
        self.draw = Draw(latents, count, seed, codes or {})
        self.label = label
        if label and [kind_of(latents[name]) for name in latents.group(label)] != ["category"]:
            raise ValueError(f"label = {label!r}: not one latent of categories, so no class")

    def export(self, model: Model, target: Path) -> None:
        """Write the folder; UsageError for a model of points."""
        latent = self.draw.latent(model)
        names = [f"{number:05}.png" for number in range(len(latent))]
        for name, image in zip(names, self._images(model, latent), strict=True):
            image.save(target / name)
        columns, values = table_of(model.latents, latent)
        _write_table(target / TABLE, names, columns, values)
        labels = None
        if self.label:
            classes = values[:, columns.index(self.label)].int().tolist()
            labels = list(zip(names, classes, strict=True))
        self.draw.write_facts(target, model, labels=labels)

    def _images(self, model: Model, latent: Tensor) -> Iterator[Image]:
        for batch in self.draw.samples(model, latent):
            if batch.ndim != 4:
                raise UsageError(
                    f"this model makes points of {batch[0].numel()} numbers, not images; "
                    "for these: --to arrays"
                )
            yield from to_images(batch)


def _write_table(path: Path, names: Sequence[str], columns: Sequence[str], values: Tensor) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(["file", *columns])
        for name, row in zip(names, values, strict=True):
            rows.writerow([name, *(f"{value:.9g}" for value in row.tolist())])
