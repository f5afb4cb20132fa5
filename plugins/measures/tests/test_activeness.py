"""Generators that move by a known distance when a code does."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Grid, Latent, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView, Turn
from gantk_measures.activeness import Activeness
from gantk_measures.codes import trained_steps


class Opaque(Level):
    """A number that can't be traversed."""

    def grid(self, count: int) -> Grid:
        return Latent.grid(self, count)


SPACE = LatentSpace(
    {"shape": Choice(3), "level": Level(), "turn": Turn(), "dead": Level(), "opaque": Opaque()}
)
NOTHING = ArrayDataset("none", "synthetic", torch.zeros(1, 1))


def scores_of(scale: dict[str, float], codes: list[str]) -> dict[str, Score]:
    """Generate points that are the codes themselves, each times its scale."""

    def generate(latent: Tensor) -> Tensor:
        values = SPACE.split(latent)
        return torch.cat([values[code] * by for code, by in scale.items()], dim=1)

    view = MemoryView(SPACE, NOTHING, generate)
    return {score.name: score for score in Activeness(SPACE, codes).measure(view)}


def test_only_code_moves_a_sample_as_far_as_drawing_anew() -> None:
    """Any two of 11 even steps over [-1, 1] are 8 / 11 apart on average, two random ones 2 / 3."""
    score = scores_of({"level": 1.0}, ["level"])["level"]

    assert score.value == pytest.approx(12 / 11, abs=0.03)
    assert score.details["steps"] == 11


def test_value_does_not_depend_on_the_scale_of_samples() -> None:
    small, large = (scores_of({"level": by, "turn": by}, ["level"]) for by in (0.01, 10.0))

    assert small["level"].value == pytest.approx(large["level"].value, rel=1e-4)


def test_categories_by_hand() -> None:
    """Corners are sqrt 2 apart, and differ two times in three, traversed or drawn."""
    score = scores_of({"shape": 1.0}, ["shape"])["shape"]

    assert score.value == pytest.approx(1, abs=0.03)
    assert score.details["distance"] == pytest.approx(math.sqrt(2) * 2 / 3, abs=0.03)


def test_code_that_is_ignored_moves_nothing() -> None:
    scores = scores_of({"level": 1.0, "turn": 0.5}, ["dead", "turn"])

    assert scores["dead"].value == 0
    assert scores["turn"].value > 0.2


def test_only_trained_values_are_steps() -> None:
    torch.testing.assert_close(trained_steps(Level()), torch.arange(-5, 6)[:, None] / 5)
    assert len(trained_steps(Turn())) == 11
    assert len(trained_steps(Choice(3))) == 3


def test_code_that_cannot_be_traversed_is_void_and_the_others_are_not() -> None:
    scores = scores_of({"level": 1.0}, ["opaque", "level"])

    assert scores["opaque"].void == "Opaque can't be traversed"
    assert not scores["level"].void


def test_nothing_to_move_is_void() -> None:
    (score,) = scores_of({"level": 1.0}, []).values()

    assert score.void == "no code is inferred; name some in `codes`"


def test_samples_that_are_all_alike_are_void() -> None:
    (score,) = scores_of({"level": 0.0}, ["level"]).values()

    assert score.void == "all samples are alike, or not finite"
