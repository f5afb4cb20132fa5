from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit import Critic, Judgement
from gantk_infogan.heads import Heads, trunk_of


class Convolutional(Critic):
    """A critic with running statistics, whose features come before its score."""

    feature_width = 16

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            nn.Conv2d(1, 4, 4, 2, 1), nn.BatchNorm2d(4), nn.LeakyReLU(0.1), nn.Flatten()
        )
        self.score = nn.Sequential(nn.Linear(16, 3), nn.ReLU(), nn.Linear(3, 1))

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        features = self.trunk(sample)
        return Judgement(self.score(features).squeeze(1), features)


@pytest.mark.parametrize(
    ("feature_width", "outputs", "hidden_width", "count"),
    [
        (1024, {"c1": 10, "c2": 2, "c3": 2}, 128, 133_262),
        (1024, dict.fromkeys("abcde", 2), None, 10_250),
        (1024, {"style.0": 20, "style.1": 20, "style.2": 20, "turn": 2}, None, 63_550),
        (4096, dict.fromkeys("abcd", 10) | dict.fromkeys("efgh", 2), 128, 530_864),
    ],
    ids=["MNIST", "faces", "chairs", "SVHN"],
)
def test_parameter_counts_of_the_paper(
    feature_width: int, outputs: dict[str, int], hidden_width: int | None, count: int
) -> None:
    """Of the heads in tables 1, 4, 6 and 2 of arXiv 1606.03657, biases and batch norm counted."""
    heads = Heads(feature_width, outputs, hidden_width)

    assert sum(parameter.numel() for parameter in heads.parameters()) == count


def test_weights_start_small_and_biases_at_0() -> None:
    torch.manual_seed(0)
    started = dict(Heads(1024, {"a": 64}, 128).named_parameters())

    for linear in ("private.0", "outputs.a"):
        assert started[f"{linear}.weight"].std().item() == pytest.approx(0.02, rel=0.05)
    assert started["private.1.weight"].mean().item() == pytest.approx(1, abs=0.01)
    assert not any(value.any() for name, value in started.items() if name.endswith("bias"))


def test_outputs_are_float32_from_any_features() -> None:
    heads = Heads(8, {"a": 3})

    with torch.autocast("cpu", dtype=torch.bfloat16):
        raw = heads(torch.randn(2, 8))

    assert raw["a"].dtype == torch.float32


def test_only_what_makes_features_stays_trained() -> None:
    trunk = trunk_of(Convolutional(), (1, 4, 4))

    trained = {name.split(".")[0] for name, p in trunk.named_parameters() if p.requires_grad}
    frozen = {name.split(".")[0] for name, p in trunk.named_parameters() if not p.requires_grad}

    assert trained == {"trunk"}
    assert frozen == {"score"}


def test_the_probe_leaves_statistics_and_mode_alone() -> None:
    critic = Convolutional()
    before = {name: value.clone() for name, value in critic.named_buffers()}

    trunk_of(critic, (1, 4, 4))

    assert critic.training
    assert all(torch.equal(before[name], value) for name, value in critic.named_buffers())


def test_a_trunk_can_be_found_without_memory() -> None:
    with torch.device("meta"):
        trunk = trunk_of(Convolutional(), (1, 4, 4))

    assert any(not parameter.requires_grad for parameter in trunk.parameters())
