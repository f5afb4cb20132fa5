"""What a network refuses, in one line that says what would work."""

from __future__ import annotations

from torch import Tensor, nn


def describe(shape: tuple[int, ...]) -> str:
    """Return `28x28x1 images` for (1, 28, 28), `points of 2 numbers` for (2,)."""
    if len(shape) == 3:
        channels, height, width = shape
        return f"{height}x{width}x{channels} images"
    if len(shape) == 1:
        return f"points of {shape[0]} number{'s' if shape[0] != 1 else ''}"
    return f"samples of shape {shape}"


def refuse_condition(network: nn.Module, condition: Tensor | None) -> None:
    """Raise ValueError if there is a condition: ignoring it would pass for using it."""
    if condition is not None:
        raise ValueError(f"{type(network).__name__} takes no condition")
