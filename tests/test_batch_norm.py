"""Batch norm over ranks is the batch norm of the whole batch, however it is differentiated."""

from __future__ import annotations

from copy import deepcopy

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit.batch_norm import SynchronisedNorm, local_statistics, synchronise
from gan_toolkit.distributed import Alone, Ranks
from gan_toolkit.testing.ranks import as_ranks

RANKS = 2


def network(momentum: float | None = 0.1) -> nn.Sequential:
    """A layer, its norm and another layer."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        norm = nn.BatchNorm1d(4, momentum=momentum)
        nn.init.normal_(norm.weight)
        nn.init.normal_(norm.bias)
        return nn.Sequential(nn.Linear(3, 4), norm, nn.Tanh(), nn.Linear(4, 1))


def batch(seed: int = 1) -> Tensor:
    return torch.randn(8, 3, generator=torch.Generator().manual_seed(seed)) * 2 + 3


def loss_of(made: nn.Module, x: Tensor, *, penalty: bool) -> Tensor:
    if not penalty:
        return made(x).square().mean()
    x = x.detach().requires_grad_()
    (slope,) = torch.autograd.grad(made(x).sum(), x, create_graph=True)
    return slope.square().sum(1).mean()


def gradients(made: nn.Module, x: Tensor, *, penalty: bool) -> list[Tensor]:
    found = torch.autograd.grad(
        loss_of(made, x, penalty=penalty), list(made.parameters()), allow_unused=True
    )
    return [torch.zeros(()) if g is None else g for g in found]


@pytest.mark.parametrize("penalty", [False, True], ids=["once", "twice"])
def test_gradients_averaged_over_ranks_are_those_of_the_whole_batch(penalty):
    expected = gradients(network(), batch(), penalty=penalty)
    copies = [network() for _ in range(RANKS)]

    def act(ranks: Ranks) -> list[Tensor]:
        own = copies[ranks.index]
        synchronise(own, ranks)
        found = [g.clone() for g in gradients(own, ranks.share(batch()), penalty=penalty)]
        ranks.average(found)
        return found

    for found in as_ranks(RANKS, act):
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("momentum", [0.1, None])
def test_running_statistics_are_those_of_the_whole_batch(momentum):
    expected = network(momentum)
    copies = [deepcopy(expected) for _ in range(RANKS)]
    for seed in range(3):
        expected(batch(seed))

    def act(ranks: Ranks) -> dict[str, Tensor]:
        synchronise(copies[ranks.index], ranks)
        for seed in range(3):
            copies[ranks.index](ranks.share(batch(seed)))
        return copies[ranks.index].state_dict()

    for found in as_ranks(RANKS, act):
        torch.testing.assert_close(found, dict(expected.state_dict()), rtol=1e-5, atol=1e-6)


def test_maps_are_normalised_over_all_their_places():
    images = torch.randn(4, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    expected = nn.BatchNorm2d(3, affine=False)(images)
    copies = [nn.Sequential(nn.BatchNorm2d(3, affine=False)) for _ in range(RANKS)]

    def act(ranks: Ranks) -> Tensor:
        synchronise(copies[ranks.index], ranks)
        return copies[ranks.index](ranks.share(images))

    torch.testing.assert_close(torch.cat(as_ranks(RANKS, act)), expected, rtol=1e-5, atol=1e-5)


def test_in_eval_mode_it_is_the_norm_it_was():
    expected = network()
    expected(batch())
    expected.eval()

    def act(ranks: Ranks) -> Tensor:
        own = deepcopy(expected)
        synchronise(own, ranks)
        return own(batch())

    for found in as_ranks(RANKS, act):
        assert torch.equal(found, expected(batch()))


def test_a_norm_that_is_told_to_remember_nothing_remembers_nothing():
    def act(ranks: Ranks) -> Tensor:
        own = nn.Sequential(nn.BatchNorm1d(3))
        synchronise(own, ranks)
        own[0].track_running_stats = False
        own(ranks.share(batch()))
        return own[0].running_mean

    assert all(torch.equal(found, torch.zeros(3)) for found in as_ranks(RANKS, act))


def test_alone_nothing_is_replaced():
    own = network()

    synchronise(own, Alone())

    assert type(own[1]) is nn.BatchNorm1d


def test_parameters_and_names_stay_those_of_the_norm():
    def act(ranks: Ranks) -> None:
        own = network()
        before, weight = list(own.state_dict()), own[1].weight
        synchronise(own, ranks)
        assert isinstance(own[1], SynchronisedNorm)
        assert list(own.state_dict()) == before
        assert own[1].weight is weight
        assert deepcopy(own)[1].weight is not weight

    as_ranks(RANKS, act)


def test_only_norms_of_the_own_share_have_local_statistics():
    def act(ranks: Ranks) -> tuple[int, int]:
        own = nn.Sequential(network(), nn.BatchNorm1d(1, track_running_stats=False))
        local = len(list(local_statistics(own)))
        synchronise(own, ranks)
        return local, len(list(local_statistics(own)))

    assert as_ranks(RANKS, act) == [(2, 0)] * RANKS


def test_a_batch_without_channels_is_refused():
    def act(ranks: Ranks) -> None:
        own = nn.Sequential(nn.BatchNorm1d(3))
        synchronise(own, ranks)
        with pytest.raises(ValueError, match="not a shape of 1 axes"):
            own.eval()(torch.zeros(3))

    as_ranks(RANKS, act)
