"""What is written of latents can be read back."""

from __future__ import annotations

import math

import torch

from gan_toolkit import LatentSpace
from gan_toolkit.testing.conformance import TinyCode, TinyNoise, model_of_images
from gan_toolkit.testing.views import Choice, Turn
from gantk_exporters.columns import latent_facts, table_of


def test_values_by_hand() -> None:
    """A category by its index, an angle in radians, all else as it is."""
    space = LatentSpace(
        {"noise": TinyNoise(2), "side": [Choice(3)] * 2, "turn": Turn(), "bit": TinyCode()}
    )
    latent = torch.tensor([[0.5, -2.0, 0, 0, 1, 1, 0, 0, 0, -1, 1]])

    names, values = table_of(space, latent)

    assert names == ["noise[0]", "noise[1]", "side.0", "side.1", "turn", "bit"]
    assert values.tolist() == [[0.5, -2.0, 2, 0, -math.pi / 2, 1]]


def test_a_row_of_values_sets_the_same_latent() -> None:
    space = model_of_images().latents
    latent = space.sample(20, torch.Generator().manual_seed(0))

    names, values = table_of(space, latent)

    for row, due in zip(values.tolist(), latent, strict=True):
        codes = dict(zip(names, row, strict=True))
        found = space.assign(torch.zeros(1, space.width), codes | {"coin": int(codes["coin"])})
        torch.testing.assert_close(found[0], due)


def test_facts_say_where_a_latent_lies_and_how_it_is_drawn() -> None:
    facts = latent_facts(model_of_images(), values=True)

    assert {name: fact["columns"] for name, fact in facts.items()} == {
        "noise": [0, 1],
        "coin": [1, 3],
        "level": [3, 4],
        "turn": [4, 6],
    }
    assert [fact["kind"] for fact in facts.values()] == ["number", "category", "number", "angle"]
    assert [name for name, fact in facts.items() if fact["code"]] == ["coin", "level"]
    assert facts["coin"]["drawn"] == {"use": "tiny_coin@1"}
    assert facts["coin"]["values"] == [
        {"label": "0", "row": [1.0, 0.0], "trained": True},
        {"label": "1", "row": [0.0, 1.0], "trained": True},
    ]
    assert [value["trained"] for value in facts["level"]["values"]].count(False) == 6


def test_members_of_a_group_are_drawn_as_its_table_says() -> None:
    model = model_of_images()
    model.latents = LatentSpace({"noise": TinyNoise(2), "side": [Choice(3)] * 2})
    model.recipe = {"latents": {"side": {"use": "choice@1"}}}

    facts = latent_facts(model, values=True)

    assert facts["side.1"]["drawn"] == {"use": "choice@1"}
    assert facts["noise"] == {
        "columns": [0, 2], "kind": "number", "code": False, "drawn": {}, "values": [],
    }  # fmt: skip
