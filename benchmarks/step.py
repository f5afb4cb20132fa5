"""One step of the MNIST recipe against a plain hand-written loop of the same mathematics.

Both train the paper's networks on the same random 28x28 images in memory, with the same codes,
losses, rates and optimiser. Rounds are interleaved; the ratio is taken within a round.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable

import torch
from torch import nn
from torch.nn import functional

from gan_toolkit import ArrayDataset, choose_device, load_plugins, load_recipe
from gan_toolkit.assemble import Assembly
from gan_toolkit.recipe.finding import find_recipe


def plain_loop(
    assembly: Assembly, data: ArrayDataset, batch: int
) -> Callable[[torch.Tensor], None]:
    """Return a step as one would write it in a script, with the recipe's networks."""
    networks = assembly.networks(data)
    generator, critic = networks.generator, networks.critic
    head = nn.Sequential(
        nn.Linear(critic.feature_width, 128),
        nn.BatchNorm1d(128),
        nn.LeakyReLU(0.1),
        nn.Linear(128, 12),
    )
    rates = {"betas": (0.5, 0.999), "fused": True}
    critic_adam = torch.optim.Adam([*critic.parameters(), *head.parameters()], 2e-4, **rates)
    generator_adam = torch.optim.Adam(generator.parameters(), 1e-3, **rates)
    ones, zeros = torch.ones(batch), torch.zeros(batch)
    bce = functional.binary_cross_entropy_with_logits

    def draw() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        noise = torch.rand(batch, 62) * 2 - 1
        digit = torch.randint(10, (batch,))
        style = torch.rand(batch, 2) * 2 - 1
        return torch.cat([noise, functional.one_hot(digit, 10), style], 1), digit, style

    def information(
        features: torch.Tensor, digit: torch.Tensor, style: torch.Tensor
    ) -> torch.Tensor:
        raw = head(features)
        return functional.cross_entropy(raw[:, :10], digit) + (
            functional.gaussian_nll_loss(raw[:, 10:], style, torch.ones(batch, 2), full=True) * 2
        )

    def step(real: torch.Tensor) -> None:
        latent, digit, style = draw()
        critic_adam.zero_grad()
        fake = generator(latent).detach()
        on_real, (score, features) = critic(real), critic(fake)
        loss = bce(on_real.score, ones) + bce(score, zeros) + information(features, digit, style)
        loss.backward()
        critic_adam.step()
        latent, digit, style = draw()
        generator_adam.zero_grad()
        score, features = critic(generator(latent))
        (bce(score, ones) + information(features, digit, style)).backward()
        generator_adam.step()

    return step


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--steps", type=int, default=8, help="steps of each side in a round")
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--precision", default="f32", help="of the engine; the plain loop is f32")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)

    host = load_plugins()
    recipe = load_recipe(find_recipe("infogan_mnist", host), host)
    images = torch.randint(256, (1024, 1, 28, 28), dtype=torch.uint8)
    data = ArrayDataset("random images", "synthetic", images)
    assembly = Assembly(recipe, host.registry)
    engine = assembly.engine(assembly.networks(data), choose_device("cpu", asked.precision))
    real = (images[: asked.batch].float() / 127.5) - 1
    sides = {"engine": engine.step, "plain": plain_loop(assembly, data, asked.batch)}
    for step in sides.values():
        step(real)

    times: dict[str, list[float]] = {name: [] for name in sides}
    for _ in range(asked.rounds):
        for name, step in sides.items():
            begun = time.perf_counter()
            for _ in range(asked.steps):
                step(real)
            times[name].append((time.perf_counter() - begun) / asked.steps)
    ratios = [a / b for a, b in zip(times["engine"], times["plain"], strict=True)]
    print(
        f"batch {asked.batch}, {asked.threads} threads, engine {asked.precision}, plain f32, "
        f"torch {torch.__version__}, {asked.rounds} rounds of {asked.steps} steps"
    )
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:8} {1000 * median:8.1f} ms a step {asked.batch / median:8.0f} images/s")
    print(
        f"engine / plain: median {statistics.median(ratios):.3f}, "
        f"from {min(ratios):.3f} to {max(ratios):.3f}"
    )


if __name__ == "__main__":
    main()
