from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.ndimage import binary_fill_holes
from torch import Tensor

from gan_toolkit import Registry
from gantk_worlds import gantk_register
from gantk_worlds.colour_heads import ColourHeadWorld
from gantk_worlds.options import ColourHeadsOptions

BALD, SHORT, LONG = 0, 1, 2


def pictures(world: ColourHeadWorld, count: int = 12, **factors: float) -> Tensor:
    """Render the first samples with some factors set, as they are seen from the front."""
    table = world.draw(torch.arange(count))
    for name, value in {"azimuth": 0.0, **factors}.items():
        table[:, world.column(name)] = value
    return world.render(table).float()


def changed(one: Tensor, other: Tensor) -> Tensor:
    """Return which pixels (N, H, W) differ visibly."""
    return (one - other).abs().amax(dim=1) > 12


def test_the_scored_factors_are_those_that_the_paper_found_in_faces() -> None:
    scored = [factor.name for factor in ColourHeadWorld().factors if factor.scored]

    assert scored == ["azimuth", "glasses", "hair", "smile"]


def test_glasses_frame_both_eyes_of_everybody() -> None:
    world = ColourHeadWorld(64)

    frames = changed(pictures(world, glasses=0), pictures(world, glasses=1))

    left, right = frames[:, 15:36, :32], frames[:, 15:36, 32:]
    for half in (left, right):
        assert half.sum(dim=(1, 2)).min() > 25, "some rim lies inside a head"
    assert not frames[:, :12].any()
    assert not frames[:, 44:].any()


def test_a_smile_changes_the_lower_half_of_the_face_only() -> None:
    world = ColourHeadWorld(64)

    moved = changed(pictures(world, smile=0.0), pictures(world, smile=1.2))

    assert moved.sum(dim=(1, 2)).min() > 15
    assert not moved[:, :20].any()


def test_nothing_is_seen_through_a_mouth() -> None:
    """What no view shows was left out of the mesh: of an open mouth, views show the inside."""
    world = ColourHeadWorld(96)
    table = world.draw(torch.arange(48))
    table[:, world.column("smile")] = 1.2
    table[:, world.column("hair")] = BALD
    table[:, world.column("glasses")] = 0.0
    table[:, world.column("azimuth")] = torch.linspace(-0.8, 0.8, 48)
    table[:, [world.column(f"ground_{end}_hue") for end in (1, 2)]] = 0.0
    dark, bright = table.clone(), table.clone()
    for ground, brightness in ((dark, 0.15), (bright, 0.95)):
        ground[:, [world.column(f"ground_{end}_brightness") for end in (1, 2)]] = brightness

    difference = (world.render(dark).float() - world.render(bright).float()).abs().amax(dim=1)

    # Further down, the ground may show between chin and shoulder.
    for head in (difference[:, :84] < 4).numpy():
        assert head.any()
        assert np.array_equal(binary_fill_holes(head), head)


def test_a_wider_smile_moves_more() -> None:
    world = ColourHeadWorld(64)
    serious = pictures(world, smile=0.0)

    moved = [(pictures(world, smile=s) - serious).abs().mean() for s in (0.3, 0.6, 0.9, 1.2)]

    assert moved == sorted(moved)


def test_hair_covers_the_head_and_long_hair_more() -> None:
    world = ColourHeadWorld(64)
    bald = pictures(world, hair=BALD, hair_colour=2, skin=2.0)

    short, long = (
        changed(bald, pictures(world, hair=hair, hair_colour=2, skin=2.0)).sum(dim=(1, 2))
        for hair in (SHORT, LONG)
    )

    assert short.min() > 60
    assert (long > short + 60).all()


def test_no_hair_hangs_before_the_face() -> None:
    world = ColourHeadWorld(64)

    hanging = changed(pictures(world, hair=BALD), pictures(world, hair=LONG))

    assert not hanging[:, 24:48, 26:38].any()


def test_heads_of_all_sizes_are_in_the_picture() -> None:
    world = ColourHeadWorld(32)
    table = world.draw(torch.arange(60))
    bare = table.clone()
    for name in ("ground_1_hue", "ground_2_hue"):
        bare[:, world.column(name)] += 2.0
    for name in ("ground_1_brightness", "ground_2_brightness"):
        bare[:, world.column(name)] = 1.3 - bare[:, world.column(name)]

    ground = changed(world.render(table).float(), world.render(bare).float())

    covered = 1 - ground.float().mean(dim=(1, 2))
    assert covered.min() > 0.3
    assert covered.max() < 0.95


def test_the_component_gives_a_prepared_data_set(tmp_path: Path) -> None:
    registry = Registry()
    gantk_register(registry)
    options = ColourHeadsOptions(
        source="synthetic", size=16, count=4, held_out=2, cache=str(tmp_path)
    )

    data = registry.get("dataset", "colour_heads").load()(**dict(options), sibling=pytest.fail)

    kept = data.held_out()
    assert (data.name, data.source) == ("colour-heads-synthetic", "synthetic")
    assert (len(data), data.sample_shape) == (4, (3, 16, 16))
    assert kept is not None
    assert len(kept) == 2
    assert data.factors == ColourHeadWorld(16).factors
