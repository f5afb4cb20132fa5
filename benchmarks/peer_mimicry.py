"""torch-mimicry 0.1.16 as a contestant: the train steps of its networks for 32x32 pictures.

One critic step to one generator step, as the others here; its own default is five to one. Run it
with the interpreter of an environment that has torch-mimicry, TensorFlow, which its package
imports, and torch 1: with 2.0 or newer it can't be imported.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

sys.path.append(str(Path(__file__).parents[1]))
from gan_toolkit.bench.contestant import Settings, Verb, serve
from gan_toolkit.bench.stepping import stepping

SHAPE = (3, 32, 32)


def set_up(name: str, settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Verb]]:
    """Set networks and optimisers up; ValueError for samples they don't make."""
    if find_spec("torch._six") is None:
        raise ImportError(
            f"torch-mimicry 0.1.16 needs torch._six, which torch {torch.__version__} lacks"
        )
    from torch_mimicry.nets import dcgan, infomax_gan, sngan
    from torch_mimicry.training.metric_log import MetricLog

    if tuple(settings["shape"]) != SHAPE or settings["precision"] != "f32":
        raise ValueError("mimicry's networks are entered for 3x32x32 and f32 only")
    torch.set_num_threads(settings["threads"])
    generator_type, critic_type = {
        "dcgan": (dcgan.DCGANGenerator32, dcgan.DCGANDiscriminator32),
        "sngan": (sngan.SNGANGenerator32, sngan.SNGANDiscriminator32),
        "infomax_gan": (infomax_gan.InfoMaxGANGenerator32, infomax_gan.InfoMaxGANDiscriminator32),
    }[name]
    device, batch = torch.device(settings["device"]), settings["batch"]
    generator, critic = generator_type().to(device), critic_type().to(device)
    generator_adam = torch.optim.Adam(generator.parameters(), 2e-4, betas=(0.0, 0.9))
    critic_adam = torch.optim.Adam(critic.parameters(), 2e-4, betas=(0.0, 0.9))
    images = torch.randint(256, (4096, *SHAPE), dtype=torch.uint8).to(device)

    def step() -> None:
        rows = torch.randint(len(images), (batch,), device=device)
        real = (images[rows].float() / 127.5 - 1, torch.zeros(batch, device=device))
        common = {"real_batch": real, "log_data": MetricLog(), "device": device}
        critic.train_step(netG=generator, optD=critic_adam, **common)
        generator.train_step(netD=critic, optG=generator_adam, **common)

    return {"batch": batch, "torch": torch.__version__}, stepping(step, device)


def main() -> None:
    """Read the one option and answer orders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--net", choices=["dcgan", "sngan", "infomax_gan"], default="dcgan")
    serve(partial(set_up, parser.parse_args().net))


if __name__ == "__main__":
    main()
