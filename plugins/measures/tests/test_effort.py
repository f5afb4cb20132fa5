from __future__ import annotations

import pytest
import torch

from gan_toolkit import ArrayDataset, LatentSpace
from gan_toolkit.testing.views import Choice, MemoryView
from gantk_measures.bound import Bound
from gantk_measures.effort import samples_for, steps_for, trees_for
from gantk_measures.modes import SAMPLES


@pytest.mark.parametrize(
    ("effort", "count"), [("fast", 2_000), ("default", 10_000), ("full", 50_000)]
)
def test_effort_counts_where_nobody_says_how_many(effort, count):
    view = view_of(effort)

    assert samples_for(view, None, SAMPLES) == count
    assert samples_for(view, 123, SAMPLES) == 123


def test_a_measure_follows_it():
    (score, _) = Bound().measure(view_of("fast"))

    assert score.count == 2_000


def view_of(effort):
    data = ArrayDataset("points", "synthetic", torch.zeros(4, 2))
    space = LatentSpace({"code": Choice(4)})
    return MemoryView(
        space,
        data,
        generate=lambda latent: latent,
        infer=lambda samples: {"code": samples * 5},
        inferable=["code"],
        effort=effort,
    )


def test_probes_and_models_take_less_when_a_look_will_do() -> None:
    looks = {effort: view_of(effort) for effort in ("fast", "default", "full")}

    assert [steps_for(one, None) for one in looks.values()] == [400, 1_200, 2_400]
    assert steps_for(looks["fast"], 50) == 50
    assert [trees_for(one) for one in looks.values()] == [30, 100, 100]
