from __future__ import annotations

from gan_toolkit.testing.conformance import RecipeConformance


class TestDialRing(RecipeConformance):
    changes = ("data.count=512", "run.batch_size=64")

    def recipe(self) -> str:
        return "example:dial_ring"

    def test_its_terms_read_the_dial_and_keep_samples_apart(self) -> None:
        engine = self.parts().engine

        assert "place" in engine.latents
        assert set(engine.regularisers) == {"information", "diversity"}
