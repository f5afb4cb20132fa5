"""How a player moves: at the rate of the step, along the gradient of its own parameters."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit.engine import Engine, Term
from gan_toolkit.interfaces import Pass, Player, Regulariser
from gan_toolkit.players import Moving, Optimiser
from gan_toolkit.schedules import Linear
from gan_toolkit.testing.parts import tiny_engine

Reads = Callable[[nn.Parameter, nn.Parameter, Tensor], Tensor]


class Own(Regulariser):
    """Two matrices of its own; the critic's loss reads them as `reads` says."""

    def __init__(self, reads: Reads, scales: tuple[float, float] = (1.0, 1.0)) -> None:
        super().__init__()
        self.first = nn.Parameter(torch.ones(2, 3))
        self.second = nn.Parameter(torch.ones(2, 3))
        self.reads = reads
        self.scales = scales

    def critic_term(self, seen: Pass) -> Tensor:
        return self.reads(self.first, self.second, seen.real)

    def param_groups(self) -> list[tuple[float, list[nn.Parameter]]]:
        return list(zip(self.scales, ([self.first], [self.second]), strict=True))


def game(term: Own, sgd: Optimiser, **changes: Any) -> Engine:
    return tiny_engine(
        terms=[Term("own", term)], optimisers={"generator": sgd, "critic": sgd}, **changes
    )


def squares(first: nn.Parameter, second: nn.Parameter, real: Tensor) -> Tensor:
    """Half the square of every weight: its gradient is the weight."""
    return (first.square().sum() + second.square().sum()) / 2


def test_a_scheduled_rate_acts_at_every_step_and_so_does_a_groups_scale():
    """By hand, w <- w - rate * scale * w, at the rates 0.5, 0.3 and 0.1."""
    term = Own(squares, scales=(1.0, 0.5))
    engine = game(term, Optimiser(torch.optim.SGD, Linear(0.5, 0.1, over=2)))
    first, second = 1.0, 1.0

    for rate in (0.5, 0.3, 0.1):
        engine.step(torch.randn(4, 2))
        first -= rate * first
        second -= rate * 0.5 * second

        torch.testing.assert_close(term.first.detach(), torch.full((2, 3), first))
        torch.testing.assert_close(term.second.detach(), torch.full((2, 3), second))


@pytest.mark.parametrize("player", ["generator", "critic"])
def test_a_player_moves_before_the_other_one_has_any_gradient(player: Player):
    """Both losses reach both networks; only the mover's parameters may feel it."""
    engine = tiny_engine()
    networks: dict[str, nn.Module] = {"generator": engine.generator, "critic": engine.critic}
    mover = networks.pop(player)
    (other,) = networks.values()
    felt: list[set[bool]] = []

    def look(*_: Any) -> None:
        felt.extend({p.grad is not None for p in net.parameters()} for net in (mover, other))

    engine._players[player].optimiser.register_step_pre_hook(look)
    engine.step(torch.randn(4, 2))

    assert felt == [{True}, {False}]


def test_the_gradient_of_one_player_never_reaches_a_parameter_of_the_other():
    ours, theirs = nn.Parameter(torch.full((3,), 2.0)), nn.Parameter(torch.full((3,), 5.0))
    sgd = Optimiser(torch.optim.SGD, 0.1)
    mover, _ = Moving([(1.0, {"ours": ours})], sgd), Moving([(1.0, {"theirs": theirs})], sgd)

    mover.add_gradients((ours * theirs).sum(), 0.5)

    assert ours.grad is not None
    assert torch.equal(ours.grad, torch.full((3,), 2.5))
    assert theirs.grad is None


def as_one_sum(first: nn.Parameter, second: nn.Parameter, real: Tensor) -> Tensor:
    """Autograd hands both the same tensor."""
    return (real @ (first + second) * torch.arange(3.0)).mean()


def as_plain_sums(first: nn.Parameter, second: nn.Parameter, real: Tensor) -> Tensor:
    """Autograd hands each one number, spread out without memory of its own."""
    return first.sum() + 2 * second.sum()


def transposed(first: nn.Parameter, second: nn.Parameter, real: Tensor) -> Tensor:
    """Autograd hands each a tensor whose rows lie where the parameter's columns do."""
    slopes = torch.outer(torch.arange(3.0), real.mean(0))
    return (first.t() * slopes).sum() + 2 * (second.t() * slopes).sum()


@pytest.mark.parametrize("fused", [False, True], ids=["plain", "fused"])
@pytest.mark.parametrize("accumulate", [1, 2, 4])
@pytest.mark.parametrize("reads", [as_one_sum, as_plain_sums, transposed])
def test_a_step_follows_the_gradient_of_the_whole_batch(reads, accumulate, fused):
    """However autograd lays a gradient out, and however many parts the batch is cut into.

    Fused optimisers read gradients as they lie in memory.
    """
    term = Own(reads)
    sgd = Optimiser(partial(torch.optim.SGD, fused=fused), 1.0)
    engine = game(term, sgd, accumulate=accumulate)
    real = torch.randn(8, 2, generator=torch.Generator().manual_seed(0))
    before = [p.detach().clone() for p in (term.first, term.second)]
    wanted = torch.autograd.grad(reads(term.first, term.second, real), (term.first, term.second))

    engine.step(real)

    moved = [then - now.detach() for then, now in zip(before, term.parameters(), strict=True)]
    torch.testing.assert_close(moved, list(wanted), rtol=1e-4, atol=1e-6)


def channels_last(seed: int) -> nn.Conv2d:
    torch.manual_seed(seed)
    return nn.Conv2d(3, 4, 2).to(memory_format=torch.channels_last)


def test_a_state_read_from_a_file_is_laid_as_its_parameter():
    """A file holds every tensor row by row; a fused optimiser walks both through raw memory."""
    convolutions = channels_last(0), channels_last(0)
    adam = Optimiser(partial(torch.optim.Adam, fused=True), 0.1)
    first, second = (Moving([(1.0, dict(own.named_parameters()))], adam) for own in convolutions)
    images = torch.randn(2, 3, 5, 5)

    def move(moving: Moving, own: nn.Conv2d) -> None:
        moving.add_gradients(own(images).square().sum(), 1.0)
        moving.move(0)

    move(first, convolutions[0])
    tensors, facts = first.state()
    convolutions[1].load_state_dict(convolutions[0].state_dict())
    read = {
        name: tensor.clone(memory_format=torch.contiguous_format)
        for name, tensor in tensors.items()
    }
    second.load_state(read, facts)
    for moving, own in zip((first, second), convolutions, strict=True):
        move(moving, own)

    assert torch.equal(convolutions[0].weight, convolutions[1].weight)
