"""The networks that read codes: Q(c | x) of InfoGAN, in three shapes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor, nn

from gan_toolkit import Critic

SLOPE = 0.1
"""Of leaky ReLU (arXiv 1606.03657, appendix C); the authors' code has 0.01."""


class Heads(nn.Module):
    """Reads features (B, F) as raw outputs per code, through a private layer if `hidden_width`.

    Weights start as in the authors' code: normal with deviation 0.02, batch-norm scale N(1, 0.02),
    biases 0, so that every posterior starts out ignorant.
    """

    def __init__(
        self, feature_width: int, widths: Mapping[str, int], hidden_width: int | None = None
    ) -> None:
        super().__init__()
        self.private = (
            nn.Identity() if hidden_width is None else _layer(feature_width, hidden_width)
        )
        self.codes = tuple(widths)
        self.outputs = nn.ModuleDict(
            {_key(code): nn.Linear(hidden_width or feature_width, w) for code, w in widths.items()}
        )
        self.apply(_initialise)

    def forward(self, features: Tensor) -> dict[str, Tensor]:
        """Return raw outputs (B, posterior_width) by code, in float32 whatever the precision."""
        features = self.private(features)
        return {code: self.outputs[_key(code)](features).float() for code in self.codes}


def trunk_of(critic: Critic, sample_shape: Sequence[int]) -> Critic:
    """Freeze the parameters of a fresh critic that only its score reads.

    As a reader of codes the critic gives features; what makes the score would belong to an
    optimiser and never get a gradient.
    """
    training = critic.training
    critic.eval()  # the probe must not reach running statistics
    named = dict(critic.named_parameters())
    device = next(iter(named.values())).device
    with torch.enable_grad():
        features = critic(torch.zeros(1, *sample_shape, device=device)).features
    reached = _leaves(features)
    for parameter in named.values():
        parameter.requires_grad_(id(parameter) in reached)
    return critic.train(training)


def _leaves(result: Tensor) -> set[int]:
    """Return the ids of the parameters that a result was computed from; no backward is needed."""
    found: set[int] = set()
    seen: set[object] = set()
    waiting = [result.grad_fn]
    while waiting:
        node = waiting.pop()
        if node is not None and node not in seen:
            seen.add(node)
            found.add(id(getattr(node, "variable", None)))
            waiting += [following for following, _ in node.next_functions]
    return found


def _layer(feature_width: int, hidden_width: int) -> nn.Module:
    return nn.Sequential(
        nn.Linear(feature_width, hidden_width),
        nn.BatchNorm1d(hidden_width),
        nn.LeakyReLU(SLOPE),
    )


def _key(code: str) -> str:
    """Name a code's module: torch forbids the dot, and latents never have a dash."""
    return code.replace(".", "-")


def _initialise(module: nn.Module) -> None:
    if isinstance(module, nn.Linear | nn.BatchNorm1d):
        centre = 1.0 if isinstance(module, nn.BatchNorm1d) else 0.0
        nn.init.normal_(module.weight, centre, 0.02)
        nn.init.zeros_(module.bias)
