"""torchgan 0.1.0 as a contestant: one step of its own trainer on its DCGAN, without codes.

Its InfoGAN can't be entered: the loss is rebuilt from numbers, so the step raises
(torchgan/torchgan #100). Run it with the interpreter of an environment that has torchgan.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import torch

sys.path.append(str(Path(__file__).parents[1]))
from gan_toolkit.bench.contestant import Settings, Verb, serve
from gan_toolkit.bench.stepping import stepping

ENCODING = 100


def set_up(folder: str, settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Verb]]:
    """Set the trainer up, to write below `folder`; ValueError for samples it can't make."""
    from torch.optim import Adam
    from torchgan.losses import MinimaxDiscriminatorLoss, MinimaxGeneratorLoss
    from torchgan.models import DCGANDiscriminator, DCGANGenerator
    from torchgan.trainer import Trainer

    channels, side = _size(settings)
    torch.set_num_threads(settings["threads"])
    optimiser = {"name": Adam, "args": {"lr": 2e-4, "betas": (0.5, 0.999)}}
    maker = {"encoding_dims": ENCODING, "out_channels": channels, "out_size": side}
    judge = {"in_channels": channels, "in_size": side}
    device = torch.device(settings["device"])
    trainer = Trainer(
        {
            "generator": {"name": DCGANGenerator, "args": maker, "optimizer": optimiser},
            "discriminator": {"name": DCGANDiscriminator, "args": judge, "optimizer": optimiser},
        },
        [MinimaxGeneratorLoss(), MinimaxDiscriminatorLoss()],
        device=device,
        checkpoints=f"{folder}/model/gan",
        recon=f"{folder}/images",
        log_dir=f"{folder}/logs",
    )
    batch = trainer.batch_size = settings["batch"]
    images = torch.randint(256, (4096, channels, side, side), dtype=torch.uint8).to(device)

    def step() -> None:
        rows = torch.randint(len(images), (batch,), device=device)
        trainer.real_inputs = images[rows].float() / 127.5 - 1
        trainer.train_iter()

    return {"batch": batch, "torch": torch.__version__}, stepping(step, device)


def _size(settings: Settings) -> tuple[int, int]:
    shape = tuple(settings["shape"])
    if len(shape) != 3 or shape[1] != shape[2] or shape[1] < 16 or shape[1] & (shape[1] - 1):
        raise ValueError("torchgan's networks make squares of 16, 32, 64 … pixels only")
    if settings["precision"] != "f32":
        raise ValueError("torchgan computes in f32 only: --set 'run.precision=\"f32\"'")
    return shape[0], shape[1]


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        serve(partial(set_up, folder))
