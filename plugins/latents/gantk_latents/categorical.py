"""One of K categories."""

from __future__ import annotations

import math
import operator
from typing import Any, ClassVar

import torch
from torch import Tensor
from torch.distributions import Distribution
from torch.distributions.constraints import Constraint
from torch.nn.functional import one_hot

from gan_toolkit import Grid, Latent, device_of


class Categorical(Latent):
    """One of K equally likely categories, given to the generator as a one-hot row of width K.

    The posterior is a softmax over K raw outputs. H = log K nats. InfoGAN (arXiv 1606.03657),
    section 5. Several independent codes are `count = n` in the recipe, not one wider code.
    """

    discrete = True

    def __init__(self, categories: int) -> None:
        if categories < 2:
            raise ValueError(f"categories = {categories}: a choice needs at least 2")
        self.categories = categories
        self.width = categories
        self.posterior_width = categories

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw one-hot rows (count, K)."""
        drawn = torch.randint(self.categories, (count,), device=device_of(rng), generator=rng)
        return self._rows(drawn)

    def encode(self, value: Any) -> Tensor:
        """Turn an index 0 .. K-1 into its one-hot row."""
        try:
            index = -1 if isinstance(value, bool) else operator.index(value)
        except TypeError:
            index = -1
        if not 0 <= index < self.categories:
            raise ValueError(
                f"{value!r} is not a category; an integer from 0 to {self.categories - 1}"
            )
        return self._rows(torch.tensor(index))

    def grid(self, count: int) -> Grid:
        """Return every category, whatever `count`: leaving some out would hide them."""
        del count
        rows = self._rows(torch.arange(self.categories))
        return Grid(rows, [str(i) for i in range(self.categories)], [True] * self.categories)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs (B, K) as unnormalised log probabilities."""
        return OneHot(raw)

    def estimate(self, raw: Tensor) -> Tensor:
        """Return the index of the likeliest category, (B, 1)."""
        return raw.argmax(dim=1, keepdim=True)

    def entropy(self) -> float:
        """Return log K."""
        return math.log(self.categories)

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return the index of each row's category, (B, 1)."""
        del count
        return value.argmax(dim=1, keepdim=True)

    def _rows(self, index: Tensor) -> Tensor:
        return one_hot(index, self.categories).to(torch.get_default_dtype())


class OneHot(Distribution):
    """One of K categories, as a one-hot row, from unnormalised log probabilities (B, K).

    torch's own `OneHotCategorical` checks its arguments even when told not to, and so makes the
    device wait for the host at every step.
    """

    arg_constraints: ClassVar[dict[str, Constraint]] = {}

    def __init__(self, raw: Tensor) -> None:
        self.logits = torch.log_softmax(raw, dim=-1)
        super().__init__(raw.shape[:-1], raw.shape[-1:], validate_args=False)

    @property
    def mean(self) -> Tensor:
        """The probability of each category, (B, K)."""
        return self.logits.exp()

    def log_prob(self, value: Tensor) -> Tensor:
        """Return the log probability (B,) of one-hot rows (B, K)."""
        return (value * self.logits).sum(dim=-1)
