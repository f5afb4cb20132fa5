"""Batch norm over the whole batch when it is cut into shares, a rank each.

Shapes: B rows of this rank's share, N ranks, C channels, (B, C, …) what is normalised. After
Ioffe and Szegedy 2015; torch's own synchronised layer needs CUDA and can't be differentiated
twice, which penalties on gradients do.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd import Function
from torch.nn.modules.batchnorm import _BatchNorm

from gan_toolkit.distributed import Ranks


class _Mean(Function):
    """The mean of a tensor over all ranks: its own derivative, as often as one likes.

    A rank's loss is L_r, all minimise the mean of L_r, and gradients are averaged at the end. So a
    rank owes each value it gave away the sum over ranks of dL_r/d(mean) times 1/N: their mean.
    """

    @staticmethod
    def forward(context: Any, tensor: Tensor, ranks: Ranks) -> Tensor:
        context.ranks = ranks
        mean = tensor.detach().clone()
        ranks.average([mean])
        return mean

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Any:
        return _Mean.apply(gradient, context.ranks), None


class SynchronisedNorm(_BatchNorm):
    """Takes the place of a batch norm: the same parameters and statistics, of the whole batch."""

    def __init__(self, norm: _BatchNorm, ranks: Ranks) -> None:
        super().__init__(0, norm.eps, norm.momentum, affine=False, track_running_stats=False)
        self.num_features = norm.num_features
        self.affine = norm.affine
        self.track_running_stats = norm.track_running_stats
        self.training = norm.training
        self._parameters = norm._parameters
        self._buffers = norm._buffers
        self._ranks = ranks

    def forward(self, input: Tensor) -> Tensor:
        """Normalise (B, C, …) by mean and variance over the batches of all ranks."""
        by_batch = self.training or self.running_mean is None
        if not by_batch or input.is_meta:
            return super().forward(input)
        values = input.float()
        axes = [axis for axis in range(values.dim()) if axis != 1]
        mean = self._over_ranks(values.mean(axes, keepdim=True))
        variance = self._over_ranks((values - mean).square().mean(axes, keepdim=True))
        if self.training and self.track_running_stats:
            count = self._ranks.count * values.numel() // self.num_features
            self._remember(mean.detach().flatten(), variance.detach().flatten(), count)
        normal = (values - mean) * torch.rsqrt(variance + self.eps)
        if self.affine:
            normal = normal * self.weight.view_as(mean) + self.bias.view_as(mean)
        return normal.to(input.dtype)

    def _over_ranks(self, tensor: Tensor) -> Tensor:
        mean: Tensor = _Mean.apply(tensor, self._ranks)
        return mean

    @torch.no_grad()
    def _remember(self, mean: Tensor, variance: Tensor, count: int) -> None:
        """Move the running statistics as torch does: the variance without its bias."""
        assert self.num_batches_tracked is not None, "it tracks"
        assert self.running_mean is not None, "it tracks"
        assert self.running_var is not None, "it tracks"
        self.num_batches_tracked += 1
        share = self.momentum
        if share is None:
            share = 1 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean, share)
        self.running_var.lerp_(variance * (count / max(count - 1, 1)), share)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch norm takes (B, C, …), not a shape of {input.dim()} axes")


def synchronise(module: nn.Module, ranks: Ranks) -> None:
    """Let every batch norm inside `module` look at the whole batch; alone, do nothing."""
    if ranks.count == 1:
        return
    for name, child in module.named_children():
        if isinstance(child, _BatchNorm):
            setattr(module, name, SynchronisedNorm(child, ranks))
        else:
            synchronise(child, ranks)


def local_statistics(module: nn.Module) -> Iterator[Tensor]:
    """Yield the running statistics that this rank takes of its own share only."""
    for norm in module.modules():
        if isinstance(norm, _BatchNorm) and not isinstance(norm, SynchronisedNorm):
            yield from (b for b in (norm.running_mean, norm.running_var) if b is not None)
