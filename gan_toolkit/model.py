"""The shareable model: one file that samples, traverses and reads codes wherever its plugins are.

The file names registered components and holds their options and weights. Loading it runs no code
from it, opens no network, and compares every name, shape and type with what the components would
build before it takes memory. Shapes: B batch, W width of the generator's input.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import safetensors.torch
import torch
from PIL import Image
from torch import Tensor, nn

from gan_toolkit import __version__, files, strict_json
from gan_toolkit.checkpoints import Checkpoint, separate
from gan_toolkit.errors import UsageError
from gan_toolkit.inference import read_codes
from gan_toolkit.interfaces import Grid, Regulariser
from gan_toolkit.latents import LatentSpace
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.rebuild import Rebuilt, rebuild, rebuild_from
from gan_toolkit.tensorfile import FORMAT, NOTE, SHARED, check_note, describe

BATCH = 256
M = TypeVar("M", bound=nn.Module)

__all__ = [
    "Model",
    "describe",
    "from_checkpoint",
    "load",
    "save_model",
    "to_images",
    "to_uint8",
]


class Model:
    """A trained generator, its latent space and, if they are there, the parts that read codes."""

    def __init__(
        self,
        latents: LatentSpace,
        generator: nn.Module,
        critic: nn.Module | None = None,
        regularisers: Mapping[str, Regulariser] | None = None,
        facts: Mapping[str, Any] | None = None,
        *,
        recipe: Mapping[str, Any] | None = None,
        device: torch.device | str = "cpu",
        skipped: tuple[str, ...] = (),
    ) -> None:
        self.latents = latents
        self.facts: Mapping[str, Any] = dict(facts or {})
        self.recipe: Mapping[str, Any] = dict(recipe or {})
        """The tables of the recipe that describe its parts; empty where nobody kept them."""
        self.device = torch.device(device)
        self.skipped = skipped
        """What the file holds and was left out, because no plugin here offers it."""
        self.generator = self._at_rest(generator)
        self.critic = None if critic is None else self._at_rest(critic)
        self.regularisers = {
            name: self._at_rest(module) for name, module in (regularisers or {}).items()
        }

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """Names of the codes: those the file names, or its terms recover, or else could be."""
        named = self.facts.get("codes", ())
        if isinstance(named, dict | list) and named:
            return tuple(name for name in self.latents if name in named)
        if self.critic is not None and self.regularisers:
            return tuple(self._read(self.sample(2).to(self.device)))
        return tuple(name for name, latent in self.latents.items() if latent.posterior_width)

    @property
    def card(self) -> str:
        """What its makers say of it, in Markdown; empty when they said nothing."""
        return str(self.facts.get("card", ""))

    def sample(
        self,
        count: int = 16,
        seed: int = 0,
        codes: Mapping[str, Any] | None = None,
        **named: Any,
    ) -> Tensor:
        """Return samples, (count, ...) in [-1, 1] on the CPU: the same for the same seed.

        Codes are set by name, in `codes` or as keywords: `model.sample(4, shape=2)`. Raises
        ValueError for a name that is no latent's, with the nearest, or a value it can't take.
        """
        if count < 1:
            raise ValueError(f"at least one sample must be asked for; found {count}")
        latent = self.latents.sample(count, torch.Generator().manual_seed(seed))
        return self.generate(self.latents.assign(latent, {**(codes or {}), **named}))

    def traverse(
        self, code: str, rows: int = 8, columns: int = 10, seed: int = 0
    ) -> tuple[Tensor, Grid]:
        """Return samples (rows, columns, ...) in which only `code` changes along a row.

        The second part says which values the columns have; there may be fewer than asked for.
        """
        members = self.latents.group(code)
        if len(members) > 1:
            raise ValueError(f"{code!r} is {len(members)} latents; choose {', '.join(members)}")
        try:
            grid = self.latents[members[0]].grid(columns)
        except NotImplementedError as error:
            raise ValueError(f"{code!r} can't be traversed: {error}") from None
        noise = self.latents.sample(rows, torch.Generator().manual_seed(seed))
        latent = noise.repeat_interleave(len(grid.values), dim=0)
        latent[:, self.latents.columns(members[0])] = grid.values.to(latent).repeat(rows, 1)
        samples = self.generate(latent)
        return samples.reshape(rows, len(grid.values), *samples.shape[1:]), grid

    def infer(self, samples: Tensor) -> dict[str, Tensor]:
        """Return what the model reads in samples (B, ...): for each code its estimate, (B, k).

        Raises UsageError when the file holds nothing that could read.
        """
        if self.critic is None or not self.regularisers:
            missing = f"; left out: {', '.join(self.skipped)}" if self.skipped else ""
            raise UsageError(f"this model can't read codes: it has no critic and head{missing}")
        parts = [self._read(batch.to(self.device)) for batch in samples.split(BATCH)]
        if not parts[0]:
            raise UsageError("this model can't read codes: none of its terms recovers one")
        return {name: torch.cat([part[name] for part in parts]) for name in parts[0]}

    def generate(self, latent: Tensor) -> Tensor:
        """Return the samples of latents (B, W), on the CPU."""
        with torch.inference_mode():
            batches = [self.generator(batch.to(self.device)) for batch in latent.split(BATCH)]
        return torch.cat([batch.float().cpu() for batch in batches])  # an ordinary tensor again

    @torch.inference_mode()
    def _read(self, batch: Tensor) -> dict[str, Tensor]:
        assert self.critic is not None, "infer looks first"
        raw = read_codes(self.regularisers, batch, self.critic(batch))
        return {name: self.latents[name].estimate(own.float()).cpu() for name, own in raw.items()}

    def _at_rest(self, module: M) -> M:
        return module.to(self.device).eval().requires_grad_(requires_grad=False)


# --- the file ------------------------------------------------------------------------------


def save_model(
    path: Path,
    *,
    recipe: Mapping[str, Any],
    generator: nn.Module,
    critic: nn.Module | None = None,
    regularisers: Mapping[str, nn.Module] | None = None,
    facts: Mapping[str, Any],
) -> None:
    """Write a model file, whole or not at all; the same contents give the same bytes.

    `recipe` is the resolved recipe; `facts` is JSON, with at least `data.shape`, the shape of one
    sample. Raises ValueError for facts that don't fit, StorageError when it can't be written.
    """
    note = {"format": FORMAT, "gan-toolkit": __version__, "recipe": recipe, "facts": facts}
    note = strict_json.parse_object(strict_json.dump({**note, "recipe": dict(recipe)}))
    check_note(note)
    modules = {"generator": generator, "critic": critic}
    modules |= {f"regularisers.{name}": module for name, module in (regularisers or {}).items()}
    tensors = {
        f"{part}.{name}": tensor
        for part, module in modules.items()
        if module is not None
        for name, tensor in module.state_dict().items()
    }
    text = strict_json.dump(note)  # never sorted: the order of the latents is that of the columns
    files.write_atomic(path, safetensors.torch.save(separate(tensors), metadata={NOTE: text}))


def load(path: str | Path, host: PluginHost | None = None, device: str = "cpu") -> Model:
    """Read a model file, or the one in the folder of a run, and build what it describes.

    Runs no code from the file and opens no network. Raises PluginError when the latents or the
    generator come from a plugin that is not here, StorageError for a file that is damaged or
    hostile; what else is missing is left out and named in `skipped`.
    """
    place = Path(path)
    place = place / "model.safetensors" if place.is_dir() else place
    return _model(rebuild(place, host or load_plugins()), device)


def from_checkpoint(
    checkpoint: Checkpoint, data: Mapping[str, Any], host: PluginHost, device: str = "cpu"
) -> Model:
    """Build the model that a run had at a checkpoint: the averaged generator if it has one.

    `data` is what `run.json` says of the data. Raises as `load` does.
    """
    tensors = checkpoint.load().tensors
    named = {
        "generator": tensors.get("average", tensors.get("generator", {})),
        "critic": tensors.get("critic", {}),
        "regularisers": tensors.get("regularisers", {}),
    }
    whole = checkpoint.manifest.get("recipe")
    tables = {k: v for k, v in whole.items() if k in SHARED} if isinstance(whole, dict) else {}
    built = rebuild_from(
        {f"{part}.{name}": own for part, group in named.items() for name, own in group.items()},
        tables,
        {"steps": checkpoint.step, "data": dict(data)},
        host,
        checkpoint.folder,
    )
    return _model(built, device)


def _model(built: Rebuilt, device: str) -> Model:
    return Model(
        built.latents,
        built.generator,
        built.critic,
        built.regularisers,
        built.facts,
        recipe=built.recipe,
        device=device,
        skipped=built.skipped,
    )


# --- pictures ------------------------------------------------------------------------------


def to_uint8(samples: Tensor) -> Tensor:
    """Return samples in [-1, 1] as bytes 0..255, rounded to the nearest."""
    return ((samples.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)


def to_images(samples: Tensor) -> list[Image.Image]:
    """Return a picture for each sample (B, 1 or 3, H, W)."""
    if samples.ndim != 4 or samples.shape[1] not in (1, 3):
        shape = tuple(samples.shape)
        raise ValueError(f"pictures are made of (B, 1 or 3, H, W); found samples of shape {shape}")
    rows = to_uint8(samples).cpu().permute(0, 2, 3, 1).squeeze(3).numpy()
    return [Image.fromarray(np.ascontiguousarray(row)) for row in rows]
