"""The shipped checks pass good parts and notice broken ones: each fault fails the check named."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit.interfaces import (
    Critic,
    Generator,
    Grid,
    Judgement,
    Latent,
    Objective,
    Pass,
    Regulariser,
    device_of,
)
from gan_toolkit.testing.conformance import (
    CriticConformance,
    GeneratorConformance,
    LatentConformance,
    ObjectiveConformance,
    RegulariserConformance,
    TinyCode,
    TinyCritic,
    TinyGenerator,
    TinyNoise,
)


class Coin(TinyCode):
    """A fair coin with every ability."""

    def encode(self, value: Any) -> Tensor:
        if isinstance(value, bool) or value not in (0, 1):
            raise ValueError(f"{value!r} is no side of a coin; 0 or 1")
        return torch.tensor([float(value)])

    def grid(self, count: int) -> Grid:
        return Grid(torch.tensor([[0.0], [1.0]]), ["0", "1"], [True, True])

    def bins(self, value: Tensor, count: int) -> Tensor:
        return value.long()


class Loaded(Coin):
    """Two loaded coins, each 1 with a chance of 1/4."""

    width = 2
    posterior_width = 2
    chance = 0.25

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        drawn = torch.rand(count, 2, device=device_of(rng), generator=rng)
        return (drawn < self.chance).float()

    def encode(self, value: Any) -> Tensor:
        raise NotImplementedError("it is two coins")

    def grid(self, count: int) -> Grid:
        raise NotImplementedError("it is two coins")

    def entropy(self) -> float:
        """Of one coin: log 4 - 3/4 log 3."""
        return 2 * (math.log(4) - 0.75 * math.log(3))


class Dice(TinyNoise):
    """A die that nobody recovers: it says no entropy."""

    discrete = True

    def __init__(self) -> None:
        super().__init__(1)

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randint(6, (count, 1), device=device_of(rng), generator=rng).float()

    def bins(self, value: Tensor, count: int) -> Tensor:
        return value.long()


class Logistic(Objective):
    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        loss = nn.functional.softplus(-real_score) + nn.functional.softplus(fake_score)
        return loss.mean()

    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        return nn.functional.softplus(-fake_score).mean()


class Reader(Regulariser):
    """A head that guesses the coin."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Linear(TinyCritic.feature_width, 1)

    def critic_term(self, seen: Pass) -> Tensor | None:
        raw = self.infer(seen.fake, seen.on_fake)["coin"]
        loss = -TinyCode().posterior(raw).log_prob(seen.latents["coin"]).mean()
        seen.log("coin", loss)
        assert isinstance(loss, Tensor)
        return loss

    def infer(self, sample: Tensor, judgement: Judgement) -> dict[str, Tensor]:
        return {"coin": self.head(judgement.features)}


class TestCoin(LatentConformance):
    def make(self) -> Latent:
        return Coin()


class TestLoaded(LatentConformance):
    def make(self) -> Latent:
        return Loaded()


class TestDice(LatentConformance):
    def make(self) -> Latent:
        return Dice()


class TestTinyGenerator(GeneratorConformance):
    sample_shape = (1, 4, 4)

    def make(self) -> Generator:
        return TinyGenerator(self.latent_width, self.sample_shape)


class TestTinyCritic(CriticConformance):
    sample_shape = (1, 4, 4)

    def make(self) -> Critic:
        return TinyCritic(self.sample_shape)


class TestLogistic(ObjectiveConformance):
    def make(self) -> Objective:
        return Logistic()


class TestReader(RegulariserConformance):
    def make(self) -> Regulariser:
        return Reader()


# --- faults --------------------------------------------------------------------------------


class WrongEntropy(Coin):
    def entropy(self) -> float:
        return math.log(3)


class GlobalDraws(Coin):
    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randint(2, (count, 1), device=device_of(rng)).float()


class TiedToTheCpu(Coin):
    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randint(2, (count, 1), device="cpu", generator=rng).float()


class TakesAnything(Coin):
    def encode(self, value: Any) -> Tensor:
        return torch.ones(1)


class UnevenBins(Coin):
    def bins(self, value: Tensor, count: int) -> Tensor:
        return torch.arange(len(value))[:, None] % 3 // 2


class Unlabelled(Coin):
    def grid(self, count: int) -> Grid:
        return Grid(torch.tensor([[0.0], [1.0]]), ["0", "0"], [True, True])


class DensityPerColumn(Coin):
    def posterior(self, raw: Tensor) -> torch.distributions.Distribution:
        return torch.distributions.Bernoulli(logits=raw, validate_args=False)


class Waits(Coin):
    def posterior(self, raw: Tensor) -> torch.distributions.Distribution:
        return super().posterior(raw * (1.0 if raw.sum().item() > 0 else 2.0))


class MoreLoadedThanItSays(Loaded):
    chance = 0.35


class BinsOfOneCoin(Loaded):
    def bins(self, value: Tensor, count: int) -> Tensor:
        return value[:, :1].long()


class LoadedAndCalledFair(Loaded):
    def entropy(self) -> float:
        return 2 * math.log(2)


class LoadedDice(Dice):
    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return (super().sample(count, rng) - 1).clamp(min=0)


class OffTheCircle(TinyNoise):
    circular = True

    def __init__(self) -> None:
        super().__init__(2)


class Flipped(Logistic):
    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        return -super().generator_loss(real_score, fake_score)


class Blind(Logistic):
    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        return nn.functional.softplus(fake_score).mean()


class Overflowing(Logistic):
    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        return -torch.log(torch.sigmoid(fake_score)).mean()


class Summed(Logistic):
    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        return nn.functional.softplus(-fake_score).sum()


class DeadHead(Reader):
    def __init__(self) -> None:
        super().__init__()
        self.forgotten = nn.Linear(2, 2)


class TrainedByNobody(Reader):
    trained_by = "generator"


class JudgesAgain(Reader):
    def critic_term(self, seen: Pass) -> Tensor | None:
        seen._critic(seen.fake)
        return super().critic_term(seen)


class LosesAGroup(Reader):
    def param_groups(self) -> list[tuple[float, list[nn.Parameter]]]:
        return [(1.0, list(self.head.parameters())[:1])]


class KeepsTensors(Reader):
    def state(self) -> dict[str, Any]:
        return {"mean": torch.zeros(1)}


class HalfTheBatch(Reader):
    def critic_term(self, seen: Pass) -> Tensor | None:
        return self.infer(seen.fake, seen.on_fake)["coin"]


class OutOfRange(TinyGenerator):
    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return 3 * super().forward(latent, condition)


class Neighbourly(TinyGenerator):
    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(latent - latent.mean(dim=0), condition)


class Frozen(TinyCritic):
    """Its score is cut off from the sample."""

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        score, features = super().forward(sample.detach(), condition)
        return Judgement(score + 0 * sample.flatten(1).sum(dim=1), features)


class ColumnOfScores(TinyCritic):
    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        score, features = super().forward(sample, condition)
        return Judgement(score[:, None], features)


FAULTS: list[tuple[type, Callable[[], Any], str]] = [
    (LatentConformance, WrongEntropy, "test_a_posterior_that_has_seen_nothing_gains_nothing"),
    (LatentConformance, GlobalDraws, "test_sample_follows_the_generator_it_is_given"),
    (
        LatentConformance,
        TiedToTheCpu,
        "test_sample_works_without_a_generator_on_the_default_device",
    ),
    (LatentConformance, TakesAnything, "test_encode_refuses_nonsense_in_one_line"),
    (LatentConformance, UnevenBins, "test_bins_are_equally_probable"),
    (LatentConformance, MoreLoadedThanItSays, "test_bins_are_equally_probable"),
    (LatentConformance, BinsOfOneCoin, "test_bins_are_equally_probable"),
    (LatentConformance, LoadedAndCalledFair, "test_bins_are_equally_probable"),
    (LatentConformance, LoadedDice, "test_bins_are_equally_probable"),
    (LatentConformance, Unlabelled, "test_grid_gives_what_sample_would"),
    (LatentConformance, DensityPerColumn, "test_posterior_scores_what_sample_gives"),
    (LatentConformance, Waits, "test_posterior_never_reads_a_value_back"),
    (LatentConformance, OffTheCircle, "test_a_circular_latent_gives_points_of_the_circle"),
    (ObjectiveConformance, Flipped, "test_the_generator_learns_to_please_the_critic"),
    (ObjectiveConformance, Blind, "test_the_critic_learns_to_tell_real_from_fake"),
    (ObjectiveConformance, Overflowing, "test_losses_are_finite_scalars_at_any_score"),
    (ObjectiveConformance, Summed, "test_losses_are_means_over_the_batch"),
    (RegulariserConformance, DeadHead, "test_the_player_that_trains_it_reaches_all_its_parameters"),
    (
        RegulariserConformance,
        TrainedByNobody,
        "test_the_player_that_trains_it_reaches_all_its_parameters",
    ),
    (RegulariserConformance, JudgesAgain, "test_it_makes_no_forward_of_its_own"),
    (RegulariserConformance, LosesAGroup, "test_param_groups_hold_each_trained_parameter_once"),
    (RegulariserConformance, KeepsTensors, "test_state_survives_json"),
    (RegulariserConformance, HalfTheBatch, "test_terms_are_finite_scalars"),
    (GeneratorConformance, partial(OutOfRange, 6, (1, 4, 4)), "test_images_stay_in_range"),
    (
        GeneratorConformance,
        partial(Neighbourly, 6, (1, 4, 4)),
        "test_samples_do_not_depend_on_their_neighbours",
    ),
    (
        CriticConformance,
        partial(Frozen, (1, 32, 32)),
        "test_the_gradient_of_the_score_is_differentiable",
    ),
    (CriticConformance, partial(ColumnOfScores, (1, 32, 32)), "test_judges_each_sample"),
]


@pytest.mark.parametrize(("checks", "make", "check"), FAULTS)
def test_a_fault_fails_its_check(checks: type, make: Callable[[], Any], check: str) -> None:
    broken = type("Broken", (checks,), {"make": lambda self: make()})()

    with pytest.raises((AssertionError, TypeError, RuntimeError)):
        getattr(broken, check)()
