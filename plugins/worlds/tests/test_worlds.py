"""What every flat world must hold; what is peculiar to one is tested beside it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from gan_toolkit import ArrayDataset, Factor
from gantk_worlds.house_numbers import HouseNumbersWorld
from gantk_worlds.prepared import dataset
from gantk_worlds.sprites import SpritesWorld
from gantk_worlds.stacked_digits import StackedStrokes
from gantk_worlds.strokes import StrokesWorld
from gantk_worlds.world import HELD_OUT, World, split

MANY = 80_000
"""Draws enough that chance correlations stay below 0.02 (5 standard errors)."""


def some_digits(first: int = 0, count: int = 60, kept: ArrayDataset | None = None) -> ArrayDataset:
    """Return drawn digits, each of the ten equally often."""
    world = StrokesWorld()
    table = world.draw(torch.arange(first, first + count))
    table[:, 0] = torch.arange(count) % 10
    return ArrayDataset(
        "strokes-synthetic",
        "synthetic",
        world.render(table),
        labels=table[:, 0],
        classes=world.factors[0].values,
        notice=world.notice,
        held_out=kept,
    )


def make(name: str, seed: int = 0) -> World:
    match name:
        case "strokes":
            return StrokesWorld(seed=seed)
        case "strokes that lean":
            return StrokesWorld(seed=seed, slant=True)
        case "strokes like MNIST":
            return StrokesWorld(seed=seed, look="mnist")
        case "house numbers":
            return HouseNumbersWorld(seed=seed)
        case "sprites":
            return SpritesWorld(seed=seed)
        case "soft sprites":
            return SpritesWorld(32, seed=seed, soft=True)
        case _:
            return StackedStrokes(some_digits(kept=some_digits(HELD_OUT, 20)), seed=seed)


NAMES = (
    *("strokes", "strokes that lean", "strokes like MNIST", "house numbers"),
    *("sprites", "soft sprites", "stacked digits"),
)


@pytest.fixture(params=NAMES)
def world(request: pytest.FixtureRequest) -> World:
    return make(request.param)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def first(count: int) -> Tensor:
    return torch.arange(count)


# --- the same sample, whoever asks ---------------------------------------------------------


@pytest.mark.parametrize("together", [1, 7])
def test_a_picture_does_not_depend_on_its_batch(world: World, together: int) -> None:
    table = world.draw(first(40))

    apart = [world.render(some) for some in table.split(together)]

    assert torch.equal(torch.cat(apart), world.render(table))


@pytest.mark.usefixtures("threads")
def test_a_picture_does_not_depend_on_the_number_of_threads(world: World) -> None:
    table = world.draw(first(40))

    torch.set_num_threads(1)
    one = world.render(table)
    torch.set_num_threads(2)

    assert torch.equal(world.render(table), one)


def test_samples_can_be_drawn_in_any_order(world: World) -> None:
    table, backwards = world.draw(first(20)), world.draw(first(20).flip(0))

    assert torch.equal(backwards.flip(0), table)
    assert torch.equal(world.draw(torch.tensor([7])), table[7:8])
    assert torch.equal(world.render(backwards).flip(0), world.render(table))


@pytest.mark.parametrize("name", NAMES)
def test_sample_5_of_seed_0_is_not_sample_0_of_seed_5(name: str) -> None:
    ours, theirs = make(name, seed=0).draw(first(6)), make(name, seed=5).draw(first(6))

    assert not torch.equal(ours[5], theirs[0])
    assert not torch.equal(ours, theirs)


def test_held_out_samples_are_others(world: World) -> None:
    trained, kept = world.draw(first(1000)), world.draw(first(1000) + HELD_OUT)

    both = torch.cat([trained.unique(dim=0), kept.unique(dim=0)])
    assert len(both.unique(dim=0)) > 0.99 * len(both)


def test_a_table_on_the_cpu_is_rendered_whatever_the_default_device(world: World) -> None:
    table = world.draw(first(3))
    usual = world.render(table)

    with torch.device("meta"):
        pictures = world.render(table)

    assert torch.equal(pictures, usual)


@pytest.mark.gpu
def test_another_device_draws_nearly_the_same(world: World) -> None:
    """Rounding may move an edge by a little there: few pixels differ by much."""
    table = world.draw(first(200))

    there = world.render(table.to("cuda"))

    assert there.device.type == "cuda"
    differ = (there.cpu().int() - world.render(table).int()).abs() > 1
    assert differ.float().mean() < 0.005


# --- factors -------------------------------------------------------------------------------


def test_factors_fill_the_ranges_they_declare(world: World) -> None:
    table = torch.cat([world.draw(first(MANY)), world.draw(first(1000) + HELD_OUT)])
    drawn = split(table, world.factors)

    for factor in world.factors:
        values = drawn[factor.name]
        if factor.kind == "discrete":
            shares = torch.bincount(values.long(), minlength=len(factor.values))
            assert len(shares) == len(factor.values), factor.name
            if factor.scored:
                assert (shares * len(factor.values) / len(values) - 1).abs().max() < 0.1
        else:
            share = (values - factor.low) / (factor.high - factor.low)
            # A float32 may round the highest draw up to the end of its range.
            assert -1e-6 <= share.min() < 0.03, factor.name
            assert 0.97 < share.max() <= 1 + 1e-6, factor.name


def test_scored_factors_are_independent(world: World) -> None:
    drawn = split(world.draw(first(MANY)), world.factors)

    rows = torch.stack([drawn[factor.name] for factor in world.factors if factor.scored])
    if len(rows) > 1:
        assert (rows.corrcoef() - torch.eye(len(rows))).abs().max() < 0.02


def test_every_factor_changes_the_picture(world: World) -> None:
    table = world.draw(first(48))
    before = world.render(table).float()

    for place, factor in enumerate(world.factors):
        if world.name == StackedStrokes.name and "image" not in factor.name:
            continue  # the pictures are those of the images; the digits say what is on them
        moved = table.clone()
        moved[:, place] = _elsewhere(factor, table[:, place])
        change = (world.render(moved).float() - before).abs().mean() / 255
        assert change > 0.002, factor.name


def _elsewhere(factor: Factor, column: Tensor) -> Tensor:
    """Return other values: the next one, or half the range further."""
    if factor.kind == "discrete":
        return (column + len(factor.values) // 2) % len(factor.values)
    span = factor.high - factor.low
    return factor.low + (column - factor.low + span / 2) % span


def test_one_factor_is_the_label(world: World) -> None:
    place = world.column(world.label)
    factors = world.draw(first(30))[:, place]

    data = dataset(world, 30, 5, None)

    labels = data.batch(first(30)).labels
    assert labels is not None
    assert torch.equal(labels, factors.long())
    assert data.classes == world.factors[place].values


# --- pictures ------------------------------------------------------------------------------


def test_pictures_are_bytes_of_the_shape_they_declare(world: World) -> None:
    pictures = world.render(world.draw(first(5)))

    assert pictures.shape == (5, *world.sample_shape)
    assert pictures.dtype == torch.uint8
    assert pictures.float().std() > 10


def test_a_table_of_no_rows_gives_no_pictures(world: World) -> None:
    assert world.render(world.draw(first(0))).shape == (0, *world.sample_shape)


def test_no_world_bears_the_name_of_a_real_set(world: World) -> None:
    for text in (world.name, world.notice):
        assert "synthetic" in text
        assert not any(real in text for real in ("MNIST", "SVHN", "dSprites"))


# --- a factor that labels can't teach can't be asked of a code ------------------------------

ORDERED = {"scale", "x", "y"}
"""Discrete factors whose neighbouring values look alike: judged by how far off a guess is."""


def _network(shape: tuple[int, int, int], outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    before, size = shape[0], shape[-1]
    while size > 4:
        width = min(before * 2, 128) if layers else 32
        for inputs, stride in ((before, 2), (width, 1)):
            layers += [nn.Conv2d(inputs, width, 3, stride, 1), nn.BatchNorm2d(width), nn.ReLU()]
        before, size = width, (size + 1) // 2
    flat = before * size * size
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(flat, 256), nn.ReLU(), nn.Linear(256, outputs)
    )


def _widths(factors: list[Factor]) -> list[int]:
    return [max(len(factor.values), 1) for factor in factors]


def _shown(world: World, indices: Tensor, factors: list[Factor]) -> tuple[Tensor, list[Tensor]]:
    """Return pictures in -1 … 1, and the factors: indices, or numbers in -1 … 1."""
    table = world.draw(indices)
    known = split(table, world.factors)
    truth = [
        known[f.name].long() if f.values else 2 * (known[f.name] - f.low) / (f.high - f.low) - 1
        for f in factors
    ]
    return world.render(table).float() / 127.5 - 1, truth


def _taught(world: World, factors: list[Factor], count: int, steps: int) -> nn.Module:
    pictures, truth = _shown(world, first(count), factors)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _network(world.sample_shape, sum(_widths(factors)))
        optimiser = torch.optim.AdamW(network.parameters(), weight_decay=0.05)
        schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, 3e-3, steps)
        for _ in range(steps):
            some = torch.randint(count, (64,))
            answers = network(pictures[some]).split(_widths(factors), dim=1)
            losses = [
                cross_entropy(answer, right[some])
                if factor.values
                else 4 * mse_loss(answer[:, 0], right[some].float())
                for factor, answer, right in zip(factors, answers, truth, strict=True)
            ]
            optimiser.zero_grad()
            torch.stack(losses).sum().backward()
            optimiser.step()
            schedule.step()
    return network.eval()


def _skill(factor: Factor, answer: Tensor, right: Tensor) -> float:
    """Return the accuracy of a discrete factor, or the R2 of one with an order."""
    if factor.values and factor.name not in ORDERED:
        return float((answer.argmax(dim=1) == right).double().mean())
    guess = answer.argmax(dim=1) if factor.values else answer[:, 0]
    return float(1 - (guess - right).square().double().mean() / right.double().var())


@pytest.mark.slow
@pytest.mark.parametrize("name", ["strokes", "house numbers", "sprites"])
def test_labels_teach_a_small_network_every_scored_factor(name: str) -> None:
    world = make(name)
    factors = [factor for factor in world.factors if factor.scored]
    network = _taught(world, factors, 5_000, 2_000)

    pictures, truth = _shown(world, first(2_000) + HELD_OUT, factors)
    with torch.no_grad():
        answers = network(pictures).split(_widths(factors), dim=1)

    for factor, answer, right in zip(factors, answers, truth, strict=True):
        # Squares and ellipses repeat: only orientations of hearts could be known for sure.
        least = 0.1 if factor.name == "orientation" else 0.95
        assert _skill(factor, answer, right) >= least, factor.name
