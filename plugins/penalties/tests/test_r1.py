from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

from gan_toolkit import Critic, Judgement, LatentSpace, Pass, Regulariser
from gan_toolkit.testing.conformance import (
    RegulariserConformance,
    TinyCritic,
    TinyGenerator,
    TinyNoise,
)
from gantk_penalties.r1 import R1


class TestConformance(RegulariserConformance):
    def make(self) -> Regulariser:
        return R1()


class TestConformanceOnImages(TestConformance):
    sample_shape = (1, 4, 4)


class Linear(Critic):
    """Score w.x: its slope is w everywhere."""

    feature_width = 1

    def __init__(self, weight: list[float]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(weight))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        score = sample.flatten(1) @ self.weight
        return Judgement(score, score[:, None])


def look(critic: Critic, shape: tuple[int, ...], count: int = 4) -> Pass:
    space = LatentSpace({"noise": TinyNoise(2)})
    return Pass(
        "critic",
        0,
        generator=TinyGenerator(2, shape),
        critic=critic,
        space=space,
        latent=space.sample(count, None),
        real=torch.randn(count, *shape),
        input_grad=R1.needs_input_grad,
    )


@settings(deadline=None)
@given(st.lists(st.floats(-5, 5, width=32), min_size=1, max_size=6), st.integers(1, 5))
def test_linear_critic_by_hand(weight: list[float], count: int) -> None:
    """|w|^2 / 2, whatever the batch."""
    penalty = R1().critic_term(look(Linear(weight), (len(weight),), count))

    expected = sum(w * w for w in weight) / 2
    assert penalty.item() == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_images_sum_over_all_pixels() -> None:
    penalty = R1().critic_term(look(Linear([1.0, 2.0, 0.0, 2.0]), (1, 2, 2)))

    assert penalty.item() == pytest.approx(4.5)


def test_following_it_flattens_the_critic() -> None:
    """d(|w|^2 / 2) / dw = w: the second derivative is there."""
    critic = Linear([3.0, -4.0])

    R1().critic_term(look(critic, (2,))).backward()

    assert critic.weight.grad is not None
    assert critic.weight.grad.tolist() == [3.0, -4.0]


def test_it_judges_real_samples_only_and_shares_the_forward() -> None:
    seen = look(TinyCritic((3,)), (3,))
    judged = seen.on_real.score

    penalty = R1().critic_term(seen)

    assert seen.on_real.score is judged
    assert penalty.requires_grad
    (reaches_fake,) = torch.autograd.grad(penalty, seen.fake, allow_unused=True)
    assert reaches_fake is None


def test_it_leaves_the_graph_for_the_objective() -> None:
    critic = TinyCritic((3,))
    seen = look(critic, (3,))

    total = R1().critic_term(seen) + seen.on_real.score.mean()

    total.backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in critic.parameters())


def test_it_is_float32_under_autocast() -> None:
    critic = TinyCritic((3,))
    seen = look(critic, (3,))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        penalty = R1().critic_term(seen)
        rough = penalty.item()
    penalty.backward()
    exact = R1().critic_term(look(critic, (3,))).item()

    assert penalty.dtype == torch.float32
    assert rough == pytest.approx(exact, rel=0.5)
    assert all(p.grad is not None and p.grad.isfinite().all() for p in [critic.trunk.weight])


def test_the_generator_is_not_penalised() -> None:
    assert R1().generator_term(look(Linear([1.0]), (1,))) is None
