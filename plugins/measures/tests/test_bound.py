from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView, Turn
from gantk_measures.bound import Bound

SPACE = LatentSpace({"noise": Turn(), "shape": [Choice(10), Choice(10)], "level": Level()})


Read = Callable[[Tensor], Tensor]


def scores_of(readers: dict[str, Read], samples: int = 2_000) -> dict[str, Score]:
    """Measure with samples that are the latents themselves, read by functions of the code."""

    def infer(samples: Tensor) -> dict[str, Tensor]:
        values = SPACE.split(samples)
        return {code: read(values[code]) for code, read in readers.items()}

    data = ArrayDataset("none", "synthetic", torch.zeros(1, 1))
    view = MemoryView(SPACE, data, lambda latent: latent, infer, inferable=tuple(readers))
    return {score.name: score for score in Bound(samples).measure(view)}


def test_perfect_reader_gets_the_entropy() -> None:
    score = scores_of({"shape.0": lambda code: code * 100})["shape.0"]

    assert score.value == pytest.approx(2.302585, abs=1e-6)
    assert score.ceiling == pytest.approx(2.302585, abs=1e-6)
    assert score.details["share"] == pytest.approx(1)
    assert score.unit == "nats"
    assert not score.void


def test_ignorant_reader_gets_nothing() -> None:
    score = scores_of({"shape.0": torch.zeros_like})["shape.0"]

    assert score.value == pytest.approx(0, abs=1e-6)


def test_reader_that_swaps_categories_gets_less_than_nothing() -> None:
    score = scores_of({"shape.0": lambda code: code.roll(1, dims=1) * 5})["shape.0"]

    assert score.value < -1


def test_reader_that_is_right_nineteen_times_in_twenty_gets_the_fano_bound() -> None:
    """Value 3: log 10 - H(.95) - .05 log 9 = 1.994209."""
    logits = math.log(0.95 / (0.05 / 9))

    def read(code: Tensor) -> Tensor:
        wrong = torch.rand(len(code), generator=torch.Generator().manual_seed(3)) < 0.05
        return torch.where(wrong[:, None], code.roll(1, dims=1), code) * logits

    score = scores_of({"shape.0": read}, samples=10_000)["shape.0"]

    assert score.low is not None
    assert score.high is not None
    assert score.value == pytest.approx(1.994209, abs=0.04)
    assert score.low < 1.994209 < score.high


@pytest.mark.parametrize(
    ("mean", "deviation", "expected"),
    [(1.0, 1.0, -0.225791), (1.0, 0.1, 2.076794), (0.0, math.sqrt(1 / 3), -0.176485)],
)
def test_number_by_hand(mean: float, deviation: float, expected: float) -> None:
    """Values 6 to 8: the entropy is the latent's own, log 2, and no ceiling is claimed."""

    def read(code: Tensor) -> Tensor:
        return torch.cat([code * mean, torch.full_like(code, math.log(deviation))], dim=1)

    score = scores_of({"level": read}, samples=20_000)["level"]

    assert score.value == pytest.approx(expected, abs=0.01)
    assert score.ceiling is None
    assert "share" not in score.details
    assert score.details["entropy"] == pytest.approx(0.693147, abs=1e-6)


def test_total_is_the_sum() -> None:
    scores = scores_of({"shape.0": lambda code: code * 100, "shape.1": lambda code: code * 1.5})

    assert scores["total"].value == pytest.approx(scores["shape.0"].value + scores["shape.1"].value)


@pytest.mark.parametrize("lost", [3, 2_000])
def test_not_a_number_is_void_and_says_how_often(lost: int) -> None:
    def read(code: Tensor) -> Tensor:
        raw = code * 100
        raw[:lost] = float("nan")
        return raw

    scores = scores_of({"shape.0": read})

    assert scores["shape.0"].void == f"log q(c|x) is not finite for {lost} of 2000"
    assert scores["total"].void


def test_nothing_inferred_is_void() -> None:
    (score,) = scores_of({}).values()

    assert score.void == "no code is inferred"
