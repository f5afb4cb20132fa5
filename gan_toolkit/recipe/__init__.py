"""Recipes: TOML that composes components, read strictly.

Names load on first use: a plugin that only wants `Options` does not pay for the reader.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from gan_toolkit.recipe.chosen import Chosen as Chosen
    from gan_toolkit.recipe.chosen import Recipe as Recipe
    from gan_toolkit.recipe.chosen import RunOptions as RunOptions
    from gan_toolkit.recipe.difference import difference as difference
    from gan_toolkit.recipe.finding import find_recipe as find_recipe
    from gan_toolkit.recipe.finding import list_recipes as list_recipes
    from gan_toolkit.recipe.loading import check_variants as check_variants
    from gan_toolkit.recipe.loading import load_recipe as load_recipe
    from gan_toolkit.recipe.loading import load_tables as load_tables
    from gan_toolkit.recipe.overrides import Override as Override

_HOME_OF = {
    "Chosen": "chosen",
    "Override": "overrides",
    "Recipe": "chosen",
    "RunOptions": "chosen",
    "check_variants": "loading",
    "difference": "difference",
    "find_recipe": "finding",
    "list_recipes": "finding",
    "load_recipe": "loading",
    "load_tables": "loading",
}

__all__ = sorted(_HOME_OF)


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{home}"), name)
