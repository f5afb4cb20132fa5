"""Generators whose pairs show which code was changed, or do not."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.variation import VariationPredictability

SPACE = LatentSpace({"a": Level(), "b": Level(), "c": Level(), "shape": Choice(3)})
NOTHING = ArrayDataset("none", "synthetic", torch.zeros(1, 1))
CODES = ["a", "b", "c"]


def scores_of(
    generate: Callable[[Tensor], Tensor], codes: list[str] = CODES, pairs: int = 1_600
) -> dict[str, Score]:
    view = MemoryView(SPACE, NOTHING, generate)
    measure = VariationPredictability(SPACE, codes, pairs=pairs)
    return {score.name: score for score in measure.measure(view)}


def points(latent: Tensor) -> Tensor:
    """Row 49: one column a code."""
    return latent[:, :3] @ torch.tensor([[1.0, 0, 0, 0], [0, 2, 0, 0], [0, 0, 0.5, 0]])


def strokes(latent: Tensor) -> Tensor:
    """Images in which a, b and c each light a column of their own, and shape a row."""
    parts = SPACE.split(latent)
    image = torch.zeros(len(latent), 1, 8, 8)
    for place, code in enumerate(CODES):
        image[:, 0, :, 2 * place] = parts[code]
    image[:, 0, 1, :] += parts["shape"].argmax(dim=1, keepdim=True) * 0.2
    return image


@pytest.mark.parametrize("generate", [points, strokes])
def test_49_a_column_a_code_is_told_without_an_error(generate: Callable[[Tensor], Tensor]) -> None:
    scores = scores_of(generate)

    assert list(scores) == ["accuracy", "above_chance", "code/a", "code/b", "code/c"]
    assert scores["accuracy"].value > 0.97
    assert scores["accuracy"].chance == pytest.approx(1 / 3)
    above, accuracy = scores["above_chance"], scores["accuracy"]
    assert above.value > 0.95
    for end in ("value", "low", "high"):  # of the same resamples
        assert getattr(above, end) == pytest.approx((3 * getattr(accuracy, end) - 1) / 2)
    assert not scores["accuracy"].void


def test_49_a_code_that_moves_nothing_gets_chance_and_costs_no_other() -> None:
    """A network would know it by the empty difference."""
    scores = scores_of(lambda latent: strokes(latent * torch.tensor([1.0, 0, 1, 1, 1, 1])))

    assert scores["code/b"].value == pytest.approx(1 / 3)
    assert scores["code/a"].value > 0.95
    assert scores["code/c"].value > 0.95
    assert scores["accuracy"].value == pytest.approx((2 + 1 / 3) / 3, abs=0.03)
    assert scores["accuracy"].details["visible"]["b"] == 0
    assert scores["accuracy"].details["visible"]["a"] > 0.9


def test_half_a_grey_level_counts_as_nothing() -> None:
    """Whatever a network makes of it, nobody can see it."""
    scores = scores_of(lambda latent: strokes(latent * torch.tensor([1.0, 0.001, 1, 1, 1, 1])))

    assert scores["code/b"].value == pytest.approx(1 / 3)


def test_two_codes_that_do_the_same_are_told_by_a_coin() -> None:
    scores = scores_of(lambda latent: strokes(latent) + strokes(latent[:, [1, 0, 2, 3, 4, 5]]))

    assert scores["code/c"].value > 0.95
    assert (scores["code/a"].value + scores["code/b"].value) / 2 == pytest.approx(0.5, abs=0.06)


def test_a_generator_that_hears_nothing_gets_chance() -> None:
    scores = scores_of(lambda latent: torch.zeros(len(latent), 1, 8, 8))

    assert scores["accuracy"].value == pytest.approx(1 / 3)
    assert scores["above_chance"].value == pytest.approx(0, abs=1e-9)


def test_a_category_is_drawn_until_it_is_another() -> None:
    scores = scores_of(strokes, ["a", "shape"], pairs=400)

    assert scores["accuracy"].details["visible"]["shape"] == 1
    assert scores["code/shape"].value > 0.9


def test_samples_that_are_not_finite_are_counted() -> None:
    (score,) = scores_of(lambda latent: strokes(latent) / 0, pairs=100).values()

    assert score.void == "100 of 100 pairs are not finite"
    assert math.isnan(score.value)


def test_one_code_is_not_to_be_told_from_others() -> None:
    (score,) = scores_of(strokes, ["a"]).values()

    assert score.void == "needs two codes to tell apart; name some in `codes`"


def test_measuring_twice_gives_the_same_numbers_and_leaves_torch_alone() -> None:
    state = torch.random.get_rng_state()

    with torch.inference_mode():
        first, second = scores_of(strokes, pairs=200), scores_of(strokes, pairs=200)

    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)
