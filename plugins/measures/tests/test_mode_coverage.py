"""Two strips of a flag in four colours each: 16 modes, of which a generator draws some."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Dataset, Factor, LatentSpace, Score
from gan_toolkit.testing.views import Level, MemoryView
from gantk_measures.mode_coverage import ModeCoverage

SPACE = LatentSpace({"noise": Level()})
COLOURS = ("black", "dark", "light", "white")
FACTORS = (
    Factor("upper", "discrete", COLOURS),
    Factor("lower", "discrete", COLOURS),
    Factor("light", "continuous"),
    Factor("mode", "discrete", tuple(map(str, range(16))), scored=False),
)
MEMORY: dict[Hashable, Any] = {}


def flags(upper: Tensor, lower: Tensor, rng: torch.Generator) -> Tensor:
    """Draw (N, 1, 8, 8) in [-1, 1], with a little noise."""
    strips = torch.stack([upper, lower], dim=1).float() / 2 - 0.75
    images = strips.repeat_interleave(4, dim=1)[:, None, :, None].expand(-1, -1, -1, 8)
    return (images + 0.05 * torch.randn(images.shape, generator=rng)).clamp(-1, 1)


def drawn(count: int, modes: Sequence[int], seed: int) -> tuple[Tensor, Tensor]:
    rng = torch.Generator().manual_seed(seed)
    mode = torch.tensor(modes)[torch.randperm(count, generator=rng) % len(modes)]
    return flags(mode // 4, mode % 4, rng), mode


def data_of(modes: Sequence[int] = range(16), *, labels: bool = False) -> ArrayDataset:
    """Return flags of these modes, known by their factors, or by a label for the upper strip."""

    def part(count: int, seed: int, held_out: Dataset | None = None) -> ArrayDataset:
        images, mode = drawn(count, modes, seed)
        pixels = ((images + 1) * 127.5).round().to(torch.uint8)
        columns = [mode // 4, mode % 4, torch.zeros(count), mode]
        table = {} if labels else {"factors": torch.stack([each.float() for each in columns], 1)}
        return ArrayDataset(
            "flags",
            "synthetic",
            pixels,
            mode // 4 if labels else None,
            **table,
            classes=COLOURS if labels else (),
            descriptions=() if labels else FACTORS,
            held_out=held_out,
        )

    return part(2_000, 0, part(600, 1))


def drawing(modes: Sequence[int]) -> Callable[[Tensor], Tensor]:
    """Return a generator of these modes, all as often; each call draws anew."""
    seeds = iter(range(100, 1_000))
    return lambda latent: drawn(len(latent), modes, next(seeds))[0]


def scores_of(
    data: Dataset, generate: Callable[[Tensor], Tensor], **options: Any
) -> dict[str, Score]:
    settings = {"factors": [], "samples": 1_500, "real": 2_000, "steps": 120} | options
    view = MemoryView(SPACE, data, generate, memory=MEMORY)
    return {score.name: score for score in ModeCoverage(data, **settings).measure(view)}


def test_a_perfect_generator_covers_all_and_meets_its_references() -> None:
    scores = scores_of(data_of(), drawing(range(16)))

    assert list(scores) == ["covered", "kl", "entropy"]
    assert not any(score.void for score in scores.values())
    assert scores["covered"].value == scores["covered"].ceiling == scores["covered"].reference == 16
    assert scores["kl"].value == pytest.approx(scores["kl"].reference, abs=0.008)
    assert scores["entropy"].value == pytest.approx(math.log(16), abs=0.01)
    assert scores["entropy"].ceiling == pytest.approx(math.log(16))
    assert scores["covered"].details["probe"] == {"upper": 1.0, "lower": 1.0}
    assert scores["covered"].details["all_factors_right"] == 1
    assert "16 joint values of upper, lower" in scores["kl"].estimator


def test_a_dropped_half_is_counted_by_hand() -> None:
    """Eight of sixteen: KL = log 2, entropy log 8."""
    scores = scores_of(data_of(), drawing(range(8)))

    assert scores["covered"].value == 8
    assert scores["covered"].details["firm"] == 8
    assert scores["covered"].low is None
    assert scores["kl"].value == pytest.approx(math.log(2), abs=0.02)
    assert scores["entropy"].value == pytest.approx(math.log(8), abs=0.02)
    assert scores["kl"].low is not None
    assert scores["kl"].high is not None
    assert scores["kl"].low < scores["kl"].value < scores["kl"].high


def test_a_mode_seen_once_is_covered_but_not_firm() -> None:
    def generate(latent: Tensor) -> Tensor:
        return torch.cat([drawn(len(latent) - 1, [5], 1)[0], drawn(1, [6], 2)[0]])

    scores = scores_of(data_of(), generate, samples=1_000)

    assert scores["covered"].value == 2
    assert scores["covered"].details["firm"] == 1


def test_a_mode_that_the_data_has_not_voids_the_divergence_alone() -> None:
    """The data has no flag that is white throughout."""
    scores = scores_of(data_of(range(15)), drawing(range(16)))

    assert scores["covered"].value == scores["covered"].ceiling == 15
    assert scores["kl"].void == "a mode occurs that the data has not"
    assert scores["kl"].details["outside"] == pytest.approx(1 / 16, abs=0.03)
    assert not scores["covered"].void


def test_references_tell_of_values_that_the_probe_takes_for_each_other() -> None:
    """A tenth of label 2 bears label 3: KL of (.25 .25 .5 0) and (.25 .25 .45 .05) is 0.053."""
    images, mode = drawn(2_000, [0, 4, 8, 8], 0)
    labels = torch.where(torch.arange(2_000) % 10 == 1, mode // 4 * 3 // 2, mode // 4)
    pixels = ((images + 1) * 127.5).round().to(torch.uint8)
    data = ArrayDataset("twins", "synthetic", pixels, labels, classes=COLOURS)
    assert labels.unique().tolist() == [0, 1, 2, 3]

    scores = scores_of(data, drawing([0, 4, 8, 8]), reliable=0.5)

    assert scores["covered"].ceiling == 4
    assert scores["covered"].value == scores["covered"].reference == 3
    assert scores["kl"].value == pytest.approx(0.5 * math.log(0.5 / 0.45), abs=0.01)
    assert scores["kl"].reference == pytest.approx(scores["kl"].value, abs=0.01)


def test_labels_are_the_modes_where_no_factor_is_known() -> None:
    scores = scores_of(data_of(labels=True), drawing([0, 1, 2, 8, 9]))

    assert scores["covered"].value == 2
    assert scores["covered"].ceiling == 4
    assert "4 joint values of label" in scores["covered"].estimator


def test_named_factors_alone_make_the_modes() -> None:
    scores = scores_of(data_of(), drawing([0, 1, 2, 8, 9]), factors=["upper"])

    assert scores["covered"].value == 2
    assert scores["covered"].ceiling == 4


def test_a_probe_that_cannot_read_voids_all_and_keeps_the_values() -> None:
    scores = scores_of(data_of(), drawing(range(16)), steps=10, reliable=1.0)

    assert scores["covered"].void.startswith("the probe reads upper (0.")
    assert scores["covered"].value > 0
    assert scores["covered"].details["all_factors_right"] < 1


def test_samples_unlike_the_data_are_void() -> None:
    def generate(latent: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(4)
        return torch.rand(len(latent), 1, 8, 8, generator=rng) * 2 - 1

    assert all("not data-like" in s.void for s in scores_of(data_of(), generate).values())


def test_samples_that_are_not_finite_are_counted() -> None:
    def generate(latent: Tensor) -> Tensor:
        images = drawn(len(latent), range(16), 1)[0]
        images[0] = float("nan")
        return images

    scores = scores_of(data_of(), generate, samples=2_000)

    assert {score.void for score in scores.values()} == {"2 of 2000 samples are not finite"}


def test_what_has_no_modes_does_not_apply() -> None:
    plain = ArrayDataset("plain", "real", torch.zeros(200, 1, 8, 8, dtype=torch.uint8))

    (score,) = scores_of(plain, drawing([0])).values()

    assert score.void == "'plain' has neither discrete factors nor labels"
    assert score.count == 0


def test_too_many_joint_values_are_refused_before_anything_is_learned() -> None:
    rng = torch.Generator().manual_seed(0)
    bits = torch.randint(2, (200, 20), generator=rng)
    data = ArrayDataset(
        "bits",
        "synthetic",
        torch.zeros(200, 1, 8, 8, dtype=torch.uint8),
        factors=bits.float(),
        descriptions=[Factor(f"bit{i}", "discrete", ("no", "yes")) for i in range(20)],
    )

    (score,) = scores_of(data, drawing([0]), steps=10_000).values()

    assert "have 1,048,576 joint values, more than 100,000; name fewer in `factors`" in score.void


def test_factors_that_make_no_modes_are_refused() -> None:
    with pytest.raises(ValueError, match="'light' of 'flags' is continuous"):
        ModeCoverage(data_of(), ["light"])
    with pytest.raises(ValueError, match=r"no factor 'uper'; known: .*did you mean 'upper'"):
        ModeCoverage(data_of(), ["uper"])


def test_measuring_twice_gives_the_same_numbers_and_leaves_torch_alone() -> None:
    state = torch.random.get_rng_state()

    first, second = (scores_of(data_of(), drawing(range(4))) for _ in range(2))

    assert first == second
    assert torch.equal(torch.random.get_rng_state(), state)
