"""Named latents drawn together and laid side by side: the input of the generator."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from gan_toolkit.errors import did_you_mean
from gan_toolkit.interfaces import Latent


class LatentSpace(Mapping[str, Latent]):
    """Latents by name, in a fixed order, each owning its columns of (B, W).

    A value may be a list of latents: `style = [Part(20)] * 3` becomes `style.0`,
    `style.1`, `style.2`, and `group("style")` gives the three names.
    """

    def __init__(self, latents: Mapping[str, Latent | list[Latent]]) -> None:
        self._latents: dict[str, Latent] = {}
        self._groups: dict[str, tuple[str, ...]] = {}
        for name, latent in latents.items():
            members = (
                {f"{name}.{i}": member for i, member in enumerate(latent)}
                if isinstance(latent, list)
                else {name: latent}
            )
            self._latents |= members
            self._groups[name] = tuple(members)
        if not self._latents:
            raise ValueError("a latent space needs at least one latent")
        self._slices = self._lay_out()
        self.width = sum(latent.width for latent in self._latents.values())

    def __getitem__(self, name: str) -> Latent:
        return self._latents[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._latents)

    def __len__(self) -> int:
        return len(self._latents)

    def group(self, name: str) -> tuple[str, ...]:
        """Return the members of a group (`style`), or the latent itself (`style.1`).

        Raises ValueError with the nearest name.
        """
        if name in self._groups:
            return self._groups[name]
        if name in self._latents:
            return (name,)
        known = [*self._groups]
        raise ValueError(
            f"no latent is named {name!r}; known: {', '.join(known)}{did_you_mean(name, known)}"
        )

    def columns(self, name: str) -> slice:
        """Return the columns that the latent `name` takes."""
        return self._slices[name]

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw (count, W) on the device of `rng`, each latent in turn."""
        return torch.cat([latent.sample(count, rng) for latent in self._latents.values()], dim=1)

    def split(self, latent: Tensor) -> dict[str, Tensor]:
        """Cut (B, W) into the named parts, (B, width) each."""
        return {name: latent[:, columns] for name, columns in self._slices.items()}

    def assign(self, latent: Tensor, values: Mapping[str, Any]) -> Tensor:
        """Return a copy of (B, W) with the latents named in `values` set to a human's values.

        A group takes one value for all its members, or a list with one for each. Raises
        ValueError for an unknown name or a value the latent can't take.
        """
        changed = latent.clone()
        for name, value in values.items():
            members = self.group(name)
            each = isinstance(value, list | tuple) and len(value) == len(members) > 1
            for member, own in zip(members, value if each else [value] * len(members), strict=True):
                encoded = self._latents[member].encode(own).to(changed)
                if not encoded.isfinite().all():
                    raise ValueError(f"{member} = {own}: not a finite number in {changed.dtype}")
                changed[:, self._slices[member]] = encoded
        return changed

    def _lay_out(self) -> dict[str, slice]:
        slices, start = {}, 0
        for name, latent in self._latents.items():
            slices[name] = slice(start, start + latent.width)
            start += latent.width
        return slices
