from __future__ import annotations

import math
from collections.abc import Callable, Hashable
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor, LatentSpace, Score
from gan_toolkit.testing.views import Level, MemoryView, Turn
from gantk_measures.explained import Explained
from gantk_measures.probe import body_for

Generate = Callable[[Tensor], Tensor]
MEMORY: dict[Hashable, Any] = {}
"""Shared by all tests of a measure: its probe is trained once."""
CODES = ["turn", "level", "shape"]
PAIRS = [f"{factor}/{code}" for factor in ("angle", "width", "dot") for code in CODES]
OWN = {"angle/turn", "width/level", "dot/shape"}


@pytest.fixture(scope="module")
def measure(world: Any) -> Explained:
    """One measure for all tests."""
    return Explained(
        world.space, world.data, factors=[], codes=CODES, samples=2_000, real=2_000, steps=200
    )


def scores_of(measure: Explained, world: Any, generate: Generate) -> dict[str, Score]:
    view = MemoryView(world.space, world.data, generate, memory=MEMORY)
    return {score.name: score for score in measure.measure(view)}


def test_a_code_that_is_rendered_explains_its_factor_and_no_other(
    measure: Explained, world: Any
) -> None:
    scores = scores_of(measure, world, world.obedient)

    assert list(scores) == ["precision", *PAIRS]
    assert not any(score.void for score in scores.values())
    for name in OWN:
        assert scores[name].value > 0.9
    for name in set(PAIRS) - OWN:
        assert scores[name].value < 0.03
    matrix = scores["precision"].matrices["explained"]
    assert {
        f"{factor}/{code}": matrix.values[row][column]
        for row, code in enumerate(matrix.rows)
        for column, factor in enumerate(matrix.columns)
    } == {name: scores[name].value for name in PAIRS}


def test_codes_that_are_ignored_explain_what_chance_does(measure: Explained, world: Any) -> None:
    scores = scores_of(measure, world, world.deaf)

    assert not scores["precision"].void
    for name in PAIRS:
        score = scores[name]
        assert score.chance is not None
        assert score.low is not None
        assert score.high is not None
        assert score.value == pytest.approx(score.chance, abs=0.015)
        assert score.low <= score.value <= score.high


def test_a_probe_names_the_smallest_image_it_reads() -> None:
    assert body_for((1, 8, 8))(torch.zeros(2, 1, 8, 8)).shape == (2, 128)

    with pytest.raises(ValueError, match="images of 7x16; a probe needs 8 pixels a side"):
        body_for((1, 7, 16))


def test_probe_says_how_well_it_reads_real_samples(measure: Explained, world: Any) -> None:
    scores = scores_of(measure, world, world.obedient)

    assert scores["angle/turn"].details["probe"]["median_error_degrees"] < 6
    assert scores["width/level"].details["probe"]["r2"] > 0.9
    assert scores["dot/shape"].details["probe"]["accuracy"] > 0.95
    assert scores["angle/turn"].details["variety"] == pytest.approx(1, abs=0.1)


def checkerboards(latent: Tensor) -> Tensor:
    """Checkerboards whose contrast follows the first code: a probe reads something off them."""
    place = torch.arange(16)
    board = ((place[:, None] + place) % 2 * 2 - 1).float()
    return latent[:, :1, None, None] * board


def test_checkerboards_are_void_and_keep_their_values(measure: Explained, world: Any) -> None:
    scores = scores_of(measure, world, checkerboards)

    assert scores["precision"].value < 0.01
    for name in PAIRS:
        assert "not data-like" in scores[name].void
    assert any(scores[name].value > 0.1 for name in PAIRS)


def test_collapse_to_one_good_image_is_void(measure: Explained, world: Any) -> None:
    def generate(latent: Tensor) -> Tensor:
        one = world.render(torch.tensor([1.0]), torch.tensor([1.5]), torch.tensor([0.0]))
        return one.expand(len(latent), -1, -1, -1)

    scores = scores_of(measure, world, generate)

    assert all(scores[name].void for name in PAIRS)


def test_measuring_twice_gives_the_same_numbers_and_leaves_torch_alone(world: Any) -> None:
    def run() -> list[Score]:
        fresh = Explained(
            world.space, world.data, ["dot"], ["shape"], samples=300, real=1_000, steps=20
        )
        with torch.inference_mode():
            return fresh.measure(MemoryView(world.space, world.data, world.obedient))

    state = torch.random.get_rng_state()
    first, second = run(), run()

    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)


def test_factor_that_the_probe_cannot_read_is_void(world: Any) -> None:
    """The factor is noise: no probe can read it."""
    data = ArrayDataset(
        "noise",
        "synthetic",
        world.data.batch(torch.arange(500)).samples,
        factors=torch.randn(500, 1, generator=torch.Generator().manual_seed(0)),
        descriptions=[Factor("luck", "continuous")],
    )
    measure = Explained(world.space, data, [], ["level"], samples=300, real=500, steps=20)

    scores = {s.name: s for s in measure.measure(MemoryView(world.space, data, world.obedient))}

    assert not scores["precision"].void
    assert "the probe reads luck (" in scores["luck/level"].void


def test_points_are_read_too() -> None:
    """On a circle of points the angle is the factor; a ring twice as wide is not data-like."""
    angle = torch.linspace(0, math.tau, 2_000)
    points = torch.stack([angle.cos(), angle.sin()], dim=1)
    points = points + 0.05 * torch.randn(points.shape, generator=torch.Generator().manual_seed(0))
    data = ArrayDataset(
        "circle",
        "synthetic",
        points,
        factors=angle[:, None],
        descriptions=[Factor("a", "circular")],
    )
    space = LatentSpace({"turn": Turn(), "level": Level()})
    measure = Explained(space, data, [], ["turn", "level"], samples=1_000, real=2_000, steps=100)

    def scores(scale: float) -> dict[str, Score]:
        view = MemoryView(space, data, lambda latent: latent[:, :2] * scale)
        return {score.name: score for score in measure.measure(view)}

    assert scores(1.0)["a/turn"].value > 0.95
    assert not scores(1.0)["a/turn"].void
    assert scores(2.0)["a/turn"].void


def test_unknown_names_are_refused(world: Any) -> None:
    with pytest.raises(ValueError, match=r"no factor 'angel'.*did you mean 'angle'"):
        Explained(world.space, world.data, ["angel"], [])
    with pytest.raises(ValueError, match=r"no latent is named 'tern'.*did you mean 'turn'"):
        Explained(world.space, world.data, [], ["tern"])


def test_data_without_factors_is_void(world: Any) -> None:
    data = ArrayDataset("plain", "real", torch.zeros(10, 1, 16, 16, dtype=torch.uint8))

    (score,) = Explained(world.space, data, [], CODES).measure(
        MemoryView(world.space, data, world.obedient)
    )

    assert "no known factors" in score.void
