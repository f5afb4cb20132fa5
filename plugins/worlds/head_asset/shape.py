"""What the asset holds: people, what they wear and how they are painted; and how it is packed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import paint
import wear
from cut import NDArrayBool
from mpfb import Floats, Ints
from numpy.typing import NDArray

PARTS = ("skin", "eyes", "teeth", "hair", "glasses")
"""The package knows them by their places in this list."""


class Shape(NamedTuple):
    """All that is worn and shown, before it is packed; V vertices, F triangles, K components."""

    mean: Floats
    components: Floats
    smile: Floats
    volume: Floats
    triangles: Ints
    part: Ints
    paint: paint.Paint

    def kept(self, which: NDArrayBool) -> Shape:
        """Return the shape with some triangles (F,) and the vertices that they use."""
        used, renumbered = np.unique(self.triangles[which], return_inverse=True)
        return Shape(
            self.mean[used],
            self.components[:, used],
            self.smile[used],
            self.volume[used],
            renumbered.reshape(-1, 3),
            self.part[which],
            paint.Paint(self.paint.material[used], self.paint.share[used]),
        )

    def wearing(self, name: str, worn: wear.Worn, material: str) -> Shape:
        """Return the shape with something that its first vertices, those of the skin, carry."""
        count, carriers = len(worn.triangles), worn.carried.shape[1]
        moved = np.einsum("wv,kvi->kwi", worn.carried, self.components[:, :carriers])
        more = paint.Paint.only(material, len(worn.vertices))
        return Shape(
            np.concatenate([self.mean, worn.vertices]),
            np.concatenate([self.components, moved], axis=1),
            *(np.concatenate([m, np.zeros_like(worn.vertices)]) for m in (self.smile, self.volume)),
            np.concatenate([self.triangles, worn.triangles + len(self.mean)]),
            np.concatenate([self.part, np.full(count, PARTS.index(name))]),
            paint.Paint(*(np.concatenate(both) for both in zip(self.paint, more, strict=True))),
        )

    def packed(self) -> dict[str, NDArray[np.generic]]:
        """Return the arrays of the file: places on 16 bits of their box, what moves them on 8."""
        low = self.mean.min(axis=0)
        step = np.ptp(self.mean, axis=0) / 65_535
        of_component = np.abs(self.components).max(axis=(1, 2)) / 127
        of_smile, of_volume = (np.abs(moved).max() / 127 for moved in (self.smile, self.volume))
        return {
            "low": low.astype(np.float32),
            "step": step.astype(np.float32),
            "mean": np.round((self.mean - low) / step).astype(np.uint16),
            "component_steps": of_component.astype(np.float32),
            "components": np.round(self.components / of_component[:, None, None]).astype(np.int8),
            "smile_step": np.float32([of_smile]),
            "smile": np.round(self.smile / of_smile).astype(np.int8),
            "volume_step": np.float32([of_volume]),
            "volume": np.round(self.volume / of_volume).astype(np.int8),
            "triangles": self.triangles.astype(np.uint16),
            "part": self.part.astype(np.uint8),
            "material": self.paint.material.astype(np.uint8),
            "share": np.round(self.paint.share * 255).astype(np.uint8),
        }
