"""The bound of the reader that was trained along, on the scale of a reader of bins.

For a number q(c|x) is a density; what it gives to the bin that went in is its share there.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from gan_toolkit import Latent, View

RULER = 2_000
"""Points at which a density is summed over bins."""


def reader_bounds(
    view: View, samples: Tensor, latent: Tensor, bins: Mapping[str, Tensor], count: int
) -> dict[str, float]:
    """Return by code H + mean log q(bin | x), in nats, where it can be told.

    `samples` (N, …) were made of `latent` (N, W), whose numbers lie in `bins` (N,), of `count`.
    It can be told of the choices and single numbers that are inferred. Absent too where what is
    read is not finite; `bound` says so.
    """
    raw = view.infer(samples) if view.inferable else {}
    values = view.space.split(latent)
    found: dict[str, float] = {}
    for code in bins:
        if code not in raw or not raw[code].isfinite().all():
            continue
        known = view.space[code]
        if known.discrete:
            log_q = known.posterior(raw[code]).log_prob(values[code])
            found[code] = known.entropy() + float(log_q.double().mean())
        elif known.width == 1:
            ruler = _ruler(known, view.rng("audit ruler"))
            log_q = log_shares(known, raw[code], bins[code], count, ruler)
            found[code] = math.log(count) + float(log_q.mean())
    return found


def log_shares(latent: Latent, raw: Tensor, bins: Tensor, count: int, ruler: Tensor) -> Tensor:
    """Return log of the share of q(c|x) over the ruler (R, 1) that lies in each sample's bin."""
    places = latent.bins(ruler, count)[:, 0]
    rows = []
    for part, wanted in zip(raw.double().split(500), bins.split(500), strict=True):
        each = part.repeat_interleave(len(ruler), dim=0)
        density = latent.posterior(each).log_prob(ruler.double().repeat(len(part), 1))
        density = density.view(len(part), len(ruler))
        outside = places[None, :] != wanted[:, None]
        inside = density.masked_fill(outside, -math.inf).logsumexp(dim=1)
        rows.append(inside - density.logsumexp(dim=1))
    return torch.cat(rows)


def _ruler(latent: Latent, rng: torch.Generator) -> Tensor:
    """Return evenly spaced numbers (R, 1) over the support of the prior, as far as it is drawn."""
    drawn = latent.sample(100 * RULER, rng)
    low, high = float(drawn.min()), float(drawn.max())
    return torch.linspace(low, high, RULER)[:, None]
