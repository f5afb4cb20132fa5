"""What a recipe may write in the tables of optimisers, schedules and averages. Light: no torch."""

from __future__ import annotations

from typing import Annotated

from pydantic import ConfigDict, Field

from gan_toolkit import Options, Scheduled

Share = Annotated[float, Field(ge=0, lt=1)]
NotNegative = Annotated[float, Field(ge=0)]
Positive = Annotated[float, Field(gt=0)]
Rate = Annotated[Scheduled, Field(gt=0)]


class AdamOptions(Options):
    """Options of `adam`."""

    lr: Rate = 2e-4
    """Learning rate: a number or a schedule."""
    betas: Annotated[list[Share], Field(min_length=2, max_length=2)] = Field(
        default_factory=lambda: [0.5, 0.999]
    )
    """Decay of the running means of gradient and squared gradient. GANs like the first one low."""
    eps: Positive = 1e-8
    """Added to the root of the squared gradient."""
    weight_decay: NotNegative = 0.0
    """Pull towards zero, added to the gradient."""


class SgdOptions(Options):
    """Options of `sgd`."""

    lr: Rate = 1e-2
    """Learning rate: a number or a schedule."""
    momentum: Share = 0.0
    """Share of the last step that is kept."""
    nesterov: bool = False
    """Whether the gradient is taken ahead of the kept step; needs momentum."""
    weight_decay: NotNegative = 0.0
    """Pull towards zero, added to the gradient."""


class RmspropOptions(Options):
    """Options of `rmsprop`."""

    lr: Rate = 5e-5
    """Learning rate: a number or a schedule."""
    alpha: Share = 0.99
    """Decay of the running mean of the squared gradient."""
    eps: Positive = 1e-8
    """Added to the root of the squared gradient."""
    momentum: Share = 0.0
    """Share of the last step that is kept."""
    weight_decay: NotNegative = 0.0
    """Pull towards zero, added to the gradient."""


class RampOptions(Options):
    """Options of `linear` and `cosine`."""

    model_config = ConfigDict(populate_by_name=True)

    from_: float = Field(alias="from")
    """The value up to `start`."""
    to: float
    """The value from `start + over` on."""
    over: Annotated[int, Field(ge=1)]
    """How many steps the way takes."""
    start: Annotated[int, Field(ge=0)] = 0
    """The step at which the way begins."""


class EmaOptions(Options):
    """Options of `ema`."""

    decay: Share = 0.999
    """Share of the average that a step keeps: 0.999 remembers about a thousand steps."""
    warmup: bool = True
    """Whether the first steps count more, so that random first weights are soon forgotten."""
