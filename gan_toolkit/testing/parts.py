"""Tiny parts for tests: small enough to train in milliseconds, whole enough to be a real game.

Every part that keeps state keeps it alive: batch norm, spectral norm and dropout are all in use.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan_toolkit.engine import Engine
from gan_toolkit.interfaces import (
    Critic,
    Generator,
    Grid,
    Judgement,
    Latent,
    Objective,
    Pass,
    Regulariser,
    device_of,
)
from gan_toolkit.latents import LatentSpace
from gan_toolkit.players import Optimiser

WIDTH = 8


class Noise(Latent):
    """Standard normal noise."""

    def __init__(self, width: int = 3) -> None:
        self.width = width

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, width)."""
        return torch.randn(count, self.width, generator=rng, device=device_of(rng))


class Coin(Latent):
    """One of two sides, as -1 or 1; recovered through a single logit."""

    width = 1
    posterior_width = 1
    discrete = True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, 1)."""
        return torch.randint(2, (count, 1), generator=rng, device=device_of(rng)) * 2.0 - 1.0

    def encode(self, value: Any) -> Tensor:
        """Take -1 or 1."""
        if value not in (-1, 1):
            raise ValueError(f"{value!r} is not a side of a coin; -1 or 1")
        return torch.tensor([float(value)])

    def grid(self, count: int) -> Grid:
        """Return both sides, whatever `count`."""
        del count
        return Grid(torch.tensor([[-1.0], [1.0]]), ["-1", "1"], [True, True])

    def entropy(self) -> float:
        """Return log 2."""
        return float(torch.log(torch.tensor(2.0)))


class TinyGenerator(Generator):
    """Points (B, D) through one hidden layer with batch norm."""

    def __init__(self, latent_width: int, sample_width: int = 2) -> None:
        super().__init__()
        self.hidden = nn.Linear(latent_width, WIDTH, bias=False)
        self.norm = nn.BatchNorm1d(WIDTH)
        self.out = nn.Linear(WIDTH, sample_width)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return (B, D)."""
        del condition
        return self.out(torch.relu(self.norm(self.hidden(latent))))


class TinyCritic(Critic):
    """Points (B, D) through one hidden layer with spectral norm and dropout."""

    feature_width = WIDTH

    def __init__(self, sample_width: int = 2, dropout: float = 0.1) -> None:
        super().__init__()
        self.hidden = nn.utils.parametrizations.spectral_norm(nn.Linear(sample_width, WIDTH))
        self.dropout = nn.Dropout(dropout)
        self.out = nn.Linear(WIDTH, 1)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return the score and the hidden layer."""
        del condition
        features = self.dropout(functional.leaky_relu(self.hidden(sample), 0.1))
        return Judgement(self.out(features).squeeze(1), features)


class TinyObjective(Objective):
    """Non-saturating: softplus(-real) + softplus(fake), and softplus(-fake)."""

    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        """Return 2 log 2 at zero scores."""
        return (functional.softplus(-real_score) + functional.softplus(fake_score)).mean()

    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        """Return log 2 at zero scores."""
        del real_score
        return functional.softplus(-fake_score).mean()


class ReadBack(Regulariser):
    """Rewards a generator whose latent `code` can be read off its samples, by squared error."""

    def __init__(self, code: str = "code") -> None:
        super().__init__()
        self.code = code
        self.head = nn.Linear(WIDTH, 1)
        self.calls = 0

    def critic_term(self, seen: Pass) -> Tensor:
        """Return the mean squared error."""
        return self._error(seen)

    def generator_term(self, seen: Pass) -> Tensor:
        """Return the mean squared error."""
        return self._error(seen)

    def infer(self, sample: Tensor, judgement: Judgement) -> dict[str, Tensor]:
        """Return the head's output."""
        del sample
        return {self.code: self.head(judgement.features)}

    def state(self) -> dict[str, Any]:
        """Return how often it was computed."""
        return {"calls": self.calls}

    def load_state(self, state: Any) -> None:
        """Take back the count."""
        self.calls = state["calls"]

    def _error(self, seen: Pass) -> Tensor:
        self.calls += 1
        error = (self.head(seen.on_fake.features) - seen.latents[self.code]).square().mean()
        # what it has counted enters what it computes, so that a lost count would show
        scale = 1 + 1e-3 * (self.calls % 7)
        seen.log(self.code, error)
        return scale * error


class Smooth(Regulariser):
    """Half the mean squared norm of the critic's gradient on real samples."""

    needs_input_grad = True

    def critic_term(self, seen: Pass) -> Tensor:
        """Return the penalty."""
        (slope,) = torch.autograd.grad(seen.on_real.score.sum(), seen.real, create_graph=True)
        return slope.square().sum(1).mean() / 2


def adam(lr: float = 1e-3) -> Optimiser:
    """Return Adam as the toolkit's recipes use it."""
    return Optimiser(partial(torch.optim.Adam, betas=(0.5, 0.999), fused=True), lr)


def tiny_space() -> LatentSpace:
    """Return noise and one code."""
    return LatentSpace({"noise": Noise(), "code": Coin()})


def tiny_engine(seed: int = 0, **changes: Any) -> Engine:
    """Return an engine of tiny parts, weights drawn from `seed`; `changes` replace arguments."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        space = changes.pop("latents", None) or tiny_space()
        arguments: dict[str, Any] = {
            "generator": TinyGenerator(space.width),
            "critic": TinyCritic(),
            "latents": space,
            "objective": TinyObjective(),
            "optimisers": {"generator": adam(), "critic": adam()},
            "seed": seed,
        }
        return Engine(**(arguments | changes))
