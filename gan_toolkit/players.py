"""Who owns which parameter, and how a player moves.

Every trained parameter belongs to exactly one player: the generator's to the generator, the
critic's to the critic, a regulariser's to the player it names in `trained_by`. A parameter with no
owner would silently never learn; one with two would be stepped twice.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from gan_toolkit.interfaces import Player, Regulariser, Schedule
from gan_toolkit.schedules import as_schedule


@dataclass(frozen=True)
class Optimiser:
    """How a player steps: a builder over parameter groups, and a learning rate."""

    build: Callable[[list[dict[str, Any]]], torch.optim.Optimizer]
    lr: float | Schedule


class Moving:
    """One player's parameters, by name, and the optimiser that steps them."""

    def __init__(self, groups: list[tuple[float, dict[str, nn.Parameter]]], how: Optimiser) -> None:
        self.parameters = {name: p for _, group in groups for name, p in group.items()}
        self.unmoved = set(self.parameters)
        """Names of the parameters that no loss has reached so far."""
        self.pace = 1.0
        """Factor on every learning rate of the recipe."""
        self._lr = as_schedule(how.lr)
        self._scales = [scale for scale, _ in groups]
        self.optimiser = how.build(
            [
                {"params": list(group.values()), "lr": self._lr.at(0) * scale}
                for scale, group in groups
            ]
        )
        self._built = [dict(group) for group in self.optimiser.param_groups]

    def add_gradients(self, loss: Tensor, share: float) -> None:
        """Add `share` times the gradient of `loss`; no other player's parameter gets any."""
        parameters = list(self.parameters.values())
        gradients = torch.autograd.grad(loss * share, parameters, allow_unused=True)
        if self.unmoved:
            reached = zip(self.parameters, gradients, strict=True)
            self.unmoved -= {name for name, gradient in reached if gradient is not None}
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if gradient is None:
                continue
            gradient = _laid_as(parameter, gradient)
            if parameter.grad is not None:
                # Not in place: autograd may hand one tensor to several parameters.
                gradient = parameter.grad + gradient
            parameter.grad = gradient

    def gradients(self) -> list[Tensor]:
        """Return what was added up, of each parameter that a loss reached."""
        return [p.grad for p in self.parameters.values() if p.grad is not None]

    def gradient_norm(self) -> Tensor:
        """Return the length of the gradient over all parameters."""
        return get_total_norm(self.gradients())

    def forget(self) -> None:
        """Drop the gradients that were added up."""
        self.optimiser.zero_grad(set_to_none=True)

    def move(self, step: int) -> None:
        """Step the optimiser at the rate of `step` and forget the gradients."""
        rate = self._lr.at(step) * self.pace
        for group, scale in zip(self.optimiser.param_groups, self._scales, strict=True):
            group["lr"] = rate * scale
        self.optimiser.step()
        self.forget()

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the optimiser's state: tensors by `parameter/key`, and what fits in JSON.

        Some optimisers keep state in their groups: what they changed there is part of it.
        """
        tensors: dict[str, Tensor] = {}
        facts: dict[str, Any] = {"unmoved": sorted(self.unmoved), "groups": self._changed()}
        for name, parameter in self.parameters.items():
            for key, value in self.optimiser.state.get(parameter, {}).items():
                if isinstance(value, Tensor):
                    tensors[f"{name}/{key}"] = value
                elif value is not None:
                    facts[f"{name}/{key}"] = value
        return tensors, facts

    def load_state(self, tensors: Mapping[str, Tensor], facts: Mapping[str, Any]) -> None:
        """Take back what `state` returned; states of parameters owned elsewhere are left alone."""
        self.unmoved = set(facts["unmoved"])
        order = {name: index for index, name in enumerate(self.parameters)}
        states: dict[int, dict[str, Any]] = {}
        for path, value in (dict(tensors) | dict(facts)).items():
            name, _, key = path.rpartition("/")
            if name in order:
                states.setdefault(order[name], {})[key] = _laid_as(self.parameters[name], value)
        own = self.optimiser.state_dict()
        own["state"] = states
        for group, changed in zip(own["param_groups"], facts["groups"], strict=True):
            group |= changed
        self.optimiser.load_state_dict(own)

    def _changed(self) -> list[dict[str, Any]]:
        pairs = zip(self.optimiser.param_groups, self._built, strict=True)
        return [
            {
                key: value
                for key, value in group.items()
                if key not in ("params", "lr") and (key not in built or value != built[key])
            }
            for group, built in pairs
        ]


def _laid_as(parameter: nn.Parameter, value: Any) -> Any:
    """Return a tensor of the parameter's shape in its order of memory; anything else as it is.

    Fused optimisers read raw memory: an expanded, transposed or channels-last one is garbage.
    """
    if not isinstance(value, Tensor) or value.shape != parameter.shape:
        return value
    if value.stride() == parameter.stride():
        return value
    return torch.empty_like(parameter, dtype=value.dtype, device=value.device).copy_(value)


def make_players(
    modules: Mapping[Player, nn.Module],
    regularisers: Mapping[str, Regulariser],
    *,
    bystanders: Mapping[str, object],
    optimisers: Mapping[Player, Optimiser],
) -> dict[Player, Moving]:
    """Give every trained parameter to one player.

    `bystanders` are parts that no player trains. Raises ValueError naming a parameter that would
    have two owners, or none.
    """
    owner_of: dict[int, str] = {}
    players: dict[Player, Moving] = {}
    for player, module in modules.items():
        groups = [(1.0, _named(player, module, list(module.parameters())))]
        for name, regulariser in regularisers.items():
            if regulariser.trained_by == player:
                groups += _groups_of(f"regularisers.{name}", regulariser)
        groups = [(scale, group) for scale, group in groups if group]
        for _, group in groups:
            _claim(group, owner_of)
        players[player] = Moving(groups, optimisers[player])
    named = {f"regularisers.{name}": part for name, part in regularisers.items()}
    _refuse_orphans({**named, **bystanders}, owner_of)
    return players


def _groups_of(
    prefix: str, regulariser: Regulariser
) -> list[tuple[float, dict[str, nn.Parameter]]]:
    return [(scale, _named(prefix, regulariser, own)) for scale, own in regulariser.param_groups()]


def _named(prefix: str, module: nn.Module, wanted: list[nn.Parameter]) -> dict[str, nn.Parameter]:
    ids = {id(parameter) for parameter in wanted}
    return {
        f"{prefix}.{name}": parameter
        for name, parameter in module.named_parameters()
        if id(parameter) in ids and parameter.requires_grad
    }


def _claim(group: Mapping[str, nn.Parameter], owner_of: dict[int, str]) -> None:
    for name, parameter in group.items():
        other = owner_of.setdefault(id(parameter), name)
        if other != name:
            raise ValueError(
                f"parameter {name!r} is also {other!r}: it would be trained twice; "
                "a part that only reads another must not hold it as a submodule"
            )


def _refuse_orphans(parts: Mapping[str, object], owner_of: Mapping[int, str]) -> None:
    for where, part in parts.items():
        if not isinstance(part, nn.Module):
            continue
        for name, parameter in part.named_parameters():
            if parameter.requires_grad and id(parameter) not in owner_of:
                raise ValueError(
                    f"parameter '{where}.{name}' has no owner and would never learn: hold it in a "
                    "generator, a critic or a regulariser, and return it from param_groups()"
                )
