"""The first losses of two recipes, written down: what changes them, changes every result.

They follow from the mathematics, the first weights, the order of draws and the data; a change of
any of these that nobody meant shows here. After one that was meant, `python
tests/test_golden_losses.py` prints `GOLDEN` anew; put it in place of the old one, and say in the
commit what changed the numbers and why.

Other kernels (no vector instructions, two threads) move them by 3e-7 of their size at most.
"""

from __future__ import annotations

import sys

import pytest
import torch

from gan_toolkit.assemble import assemble
from gan_toolkit.device import Device
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import find_recipe, load_recipe

STEPS = 5
TOLERANCE = 1e-4
LOSSES = ("critic/loss", "generator/loss")

GOLDEN = {
    "infogan_ring": {
        "critic/loss": [1.38336, 1.36433, 1.34872, 1.33762, 1.32401],
        "generator/loss": [0.72917, 0.72175, 0.72087, 0.72163, 0.72470],
    },
    "infogan_digits": {
        "critic/loss": [1.41371, 1.40311, 1.40014, 1.39757, 1.39125],
        "generator/loss": [0.72390, 0.71889, 0.71381, 0.70942, 0.70395],
    },
}


def losses(name: str) -> dict[str, list[float]]:
    """Return both players' losses at each of the first steps: f32, one thread of the CPU."""
    host = load_plugins(environ={})
    recipe = load_recipe(find_recipe(name, host), host)
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        parts = assemble(recipe, host.registry, Device())
        steps = [parts.engine.step(parts.batches.at(step).samples) for step in range(STEPS)]
        return {loss: [metrics[loss].item() for metrics in steps] for loss in LOSSES}
    finally:
        torch.set_num_threads(threads)


@pytest.mark.parametrize("name", GOLDEN)
def test_the_first_losses_are_those_written_down(name):
    found = losses(name)

    for loss in LOSSES:
        assert found[loss] == pytest.approx(GOLDEN[name][loss], rel=TOLERANCE), loss


def table() -> str:
    """Return `GOLDEN` as it stands in this file, with the numbers of today."""
    lines = ["GOLDEN = {"]
    for name in GOLDEN:
        lines.append(f'    "{name}": {{')
        for loss, values in losses(name).items():
            lines.append(f'        "{loss}": [{", ".join(f"{value:.5f}" for value in values)}],')
        lines.append("    },")
    return "\n".join([*lines, "}\n"])


if __name__ == "__main__":
    sys.stdout.write(table())
