"""What the latents that are numbers share: their posterior, a human's values, columns of a grid."""

from __future__ import annotations

import math
from numbers import Real
from typing import Any, Literal

import torch
from torch import Tensor
from torch.distributions import Distribution, Independent, Normal

from gan_toolkit import Grid

NARROWEST, WIDEST = 0.1, 2.0
"""Ends of a learned spread. Without the lower one a noise-free code makes the bound infinite; with
it, L_I of a number on [-1, 1] stays below log 2 - log(0.1 sqrt(2 pi)) = 2.0768 nats."""


class NormalPosterior:
    """Independent normals over `size` numbers, in units of `unit` around `centre`.

    Raw outputs are `size` means, then, for `spread = "learned"`, one raw spread each:
    log sigma = log 0.1 + (log 2 - log 0.1) * sigmoid(raw). InfoGAN's authors clip
    sqrt(exp(raw)) to [0.1, 2]; a clip has no gradient once it is reached, this has one on the way
    back. A number fixes sigma, as their released code does with 1; then no raw spreads are read.
    """

    def __init__(
        self,
        size: int,
        spread: float | Literal["learned"],
        *,
        centre: float = 0.0,
        unit: float = 1.0,
    ) -> None:
        if size < 1:
            raise ValueError(f"size = {size}: a latent needs at least 1 number")
        if spread != "learned" and not spread > 0:
            raise ValueError(f'spread = {spread}: a number above 0, or "learned"')
        self.size, self.spread, self.centre, self.unit = size, spread, centre, unit
        self.width = 2 * size if spread == "learned" else size

    def __call__(self, raw: Tensor) -> Distribution:
        """Read raw outputs (B, width) as a distribution over (B, size)."""
        mean = self.mean(raw)
        normal = Normal(mean, self._sigma(raw, mean), validate_args=False)
        return Independent(normal, 1, validate_args=False)

    def mean(self, raw: Tensor) -> Tensor:
        """Return the means, (B, size)."""
        return self.centre + self.unit * raw[:, : self.size]

    def _sigma(self, raw: Tensor, mean: Tensor) -> Tensor:
        if self.spread != "learned":
            return torch.full_like(mean, self.unit * self.spread)
        log_low, log_high = math.log(NARROWEST), math.log(WIDEST)
        share = torch.sigmoid(raw[:, self.size :])
        return self.unit * torch.exp(log_low + (log_high - log_low) * share)


def numbers(value: Any, size: int) -> Tensor:
    """Return a human's value, a number or a list of `size` numbers, as (size,)."""
    parts = value if isinstance(value, list | tuple) else [value]
    fits = len(parts) == size and all(
        isinstance(part, Real) and not isinstance(part, bool) and math.isfinite(part)
        for part in parts
    )
    if not fits:
        wanted = "a finite number" if size == 1 else f"a list of {size} finite numbers"
        raise ValueError(f"{value!r} is not a value of this latent; {wanted}")
    return torch.tensor([float(part) for part in parts])


def single(size: int) -> None:
    """Raise ValueError unless the latent is a single number: only that has an order to follow."""
    if size > 1:
        raise ValueError(
            f"a traversal varies one number and this latent has size = {size}; "
            f"write size = 1 and count = {size}, then traverse its members"
        )


def straight(count: int, centre: float, unit: float, inside: float) -> Grid:
    """Return a grid from centre - 2 unit to centre + 2 unit; |step| <= inside was trained on.

    InfoGAN shows -2 .. 2 for codes trained on -1 .. 1 (arXiv 1606.03657, figure 2).
    """
    if count < 2:
        raise ValueError(f"a traversal of {count} columns shows no change; at least 2")
    steps = [-2 + 4 * i / (count - 1) for i in range(count)]
    values = [centre + unit * step for step in steps]
    labels = [f"{value + 0.0:.3g}" for value in values]
    trained = [abs(step) <= inside + 1e-9 for step in steps]
    return Grid(torch.tensor(values)[:, None], labels, trained)
