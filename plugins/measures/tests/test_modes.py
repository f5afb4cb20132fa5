from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor, LatentSpace, Score
from gan_toolkit.testing.views import Choice, MemoryView, Turn
from gantk_measures.modes import Modes

SPREAD = 0.05
SPACE = LatentSpace({"noise": Turn(), "shape": Choice(8)})


def ring(mode: Tensor, rng: torch.Generator, spread: float = SPREAD) -> Tensor:
    angle = mode * math.tau / 8
    centre = 2 * torch.stack([angle.cos(), angle.sin()], dim=1)
    return centre + spread * torch.randn(centre.shape, generator=rng)


def ring_data() -> ArrayDataset:
    mode = torch.arange(8_000) % 8
    names = tuple(str(value) for value in range(8))
    return ArrayDataset(
        "ring",
        "synthetic",
        ring(mode, torch.Generator().manual_seed(0)),
        factors=mode[:, None].float(),
        descriptions=[Factor("mode", "discrete", values=names)],
    )


def scores_of(modes: list[int], spread: float = SPREAD) -> dict[str, Score]:
    """Measure a generator that draws mode `modes[category]`."""

    def generate(latent: Tensor) -> Tensor:
        category = SPACE.split(latent)["shape"].argmax(dim=1)
        return ring(torch.tensor(modes)[category], torch.Generator().manual_seed(1), spread)

    data = ring_data()
    view = MemoryView(SPACE, data, generate, inferable=("shape",))
    return {score.name: score for score in Modes(data=data).measure(view)}


def test_perfect_generator() -> None:
    scores = scores_of([3, 1, 4, 0, 5, 2, 6, 7])

    assert scores["covered"].value == 8
    assert scores["quality"].value == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert scores["quality"].ceiling == 1
    assert scores["quality"].reference == pytest.approx(1 - math.exp(-4.5), abs=0.01)
    assert scores["shape/purity"].value == scores["shape/purity"].ceiling == 1
    assert scores["shape/purity"].chance == pytest.approx(1 / 8, abs=0.03)
    assert scores["shape/purity"].details["majority_modes"] == 8
    assert scores["shape/purity"].details["mapping"]["0"] == 3


def test_collapsed_generator_is_pure_but_covers_one_mode() -> None:
    scores = scores_of([2] * 8)

    assert scores["covered"].value == 1
    assert scores["covered"].details["missed"] == [0, 1, 3, 4, 5, 6, 7]
    assert scores["shape/purity"].details["majority_modes"] == 1
    assert scores["shape/purity"].chance == 1


def test_wide_samples_are_not_good() -> None:
    """Four times the spread: within 3 of theirs is within 0.75, 1 - exp(-0.28) = 0.245."""
    scores = scores_of(list(range(8)), spread=4 * SPREAD)

    assert scores["quality"].value == pytest.approx(1 - math.exp(-0.28125), abs=0.02)


def test_two_modes_in_a_category_halve_its_purity() -> None:
    data = ring_data()

    def generate(latent: Tensor) -> Tensor:
        category = SPACE.split(latent)["shape"].argmax(dim=1)
        rng = torch.Generator().manual_seed(2)
        return ring((category + torch.randint(2, category.shape, generator=rng)) % 8, rng)

    view = MemoryView(SPACE, data, generate, inferable=("shape",))
    scores = {score.name: score for score in Modes(data=data).measure(view)}

    assert scores["covered"].value == 8
    assert scores["shape/purity"].value == pytest.approx(0.5, abs=0.04)


def test_unknown_factor_is_named_with_what_is_known() -> None:
    with pytest.raises(ValueError, match="no factor 'modes'; known: mode; did you mean 'mode'"):
        Modes(data=ring_data(), factor="modes")
