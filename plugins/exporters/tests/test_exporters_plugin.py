from __future__ import annotations

from gan_toolkit.testing.conformance import PluginConformance


class TestConformance(PluginConformance):
    def module(self) -> str:
        return "gantk_exporters"
