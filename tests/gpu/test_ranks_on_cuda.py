"""Two processes on two CUDA devices, talking by nccl, train what one trains."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
import safetensors.torch
from torch import Tensor

from gan_toolkit.device import accelerators

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(len(accelerators()) < 2, reason="torch sees fewer than two CUDA devices"),
]


def saved(run: Path, part: str) -> dict[str, Tensor]:
    (path,) = run.glob(f"checkpoints/*/{part}.safetensors")
    return safetensors.torch.load_file(path)


def test_two_cards_train_the_weights_of_one(tmp_path: Path):
    """Draws on a card are those of its generator, so one card is compared with two."""
    sgd = [
        f'--set=optimisers.{player}={{use="sgd", lr=0.05}}' for player in ("generator", "critic")
    ]
    words = ["run", "infogan_digits", *sgd, '--set=run.precision="f32"', "--device=cuda"]
    command = ["-m", "gan_toolkit", *words, "--steps=5", "--no-report", "--out", str(tmp_path)]
    several = ["-m", "torch.distributed.run", "--nproc-per-node=2"]

    for name, start in (("one", []), ("two", several)):
        call = [sys.executable, *start, *command, "--name", name]
        subprocess.run(call, check=True, env=os.environ, timeout=300)

    for part in ("generator", "critic"):
        one, two = (saved(tmp_path / "infogan_digits" / name, part) for name in ("one", "two"))
        assert max((one[key].double() - two[key]).abs().max().item() for key in one) < 1e-3
