"""The build hook: recipes enter the wheel as `gan_toolkit/recipes`.

An editable install has them beside the package already. hatchling's own force-include would copy
them there too, and the copy would be stale after the next edit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class Recipes(BuildHookInterface):  # type: ignore[type-arg]
    """Adds the recipes to a standard wheel."""

    PLUGIN_NAME = "custom"

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the files, and where they go; `version` is "standard" or "editable"."""
        if version == "standard":
            for recipe in sorted(Path(self.root, "recipes").glob("*.toml")):
                build_data["force_include"][str(recipe)] = f"gan_toolkit/recipes/{recipe.name}"
