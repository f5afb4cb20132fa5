"""What a stranger can add from outside, one of each: components of at most 25 lines of code."""

from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.distributions import Bernoulli, Beta, Distribution, Independent
from torch.nn.functional import softplus

from gan_toolkit import (
    ArrayDataset,
    Dataset,
    Exporter,
    Grid,
    Latent,
    LatentSpace,
    Model,
    Options,
    Pass,
    Registry,
    Regulariser,
    Tracker,
    UsageError,
    device_of,
    hookimpl,
)

EDGE = 1e-6
"""How far from 0 and 1 a share stays, where the density of a beta may be 0."""


class BetaOptions(Options):
    """Options of `beta`."""

    rank: Annotated[int, Field(ge=1, le=100)] = 2
    """Which of the uniform numbers it is, from the smallest."""
    of: Annotated[int, Field(ge=1, le=100)] = 3
    """How many uniform numbers there are; at least `rank`."""


class BernoulliOptions(Options):
    """Options of `bernoulli`."""

    bits: Annotated[int, Field(ge=1, le=64)] = 3
    """How many bits there are."""
    chance: Annotated[float, Field(gt=0, lt=1)] = 0.5
    """The probability of a 1."""


class OrthogonalOptions(Options):
    """Options of `orthogonal`."""

    size: Annotated[int, Field(ge=2, le=1_024)] = 4
    """Rows of the head: how many directions of the features are looked at."""


class CsvOptions(Options):
    """Options of `csv`."""

    column: str = "critic/loss"
    """What is written beside the step."""


class SvgOptions(Options):
    """Options of `svg`."""

    code: str = "mode"
    """The code whose values are drawn in greys of their own."""
    points: Annotated[int, Field(ge=1, le=10_000)] = 100
    """Points of each value."""


class MoonsOptions(Options):
    """Options of `moons`."""

    count: Annotated[int, Field(ge=2, le=1_000_000)] = 1_024
    """How many points."""


class BetaLatent(Latent):
    """The `rank`-th smallest of `of` uniform numbers: Beta(rank, of - rank + 1) in (0, 1)."""

    width = 1
    posterior_width = 2

    def __init__(self, rank: int = 2, of: int = 3) -> None:
        if rank > of:
            raise ValueError(f"rank = {rank}: there are only {of} numbers; {of} or less")
        self.rank, self.of = rank, of

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        drawn = torch.rand(count, self.of, device=device_of(rng), generator=rng)
        return drawn.sort(dim=1).values[:, self.rank - 1 : self.rank].clamp(EDGE, 1 - EDGE)

    def posterior(self, raw: Tensor) -> Distribution:
        one, other = (softplus(raw) + 1).split(1, dim=1)
        return Independent(Beta(one, other, validate_args=False), 1, validate_args=False)

    def estimate(self, raw: Tensor) -> Tensor:
        return self.posterior(raw).mean

    def entropy(self) -> float:
        a, b, h = self.rank, self.of - self.rank + 1, harmonic
        log_beta = math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
        return log_beta - (a - 1) * h(a) - (b - 1) * h(b) + (a + b - 2) * h(a + b)


def harmonic(number: int) -> float:
    """Return the digamma of a whole number plus Euler's constant, which cancels where it stands."""
    return sum(1 / k for k in range(1, number))


class BernoulliLatent(Latent):
    """Independent bits, each 1 with probability `chance`. H = bits H(chance) nats."""

    discrete = True

    def __init__(self, bits: int = 3, chance: float = 0.5) -> None:
        self.width = self.posterior_width = bits
        self.chance = chance

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        drawn = torch.rand(count, self.width, device=device_of(rng), generator=rng)
        return (drawn < self.chance).float()

    def posterior(self, raw: Tensor) -> Distribution:
        return Independent(Bernoulli(logits=raw, validate_args=False), 1, validate_args=False)

    def estimate(self, raw: Tensor) -> Tensor:
        return (raw > 0).long()

    def entropy(self) -> float:
        p, q = self.chance, 1 - self.chance
        return -self.width * (p * math.log(p) + q * math.log(q))

    def grid(self, count: int) -> Grid:
        ladder = torch.ones(self.width + 1, self.width).tril(-1)
        return Grid(ladder, [str(i) for i in range(len(ladder))], [True] * len(ladder))

    def bins(self, value: Tensor, count: int) -> Tensor:
        return value.long()


class Orthogonal(Regulariser):
    """|W W' - I|^2 + |offdiag cov(W f)|^2, means over entries: fakes seen from `size` sides.

    W is a head of its own on the critic's features f, stepped by the critic's optimiser.
    """

    one: Tensor

    def __init__(self, feature_width: int, size: int = 4) -> None:
        super().__init__()
        self.head = nn.Linear(feature_width, size, bias=False)
        self.register_buffer("one", torch.eye(size))

    def critic_term(self, seen: Pass) -> Tensor:
        weight = self.head.weight
        rows = (weight @ weight.T - self.one).square().mean()
        apart = torch.cov(self.head(seen.on_fake.features.float()).T) * (1 - self.one)
        seen.log("rows", rows)
        return rows + apart.square().mean()


class Csv(Tracker):
    """Writes `step,value` into `<run>/<column>.csv`."""

    def __init__(self, column: str = "critic/loss") -> None:
        self.column = column
        self.path: Path | None = None

    def start(self, facts: Mapping[str, Any]) -> None:
        self.path = Path(facts["folder"]) / f"{self.column.replace('/', '-')}.csv"

    def log(self, record: Mapping[str, Any]) -> None:
        if self.path is not None and self.column in record:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(f"{record['step']},{record[self.column]}\n")


class Svg(Exporter):
    """Draws points between -2 and 2, those of each value of a code in a grey of its own."""

    suffix = ".svg"

    def __init__(self, latents: LatentSpace, code: str = "mode", points: int = 100) -> None:
        latents.group(code)
        self.code, self.points = code, points

    def export(self, model: Model, target: Path) -> None:
        samples, grid = model.traverse(self.code, rows=self.points)
        if samples.shape[2:] != (2,):
            raise UsageError("it draws points in the plane, and this model makes others")
        lines = ['<svg xmlns="http://www.w3.org/2000/svg" viewBox="-2 -2 4 4">']
        for number, points in enumerate(samples.transpose(0, 1).tolist()):
            lines.append(f'<g opacity="{(number + 1) / len(grid.labels):.2f}">')
            lines += [f'<circle cx="{x:.3f}" cy="{-y:.3f}" r=".02"/>' for x, y in points]
            lines.append("</g>")
        target.write_text("\n".join([*lines, "</svg>\n"]), encoding="utf-8")


def moons(count: int = 1_024) -> Dataset:
    """Two half circles that reach into each other, evenly filled; labels say which."""
    angle = torch.linspace(0, torch.pi, count // 2)
    upper = torch.stack([angle.cos() - 0.5, angle.sin() - 0.25], dim=1)
    labels = torch.arange(2).repeat_interleave(count // 2)
    points = torch.cat([upper, -upper]) / 1.5
    return ArrayDataset("moons", "synthetic", points, labels, classes=("upper", "lower"))


@hookimpl
def gantk_register(registry: Registry) -> None:
    """Offer them all."""
    add = registry.add
    add("latent", "beta", options=BetaOptions, build="proof:BetaLatent", summary="a share")
    add(
        "latent",
        "bernoulli",
        options=BernoulliOptions,
        build="proof:BernoulliLatent",
        summary="bits",
    )
    add(
        "regulariser",
        "orthogonal",
        options=OrthogonalOptions,
        build="proof:Orthogonal",
        summary="keeps directions of the critic's features apart",
    )
    add("tracker", "csv", options=CsvOptions, build="proof:Csv", summary="a table of one number")
    add(
        "exporter",
        "svg",
        options=SvgOptions,
        build="proof:Svg",
        summary="points as a drawing",
        trial={"code": "coin"},
    )
    add("dataset", "moons", options=MoonsOptions, build="proof:moons", summary="two half circles")
