"""The samples that `images` and `arrays` write, a batch at a time.

Shapes: N samples, W width of the generator's input.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from gan_toolkit import LatentSpace, Model
from gantk_exporters.columns import latent_facts, model_facts

BATCH = 256
FACTS = "dataset.json"


class Draw:
    """Which samples: as many, of that seed, with codes held by name.

    Raises ValueError for a name that is no latent's, or a value it can't take.
    """

    def __init__(
        self, latents: LatentSpace, count: int, seed: int, codes: Mapping[str, Any]
    ) -> None:
        latents.assign(torch.zeros(1, latents.width), codes)
        self.count, self.seed, self.codes = count, seed, dict(codes)

    def latent(self, model: Model) -> Tensor:
        """Return the latents (N, W): those of `model.sample` for this seed."""
        drawn = model.latents.sample(self.count, torch.Generator().manual_seed(self.seed))
        return model.latents.assign(drawn, self.codes)

    def samples(self, model: Model, latent: Tensor) -> Iterator[Tensor]:
        """Yield the samples of latents, in batches: all of them need not be held at once."""
        return (model.generate(batch) for batch in latent.split(BATCH))

    def write_facts(self, folder: Path, model: Model, **more: Any) -> None:
        """Write `dataset.json`: what the samples are, and of which latents."""
        drawn = {"count": self.count, "seed": self.seed, "codes": self.codes}
        facts = {**more, **drawn, **model_facts(model), "latents": latent_facts(model)}
        (folder / FACTS).write_text(f"{json.dumps(facts, indent=2)}\n", encoding="utf-8")
