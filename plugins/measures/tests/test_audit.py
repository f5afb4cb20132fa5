"""Generators for which it is known what can be found of their codes, and what can be seen."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.audit import Audit
from gantk_measures.classifier import temperature_for
from gantk_measures.spoiling import Spoil

SPACE = LatentSpace({"shape": Choice(4), "level": Level(), "noise": Level()})
NOTHING = ArrayDataset("none", "synthetic", torch.zeros(1, 1))
GREY = 2 / 255

Generate = Callable[[Tensor], Tensor]
Read = Callable[[Tensor], dict[str, Tensor]]


def view_of(generate: Generate, infer: Read | None = None, codes: Sequence[str] = ()) -> MemoryView:
    return MemoryView(SPACE, NOTHING, generate, infer, inferable=tuple(codes))


def scores_of(
    generate: Generate, codes: list[str], samples: int = 3_000, epochs: int = 4
) -> dict[str, Score]:
    found = Audit(SPACE, codes, samples=samples, epochs=epochs).measure(view_of(generate))
    return {score.name: score for score in found}


def patches(latent: Tensor) -> Tensor:
    """Light one quarter of the image, the one that the shape names; noise moves the rest."""
    codes = SPACE.split(latent)
    quarters = codes["shape"].view(-1, 1, 2, 2).repeat_interleave(6, 2).repeat_interleave(6, 3)
    return quarters + 0.2 * codes["noise"][:, :, None, None] - 0.5


def last_bits(latent: Tensor) -> Tensor:
    """Write each bit of the shape into the last bit of one pixel; noise moves the other half."""
    codes = SPACE.split(latent)
    shape = codes["shape"].argmax(dim=1)
    grey = torch.full((len(latent), 1, 12, 12), 100 * GREY - 1)
    grey[:, 0, :, 6:] += codes["noise"][:, :, None] * torch.linspace(-0.3, 0.3, 6)
    grey[:, 0, 2, 3] += GREY * (shape % 2)
    grey[:, 0, 9, 2] += GREY * (shape // 2)
    return grey


def blurred(deviation: float) -> Generate:
    """Show the level as a point, with normal noise."""

    def generate(latent: Tensor) -> Tensor:
        rng = torch.Generator().manual_seed(len(latent))
        level = SPACE.split(latent)["level"]
        return level + deviation * torch.randn(level.shape, generator=rng)

    return generate


def test_code_that_is_drawn_is_found_and_seen() -> None:
    """Value 55."""
    scores = scores_of(patches, ["shape"])

    assert scores["shape"].value >= 0.98 * math.log(4)
    assert scores["shape"].ceiling == pytest.approx(math.log(4))
    assert scores["visible/shape"].value >= 0.98 * math.log(4)


def test_code_that_is_ignored_is_not_found() -> None:
    """Values 12 and 56: neither in samples that ignore it nor when it is shuffled."""
    scores = scores_of(patches, ["level"])

    assert scores["level"].value <= 0.02
    assert scores["level"].chance is not None
    assert scores["level"].chance <= 0.02
    assert scores["visible/level"].value <= 0.02
    assert scores["level"].warnings == ["next to nothing of it is in the samples"]


class Skewed(Choice):
    """One of two values, the second in one draw of ten."""

    def __init__(self) -> None:
        super().__init__(2)

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        second = torch.rand(count, generator=rng) < 0.1
        return torch.stack([~second, second], dim=1).float()

    def entropy(self) -> float:
        return -0.9 * math.log(0.9) - 0.1 * math.log(0.1)


@pytest.mark.parametrize("heard", [0.0, 1.0])
def test_a_choice_of_unequal_chances_holds_its_own_entropy(heard: float) -> None:
    space = LatentSpace({"skewed": Skewed(), "noise": Level()})
    view = MemoryView(space, NOTHING, lambda latent: latent * torch.tensor([heard, heard, 1.0]))

    (score,) = Audit(space, ["skewed"], samples=3_000, epochs=4).measure(view)

    held = 0.3251
    assert score.ceiling == pytest.approx(held, abs=1e-4)
    assert score.value == pytest.approx(heard * held, abs=0.02)
    assert score.chance == pytest.approx(0, abs=0.02)


def test_code_hidden_in_one_pixel_is_found_and_not_seen() -> None:
    """Value 57."""
    scores = scores_of(last_bits, ["shape"])

    assert scores["shape"].value >= 0.98 * math.log(4)
    assert scores["visible/shape"].value <= 0.02
    assert scores["visible/shape"].details["hidden"] >= 0.9 * math.log(4)
    assert scores["visible/shape"].warnings[0].endswith("% of what is in the samples is visible")
    assert not scores["shape"].warnings


@pytest.mark.parametrize(("deviation", "expected"), [(0.1, 1.626), (0.5, 0.414)])
def test_noisy_number_by_hand(deviation: float, expected: float) -> None:
    """Values 10 and 11, at 20 bins."""
    score = scores_of(blurred(deviation), ["level"], samples=10_000, epochs=5)["level"]

    assert score.low is not None
    assert score.high is not None
    assert score.value == pytest.approx(expected, abs=0.06)
    assert score.low < score.value < score.high


def test_number_that_is_shown_as_it_is_reaches_the_ceiling() -> None:
    score = scores_of(blurred(0), ["level"], samples=10_000, epochs=8)["level"]

    assert score.ceiling == pytest.approx(math.log(20))
    assert score.value >= 0.9 * math.log(20)


def test_training_reader_is_put_on_the_same_scale() -> None:
    """A number's density is summed over the bins; one with much too wide a bell has slack."""

    def infer(samples: Tensor) -> dict[str, Tensor]:
        return {"level": torch.cat([samples, torch.full_like(samples, math.log(0.3))], dim=1)}

    view = view_of(blurred(0), infer, ["level"])
    (score,) = Audit(SPACE, [], samples=4_000, epochs=2).measure(view)

    level = torch.linspace(-1, 1, 20_001, dtype=torch.float64)[:-1]
    bell = torch.distributions.Normal(level, 0.3)
    low = SPACE["level"].bins(level[:, None], 20)[:, 0] / 10 - 1
    one = torch.ones(1, dtype=torch.float64)
    share = (bell.cdf(low + 0.1) - bell.cdf(low)) / (bell.cdf(one) - bell.cdf(-one))
    expected = math.log(20) + float(share.log().mean())
    assert score.details["reader"] == pytest.approx(expected, abs=0.02)
    assert score.details["slack"] == pytest.approx(score.value - score.details["reader"])


def test_training_reader_of_categories_is_its_bound() -> None:
    def infer(samples: Tensor) -> dict[str, Tensor]:
        return {"shape": samples[:, 0, ::6, ::6].flatten(1) * 100}

    view = view_of(patches, infer, ["shape"])
    score = Audit(SPACE, [], samples=1_000, epochs=2).measure(view)[0]

    assert score.name == "shape"
    assert score.details["reader"] == pytest.approx(math.log(4), abs=1e-4)


def test_temperature_makes_a_boastful_reader_as_sure_as_it_is_right() -> None:
    """Right three times in four, so that its odds should be 3; they are 3 to the tenth."""
    logits = np.tile([10 * math.log(3), 0.0], (400, 1))
    bins = np.arange(400) % 4 // 3

    assert temperature_for(logits, bins) == pytest.approx(10, rel=1e-3)


def test_the_total_is_the_sum_and_the_headline() -> None:
    scores = scores_of(patches, ["shape", "level"], 400, 2)

    for name, part in (("total", ""), ("visible/total", "visible/")):
        each = scores[f"{part}shape"], scores[f"{part}level"]
        assert scores[name].value == pytest.approx(sum(score.value for score in each))
        assert scores[name].ceiling == pytest.approx(math.log(4) + math.log(20))
    assert [score.headline for score in scores.values() if score.headline] == [
        "MI audited, nats",
        "visible",
    ]


def test_points_are_not_spoilt() -> None:
    assert list(scores_of(blurred(0.5), ["level", "shape"], 400)) == ["level", "shape", "total"]


def test_spoiling_keeps_size_and_averages_each_four_pixels() -> None:
    images = torch.rand(50, 3, 7, 5, generator=torch.Generator().manual_seed(0)) * 2 - 1

    spoilt = Spoil(torch.Generator().manual_seed(1))(images)

    assert spoilt.shape == images.shape
    assert torch.equal(spoilt[:, :, 0, 0], spoilt[:, :, 1, 1])
    off = spoilt[:, :, :6:2, :4:2] - torch.nn.functional.avg_pool2d(images, 2)
    assert float(off.std()) == pytest.approx(8 / 127.5 / 2, rel=0.1)


def test_same_seed_same_scores_and_no_global_draw() -> None:
    torch.manual_seed(5)
    before = torch.get_rng_state()

    with torch.inference_mode():
        first = scores_of(patches, ["shape", "level"], 400, 2)

    assert first == scores_of(patches, ["shape", "level"], 400, 2)
    assert torch.equal(torch.get_rng_state(), before)


def test_nothing_to_look_for_is_void() -> None:
    (score,) = scores_of(patches, []).values()

    assert score.void == "no code is inferred; name some in `codes`"


def test_samples_that_are_not_finite_are_void_and_counted() -> None:
    def generate(latent: Tensor) -> Tensor:
        samples = patches(latent)
        samples[:2, 0, 0, 0] = float("nan")
        return samples

    (score,) = scores_of(generate, ["shape"], 400).values()

    assert score.void == "6 of 700 samples are not finite"


def test_unknown_code_is_named_with_the_nearest() -> None:
    with pytest.raises(ValueError, match=r"no latent is named 'shap'.*'shape'"):
        Audit(SPACE, ["shap"])
