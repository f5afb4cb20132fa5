"""Generators whose samples change at a known speed."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Latent, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView, Turn
from gantk_measures.path_length import PathLength, on_the_way, path_lengths, trimmed


class Bell(Latent):
    """Four normal numbers."""

    width = 4

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randn(count, 4, generator=rng)


SPACE = LatentSpace({"bell": Bell(), "turn": Turn(), "level": Level(), "shape": Choice(3)})
NOTHING = ArrayDataset("none", "synthetic", torch.zeros(1, 1))


def scores_of(
    generate: Callable[[Tensor], Tensor], codes: list[str], **options: Any
) -> dict[str, Score]:
    measure = PathLength(SPACE, codes, **({"samples": 20_000} | options))
    return {s.name: s for s in measure.measure(MemoryView(SPACE, NOTHING, generate))}


def part(name: str) -> Callable[[Tensor], Tensor]:
    return lambda latent: SPACE.split(latent)[name]


def test_50_lengths_of_the_identity() -> None:
    """Twice the dimension; a little less without the longest hundredth."""
    draws = torch.randn(2, 200_000, 4, generator=torch.Generator().manual_seed(0)).double()

    lengths = path_lengths(draws[0], draws[0] + 1e-3 * (draws[1] - draws[0]), 1e-3)

    assert lengths.mean() == pytest.approx(8, abs=0.05)
    assert trimmed(lengths).mean() == pytest.approx(7.842, abs=0.05)


def test_50_through_the_measure() -> None:
    score = scores_of(part("bell"), ["bell"])["bell"]

    assert score.value == pytest.approx(7.842, abs=0.12)
    assert score.details["untrimmed"] == pytest.approx(8, abs=0.12)
    assert score.low < score.value < score.high
    assert "squared L2 distance of samples" in score.estimator


def test_a_direction_goes_along_the_shorter_arc() -> None:
    """The arc is even on 0 to pi: the mean of its square is pi^2 / 3, less what is cut off."""
    score = scores_of(part("turn"), ["turn"])["turn"]

    assert score.details["untrimmed"] == pytest.approx(math.pi**2 / 3, abs=0.06)
    first, second = (torch.tensor([[math.cos(a), math.sin(a)]]) for a in (3.0, -3.0))
    pad = torch.zeros(1, 4)
    halfway = on_the_way(
        SPACE,
        ["turn"],
        torch.cat([pad, first, pad], dim=1),
        torch.cat([pad, second, pad + 1], dim=1),
        torch.tensor([[0.5]]),
    )
    torch.testing.assert_close(halfway[0, :, 4:6], torch.tensor([[-1.0, 0.0]]))
    assert not halfway[0, 0, 6:].any()


class Detour(Level):
    """A number that goes on as the square of its share."""

    def between(self, first: Tensor, last: Tensor, shares: Tensor) -> Tensor:
        return super().between(first, last, shares.square())


def test_a_latent_goes_the_way_it_has() -> None:
    """The speed is 2 t of the whole way, and its mean square 4 / 3: 8 / 9 for two even numbers."""
    space = LatentSpace({"detour": Detour()})
    view = MemoryView(space, NOTHING, lambda latent: latent)

    score = PathLength(space, [], samples=20_000).measure(view)[0]

    assert score.details["untrimmed"] == pytest.approx(8 / 9, abs=0.04)


def test_a_number_moves_by_its_own_share_and_the_rest_is_held() -> None:
    """The mean square of the distance of two even numbers is 2 / 3; ten times as far, 200 / 3."""
    scores = scores_of(lambda latent: part("level")(latent) * 10, ["level", "bell"])

    assert scores["level"].details["untrimmed"] == pytest.approx(200 / 3, rel=0.03)
    assert scores["bell"].value == 0
    assert scores["total"].details["latents"] == ["level", "bell"]
    assert scores["total"].details["untrimmed"] == pytest.approx(200 / 3, rel=0.03)


def test_categories_are_held() -> None:
    scores = scores_of(part("shape"), [], samples=100)

    assert list(scores) == ["total", "bell", "turn", "level"]
    assert scores["total"].value == 0


def test_features_are_those_of_a_probe_and_named(world: Any, memory: dict[Hashable, Any]) -> None:
    view = MemoryView(world.space, world.data, world.obedient, memory=memory)
    measure = PathLength(
        world.space, ["turn", "noise"], samples=200, distance="features", real=2_000, steps=200
    )

    scores = {score.name: score for score in measure.measure(view)}

    assert scores["turn"].value > 1
    assert scores["noise"].value == 0
    assert "probe that learned the angle, width, dot from 2000 real samples" in (
        scores["turn"].estimator
    )


def test_features_need_something_to_learn() -> None:
    (score,) = scores_of(part("bell"), ["bell"], distance="features").values()

    assert score.void == "the data set 'none' has neither factors nor labels"


def test_samples_that_are_not_finite_are_void() -> None:
    score = scores_of(lambda latent: latent / 0, ["bell"], samples=100)["bell"]

    assert score.void == "samples are not finite"
    assert np.isnan(score.value)


def test_nothing_lies_between_categories() -> None:
    with pytest.raises(ValueError, match="nothing lies between categories: shape"):
        PathLength(SPACE, ["bell", "shape"])
    space = LatentSpace({"shape": Choice(3)})
    (score,) = PathLength(space, []).measure(MemoryView(space, NOTHING, lambda latent: latent))
    assert score.void == "all latents are categories, and nothing lies between them"
