"""InfoGAN as one writes it in a script: the mathematics of two recipes, in a loop by hand.

The networks of the paper for digits and for chairs, the codes, losses and rates of
`infogan_mnist` and `infogan_chairs`, and no library beside torch. `--adam loop` is torch's Adam as
it steps parameters one by one, `fused` is the same in one kernel. It trains on random images that
lie in memory.

    gantk bench infogan_mnist --variant base --random 1x28x28 --against benchmarks/plain_infogan.py
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from gan_toolkit.bench.contestant import Settings, Verb, serve
from gan_toolkit.bench.stepping import stepping

HIDDEN = 128
"""Units of the head's own layer on the network for digits; the one for chairs has none."""


class Same(nn.Module):
    """A 4x4 convolution that keeps the size, as TensorFlow pads it."""

    def __init__(self, inputs: int, maps: int, *, up: bool) -> None:
        super().__init__()
        self.up = up
        self.layer: nn.Module = (
            nn.ConvTranspose2d(inputs, maps, 4, padding=1) if up else nn.Conv2d(inputs, maps, 4)
        )

    def forward(self, maps: Tensor) -> Tensor:
        """Return maps of the same height and width."""
        if self.up:
            return self.layer(maps)[:, :, :-1, :-1]
        return self.layer(functional.pad(maps, (1, 2, 1, 2)))


def up(inputs: int, maps: int) -> nn.Module:
    """Return what doubles the size."""
    return nn.ConvTranspose2d(inputs, maps, 4, 2, 1)


def down(inputs: int, maps: int) -> nn.Module:
    """Return what halves the size."""
    return nn.Conv2d(inputs, maps, 4, 2, 1)


def rectified(layer: nn.Module, maps: int) -> list[nn.Module]:
    """Return a layer of the generator, with batch norm and ReLU."""
    return [layer, nn.BatchNorm2d(maps), nn.ReLU(inplace=True)]


def leaky(layer: nn.Module, maps: int, slope: float) -> list[nn.Module]:
    """Return a layer of the critic, with batch norm and leaky ReLU."""
    return [layer, nn.BatchNorm2d(maps), nn.LeakyReLU(slope, inplace=True)]


def generator(latent: int, maps: int, side: int, rest: list[nn.Module]) -> nn.Sequential:
    """Return the two dense layers that both generators begin with, and what follows them."""
    flat = maps * side * side
    first = [nn.Linear(latent, 1024), nn.BatchNorm1d(1024), nn.ReLU(inplace=True)]
    second = [nn.Linear(1024, flat), nn.BatchNorm1d(flat), nn.ReLU(inplace=True)]
    return nn.Sequential(*first, *second, nn.Unflatten(1, (maps, side, side)), *rest, nn.Sigmoid())


def trunk(rest: list[nn.Module], flat: int, slope: float) -> nn.Sequential:
    """Return the first convolution of both critics, what follows it, and the layer of features."""
    first = [down(1, 64), nn.LeakyReLU(slope, inplace=True)]
    last = [nn.Linear(flat, 1024), nn.BatchNorm1d(1024), nn.LeakyReLU(slope, inplace=True)]
    return nn.Sequential(*first, *rest, nn.Flatten(), *last)


class Digits:
    """`infogan_mnist`: one category of ten, two numbers of known spread."""

    shape = (1, 28, 28)
    noise, categories, counts, numbers = 62, 10, 1, 2
    raw = 12
    reward = 1.0
    """Weight of the numbers; that of the categories is 1."""

    @staticmethod
    def networks() -> tuple[nn.Module, nn.Module, nn.Module]:
        """Return generator, trunk and head."""
        rest = [*rectified(up(128, 64), 64), up(64, 1)]
        head = [nn.Linear(1024, HIDDEN), nn.BatchNorm1d(HIDDEN), nn.LeakyReLU(0.1, inplace=True)]
        return (
            generator(74, 128, 7, rest),
            trunk(leaky(down(64, 128), 128, 0.01), 128 * 7 * 7, 0.01),
            nn.Sequential(*head, nn.Linear(HIDDEN, 12)),
        )


class Chairs:
    """`infogan_chairs`: three categories of twenty, one number whose spread is learnt."""

    shape = (1, 64, 64)
    noise, categories, counts, numbers = 128, 20, 3, 1
    raw = 62
    reward = 10.0

    @staticmethod
    def networks() -> tuple[nn.Module, nn.Module, nn.Module]:
        """Return generator, trunk and head."""
        same_up = [layer for _ in range(2) for layer in rectified(Same(256, 256, up=True), 256)]
        rest = [*same_up, *rectified(up(256, 128), 128), *rectified(up(128, 64), 64), up(64, 1)]
        same = [layer for _ in range(2) for layer in leaky(Same(256, 256, up=False), 256, 0.1)]
        deep = [*leaky(down(64, 128), 128, 0.1), *leaky(down(128, 256), 256, 0.1), *same]
        return (
            generator(189, 256, 8, rest),
            trunk(deep, 256 * 8 * 8, 0.1),
            nn.Linear(1024, 62),
        )


class Game:
    """Both players, their optimisers, and the step."""

    def __init__(self, sizes: type[Digits] | type[Chairs], settings: Settings, adam: str) -> None:
        self.sizes = sizes
        self.device = torch.device(settings["device"])
        self.bf16 = settings["precision"] == "bf16"
        self.batch = settings["batch"]
        self.generator, self.trunk, self.head = (n.to(self.device) for n in sizes.networks())
        self.score = nn.Linear(1024, 1).to(self.device)
        critics = [*self.trunk.parameters(), *self.score.parameters(), *self.head.parameters()]
        how: dict[str, Any] = {"betas": (0.5, 0.999)}
        how |= {"fused": True} if adam == "fused" else {"foreach": False}
        self.critic_adam = torch.optim.Adam(critics, 2e-4, **how)
        self.generator_adam = torch.optim.Adam(self.generator.parameters(), 1e-3, **how)
        self.images = torch.randint(256, (4096, *sizes.shape), dtype=torch.uint8).to(self.device)

    def draw(self) -> tuple[Tensor, Tensor, Tensor]:
        """Return the generator's input, the categories and the numbers."""
        sizes, device = self.sizes, self.device
        noise = torch.rand(self.batch, sizes.noise, device=device) * 2 - 1
        category = torch.randint(sizes.categories, (self.batch, sizes.counts), device=device)
        number = torch.rand(self.batch, sizes.numbers, device=device) * 2 - 1
        one_hot = functional.one_hot(category, sizes.categories).float().flatten(1)
        return torch.cat([noise, one_hot, number], 1), category, number

    def information(self, features: Tensor, category: Tensor, number: Tensor) -> Tensor:
        """Return minus the bound, but for constants."""
        sizes = self.sizes
        raw = self.head(features).float()
        logits, rest = raw.split(
            [sizes.counts * sizes.categories, sizes.raw - sizes.counts * sizes.categories], 1
        )
        logits = logits.unflatten(1, (sizes.counts, sizes.categories)).transpose(1, 2)
        said = functional.cross_entropy(logits, category) * sizes.counts
        mean, spread = rest[:, : sizes.numbers], rest[:, sizes.numbers :]
        variance = torch.exp(2 * spread) if spread.shape[1] else torch.ones_like(mean)
        missed = functional.gaussian_nll_loss(mean, number, variance) * sizes.numbers
        return said + sizes.reward * missed

    def judged(self, images: Tensor) -> tuple[Tensor, Tensor]:
        """Return score and features of images in [0, 1]."""
        features = self.trunk(images)
        return self.score(features).squeeze(1).float(), features

    def step(self) -> None:
        """Move the critic, then the generator, each on fresh latents."""
        rows = torch.randint(len(self.images), (self.batch,), device=self.device)
        real = self.images[rows].float() / 255
        bce = functional.binary_cross_entropy_with_logits
        ones = torch.ones(self.batch, device=self.device)

        latent, category, number = self.draw()
        self.critic_adam.zero_grad()
        with self.autocast():
            fake = self.generator(latent).detach()
            on_real, _ = self.judged(real)
            on_fake, features = self.judged(fake)
            loss = bce(on_real, ones) + bce(on_fake, 1 - ones)
            loss = loss + self.information(features, category, number)
        loss.backward()
        self.critic_adam.step()

        latent, category, number = self.draw()
        self.generator_adam.zero_grad()
        with self.autocast():
            on_fake, features = self.judged(self.generator(latent))
            loss = bce(on_fake, ones) + self.information(features, category, number)
        loss.backward()
        self.generator_adam.step()

    def autocast(self) -> torch.autocast:
        """Return the context of both phases' forward passes."""
        return torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=self.bf16)


def set_up(adam: str) -> Callable[[Settings], tuple[Mapping[str, Any], Mapping[str, Verb]]]:
    """Return what sets the game up that fits the shape asked for."""

    def made(settings: Settings) -> tuple[Mapping[str, Any], Mapping[str, Verb]]:
        sizes = {kind.shape: kind for kind in (Digits, Chairs)}.get(tuple(settings["shape"]))
        if sizes is None:
            raise ValueError("it has networks for samples of 1x28x28 and 1x64x64")
        torch.set_num_threads(settings["threads"])
        game = Game(sizes, settings, adam)

        return {"batch": game.batch, "torch": torch.__version__}, stepping(game.step, game.device)

    return made


def main() -> None:
    """Read the one option and answer orders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--adam", choices=["loop", "fused"], default="loop")
    serve(set_up(parser.parse_args().adam))


if __name__ == "__main__":
    main()
