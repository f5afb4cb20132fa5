from __future__ import annotations

from gan_toolkit import load_plugins, load_recipe
from gan_toolkit.assemble import Assembly, rehearse


def test_the_recipe_assembles_and_both_phases_run() -> None:
    host = load_plugins()
    recipe = load_recipe("example:dial_ring", host)
    assembly = Assembly(recipe, host.registry)

    engine = rehearse(assembly, assembly.data())

    assert recipe.latents["place"].component.plugin == "example"
    assert set(engine.regularisers) == {"information", "diversity"}
