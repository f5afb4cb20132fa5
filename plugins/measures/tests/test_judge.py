"""What all that learn of real data do when there is hardly any."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from gan_toolkit import ArrayDataset, Measure
from gan_toolkit.testing.views import MemoryView
from gantk_measures.controllability import Controllability
from gantk_measures.explained import Explained
from gantk_measures.generated_clustering import GeneratedClustering
from gantk_measures.judge import too_few
from gantk_measures.mode_coverage import ModeCoverage


def part(world: Any, count: int) -> ArrayDataset:
    batch = world.data.batch(torch.arange(count))
    return ArrayDataset(
        "few",
        "synthetic",
        batch.samples,
        batch.factors[:, 2].long(),
        factors=batch.factors,
        descriptions=world.data.factors,
    )


def test_a_hundred_samples_are_enough(world: Any) -> None:
    assert too_few(part(world, 100)) == ""
    assert too_few(part(world, 99)) == "99 real samples; at least 100 are needed"


@pytest.mark.parametrize("count", [1, 2, 10])
def test_what_learns_from_a_few_samples_is_void(count: int, world: Any) -> None:
    data, codes = part(world, count), ["turn", "level", "shape"]
    view = MemoryView(world.space, data, world.obedient)
    measures: list[Measure] = [
        Explained(world.space, data, factors=[], codes=codes),
        Controllability(world.space, data, factors=[], codes=codes),
        GeneratedClustering(world.space, codes=["shape"]),
        ModeCoverage(data, factors=["dot"]),
    ]

    for measure in measures:
        (score,) = measure.measure(view)
        assert score.void == f"{count} real samples; at least 100 are needed"
