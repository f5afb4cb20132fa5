"""What a recipe may write in the table of a measure. Light: no torch here."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from gan_toolkit import Options, Reference

Count = Annotated[int, Field(ge=100, le=1_000_000)]
ByEffort = Count | None
"""Absent: a usual number, a fifth of it with `--fast`, five times as many with `--full`."""


class BoundOptions(Options):
    """Options of `bound`."""

    samples: ByEffort = None
    """Fresh samples the bound is averaged over; absent: 10,000, or as the effort says."""


class ClusteringOptions(Options):
    """Options of `clustering`."""

    samples: ByEffort = None
    """Real samples to read, held-out ones where the data set has them, at most all; absent: 10,000,
    or as the effort says."""


class ExplainedOptions(Options):
    """Options of `explained`."""

    factors: list[str] = Field(default_factory=list)
    """Factors of the data set to measure; empty: all that are scored."""
    codes: Annotated[list[str], Reference("latents")] = Field(default_factory=list)
    """Latents to compare them with, groups or members; empty: all that are inferred."""
    samples: ByEffort = None
    """Generated samples; absent: 5,000, or as the effort says."""
    real: Count = 20_000
    """Real samples the probe learns from; at most all."""
    steps: Annotated[int, Field(ge=10, le=100_000)] = 1_200
    """Training steps of the probe, 128 samples each; about 25 ms a step for 32 pixels."""
    reliable: Annotated[float, Field(ge=0, le=1)] = 0.8
    """Least quality of the probe on real samples it has not seen (R2, or accuracy); below it, the
    factor's scores are void."""


class ModesOptions(Options):
    """Options of `modes`."""

    samples: ByEffort = None
    """Fresh samples; absent: 10,000, or as the effort says."""
    factor: str = "mode"
    """The discrete factor that tells which cluster a real point belongs to."""
    within: Annotated[float, Field(gt=0, le=100)] = 3.0
    """Standard deviations from the nearest centre up to which a sample is good."""
    least: Annotated[float, Field(gt=0, le=1)] = 0.1
    """Share of its frequency in the data at which a mode counts as covered."""
