"""The variational bound on mutual information of InfoGAN."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Literal

import torch
from torch import Tensor

from gan_toolkit import Critic, Judgement, Latent, LatentSpace, Pass, Player, Regulariser
from gantk_infogan.heads import Heads, trunk_of
from gantk_infogan.jitter import Jitter

LEAST_GAIN = 0.02
"""Nats. Even a number whose spread is fixed at 1 gains 0.17 when it is read exactly."""


class MutualInformation(Regulariser):
    """Minus the weighted sum over codes c of L_I = H(c) + E[log q(c | G(z, c))], in nats.

    L_I is a lower bound on I(c; G(z, c)) for any q (Chen et al. 2016, arXiv 1606.03657, equations
    4 and 5): 0 for a head that knows nothing of a category, H(c) for one that always reads it.
    H(c) and q come from the latent, so that what is logged is the true bound; the authors' code
    scores a uniform code with a normal's entropy and logs 0.39 nats too much.

    Both players minimise the term, as in the authors' code: the critic's phase trains the head and
    the shared trunk, the generator's phase rewards the generator, through head and trunk. Weights
    are per code and bounds are summed, so that adding a code changes no other code's gradient.
    """

    def __init__(
        self,
        *,
        codes: Sequence[str],
        latents: LatentSpace,
        sample_shape: Sequence[int],
        feature_width: int,
        new_critic: Callable[[], Critic],
        weights: Mapping[str, float] | None = None,
        head: Literal["shared", "hidden", "separate"] = "shared",
        hidden_width: int = 128,
        jitter: Mapping[str, float] | None = None,
        updates: Literal["both", "generator", "critic"] = "both",
        trained_by: Player = "critic",
        detach: bool = False,
    ) -> None:
        super().__init__()
        _check(head, updates, trained_by, detach)
        self.jitter = _jitter(jitter or {}, head, sample_shape)
        self.trained_by = trained_by
        self.updates = updates
        self.detach = detach
        self.weights = _weights(latents, _members(latents, codes), weights or {})
        self.readers = {code: latents[code] for code in self.weights}
        self.trunk = trunk_of(new_critic(), sample_shape) if head == "separate" else None
        self.heads = Heads(
            feature_width,
            {code: latent.posterior_width for code, latent in self.readers.items()},
            hidden_width if head == "hidden" else None,
        )

    def critic_term(self, seen: Pass) -> Tensor | None:
        """Return the term for the critic: it trains the head, and the trunk unless `detach`."""
        return None if self.updates == "generator" else self._term(seen)

    def generator_term(self, seen: Pass) -> Tensor | None:
        """Return the term for the generator: the reward for codes that can be read."""
        return None if self.updates == "critic" else self._term(seen)

    def infer(self, sample: Tensor, judgement: Judgement) -> dict[str, Tensor]:
        """Return raw outputs by code, from the critic's features or from the separate trunk."""
        features = judgement.features if self.trunk is None else self.trunk(sample).features
        return self.heads(features)

    def gains(self) -> Mapping[str, float]:
        """Return the bound of each code: an ignored code gains nothing."""
        return dict.fromkeys(self.readers, LEAST_GAIN)

    def _term(self, seen: Pass) -> Tensor:
        judgement = seen.on_fake
        if self.detach and seen.phase == "critic":
            judgement = judgement._replace(features=judgement.features.detach())
        sample = seen.fake if self.jitter is None else self.jitter(seen.fake, seen.rng("jitter"))
        raw = self.infer(sample, judgement)
        bounds = {
            code: bound(latent, raw[code], seen.latents[code])
            for code, latent in self.readers.items()
        }
        for code, found in bounds.items():
            seen.log(code, found)
        if len(bounds) > 1:
            seen.log("total", torch.stack(list(bounds.values())).sum())
        weighted = [self.weights[code] * found for code, found in bounds.items()]
        return -torch.stack(weighted).sum()


def bound(latent: Latent, raw: Tensor, value: Tensor) -> Tensor:
    """Return L_I = H(c) + mean log q(c | x) in nats, of raw outputs (B, .) and codes (B, width)."""
    return latent.entropy() + latent.posterior(raw).log_prob(value).mean()


def _check(head: str, updates: str, trained_by: str, detach: bool) -> None:
    """Refuse choices that contradict each other or have no effect."""
    if updates not in ("both", trained_by):
        raise ValueError(
            f'the head would never be trained: updates = "{updates}" leaves out its trainer, '
            f'trained_by = "{trained_by}"; write updates = "both" or trained_by = "{updates}"'
        )
    if detach and head == "separate":
        raise ValueError(
            'detach has no effect with head = "separate": that head shares nothing with the critic'
        )
    if detach and updates == "generator":
        raise ValueError(
            'detach has no effect with updates = "generator": only the critic\'s phase detaches'
        )
    if updates == "both" and trained_by == "generator" and (detach or head == "separate"):
        cause = "detach" if detach else 'head = "separate"'
        raise ValueError(
            f'with {cause} and trained_by = "generator" the critic\'s phase would train nothing; '
            'write updates = "generator"' + (" and leave detach out" if detach else "")
        )


def _jitter(amounts: Mapping[str, float], head: str, sample_shape: Sequence[int]) -> Jitter | None:
    if not any(amounts.values()):
        return None
    if head != "separate":
        raise ValueError(
            f'jitter has no effect with head = "{head}", which reads the critic\'s features of the '
            'sample as it is; write head = "separate"'
        )
    if len(sample_shape) != 3:
        shape = "x".join(map(str, sample_shape))
        raise ValueError(f"jitter changes images; the data has samples of {shape}; leave it out")
    return Jitter(**amounts)


def _members(latents: LatentSpace, codes: Sequence[str]) -> list[str]:
    """Resolve groups and members, each once; every one of them must have a posterior."""
    members = [member for code in codes for member in latents.group(code)]
    if not members:
        raise ValueError("codes is empty: name at least one latent to recover")
    for member in members:
        if members.count(member) > 1:
            raise ValueError(f"code {member!r} is named twice in codes")
        if latents[member].posterior_width == 0:
            raise ValueError(
                f"code {member!r} can't be recovered: {type(latents[member]).__name__} has no "
                "posterior; take it out of codes"
            )
    return members


def _weights(
    latents: LatentSpace, members: Sequence[str], given: Mapping[str, float]
) -> dict[str, float]:
    """Give every member its own weight, else its group's, else 1."""
    weights = dict.fromkeys(members, 1.0)
    groups_first = sorted(given, key=lambda name: name in latents)
    for name in groups_first:
        for member in latents.group(name):
            if member not in weights:
                raise ValueError(
                    f"weights.{name}: {member!r} is not one of codes; known: {', '.join(members)}"
                )
            weights[member] = given[name]
    return weights
