"""What data costs: batches from a map, JPEGs prepared, worlds rendered.

Three tables: the share of a training step that its batch takes, when samples lie in a mapped file;
JPEGs of CelebA's size turned into 64x64 arrays; samples each world renders. Rates are by CPU time
of one thread, so that a neighbour on the machine does not falsify them.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from gan_toolkit import ArrayDataset, Batches, Registry, choose_device, load_plugins, load_recipe
from gan_toolkit.assemble import Assembly
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.finding import find_recipe

BATCH = 128
WORLDS = {
    "chairs": ({"size": 64}, {"size": 32}),
    "faces": ({"size": 64}, {"size": 32}),
    "colour_heads": ({"size": 64}, {"size": 32}),
    "rooms": ({},),
    "strokes": ({},),
    "house_numbers": ({},),
    "sprites": ({},),
}


def batch_share(host: PluginHost, folder: Path, rounds: int) -> None:
    """Print what share of a step on MNIST's shape the batch from a mapped file takes."""
    recipe = load_recipe(find_recipe("infogan_mnist", host), host)
    images = np.random.default_rng(0).integers(256, size=(60_000, 1, 28, 28), dtype=np.uint8)
    np.save(folder / "images.npy", images)
    mapped = np.load(folder / "images.npy", mmap_mode="c")
    data = ArrayDataset("random images", "synthetic", mapped)
    assembly = Assembly(recipe, host.registry)
    engine = assembly.engine(assembly.networks(data), choose_device("cpu", "f32"))
    batches = Batches(data, BATCH, 0)
    engine.step(batches.at(0).samples)
    shares = []
    for step in range(1, rounds + 1):
        begun = time.perf_counter()
        samples = batches.at(step).samples
        between = time.perf_counter()
        engine.step(samples)
        shares.append((between - begun) / (time.perf_counter() - begun))
    median, most = statistics.median(shares), max(shares)
    print(f"batch of {BATCH} from a map: {median:.2%} of a step (at most {most:.2%})")


def prepared_jpegs(registry: Registry, folder: Path, count: int) -> None:
    """Print how fast JPEGs of CelebA's size become 64x64 arrays."""
    rng = np.random.default_rng(0)
    (pictures := folder / "pictures").mkdir()
    for index in range(count):
        # Smooth pictures, as photographs are: noise would take a decoder twice as long.
        small = Image.fromarray(rng.integers(256, size=(14, 11, 3), dtype=np.uint8))
        small.resize((178, 218), Image.Resampling.BICUBIC).save(
            pictures / f"{index:06}.jpg", quality=90
        )
    component = registry.get("dataset", "image_folder")
    options = dict(component.options(root=str(pictures), size=64))
    spent, passed = timed(lambda: component.load()(**options))
    print(
        f"JPEG 178x218 to 64x64: {count / spent:,.0f} images per CPU second, "
        f"{count / passed:,.0f} per second"
    )


def rendered(registry: Registry, count: int) -> None:
    """Print how many samples of each world a CPU second gives."""
    for name, several in WORLDS.items():
        component = registry.get("dataset", name)
        for chosen in several:
            own = {"count": 8, "held_out": 0, **chosen}
            if "source" in component.options.model_fields:
                own["source"] = "synthetic"
            facts = {"sibling": no_files} if "source" in own else {}
            data = component.load()(**dict(component.options(**own)), **facts)
            table = data.batch(torch.arange(8)).factors.repeat(count // 8, 1)
            data.render(table[:64])
            spent, _ = timed(lambda data=data, table=table: data.render(table))
            shape = "x".join(map(str, data.sample_shape))
            print(f"{data.name} {shape}: {len(table) / spent:,.0f} samples per CPU second")


def no_files(use: str, **_: object) -> None:
    """Stand for the reader of a real set, which a world that is asked for does not need."""
    raise AssertionError(f"{use} was asked for")


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Return seconds of CPU time and of the clock."""
    begun, started = time.process_time(), time.perf_counter()
    work()
    return time.process_time() - begun, time.perf_counter() - started


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50, help="steps whose batch is timed")
    parser.add_argument("--jpegs", type=int, default=5_000)
    parser.add_argument("--samples", type=int, default=960, help="of each world")
    parser.add_argument("--threads", type=int, default=1)
    asked = parser.parse_args()
    torch.set_num_threads(asked.threads)
    host = load_plugins()
    print(f"torch {torch.__version__}, {asked.threads} threads")
    for measure, amount in (
        (lambda folder: batch_share(host, folder, asked.rounds), asked.rounds),
        (lambda folder: prepared_jpegs(host.registry, folder, asked.jpegs), asked.jpegs),
        (lambda _: rendered(host.registry, asked.samples), asked.samples),
    ):
        if amount:
            with tempfile.TemporaryDirectory() as folder:
                os.environ["GANTK_CACHE"] = f"{folder}/cache"
                measure(Path(folder))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory {peak:,.0f} MiB")


if __name__ == "__main__":
    main()
