"""The contract of each interface as a test class: subclass one, say what `make` makes, run pytest.

    class TestShape(LatentConformance):
        def make(self) -> Latent:
            return Shape(corners=5)

Every check here is one the engine, a measure or a checkpoint relies on. `gantk plugins check` runs
the same checks without pytest.
"""

from __future__ import annotations

from gan_toolkit.testing.conformance.base import Conformance, pretended_card
from gan_toolkit.testing.conformance.datasets import AugmentConformance, DatasetConformance
from gan_toolkit.testing.conformance.exporters import (
    ExporterConformance,
    model_of_images,
    model_of_points,
)
from gan_toolkit.testing.conformance.kinds import (
    CONTRACTS,
    checks_in,
    checks_of,
    conformance_of,
)
from gan_toolkit.testing.conformance.latents import LatentConformance
from gan_toolkit.testing.conformance.networks import CriticConformance, GeneratorConformance
from gan_toolkit.testing.conformance.objectives import ObjectiveConformance
from gan_toolkit.testing.conformance.plugins import PluginConformance
from gan_toolkit.testing.conformance.recipes import RecipeConformance
from gan_toolkit.testing.conformance.regularisers import PHASES, RegulariserConformance
from gan_toolkit.testing.conformance.scene import Scene, scene_of_images, scene_of_points
from gan_toolkit.testing.conformance.tiny import TinyCode, TinyCritic, TinyGenerator, TinyNoise
from gan_toolkit.testing.conformance.training import (
    AveragingConformance,
    OptimiserConformance,
    ScheduleConformance,
)
from gan_toolkit.testing.conformance.trial import options_of, untried
from gan_toolkit.testing.conformance.watching import (
    ComparisonConformance,
    MeasureConformance,
    PanelConformance,
    TrackerConformance,
)

__all__ = [
    "CONTRACTS",
    "PHASES",
    "AugmentConformance",
    "AveragingConformance",
    "ComparisonConformance",
    "Conformance",
    "CriticConformance",
    "DatasetConformance",
    "ExporterConformance",
    "GeneratorConformance",
    "LatentConformance",
    "MeasureConformance",
    "ObjectiveConformance",
    "OptimiserConformance",
    "PanelConformance",
    "PluginConformance",
    "RecipeConformance",
    "RegulariserConformance",
    "Scene",
    "ScheduleConformance",
    "TinyCode",
    "TinyCritic",
    "TinyGenerator",
    "TinyNoise",
    "TrackerConformance",
    "checks_in",
    "checks_of",
    "conformance_of",
    "model_of_images",
    "model_of_points",
    "options_of",
    "pretended_card",
    "scene_of_images",
    "scene_of_points",
    "untried",
]
