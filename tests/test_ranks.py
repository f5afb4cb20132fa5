"""Several ranks, here as threads: shares, and steps that do not depend on how many there are."""

from __future__ import annotations

from functools import partial

import pytest
import torch
from torch import Tensor

from gan_toolkit.batch_norm import synchronise
from gan_toolkit.batches import ArrayDataset, Batches
from gan_toolkit.crew import seed_rank
from gan_toolkit.distributed import Alone, Ranks
from gan_toolkit.engine import Engine, Term
from gan_toolkit.events import untouched_randomness
from gan_toolkit.interfaces import Augment, Pass, Regulariser
from gan_toolkit.players import Optimiser
from gan_toolkit.randomness import seed_globals
from gan_toolkit.testing.parts import ReadBack, Smooth, TinyCritic, tiny_engine
from gan_toolkit.testing.ranks import as_ranks

STEPS = 5
BATCH = 8


def sgd() -> Optimiser:
    """A rounding error stays as small as it is; Adam would make a step of it."""
    return Optimiser(partial(torch.optim.SGD, momentum=0.9), 0.05)


def whole_engine(**changes: object) -> Engine:
    terms = [Term("read", ReadBack()), Term("smooth", Smooth())]
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        for term in terms:
            for parameter in term.regulariser.parameters():
                torch.nn.init.normal_(parameter)
        critic = TinyCritic(dropout=0.0)
    return tiny_engine(
        critic=critic,
        terms=terms,
        optimisers={"generator": sgd(), "critic": sgd()},
        **changes,
    )


def points(count: int = 96) -> ArrayDataset:
    rng = torch.Generator().manual_seed(0)
    return ArrayDataset("points", "synthetic", torch.randn(count, 2, generator=rng))


def batches_for(engine: Engine) -> Batches:
    size = BATCH * engine.batches_per_step
    share = partial(engine.ranks.share, batches=engine.batches_per_step)
    return Batches(points(), size, seed=0, share=share)


def weights(engine: Engine) -> dict[str, Tensor]:
    parts = {"generator": engine.generator, "critic": engine.critic, **engine.regularisers}
    return {
        f"{part}.{name}": tensor
        for part, module in parts.items()
        for name, tensor in module.state_dict().items()
    }


def trained(count: int, *, synchronised: bool = True, **changes: object) -> list[dict[str, Tensor]]:
    """Return the weights of each rank after a few steps."""
    # one after the other: their weights are drawn from torch's one generator
    engines = [whole_engine(**changes) for _ in range(count)]

    def act(ranks: Ranks) -> dict[str, Tensor]:
        engine = engines[ranks.index]
        engine.ranks = ranks
        if synchronised:
            synchronise(engine.generator, ranks)
        batches = batches_for(engine)
        for step in range(STEPS):
            engine.step(batches.at(step).samples)
        return weights(engine)

    return as_ranks(count, act) if count > 1 else [act(Alone())]


@pytest.mark.parametrize("count", [2, 4])
@pytest.mark.parametrize(
    "changes", [{}, {"critic_steps": 2, "accumulate": 2}], ids=["plain", "cut twice"]
)
def test_weights_do_not_depend_on_the_number_of_ranks(count, changes):
    (alone,) = trained(1, **changes)

    for found in trained(count, **changes):
        torch.testing.assert_close(found, alone, rtol=1e-4, atol=1e-5)


def test_all_ranks_hold_the_same_bits_with_local_norms_too():
    for changes in ({}, {"synchronised": False}):
        one, other = trained(2, **changes)

        assert all(torch.equal(one[name], other[name]) for name in one)


def test_local_norms_give_other_weights():
    (alone,), (local, _) = trained(1), trained(2, synchronised=False)

    name = "generator.hidden.weight"
    assert (alone[name] - local[name]).abs().max() > 1e-4


class Rolls(Regulariser):
    """Notes a number that it draws."""

    def critic_term(self, seen: Pass) -> Tensor:
        seen.log("drawn", torch.rand((), generator=seen.rng("roll")))
        return seen.on_fake.score.mean() * 0.0


def test_a_term_draws_other_numbers_in_each_rank_and_those_of_one_process_in_the_first():
    engines = [tiny_engine(terms=[Term("rolls", Rolls())]) for _ in range(3)]
    real = torch.zeros(4, 2)

    def act(ranks: Ranks) -> float:
        engine = engines[ranks.index]
        engine.ranks = ranks
        return engine.step(ranks.share(real))["rolls/drawn"].item()

    first, second = as_ranks(2, act)

    assert first != second
    assert first == engines[2].step(real)["rolls/drawn"].item()


def test_ranks_draw_apart_from_what_torch_keeps_per_process():
    drawn = []
    with untouched_randomness():
        for ranks in as_ranks(2, lambda ranks: ranks):
            seed_rank(7, ranks)
            drawn.append(torch.rand(()).item())
        seed_globals(7)

        assert drawn[0] == torch.rand(()).item() != drawn[1]


# --- shares ----------------------------------------------------------------------------------


def test_a_share_is_contiguous_in_each_batch():
    rows = torch.arange(12)

    shares = as_ranks(2, lambda ranks: ranks.share(rows, batches=3).tolist())

    assert shares == [[0, 1, 4, 5, 8, 9], [2, 3, 6, 7, 10, 11]]
    assert Alone().share(rows, batches=3) is rows


def test_what_cannot_be_shared_evenly_is_refused():
    with pytest.raises(ValueError, match="10 samples can't be cut into 2 x 2 equal shares"):
        as_ranks(2, lambda ranks: ranks.share(torch.zeros(10), batches=2))


class Noisy(Augment):
    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        return samples + torch.randn(samples.shape, generator=rng)


class Counting(ArrayDataset):
    """Remembers how many rows it was asked for."""

    def batch(self, indices: Tensor):
        self.asked = len(indices)
        return super().batch(indices)


@pytest.mark.parametrize("augments", [{}, {"noisy": Noisy()}], ids=["plain", "augmented"])
def test_the_shares_of_a_batch_are_the_batch(augments):
    labels = torch.arange(20) % 3
    data = [
        Counting("own", "synthetic", points(20)._samples, labels, classes=("a", "b", "c"))
        for _ in range(3)
    ]
    whole = Batches(data[2], 8, 0, augments=augments).at(3)

    def act(ranks: Ranks) -> tuple[Tensor, Tensor | None]:
        made = Batches(data[ranks.index], 8, 0, augments=augments, share=ranks.share).at(3)
        assert data[ranks.index].asked == (8 if augments else 4), "it reads what it needs"
        return made.samples, made.labels

    samples, found = zip(*as_ranks(2, act), strict=True)
    assert torch.equal(torch.cat(samples), whole.samples)
    assert torch.equal(torch.cat(found), whole.labels)


# --- alone -----------------------------------------------------------------------------------


def test_alone_nothing_is_said_to_anybody():
    alone, tensor = Alone(), torch.ones(2)

    alone.average([tensor])

    assert tensor.tolist() == [1, 1]
    assert alone.largest(3) == 3
    assert alone.speaks(1, "anything")
    assert alone.is_first
    assert list(alone.others) == []
    with pytest.raises(RuntimeError, match="no rank 1 to send 2 bytes"):
        alone.send(b"ab", 1)
    with pytest.raises(RuntimeError, match="no rank 1 to hear from"):
        alone.receive(1)
