"""What every recipe that a plugin brings promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from gan_toolkit.assemble import Parts, assemble
from gan_toolkit.device import choose_device
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.testing.conformance.base import assert_same_next_step


class RecipeConformance(ABC):
    """What every recipe promises."""

    changes: Sequence[str] = ()
    """What makes it small enough to be tried, as after `--set`."""

    @abstractmethod
    def recipe(self) -> str:
        """Return its name, as `gantk run` takes it."""

    def host(self) -> PluginHost:
        """Return the plugins that offer it and what it uses: here, those that are installed."""
        return load_plugins()

    def parts(self) -> Parts:
        """Return all that a run of it is made of, on the CPU, fresh at every call."""
        host = self.host()
        recipe = load_recipe(self.recipe(), host, overrides=[Override(c) for c in self.changes])
        return assemble(recipe, host.registry, choose_device("cpu"))

    def test_it_assembles_and_takes_a_step(self) -> None:
        parts = self.parts()

        found = parts.engine.step(parts.batches.at(0).samples)

        wild = [name for name, value in found.items() if not value.isfinite()]
        assert not wild, f"after one step {', '.join(wild)} are not finite"

    def test_saved_and_loaded_it_takes_the_same_next_step(self) -> None:
        real = self.parts().batches.at(0).samples

        assert_same_next_step(lambda: self.parts().engine, real)
