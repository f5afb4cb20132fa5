"""Generators of known faults, and which numbers notice. The features are random unless named."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Hashable
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Dataset, LatentSpace, Score
from gan_toolkit.testing.views import Level, MemoryView, Turn
from gantk_measures.distances import kernel_distance
from gantk_measures.extractors import extractor_of
from gantk_measures.quality import SampleQuality

Generate = Callable[[Tensor], Tensor]
NAMES = ["frechet", "kernel", "precision", "recall", "density", "coverage"]
SPACE = LatentSpace({"turn": Turn(), "level": Level()})
MEMORY: dict[Hashable, Any] = {}
"""Shared by all tests: a network is taught once."""


def images_of(data: Dataset, rows: Tensor) -> Tensor:
    return data.batch(rows).samples / 127.5 - 1


def drawing(data: Dataset, chosen: Tensor | None = None) -> Generate:
    """Return a generator that replays samples of a data set, those of `chosen` rows or all."""
    rows = torch.arange(len(data)) if chosen is None else chosen

    def generate(latent: Tensor) -> Tensor:
        drawn = torch.randint(len(rows), (len(latent),), generator=torch.Generator().manual_seed(3))
        return images_of(data, rows[drawn])

    return generate


def without_dots(data: Dataset) -> Generate:
    factors = data.batch(torch.arange(len(data))).factors
    assert factors is not None
    return drawing(data, torch.nonzero(factors[:, 2] == 0)[:, 0])


def noise(latent: Tensor) -> Tensor:
    return torch.rand(len(latent), 1, 16, 16, generator=torch.Generator().manual_seed(4)) * 2 - 1


def scores_of(data: Dataset, generate: Generate, **options: Any) -> dict[str, Score]:
    measure = SampleQuality(
        data, **{"samples": 800, "features": "untaught", "real": 2_000} | options
    )
    view = MemoryView(SPACE, data, generate, memory=MEMORY)
    return {score.name: score for score in measure.measure(view)}


@pytest.mark.parametrize("features", ["untaught", "taught"])
def test_a_perfect_generator_gets_what_unseen_real_samples_get(world: Any, features: str) -> None:
    scores = scores_of(world.data, world.deaf, features=features, steps=150)

    assert list(scores) == NAMES
    for name, score in scores.items():
        assert not score.void
        assert score.reference is not None
        near = pytest.approx(score.reference, rel=0.25, abs=0.05)
        assert score.value == near or name == "kernel", name
        assert (score.count, score.split) == (800, "training")
        assert score.details["unseen"] == 800
        assert "reference: held-out samples" in score.estimator
    kernel = scores["kernel"]
    assert kernel.low is not None
    assert kernel.high is not None
    assert kernel.low < 0 < kernel.high
    assert features == "untaught" or "taught the 3 scored factors" in scores["kernel"].estimator
    assert features == "untaught" or set(scores["kernel"].details["probe"]) == {
        "angle",
        "width",
        "dot",
    }


def test_dropping_half_the_data_is_seen_by_all_but_precision(world: Any) -> None:
    whole, half = (
        scores_of(world.data, generate)
        for generate in (world.deaf, without_dots(world.data.held_out()))
    )

    assert not any(score.void for score in half.values())
    assert half["frechet"].value > 3 * whole["frechet"].value
    assert half["kernel"].value > 10 * abs(whole["kernel"].value)
    assert half["precision"].value == pytest.approx(whole["precision"].value, abs=0.1)
    for name in ("recall", "coverage"):
        assert half[name].value < 0.7 * whole[name].value


def test_collapse_to_one_real_image_keeps_precision_and_is_void_otherwise(world: Any) -> None:
    one = images_of(world.data, torch.tensor([7]))

    scores = scores_of(world.data, lambda latent: one.expand(len(latent), -1, -1, -1))

    assert scores["precision"].value == 1
    assert scores["recall"].value < 0.01
    assert scores["coverage"].value < 0.05
    reference = scores["frechet"].reference
    assert reference is not None
    assert scores["frechet"].value > 10 * reference


def test_noise_is_void_but_for_its_precision_and_keeps_its_values(world: Any) -> None:
    scores = scores_of(world.data, noise)

    assert scores["precision"].value == 0
    assert not scores["precision"].void
    for name in set(NAMES) - {"precision"}:
        assert "not data-like" in scores[name].void
        assert math.isfinite(scores[name].value)
    assert scores["frechet"].value > 10


def test_replaying_the_training_samples_is_better_than_perfect(world: Any) -> None:
    """A copy can't be told from the real samples it is compared with; the reference can."""
    rows = torch.randperm(2_000, generator=MemoryView(SPACE, world.data, noise).rng("real False"))

    scores = scores_of(world.data, lambda latent: images_of(world.data, rows[: len(latent)]))

    assert scores["frechet"].value == pytest.approx(0, abs=1e-6)
    assert scores["precision"].value == scores["recall"].value == scores["coverage"].value == 1


def test_intervals_hold_the_value(world: Any) -> None:
    scores = scores_of(world.data, without_dots(world.data.held_out()))

    assert scores["frechet"].low is None
    for name in set(NAMES) - {"frechet"}:
        score = scores[name]
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high
        assert score.low < score.high or name == "precision"


def test_interval_of_the_kernel_distance_by_hand(world: Any) -> None:
    """Student's t of ten blocks: 2.262 standard errors to either side."""
    score = scores_of(world.data, world.deaf)["kernel"]
    view = MemoryView(SPACE, world.data, world.deaf, memory=MEMORY)
    extractor = extractor_of(view, "untaught", real=2_000)
    real, generated = (
        extractor.features(part).numpy()
        for part in (view.real(800).samples, view.bank(800).samples)
    )

    blocks = [kernel_distance(real[i : i + 80], generated[i : i + 80]) for i in range(0, 800, 80)]

    margin = 2.262 * statistics.stdev(blocks) / math.sqrt(10)
    assert score.value == pytest.approx(statistics.mean(blocks))
    assert score.low == pytest.approx(score.value - margin, rel=1e-3)
    assert score.high == pytest.approx(score.value + margin, rel=1e-3)


@pytest.mark.parametrize("features", ["untaught", "taught"])
def test_unseen_samples_in_the_place_of_generated_ones_get_the_reference(
    world: Any, features: str
) -> None:
    view = MemoryView(SPACE, world.data, world.deaf, memory=MEMORY)
    unseen = view.real(800, held_out=True).samples

    scores = scores_of(
        world.data, lambda latent: unseen[: len(latent)], features=features, steps=100
    )

    for name in NAMES:
        assert scores[name].value == pytest.approx(scores[name].reference, rel=1e-9), name
    assert scores["frechet"].value > 0.01
    assert scores["recall"].value < 1


def test_random_weights_are_the_same_whatever_the_seed(world: Any) -> None:
    samples = images_of(world.data, torch.arange(50))

    one, other = (
        extractor_of(MemoryView(SPACE, world.data, world.deaf, seed=seed), "untaught", real=2_000)
        for seed in (0, 1)
    )

    spread = other.features(samples) / one.features(samples).clamp_min(1e-9)
    seen = one.features(samples) > 0
    # The units are of other real samples, so that columns differ by a factor.
    for column, there in zip(spread.T, seen.T, strict=True):
        assert not there.any() or column[there].std(correction=0) < 1e-4


def ring(count: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    angle = torch.rand(count, generator=rng) * math.tau
    spread = 0.05 * torch.randn(count, 2, generator=rng)
    return torch.stack([angle.cos(), angle.sin()], dim=1) + spread


def test_points_are_compared_as_they_are() -> None:
    """Every quarter less is less recall; the reference comes from other training points."""
    data = ArrayDataset("ring", "synthetic", ring(4_000, 0))

    def scores(arc: float) -> dict[str, Score]:
        def generate(latent: Tensor) -> Tensor:
            points = ring(4 * len(latent), 1)
            turned = torch.atan2(points[:, 1], points[:, 0]).abs() <= math.pi * arc
            return points[turned][: len(latent)]

        return scores_of(data, generate, features="auto")

    whole, half = scores(1), scores(0.5)

    assert "features: the coordinates" in whole["frechet"].estimator
    assert "reference: other training samples" in whole["frechet"].estimator
    assert whole["frechet"].value < 0.02
    assert half["frechet"].value == pytest.approx((2 / math.pi) ** 2, rel=0.5)
    assert whole["recall"].value > 0.9
    assert half["recall"].value == pytest.approx(0.5, abs=0.08)
    assert half["coverage"].value == pytest.approx(0.5, abs=0.08)
    assert half["precision"].value > 0.9


def test_features_are_chosen_by_what_the_data_has(world: Any) -> None:
    plain = ArrayDataset("plain", "real", torch.zeros(4, 1, 16, 16, dtype=torch.uint8))
    points = ArrayDataset("points", "synthetic", torch.zeros(4, 2))
    labelled = ArrayDataset(
        "labelled", "real", torch.zeros(4, 1, 16, 16, dtype=torch.uint8), torch.zeros(4)
    )

    for data, features, message in (
        (plain, "taught", "neither factors nor labels; these do: untaught"),
        (world.data, "points", "which has images; these do: taught, untaught"),
        (labelled, "points", "which has images; these do: taught, untaught"),
        (points, "taught", "neither factors nor labels; these do: points, untaught"),
    ):
        with pytest.raises(ValueError, match=message):
            SampleQuality(data, features=features)  # type: ignore[arg-type]


def test_labels_teach_where_no_factor_is_known(world: Any) -> None:
    batch = world.data.batch(torch.arange(1_000))
    data = ArrayDataset(
        "labelled", "synthetic", batch.samples, batch.factors[:, 2].long(), classes=("no", "yes")
    )

    scores = scores_of(data, world.deaf, features="auto", samples=150, real=1_000, steps=20)

    assert "taught the labels of 800 training samples in 20 steps" in scores["kernel"].estimator
    assert list(scores["kernel"].details["probe"]) == ["label"]
    assert scores["kernel"].count == 150


def test_a_dozen_samples_are_too_few() -> None:
    data = ArrayDataset("few", "real", torch.zeros(60, 1, 16, 16, dtype=torch.uint8))

    (score,) = scores_of(data, noise).values()

    assert score.void == "12 unseen real samples; at least 100 are needed"


def test_samples_that_are_not_finite_are_counted(world: Any) -> None:
    def generate(latent: Tensor) -> Tensor:
        images = world.deaf(latent)
        images[3] = float("nan")
        return images

    (score,) = scores_of(world.data, generate).values()

    assert score.void == "1 of 800 samples are not finite"
    assert score.count == 800


def test_measuring_twice_gives_the_same_numbers_and_leaves_torch_alone(world: Any) -> None:
    state = torch.random.get_rng_state()

    first, second = (scores_of(world.data, world.deaf, samples=200) for _ in range(2))

    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)
