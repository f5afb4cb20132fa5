"""Mode seeking."""

from __future__ import annotations

from collections.abc import Sequence

from torch import Tensor

from gan_toolkit import LatentSpace, Pass, Regulariser


class Diversity(Regulariser):
    """1 / (E|G(z) - G(z')| / E|z - z'| + eps): small when a change of latents shows in the samples.

    The mode-seeking term of Mao et al. 2019, arXiv 1903.05628, which maximises the ratio; as in the
    authors' code its inverse is minimised. Each row of the batch is paired with the one before it,
    so the term costs no forward of its own. A generator that ignores its input gets 1 / eps.
    """

    def __init__(self, latents: LatentSpace, of: Sequence[str] = (), eps: float = 1e-5) -> None:
        super().__init__()
        self.of = [member for name in of or latents for member in latents.group(name)]
        self.eps = eps

    def generator_term(self, seen: Pass) -> Tensor:
        """Return the penalty, over all pairs of neighbours in the batch."""
        inputs = sum(_change(seen.latents[name]) for name in self.of) / len(self.of)
        ratio = _change(seen.fake.float()) / inputs
        seen.log("ratio", ratio)
        return 1 / (ratio + self.eps)


def _change(rows: Tensor) -> Tensor:
    return (rows - rows.roll(1, dims=0)).abs().mean()
