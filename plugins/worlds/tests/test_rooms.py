from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from gan_toolkit import DataError
from gantk_worlds import rooms
from gantk_worlds.options import RoomsOptions
from gantk_worlds.rasteriser import EYE
from gantk_worlds.rooms import ALL, FACTORS, GRID, RoomWorld
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


def every_pose() -> Tensor:
    """The smallest and the largest of every solid from every side."""
    table = torch.zeros(2 * 4 * 15, len(GRID))
    number = torch.arange(len(table))
    table[:, 3], table[:, 4], table[:, 5] = number % 2 * 7, number // 2 % 4, number // 8
    return table


# --- the same sample, whoever asks ---------------------------------------------------------


@pytest.mark.parametrize("together", [1, 7])
def test_a_picture_does_not_depend_on_its_batch(
    together: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = RoomWorld(32)
    table = world.draw(first(24))
    whole = world.render(table)

    monkeypatch.setattr(rooms, "_AT_ONCE", together)

    assert torch.equal(world.render(table), whole)


@pytest.mark.usefixtures("threads")
def test_a_picture_does_not_depend_on_the_number_of_threads() -> None:
    world = RoomWorld(64)
    table = world.draw(first(16))

    torch.set_num_threads(1)
    one = world.render(table)
    torch.set_num_threads(2)

    assert torch.equal(world.render(table), one)


def test_all_is_made_on_the_device_of_the_table() -> None:
    """A tensor made without saying where would land on the meta device, and meeting it fails."""
    world = RoomWorld(16)
    table = world.draw(first(24))
    expected = world.render(table)

    with torch.device("meta"):
        drawn = world.render(table)

    assert torch.equal(drawn, expected)


def test_samples_can_be_drawn_in_any_order() -> None:
    world = RoomWorld(16)

    table, reverse = world.draw(first(20)), world.draw(first(20).flip(0))

    assert torch.equal(reverse.flip(0), table)
    assert torch.equal(world.draw(torch.tensor([7])), table[7:8])
    assert torch.equal(world.render(reverse).flip(0), world.render(table))


def test_sample_5_of_seed_0_is_not_sample_0_of_seed_5() -> None:
    ours, theirs = RoomWorld(seed=0).draw(first(50)), RoomWorld(seed=5).draw(first(50))

    assert not torch.equal(ours[5:], theirs[:-5])
    assert not torch.equal(ours, theirs)


# --- factors -------------------------------------------------------------------------------


def test_there_are_as_many_pictures_as_in_3dshapes() -> None:
    assert GRID == (10, 10, 10, 8, 4, 15)
    assert ALL == 480_000


def test_every_value_of_every_factor_is_drawn_as_often() -> None:
    drawn = split(RoomWorld().draw(first(MANY)), FACTORS)

    for factor in FACTORS:
        counts = torch.bincount(drawn[factor.name].long(), minlength=len(factor.values))
        shares = counts / MANY * len(factor.values)
        assert len(shares) == len(factor.values)
        assert (shares - 1).abs().max() < 0.07, factor.name


def test_factors_are_independent() -> None:
    rows = RoomWorld().draw(first(MANY)).T

    assert (rows.corrcoef() - torch.eye(len(rows))).abs().max() < 0.02


@pytest.mark.parametrize("place", range(len(FACTORS)), ids=[f.name for f in FACTORS])
def test_every_value_of_every_factor_gives_another_picture(place: int) -> None:
    world = RoomWorld(64)
    table = world.draw(torch.tensor([3])).repeat(GRID[place], 1)
    table[:, place] = torch.arange(GRID[place])

    pictures = world.render(table).float().flatten(1) / 255

    apart = torch.cdist(pictures, pictures, p=1) / pictures.shape[1]
    assert apart[~torch.eye(len(apart), dtype=torch.bool)].min() > 0.002


def test_all_others_keep_their_colour_when_a_hue_changes() -> None:
    """The lower left is floor, the upper middle is wall, the middle is the object."""
    world = RoomWorld(64)
    table = torch.tensor([[0.0, 3, 6, 7, 2, 7]]).repeat(4, 1)
    for row, column in enumerate(("floor_hue", "wall_hue", "object_hue")):
        table[row + 1, world.column(column)] += 2

    pictures = world.render(table)

    floor, wall, solid = pictures[:, :, 60, 3], pictures[:, :, 3, 32], pictures[:, :, 34, 32]
    changed = [
        (part != part[0]).any(dim=1).nonzero().flatten().tolist() for part in (floor, wall, solid)
    ]
    assert changed == [[1], [2], [3]]


# --- the grid ------------------------------------------------------------------------------


def test_the_grid_has_every_combination_once_and_orientation_changes_fastest() -> None:
    table = RoomWorld(grid=True).draw(first(ALL)).long()

    place = torch.zeros(ALL, dtype=torch.int64)
    for column, count in zip(table.unbind(1), GRID, strict=True):
        place = place * count + column
    assert torch.equal(place, first(ALL))


def test_held_out_samples_of_the_grid_are_drawn() -> None:
    asked = first(50) + HELD_OUT

    on_grid, drawn = RoomWorld(grid=True).draw(asked), RoomWorld().draw(asked)

    assert torch.equal(on_grid, drawn)


def build(folder: Path, **options: Any) -> Any:
    small: dict[str, Any] = {"size": 16, "held_out": 2, "cache": str(folder)}
    return rooms.rooms(**dict(RoomsOptions(**(small | options))))


def test_a_part_of_the_grid_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="480,000 pictures") as caught:
        build(tmp_path, grid=True, count=1000)

    assert "leave count out" in str(caught.value)


def test_the_data_set_bears_its_own_name(tmp_path: Path) -> None:
    data = build(tmp_path, count=4)

    assert (data.name, data.source, len(data)) == ("rooms-synthetic", "synthetic", 4)
    assert data.sample_shape == (3, 16, 16)
    assert [factor.name for factor in data.factors] == [factor.name for factor in FACTORS]
    assert "3DShapes" not in data.notice


def test_without_a_count_there_are_20_000_or_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []
    monkeypatch.setattr(rooms, "dataset", lambda world, count, *_: asked.append(count))

    build(tmp_path)
    build(tmp_path, grid=True)

    assert asked == [20_000, 480_000]


# --- pictures ------------------------------------------------------------------------------


def test_the_room_fills_the_picture() -> None:
    pictures = RoomWorld(32).render(every_pose())

    assert (pictures.amin(dim=1) < 255).all(), "white is seen past the walls"


def test_nothing_comes_near_the_eye_or_lies_too_far() -> None:
    mesh = rooms.build(split(every_pose(), FACTORS))

    distance = EYE - mesh.corners[..., 2]
    assert distance.min() > 0.5
    assert distance.max() < 8


def test_solids_stand_on_the_floor_and_are_whole_in_the_picture() -> None:
    table = every_pose()
    others = table.clone()
    others[:, 2] = 5

    changed = (RoomWorld(32).render(table) != RoomWorld(32).render(others)).any(dim=1)

    border = [changed[:, 0], changed[:, -1], changed[:, :, 0], changed[:, :, -1]]
    assert not torch.stack(border).any()
    lowest = torch.stack([solid()[..., 1].amin() for solid in rooms.SOLIDS.values()])
    torch.testing.assert_close(lowest, torch.zeros_like(lowest))


def test_a_table_of_no_rows_gives_no_pictures() -> None:
    world = RoomWorld(16)

    assert world.render(world.draw(first(0))).shape == (0, 3, 16, 16)


# --- a factor that labels can't teach can't be asked of a code ------------------------------


def _small_network(outputs: int) -> nn.Sequential:
    layers: list[nn.Module] = []
    for before, after in ((3, 24), (24, 48), (48, 96), (96, 128)):
        layers += [nn.Conv2d(before, after, 4, 2, 1), nn.BatchNorm2d(after), nn.ReLU()]
    return nn.Sequential(
        *layers, nn.Flatten(), nn.Linear(2048, 256), nn.ReLU(), nn.Linear(256, outputs)
    )


def _read(network: nn.Module, pictures: Tensor) -> tuple[Tensor, ...]:
    return network(pictures.float() / 127.5 - 1).split(GRID, dim=1)


def _taught(world: RoomWorld, count: int, steps: int) -> nn.Module:
    table = world.draw(first(count))
    pictures, truth = world.render(table), table.long()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = _small_network(sum(GRID))
        optimiser = torch.optim.AdamW(network.parameters(), 2e-3)
        schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, steps)
        for _ in range(steps):
            some = torch.randint(count, (64,))
            optimiser.zero_grad()
            answers = zip(_read(network, pictures[some]), truth[some].unbind(1), strict=True)
            sum(cross_entropy(*pair) for pair in answers).backward()
            optimiser.step()
            schedule.step()
    return network.eval()


@pytest.mark.slow
def test_labels_teach_a_small_network_every_factor() -> None:
    world = RoomWorld(64)
    network = _taught(world, 5_000, 900)

    asked = world.draw(first(1_000) + HELD_OUT)
    with torch.no_grad():
        answers = _read(network, world.render(asked))

    right = {
        factor.name: float((answer.argmax(1) == truth).float().mean())
        for factor, answer, truth in zip(FACTORS, answers, asked.long().unbind(1), strict=True)
    }
    assert min(right.values()) > 0.95, right
