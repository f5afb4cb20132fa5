"""Generated samples, or points, as plain arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from gan_toolkit import Exporter, LatentSpace, Model, to_uint8
from gantk_exporters.drawing import Draw


class Arrays(Exporter):
    """Writes `samples.npy`, `latents.npy` and `dataset.json`, row by row the same samples.

    Images are uint8 (N, C, H, W) in 0..255, points float32 (N, D), latents float32 (N, W).
    """

    def __init__(
        self,
        latents: LatentSpace,
        count: int = 1000,
        seed: int = 0,
        codes: Mapping[str, Any] | None = None,
    ) -> None:
        self.draw = Draw(latents, count, seed, codes or {})

    def export(self, model: Model, target: Path) -> None:
        """Write the folder."""
        latent = self.draw.latent(model)
        batches = self.draw.samples(model, latent)
        rows = (to_uint8(batch) if batch.ndim == 4 else batch for batch in batches)
        _write_rows(target / "samples.npy", len(latent), rows)
        _write_rows(target / "latents.npy", len(latent), [latent.float()])
        self.draw.write_facts(target, model)


def _write_rows(path: Path, count: int, batches: Iterable[Tensor]) -> None:
    """Write a `.npy` of `count` rows, batch by batch."""
    rest = iter(batches)
    first = next(rest).numpy()
    head = {"descr": first.dtype.str, "fortran_order": False, "shape": (count, *first.shape[1:])}
    with path.open("wb") as file:
        np.lib.format.write_array_header_1_0(file, head)
        for batch in chain([first], (one.numpy() for one in rest)):
            file.write(np.ascontiguousarray(batch).data)
