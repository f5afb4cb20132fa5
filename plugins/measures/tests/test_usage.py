"""Readers of real samples that use four categories evenly, hardly, or not at all."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.statistics import divergence
from gantk_measures.usage import Usage

SPACE = LatentSpace({"shape": Choice(4), "level": Level()})
REAL = torch.arange(4_000.0)[:, None]

Read = Callable[[Tensor], dict[str, Tensor]]


def reader(category: Callable[[Tensor], Tensor], sure: float = 50.0) -> Read:
    def infer(samples: Tensor) -> dict[str, Tensor]:
        index = category(samples[:, 0].long())
        level = torch.cat([samples / 2_000 - 1, torch.zeros_like(samples)], dim=1)
        return {"shape": torch.nn.functional.one_hot(index, 4).float() * sure, "level": level}

    return infer


def scores_of(infer: Read, real: Tensor = REAL) -> dict[str, Score]:
    data = ArrayDataset("rows", "synthetic", real)
    view = MemoryView(
        SPACE, data, lambda latent: latent[:, :1], infer, inferable=("shape", "level")
    )
    return {score.name: score for score in Usage(SPACE, []).measure(view)}


def test_even_use_is_as_far_from_the_prior_as_counting_makes_it() -> None:
    scores = scores_of(reader(lambda row: row % 4))

    assert scores["shape/kl"].value == pytest.approx(0, abs=1e-3)
    assert scores["shape/kl"].details["shares"] == [0.25] * 4
    assert scores["shape/kl"].chance == pytest.approx(3 / 8_000)
    assert scores["dead"].value == 0
    assert scores["dead"].details["dead"] == []


def test_categories_that_real_data_never_shows_are_listed() -> None:
    score = scores_of(reader(lambda row: row % 2 * 3))["shape/kl"]

    assert score.value == pytest.approx(math.log(2), abs=0.02)
    assert score.details["unused"] == [1, 2]
    assert score.low is not None
    assert score.high is not None
    assert score.low <= score.value <= score.high


def test_code_that_names_one_category_is_dead_and_furthest_from_the_prior() -> None:
    scores = scores_of(reader(torch.zeros_like))

    assert scores["shape/kl"].value == pytest.approx(math.log(4), abs=0.02)
    assert scores["dead"].value == 1
    assert scores["dead"].ceiling == 2
    assert scores["dead"].details["dead"] == ["shape"]


def test_confidence_is_that_of_real_samples_beside_generated_ones() -> None:
    def infer(samples: Tensor) -> dict[str, Tensor]:
        raw = reader(lambda row: row % 4, sure=math.log(3))(samples)
        return raw if len(samples) == len(REAL) else reader(lambda row: row % 4)(samples)

    score = scores_of(infer)["shape/confidence"]

    assert score.value == pytest.approx(0.5)
    assert score.chance == 0.25
    assert score.details["generated"] == pytest.approx(1)


def test_nothing_varies_is_void_and_named() -> None:
    (score,) = scores_of(reader(torch.zeros_like), torch.zeros(500, 1)).values()

    assert score.void == "no code varies over real samples: shape, level"


def test_divergence_by_hand() -> None:
    """.75 log(.75 / .5) + .25 log(.25 / .5) = .130812."""
    assert divergence(np.array([3.0, 1.0]), np.array([5.0, 5.0])) == pytest.approx(0.130812)
    assert divergence(np.array([1.0, 1.0]), np.array([1.0, 0.0])) == math.inf
