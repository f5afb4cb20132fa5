from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit.interfaces import Latent, device_of
from gan_toolkit.latents import LatentSpace


class Level(Latent):
    """A latent whose values show where they came from: `size` columns of one drawn number."""

    def __init__(self, size: int) -> None:
        self.width = size

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        drawn = torch.rand(count, 1, device=device_of(rng), generator=rng)
        return drawn.expand(count, self.width)

    def encode(self, value: Any) -> Tensor:
        if not isinstance(value, float):
            raise ValueError(f"{value!r} is not a level")
        return torch.full((self.width,), value)


def space() -> LatentSpace:
    return LatentSpace({"noise": Level(3), "part": [Level(1), Level(2)], "end": Level(1)})


def rng() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_latents_lie_side_by_side_in_the_order_they_were_given() -> None:
    latents = space()

    assert list(latents) == ["noise", "part.0", "part.1", "end"]
    assert latents.width == 7
    assert [latents.columns(name) for name in latents] == [
        slice(0, 3),
        slice(3, 4),
        slice(4, 6),
        slice(6, 7),
    ]


def test_sample_draws_every_latent_anew_and_split_gives_them_back() -> None:
    latents = space()

    drawn = latents.sample(5, rng())
    parts = latents.split(drawn)

    assert drawn.shape == (5, 7)
    assert {name: part.shape[1] for name, part in parts.items()} == {
        "noise": 3,
        "part.0": 1,
        "part.1": 2,
        "end": 1,
    }
    assert torch.equal(torch.cat(list(parts.values()), dim=1), drawn)
    assert not torch.equal(parts["part.0"], parts["part.1"][:, :1])


def test_same_generator_state_same_draw() -> None:
    latents = space()

    assert torch.equal(latents.sample(5, rng()), latents.sample(5, rng()))
    assert not torch.equal(latents.sample(5, rng()), latents.sample(5, rng().manual_seed(1)))


def test_assign_sets_a_copy_and_touches_no_other_column() -> None:
    latents = space()
    drawn = latents.sample(5, rng())
    before = drawn.clone()

    changed = latents.assign(drawn, {"part.1": 0.25})

    assert torch.equal(drawn, before)
    assert torch.equal(changed[:, 4:6], torch.full((5, 2), 0.25))
    assert torch.equal(changed[:, :4], drawn[:, :4])
    assert torch.equal(changed[:, 6:], drawn[:, 6:])


def test_a_group_takes_one_value_for_all_or_a_list_with_one_each() -> None:
    latents = space()
    zeros = torch.zeros(1, 7)

    assert latents.assign(zeros, {"part": 0.5})[0].tolist() == [0, 0, 0, 0.5, 0.5, 0.5, 0]
    assert latents.assign(zeros, {"part": [0.1, 0.5]})[0, 3:6].tolist() == pytest.approx(
        [0.1, 0.5, 0.5]
    )


def test_assign_refuses_what_a_latent_can_not_take() -> None:
    with pytest.raises(ValueError, match="'much' is not a level"):
        space().assign(torch.zeros(1, 7), {"end": "much"})


def test_group_gives_members_and_members_give_themselves() -> None:
    latents = space()

    assert latents.group("part") == ("part.0", "part.1")
    assert latents.group("part.1") == ("part.1",)
    assert latents.group("end") == ("end",)


@pytest.mark.parametrize("name", ["prat", "part.2", "part.x", ""])
def test_unknown_names_are_refused_with_what_is_known(name: str) -> None:
    with pytest.raises(ValueError, match="known: noise, part, end"):
        space().group(name)


def test_a_near_miss_names_the_nearest() -> None:
    with pytest.raises(ValueError, match="did you mean 'part'"):
        space().group("prat")


@pytest.mark.parametrize("latents", [{}, {"part": []}])
def test_a_space_without_latents_is_refused(latents: dict[str, list[Latent]]) -> None:
    with pytest.raises(ValueError, match="at least one"):
        LatentSpace(latents)


def test_it_is_a_mapping_of_latents() -> None:
    latents = space()

    assert len(latents) == 4
    assert latents["part.1"].width == 2
    assert "part.1" in latents
    assert "part" not in latents
