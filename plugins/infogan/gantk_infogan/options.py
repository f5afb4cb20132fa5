"""What a recipe may write in the table of `mutual_information`. Light: no torch here."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from gan_toolkit import Options, Reference

Weight = Annotated[float, Field(ge=0)]
Amount = Annotated[float, Field(ge=0, le=2)]
Change = Literal["width", "height", "shift", "tone", "grain"]


class MutualInformationOptions(Options):
    """Options of `mutual_information`."""

    codes: Annotated[list[str], Reference("latents"), Field(min_length=1)]
    """The latents to recover: groups ("style") or single members ("style.1")."""
    weights: Annotated[dict[str, Weight], Reference("latents")] = Field(default_factory=dict)
    """Weight of each code's bound, per group or member, 1 where nothing is said; a member's own
    weight beats its group's."""
    head: Literal["shared", "hidden", "separate"] = "shared"
    """What reads the codes: a linear layer on the critic's features; the same with a private layer
    between; or a network of its own, built like the critic."""
    hidden_width: Annotated[int, Field(ge=1, le=65_536)] = 128
    """Units of the private layer of `head = "hidden"`."""
    jitter: dict[Change, Amount] = Field(default_factory=dict)
    """What a separate head must see through while it is trained: random stretches, moves, tones and
    grain, so that no code is rewarded for a meaning the jitter hides."""
    updates: Literal["both", "generator", "critic"] = "both"
    """Whose loss has the term. "critic": the head learns to read, the generator is not rewarded."""
    trained_by: Literal["critic", "generator"] = "critic"
    """Whose optimiser steps the head."""
    detach: bool = False
    """Whether the head reads the critic's features without training them."""
