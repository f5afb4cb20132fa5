from __future__ import annotations

from collections.abc import Iterator
from math import tau

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy, mse_loss

from gantk_worlds import chairs
from gantk_worlds.chair_parts import BACKS, LEGS
from gantk_worlds.chairs import ChairWorld
from gantk_worlds.options import Elevations
from gantk_worlds.rasteriser import RADIUS
from gantk_worlds.world import HELD_OUT, split

MANY = 80_000
"""Draws enough that chance correlations stay below 0.02 (5 standard errors)."""


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def first(count: int) -> Tensor:
    return torch.arange(count)


def columns(world: ChairWorld, indices: Tensor) -> dict[str, Tensor]:
    return split(world.draw(indices), world.factors)


# --- the same sample, whoever asks ---------------------------------------------------------


@pytest.mark.parametrize("size", [32, 64])
@pytest.mark.parametrize("together", [1, 7, 16])
def test_a_picture_does_not_depend_on_its_batch(
    size: int, together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = ChairWorld(size)
    table = world.draw(first(48))
    whole = world.render(table)

    monkeypatch.setattr(chairs, "_AT_ONCE", together)

    assert torch.equal(world.render(table), whole)


@pytest.mark.usefixtures("threads")
def test_a_picture_does_not_depend_on_the_number_of_threads() -> None:
    world = ChairWorld(64)
    table = world.draw(first(16))

    torch.set_num_threads(1)
    one = world.render(table)
    torch.set_num_threads(2)

    assert torch.equal(world.render(table), one)


@pytest.mark.parametrize("elevations", ["two", "continuous"])
def test_all_is_made_on_the_device_of_the_table(elevations: Elevations) -> None:
    """A tensor made without saying where would land on the meta device, and meeting it fails."""
    world = ChairWorld(16, elevations=elevations)
    table = world.draw(first(96))
    expected = world.render(table)

    with torch.device("meta"):
        drawn = world.render(table)

    assert torch.equal(drawn, expected)


def test_samples_can_be_drawn_in_any_order() -> None:
    world = ChairWorld(32)
    backwards = first(20).flip(0)

    table, reverse = world.draw(first(20)), world.draw(backwards)

    assert torch.equal(reverse.flip(0), table)
    assert torch.equal(world.draw(torch.tensor([7])), table[7:8])
    assert torch.equal(world.render(reverse).flip(0), world.render(table))


def test_sample_5_of_seed_0_is_not_sample_0_of_seed_5() -> None:
    ours, theirs = ChairWorld(seed=0).draw(first(6)), ChairWorld(seed=5).draw(first(6))

    assert not torch.isclose(ours[5], theirs[0]).all()
    assert not torch.equal(ours, theirs)


def test_held_out_samples_are_others() -> None:
    world = ChairWorld(32)

    trained, kept = world.draw(first(1000)), world.draw(first(1000) + HELD_OUT)

    assert not torch.isin(kept[:, 2], trained[:, 2]).any()


def test_how_one_factor_is_drawn_leaves_the_others_as_they_were() -> None:
    usual, other = ChairWorld(64), ChairWorld(32, azimuths="31", elevations="continuous")

    ours, theirs = columns(usual, first(50)), columns(other, first(50))

    changed = {name for name in ours if not torch.equal(ours[name], theirs[name])}
    assert changed == {"azimuth", "elevation"}


# --- factors -------------------------------------------------------------------------------


@pytest.mark.parametrize("elevations", ["two", "continuous"])
def test_factors_fill_the_ranges_they_declare(elevations: Elevations) -> None:
    world = ChairWorld(32, elevations=elevations)

    drawn = columns(world, first(MANY))

    for factor in world.factors:
        values = drawn[factor.name]
        if factor.kind == "discrete":
            shares = torch.bincount(values.long(), minlength=len(factor.values)) / MANY
            assert (shares * len(factor.values) - 1).abs().max() < 0.05, factor.name
        else:
            share = (values - factor.low) / (factor.high - factor.low)
            # A float32 may round the highest draw up to the end of its range.
            assert 0 <= share.min() < 0.001 < 0.999 < share.max() <= 1 + 1e-6, factor.name
            assert abs(share.mean() - 0.5) < 0.01, factor.name


def test_scored_factors_are_independent() -> None:
    world = ChairWorld(32)

    drawn = columns(world, first(MANY))
    azimuth = drawn.pop("azimuth")
    rows = torch.stack([azimuth.cos(), azimuth.sin(), *drawn.values()])

    correlation = rows.corrcoef() - torch.eye(len(rows))
    assert correlation.abs().max() < 0.02


def test_every_factor_changes_the_picture() -> None:
    world = ChairWorld(64)
    table = world.draw(first(24))
    before = world.render(table).float()

    for place, factor in enumerate(world.factors):
        moved = table.clone()
        column = moved[:, place]
        if factor.kind == "discrete":
            moved[:, place] = (column + 1) % len(factor.values)
        else:
            span = factor.high - factor.low
            moved[:, place] = factor.low + (column - factor.low + span / 2) % span
        change = (world.render(moved).float() - before).abs().mean() / 255
        assert change > 0.003, factor.name


def test_azimuths_can_be_the_31_of_the_real_set() -> None:
    azimuth = columns(ChairWorld(azimuths="31"), first(2000))["azimuth"]

    turns = azimuth * 31 / tau
    assert torch.allclose(turns, turns.round(), atol=1e-5)
    assert turns.round().unique().tolist() == list(range(31))


def test_models_are_shown_in_many_poses_and_widths() -> None:
    world = ChairWorld(models=5)
    drawn = columns(world, first(500))
    designs = torch.stack([drawn[name] for name in drawn if name not in FREE], dim=1)

    assert len(designs.unique(dim=0)) == 5
    assert drawn["model"].unique().tolist() == [0, 1, 2, 3, 4]
    assert len(drawn["azimuth"].unique()) == len(drawn["width"].unique()) == 500
    assert [f.name for f in world.factors if f.scored] == ["azimuth", "elevation", "width", "model"]


def test_a_model_keeps_its_width_if_width_is_not_free() -> None:
    world = ChairWorld(models=5, free_width=False)
    drawn = columns(world, first(500))

    widths = {(int(m), float(w)) for m, w in zip(drawn["model"], drawn["width"], strict=True)}
    assert len(widths) == 5
    assert [f.name for f in world.factors if f.scored] == ["azimuth", "elevation", "model"]


FREE = ("azimuth", "elevation", "width", "model")


def test_what_can_hardly_be_seen_is_not_scored() -> None:
    nuisances = {factor.name for factor in ChairWorld().factors if not factor.scored}

    assert nuisances == {"depth", "seat_height", "thickness", "recline"}


# --- pictures ------------------------------------------------------------------------------


def test_pictures_are_grey_chairs_on_white() -> None:
    pictures = ChairWorld(32).render(ChairWorld(32).draw(first(96)))

    assert pictures.shape == (96, 1, 32, 32)
    assert pictures.dtype == torch.uint8
    covered = (pictures < 255).float().mean(dim=(1, 2, 3))
    assert covered.min() > 0.05
    assert covered.max() < 0.6


def extremes(world: ChairWorld) -> Tensor:
    """Every back and kind of legs with every proportion at either end."""
    table = world.draw(first(len(BACKS) * len(LEGS) * 64))
    numbers = torch.arange(len(table))
    proportions = [f for f in world.factors if f.kind == "continuous" and "tone" not in f.name]
    for bit, factor in enumerate(proportions):
        high = (numbers >> bit) % 2 == 1
        table[:, world.column(factor.name)] = torch.where(high, factor.high, factor.low)
    table[:, world.column("back")] = ((numbers >> 6) % len(BACKS)).float()
    table[:, world.column("legs")] = ((numbers >> 6) // len(BACKS)).float()
    return table


def test_the_largest_chair_fits_the_sphere_that_is_seen() -> None:
    world = ChairWorld(32)
    table = extremes(world)

    mesh = chairs.build(split(table, world.factors), world.degrees(table))

    largest = mesh.corners.norm(dim=-1).max()
    assert largest < RADIUS
    assert largest > 0.9 * RADIUS, "room is wasted"


def test_no_chair_touches_the_border() -> None:
    world = ChairWorld(32)
    table = extremes(world)[::13]
    for azimuth in (0.6, 2.5):
        table[:, world.column("azimuth")] = azimuth

        pictures = world.render(table)

        border = [pictures[..., 0], pictures[..., -1], pictures[..., 0, :], pictures[..., -1, :]]
        assert all((edge == 255).all() for edge in border)


def test_a_full_turn_comes_back_to_the_same_picture() -> None:
    world = ChairWorld(64)
    table = world.draw(first(1)).repeat(3, 1)
    table[:, 0] = torch.tensor([0.0, tau, tau / 2])

    start, end, behind = world.render(table).float()

    assert (start - end).abs().mean() < 0.1
    assert (start - behind).abs().mean() > 3


def test_a_table_of_no_rows_gives_no_pictures() -> None:
    world = ChairWorld(32)

    assert world.render(world.draw(first(0))).shape == (0, 1, 32, 32)


# --- a factor that labels can't teach can't be asked of a code ------------------------------


def _small_network(outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((1, 32), (32, 64), (64, 128), (128, 128)):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(512, 256), nn.ReLU(), nn.Linear(256, outputs)
    )


def _taught(world: ChairWorld, count: int, steps: int) -> nn.Module:
    pictures = world.render(world.draw(first(count))).float() / 127.5 - 1
    known = columns(world, first(count))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _small_network(2 + 1 + len(LEGS) + len(BACKS))
        optimiser = torch.optim.AdamW(network.parameters(), 1e-3)
        for step in range(steps):
            if step == steps * 3 // 4:
                optimiser.param_groups[0]["lr"] = 1e-4
            some = torch.randint(count, (64,))
            optimiser.zero_grad()
            truth = {name: column[some] for name, column in known.items()}
            _loss(network(pictures[some]), truth).backward()
            optimiser.step()
    return network.eval()


@pytest.mark.slow
def test_labels_teach_a_small_network_pose_style_and_width() -> None:
    world, asked = ChairWorld(32), first(1_000) + HELD_OUT
    network = _taught(world, 12_000, 1_700)

    truth = columns(world, asked)
    with torch.no_grad():
        answer = network(world.render(world.draw(asked)).float() / 127.5 - 1)

    pose, width, legs, back = answer.split([2, 1, len(LEGS), len(BACKS)], dim=1)
    error = torch.atan2(pose[:, 1], pose[:, 0]) - truth["azimuth"]
    assert torch.atan2(error.sin(), error.cos()).abs().median() < 0.17  # 10 degrees
    assert torch.corrcoef(torch.stack([width[:, 0].double(), truth["width"]]))[0, 1] > 0.7
    assert (legs.argmax(1) == truth["legs"]).float().mean() > 0.9
    assert (back.argmax(1) == truth["back"]).float().mean() > 0.7


def _loss(answer: Tensor, truth: dict[str, Tensor]) -> Tensor:
    pose, width, legs, back = answer.split([2, 1, len(LEGS), len(BACKS)], dim=1)
    azimuth = truth["azimuth"].float()
    return (
        mse_loss(pose, torch.stack([azimuth.cos(), azimuth.sin()], dim=1))
        + 4 * mse_loss(width[:, 0], truth["width"].float())
        + cross_entropy(legs, truth["legs"].long())
        + cross_entropy(back, truth["back"].long())
    )
