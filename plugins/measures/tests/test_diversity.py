"""Generators of known variety, and how alike their images are found."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Dataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.diversity import Diversity, consecutive, within

SPACE = LatentSpace({"shape": Choice(2), "level": Level()})
MEMORY: dict[Hashable, Any] = {}


def scores_of(
    data: Dataset, generate: Callable[[Tensor], Tensor], codes: tuple[str, ...] = ()
) -> dict[str, Score]:
    measure = Diversity(SPACE, data, list(codes), samples=600, features="untaught", real=1_000)
    view = MemoryView(SPACE, data, generate, inferable=("shape", "level"), memory=MEMORY)
    return {score.name: score for score in measure.measure(view)}


def test_pairs_use_each_sample_once() -> None:
    assert consecutive(5).tolist() == [[0, 1], [2, 3]]
    assert within(np.array([1, 0, 1, 1, 0, 2])).tolist() == [[1, 4], [0, 2]]


def test_a_perfect_generator_is_as_diverse_as_the_data(world: Any) -> None:
    scores = scores_of(world.data, world.deaf)

    overall = scores["ms_ssim"]
    assert overall.reference is not None
    assert overall.low is not None
    assert overall.high is not None
    assert overall.value == pytest.approx(overall.reference, abs=0.05)
    assert overall.low < overall.value < overall.high
    assert (overall.count, overall.details["pairs"], overall.split) == (600, 300, "training")
    assert "at 1 of 5 scales" in overall.estimator
    assert not overall.void


def test_collapse_is_likeness_1(world: Any) -> None:
    image = world.data.batch(torch.tensor([7])).samples / 127.5 - 1

    scores = scores_of(world.data, lambda latent: image.expand(len(latent), -1, -1, -1))

    assert scores["ms_ssim"].value == pytest.approx(1)
    assert scores["shape/ms_ssim"].value == pytest.approx(1)


def test_a_category_that_collapsed_is_named(world: Any) -> None:
    """Category 0 is one image, category 1 draws at random."""

    def generate(latent: Tensor) -> Tensor:
        images = world.deaf(latent)
        first = SPACE.split(latent)["shape"][:, 0] == 1
        images[first] = images[0].clone()
        return images

    scores = scores_of(world.data, generate)

    assert list(scores) == ["ms_ssim", "shape/ms_ssim"]
    found = scores["shape/ms_ssim"]
    assert found.details["categories"]["0"] == pytest.approx(1)
    assert found.details["categories"]["1"] < 0.5
    assert found.chance == scores["ms_ssim"].value
    assert found.value > found.chance + 0.1


def test_a_code_that_says_nothing_is_at_chance(world: Any) -> None:
    found = scores_of(world.data, world.deaf)["shape/ms_ssim"]

    assert found.chance is not None
    assert found.value == pytest.approx(found.chance, abs=0.05)


def test_noise_is_diverse_and_void(world: Any) -> None:
    def generate(latent: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(4)
        return torch.rand(len(latent), 1, 16, 16, generator=rng) * 2 - 1

    scores = scores_of(world.data, generate)

    reference = scores["ms_ssim"].reference
    assert reference is not None
    assert scores["ms_ssim"].value < reference
    assert all("not data-like" in score.void for score in scores.values())


def test_a_code_of_numbers_has_no_categories(world: Any) -> None:
    assert list(scores_of(world.data, world.deaf, codes=("level",))) == ["ms_ssim"]


def test_a_category_of_one_sample_has_no_pair(world: Any) -> None:
    """With as many categories as samples nothing can be compared."""
    space = LatentSpace({"each": Choice(10_000)})
    measure = Diversity(space, world.data, ["each"], samples=100, features="untaught", real=1_000)

    scores = {
        score.name: score
        for score in measure.measure(MemoryView(space, world.data, world.deaf, memory=MEMORY))
    }

    assert scores["each/ms_ssim"].void
    assert not scores["ms_ssim"].void


@pytest.mark.parametrize("shape", [(2,), (1, 8, 8)])
def test_what_has_no_window_does_not_apply(shape: tuple[int, ...]) -> None:
    kind = torch.float32 if len(shape) == 1 else torch.uint8
    data = ArrayDataset("small", "real", torch.zeros(200, *shape, dtype=kind))

    (score,) = scores_of(data, lambda latent: torch.zeros(len(latent), *shape)).values()

    assert score.void == "needs images of at least 11 pixels a side"
    assert score.count == 0


def test_too_few_real_samples_and_broken_ones_are_told(world: Any) -> None:
    few = ArrayDataset("few", "real", torch.zeros(60, 1, 16, 16, dtype=torch.uint8))

    (short,) = scores_of(few, world.deaf).values()
    (broken,) = scores_of(world.data, lambda latent: world.deaf(latent) * float("nan")).values()

    assert short.void == "60 real samples; at least 100 are needed"
    assert broken.void == "600 of 600 samples are not finite"


def test_measuring_twice_gives_the_same_numbers(world: Any) -> None:
    assert scores_of(world.data, world.deaf) == scores_of(world.data, world.deaf)
