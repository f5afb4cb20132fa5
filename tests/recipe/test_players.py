"""A recipe without an optimiser for a player is refused with a line, never a traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

import gan_toolkit
from gan_toolkit.errors import RecipeError
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"


@pytest.mark.parametrize("player", ["generator", "critic"])
def test_a_player_cannot_go_without_its_optimiser(player):
    switched_off = Override(f"optimisers.{player}.enabled=false")

    with pytest.raises(
        RecipeError, match=f"optimisers.{player}.enabled: a player can't go without"
    ):
        load_recipe(RING, load_plugins(environ={}), overrides=[switched_off])
