"""What every rendered world is: factors drawn by index, and pictures rendered from factors."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, ClassVar

from torch import Tensor

from gan_toolkit import Factor

HELD_OUT = 1 << 31
"""Index of the first held-out sample: training never comes so far."""


class World(ABC):
    """Samples with known factors; the data set is `render(draw(indices))`.

    Shapes: N samples, K factors. A table may hold any factors one likes: a grid, one factor moved,
    pairs that share a factor. `render` may count on what `Dataset.render` has checked: K columns,
    indices that have a value, numbers of their range, finite angles.
    """

    name: ClassVar[str]
    """The name shown in titles: it says that this is no real set."""
    source: ClassVar[str] = "synthetic"
    """Or "meshes": shown is what other people made."""
    version: ClassVar[int]
    """Raise it whenever the same options give other samples."""
    credit: str = ""
    """Whose work is shown and under which licence, if others made it; follows the notice."""
    label: ClassVar[str] = ""
    """The discrete factor that is also the samples' label; empty when there are no labels."""
    factors: tuple[Factor, ...]
    sample_shape: tuple[int, int, int]
    options: Mapping[str, Any]
    """All that its samples depend on beside the version, the seed included: JSON values."""

    @property
    @abstractmethod
    def notice(self) -> str:
        """Licence and attribution; a mere class variable where every sample has the same."""

    @abstractmethod
    def draw(self, indices: Tensor) -> Tensor:
        """Return the factors (N, K), float32, of the samples at `indices` (N,)."""

    @abstractmethod
    def render(self, table: Tensor) -> Tensor:
        """Return the pictures (N, C, H, W), uint8, of factors (N, K)."""

    def works(self) -> list[dict[str, str]]:
        """Return name, creator and licence of each thing shown that others made."""
        return []

    def column(self, name: str) -> int:
        """Return the place of a factor in a table."""
        return [factor.name for factor in self.factors].index(name)


def split(table: Tensor, factors: tuple[Factor, ...]) -> dict[str, Tensor]:
    """Return the columns (N,) of a table (N, K) by name, float64."""
    columns = table.double().unbind(1)
    return {factor.name: column for factor, column in zip(factors, columns, strict=True)}
