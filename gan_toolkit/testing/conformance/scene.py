"""What the checks show to measures and panels: a small generator with codes, and data like it.

Two scenes: images of a blob, with known factors and labels, and points in clusters. In both, `coin`
is a choice, `level` a number, `turn` an angle and `noise` noise; `coin` and `level` can be read.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from gan_toolkit.batches import ArrayDataset
from gan_toolkit.interfaces import Bank, Factor
from gan_toolkit.latents import LatentSpace
from gan_toolkit.testing.conformance.base import rng_of
from gan_toolkit.testing.views import Choice, Level, MemoryView, Turn

SIDE = 16
SAMPLES = 2_000
IMAGE_FACTORS = (
    Factor("side", "discrete", ("left", "right")),
    Factor("height", "continuous", low=-1.0, high=1.0),
    Factor("light", "circular", high=math.tau, unit="rad"),
)
POINT_FACTORS = (Factor("mode", "discrete", ("north", "east", "south", "west")),)
SHARES = {"rows": ["coin"], "columns": ["side"], "values": [[0.9]], "what": "share"}
HISTORY: tuple[dict[str, Any], ...] = (
    *(
        {"event": "log", "step": step, "information/coin": 0.01 * step, "critic/loss": 1.0}
        for step in (10, 20, 30)
    ),
    {
        "event": "evaluation",
        "step": 30,
        "scores": [{"measure": "it", "name": "one", "value": 0.9, "matrices": {"all": SHARES}}],
    },
)


class SceneView(MemoryView):
    """A view that remembers which banks it gave away."""

    def __init__(self, *arguments: Any, **facts: Any) -> None:
        super().__init__(*arguments, **facts)
        self.banks: dict[int, Bank] = {}

    def bank(self, count: int) -> Bank:
        """Return `count` samples, the same ones every time."""
        self.banks[count] = super().bank(count)
        return self.banks[count]


@dataclass(frozen=True)
class Scene:
    """A view, and the network behind it, in eval mode."""

    view: SceneView
    network: nn.Module


def scene_of_images() -> Scene:
    """Return grey images whose generator follows its codes."""
    space = _space(Choice(2))
    network = Painter(space).eval()
    return Scene(_view(space, blob_images(), network, _read_blobs), network)


def blob_images() -> ArrayDataset:
    """Return images of blobs with labels and factors, as many held out."""
    return _images(SAMPLES, 0, held_out=_images(SAMPLES, 1))


def scene_of_points() -> Scene:
    """Return points in the plane, in four clusters; `coin` decides in which."""
    space = _space(Choice(4))
    network = Thrower(space).eval()
    which = torch.arange(SAMPLES) % 4
    points = _centres()[which] + 0.05 * torch.randn(SAMPLES, 2, generator=rng_of(2))
    factors = which[:, None]
    data = ArrayDataset(
        "clusters", "synthetic", points, factors=factors, descriptions=POINT_FACTORS
    )
    return Scene(_view(space, data, network, _read_points), network)


class Painter(nn.Module):
    """Draws a blob: `coin` says on which side, `level` how high, `turn` whence light falls."""

    def __init__(self, space: LatentSpace) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self._space = space

    def forward(self, latent: Tensor) -> Tensor:
        """Return (B, 1, 16, 16) in [-1, 1]."""
        codes = self._space.split(latent)
        cos, sin = codes["turn"].unbind(dim=1)
        side, height = codes["coin"].argmax(dim=1), codes["level"][:, 0]
        return self.gain * blobs(side, height, torch.atan2(sin, cos))


class Thrower(nn.Module):
    """Throws a point at the centre that `coin` chooses."""

    def __init__(self, space: LatentSpace) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(1))
        self._space = space

    def forward(self, latent: Tensor) -> Tensor:
        """Return (B, 2)."""
        codes = self._space.split(latent)
        off = torch.cat([codes["noise"], codes["level"]], dim=1)
        return self.gain * (codes["coin"] @ _centres() + 0.05 * off)


def blobs(side: Tensor, height: Tensor, light: Tensor) -> Tensor:
    """Draw (N, 1, 16, 16) in [-1, 1] from factors (N,)."""
    line = torch.linspace(-1, 1, SIDE)
    y, x = torch.meshgrid(line, line, indexing="ij")
    across, along = (part[:, None, None] for part in (side * 1.0 - 0.5, height / 2))
    blob = torch.exp(-((x - across).square() + (y - along).square()) / 0.08)
    angle = light[:, None, None]
    ground = 0.15 * (x * angle.cos() + y * angle.sin()) - 0.6
    return (ground + 1.4 * blob).clamp(-1, 1)[:, None]


def _space(coin: Choice) -> LatentSpace:
    return LatentSpace({"noise": Level(), "coin": coin, "level": Level(), "turn": Turn()})


def _view(
    space: LatentSpace,
    data: ArrayDataset,
    network: nn.Module,
    read: Callable[[Tensor], dict[str, Tensor]],
) -> SceneView:
    codes = ("coin", "level")
    facts = {"step": 30, "title": "tiny, step 30", "history": HISTORY, "effort": "fast"}
    return SceneView(space, data, network, read, inferable=codes, **facts)


def _images(count: int, seed: int, held_out: ArrayDataset | None = None) -> ArrayDataset:
    rng = rng_of(seed)
    side = torch.randint(2, (count,), generator=rng)
    height = torch.rand(count, generator=rng) * 2 - 1
    light = torch.rand(count, generator=rng) * math.tau
    factors = torch.stack([side.float(), height, light], dim=1)
    return ArrayDataset(
        "blobs",
        "synthetic",
        _bytes(blobs(side, height, light)),
        side,
        factors,
        classes=IMAGE_FACTORS[0].values,
        descriptions=IMAGE_FACTORS,
        held_out=held_out,
        render=lambda table: _bytes(blobs(*table.unbind(dim=1))),
    )


def _bytes(images: Tensor) -> Tensor:
    return ((images + 1) * 127.5).round().to(torch.uint8)


def _read_blobs(images: Tensor) -> dict[str, Tensor]:
    """Read side and height off the centre of what is bright."""
    bright = (images[:, 0] + 0.2).clamp(min=0)
    line, mass = torch.linspace(-1, 1, SIDE), bright.sum(dim=(1, 2)) + 1e-6
    x = (bright.sum(dim=1) @ line) / mass
    y = (bright.sum(dim=2) @ line) / mass
    return {"coin": torch.stack([-8 * x, 8 * x], dim=1), "level": _sure(2 * y)}


def _read_points(points: Tensor) -> dict[str, Tensor]:
    distance = (points[:, None] - _centres()).square().sum(dim=2)
    nearest = _centres()[distance.argmin(dim=1)]
    return {"coin": -8 * distance, "level": _sure(20 * (points - nearest)[:, 1])}


def _sure(mean: Tensor) -> Tensor:
    """Return raw outputs of a normal posterior around `mean` (B,)."""
    return torch.stack([mean, torch.full_like(mean, -1.5)], dim=1)


def _centres() -> Tensor:
    return torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.0, -1.0], [-1.0, 0.0]])
