"""What each of two processes does in `test_distributed.py`: pytest's own is the first.

The other takes the folder where its findings go.
"""

from __future__ import annotations

import json
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import safetensors.torch
import torch

from gan_toolkit import distributed
from gan_toolkit.assemble import assemble
from gan_toolkit.device import Device
from gan_toolkit.distributed import Ranks, joined
from gan_toolkit.errors import RankError
from gan_toolkit.launcher import place_of
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, find_recipe, load_recipe

STEPS = 5


def trained(ranks: Ranks | None, norm: str) -> dict[str, torch.Tensor]:
    """Return the weights of both players after a few steps of a recipe with batch norms.

    By plain gradient steps: a bias before a norm has no gradient but its rounding error, and Adam
    would make a whole step of that.
    """
    host = load_plugins(environ={})
    players = ("generator", "critic")
    overrides = [Override(f'optimisers.{player}={{use="sgd", lr=0.05}}') for player in players]
    overrides.append(Override(f"run.batch_norm={norm!r}"))
    recipe = load_recipe(find_recipe("infogan_digits", host), host, overrides=overrides)
    parts = assemble(recipe, host.registry, Device(), ranks)
    for step in range(STEPS):
        parts.engine.step(parts.batches.at(step).samples)
    tensors = parts.engine.snapshot().tensors
    return {
        f"{group}.{name}": tensor.contiguous()
        for group in ("generator", "critic", "regularisers")
        for name, tensor in tensors[group].items()
    }


def talk(ranks: Ranks) -> dict[str, Any]:
    """Use every way to talk once."""
    tensors = [torch.full((2,), ranks.index + 1.0), torch.full((1, 1), 10.0 * ranks.index)]
    ranks.average(tensors)
    ranks.average([])
    found = {"average": [t.tolist() for t in tensors], "largest": ranks.largest(ranks.index * 7)}
    if ranks.is_first:
        ranks.send(b"there", 1)
        return found | {"heard": ranks.receive(1).decode()}
    heard = ranks.receive(0)
    ranks.send(heard + b" and back", 0)
    return found | {"heard": heard.decode()}


def lose(ranks: Ranks) -> dict[str, Any]:
    """Return what the first rank finds when the other has gone without a word."""
    distributed._GRACE = timedelta(seconds=0.3)
    errors = []
    for _ in range(2):
        try:
            ranks.largest(0)
        except RankError as error:
            errors.append([str(error), error.told, int(error.exit_code)])
            ranks.speaks(5, "lost")
    return {"errors": errors, "speaks again": ranks.speaks(5, "again")}


def work(ranks: Ranks, out: Path) -> dict[str, Any]:
    """Do all of it; the first rank returns what it found, the other goes without a word."""
    found = talk(ranks)
    for norm in ("synchronised", "local"):
        safetensors.torch.save_file(trained(ranks, norm), out / f"{norm}-{ranks.index}")
    ranks.largest(0)
    (out / f"found-{ranks.index}.json").write_text(json.dumps(found))
    return found


if __name__ == "__main__":
    torch.set_num_threads(1)
    with joined(place_of(), accelerated=False) as ranks:
        work(ranks, Path(sys.argv[1]))
