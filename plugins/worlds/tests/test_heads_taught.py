"""A factor that labels can't teach a small network can't be asked of a code."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from gan_toolkit import Factor
from gantk_worlds.colour_heads import ColourHeadWorld
from gantk_worlds.faces import FaceWorld
from gantk_worlds.world import HELD_OUT, World

TAUGHT, ASKED, STEPS = 6_000, 1_000, 2_000


def scored(world: World) -> list[tuple[int, Factor]]:
    return [(place, factor) for place, factor in enumerate(world.factors) if factor.scored]


def outputs(factor: Factor) -> int:
    return len(factor.values) or 1


def network(channels: int, count: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((channels, 48), (48, 96), (96, 192), (192, 192)):
        layers += [nn.Conv2d(before, after, 3, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.Conv2d(after, after, 3, 1, 1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Dropout(0.2), nn.Linear(768, count))


def centred(factor: Factor, column: Tensor) -> Tensor:
    """Return a continuous factor with variance 1."""
    middle, span = (factor.high + factor.low) / 2, factor.high - factor.low
    return (column - middle) / span * 12**0.5


def loss(world: World, answer: Tensor, table: Tensor) -> Tensor:
    parts = answer.split([outputs(factor) for _, factor in scored(world)], dim=1)
    terms = [
        cross_entropy(part, table[:, place].long())
        if factor.values
        else mse_loss(part[:, 0], centred(factor, table[:, place]))
        for part, (place, factor) in zip(parts, scored(world), strict=True)
    ]
    return torch.stack(terms).sum()


def taught(world: World) -> nn.Module:
    table = world.draw(torch.arange(TAUGHT))
    pictures = world.render(table).float() / 127.5 - 1
    with torch.random.fork_rng():
        torch.manual_seed(0)
        net = network(pictures.shape[1], sum(outputs(factor) for _, factor in scored(world)))
        optimiser = torch.optim.AdamW(net.parameters(), 1e-3, weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, STEPS)
        for _ in range(STEPS):
            some = torch.randint(TAUGHT, (64,))
            optimiser.zero_grad()
            loss(world, net(pictures[some]), table[some]).backward()
            optimiser.step()
            schedule.step()
    return net.eval()


def marks(world: World) -> dict[str, float]:
    """Return R2 of each continuous factor and the accuracy of each discrete one, held out."""
    net, table = taught(world), world.draw(torch.arange(ASKED) + HELD_OUT)
    with torch.no_grad():
        answer = net(world.render(table).float() / 127.5 - 1)
    parts = answer.split([outputs(factor) for _, factor in scored(world)], dim=1)
    found = {}
    for part, (place, factor) in zip(parts, scored(world), strict=True):
        if factor.values:
            right = part.argmax(1) == table[:, place].long()
            found[factor.name] = float(right.float().mean())
        else:
            truth = centred(factor, table[:, place])
            found[factor.name] = float(1 - mse_loss(part[:, 0], truth) / truth.var())
    return found


@pytest.mark.slow
@pytest.mark.parametrize("world", [FaceWorld(32), ColourHeadWorld(32)], ids=lambda w: w.name)
def test_labels_teach_a_small_network_every_scored_factor(world: World) -> None:
    reached = marks(world)

    for _, factor in scored(world):
        assert reached[factor.name] > (0.95 if factor.values else 0.9), reached
