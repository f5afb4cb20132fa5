"""What holds for both worlds of heads."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor

from gantk_worlds.colour_heads import ColourHeadWorld
from gantk_worlds.faces import FaceWorld
from gantk_worlds.heads import IDENTITY, LIMIT
from gantk_worlds.world import HELD_OUT, split

HeadWorld = type[FaceWorld] | type[ColourHeadWorld]

MANY = 80_000
"""Draws enough that chance correlations stay below 0.02 (5 standard errors)."""

both = pytest.mark.parametrize("kind", [FaceWorld, ColourHeadWorld], ids=lambda kind: kind.name)


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def first(count: int) -> Tensor:
    return torch.arange(count)


# --- the same sample, whoever asks ---------------------------------------------------------


@both
@pytest.mark.parametrize("together", [1, 7])
def test_a_picture_does_not_depend_on_its_batch(
    kind: HeadWorld, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = kind(32)
    table = world.draw(first(30))
    monkeypatch.setattr(sys.modules[kind.__module__], "_AT_ONCE", 30)
    whole = world.render(table)

    monkeypatch.setattr(sys.modules[kind.__module__], "_AT_ONCE", together)

    assert torch.equal(world.render(table), whole)


@both
@pytest.mark.usefixtures("threads")
def test_a_picture_does_not_depend_on_the_number_of_threads(kind: HeadWorld) -> None:
    world = kind(64)
    table = world.draw(first(16))

    torch.set_num_threads(1)
    one = world.render(table)
    torch.set_num_threads(2)

    assert torch.equal(world.render(table), one)


@both
def test_samples_can_be_drawn_in_any_order(kind: HeadWorld) -> None:
    world = kind(16)

    table, reverse = world.draw(first(20)), world.draw(first(20).flip(0))

    assert torch.equal(reverse.flip(0), table)
    assert torch.equal(world.draw(torch.tensor([7])), table[7:8])
    assert torch.equal(world.render(reverse).flip(0), world.render(table))


@both
def test_all_is_made_on_the_device_of_the_table(kind: HeadWorld) -> None:
    """A tensor made without saying where would land on the meta device, and meeting it fails."""
    world = kind(16)
    table = world.draw(first(24))
    expected = world.render(table)

    with torch.device("meta"):
        drawn = world.render(table)

    assert torch.equal(drawn, expected)


@both
def test_sample_5_of_seed_0_is_not_sample_0_of_seed_5(kind: HeadWorld) -> None:
    ours, theirs = kind(seed=0).draw(first(6)), kind(seed=5).draw(first(6))

    assert not torch.isclose(ours[5], theirs[0])[:4].all()
    assert not torch.equal(ours, theirs)


@both
def test_held_out_samples_are_others(kind: HeadWorld) -> None:
    trained, kept = kind().draw(first(1000)), kind().draw(first(1000) + HELD_OUT)

    assert not torch.isin(kept[:, 0], trained[:, 0]).any()


@both
def test_a_table_of_no_rows_gives_no_pictures(kind: HeadWorld) -> None:
    world = kind(32)

    assert world.render(world.draw(first(0))).shape == (0, *world.sample_shape)


# --- factors -------------------------------------------------------------------------------


@both
def test_factors_fill_the_ranges_they_declare(kind: HeadWorld) -> None:
    world = kind()

    drawn = split(world.draw(first(MANY)), world.factors)

    for factor in world.factors:
        values = drawn[factor.name]
        if factor in IDENTITY:
            assert values.abs().max() == LIMIT
            assert abs(values.mean()) < 0.02
            assert abs(values.std() - 1) < 0.02
        elif factor.kind == "discrete":
            shares = torch.bincount(values.long(), minlength=len(factor.values)) / MANY
            assert (shares * len(factor.values) - 1).abs().max() < 0.05, factor.name
        else:
            share = (values - factor.low) / (factor.high - factor.low)
            # A float32 may round the highest draw up to the end of its range.
            assert -1e-6 <= share.min() < 0.001 < 0.999 < share.max() <= 1 + 1e-6, factor.name
            assert abs(share.mean() - 0.5) < 0.01, factor.name


@both
def test_factors_are_independent(kind: HeadWorld) -> None:
    drawn = kind().draw(first(MANY)).T.double()

    correlation = drawn.corrcoef() - torch.eye(len(drawn))

    assert correlation.abs().max() < 0.02


@both
def test_every_factor_changes_the_picture(kind: HeadWorld) -> None:
    world = kind(32)
    table = world.draw(first(6))
    before = world.render(table).float()

    for place, factor in enumerate(world.factors):
        moved = table.clone()
        column = moved[:, place]
        if factor.kind == "discrete":
            moved[:, place] = (column + 1) % len(factor.values)
        else:
            span = factor.high - factor.low
            moved[:, place] = factor.low + (column - factor.low + span / 2) % span
        difference = (world.render(moved).float() - before).abs().mean()
        assert difference > (0.01 if factor.name == "iris_colour" else 0.3), factor.name


@both
def test_identity_is_known_and_not_scored(kind: HeadWorld) -> None:
    factors = kind().factors

    assert factors[-len(IDENTITY) :] == IDENTITY
    assert not any(factor.scored for factor in IDENTITY)


# --- pictures ------------------------------------------------------------------------------


@both
def test_people_differ(kind: HeadWorld) -> None:
    world = kind(32)
    table = world.draw(torch.zeros(12, dtype=torch.int64))
    table[:, -len(IDENTITY) :] = world.draw(first(12))[:, -len(IDENTITY) :]

    pictures = world.render(table).flatten(1).float()

    apart = (pictures[:, None] - pictures).abs().mean(dim=2) + 100 * torch.eye(12)
    assert apart.min() > 2


@both
def test_a_head_is_seen_from_the_left_as_from_the_right(kind: HeadWorld) -> None:
    """The mesh, its paint and what it wears are symmetrical, up to rounding."""
    world = kind(64)
    table = world.draw(torch.tensor([3]))
    for name in ("light_azimuth", "ground_angle"):
        if any(factor.name == name for factor in world.factors):
            table[:, world.column(name)] = 0.0
    if kind is ColourHeadWorld:
        for channel in ("hue", "brightness"):
            first_end = table[:, world.column(f"ground_1_{channel}")]
            table[:, world.column(f"ground_2_{channel}")] = first_end
    table = table.repeat(2, 1)
    table[:, 0] = torch.tensor([0.5, -0.5])

    left, right = world.render(table).float()

    assert (left.flip(-1) - right).abs().mean() < 1.5
    assert (left - right).abs().mean() > 8


@both
def test_the_name_says_that_nothing_is_real(kind: HeadWorld) -> None:
    assert kind.name.endswith("-synthetic")
    assert "no real data" in kind.notice
    assert "CC0" in kind.notice
