"""The training step of a two-player game with added terms.

One step is `critic_steps` moves of the critic and one of the generator. A move makes one `Pass`
per micro-batch, adds the game's loss and every active term, takes the gradient with respect to
exactly the moving player's parameters, and lets its optimiser step. Nothing in a step depends on
the wall clock or on state outside the engine, so a resumed run is an uninterrupted one.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial, reduce
from operator import add

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from gan_toolkit.alarms import RIGHT
from gan_toolkit.batch_norm import local_statistics
from gan_toolkit.device import Device
from gan_toolkit.distributed import Alone, Ranks
from gan_toolkit.errors import Diverged, GantkError, PluginError, ResumeError
from gan_toolkit.interfaces import (
    Averaging,
    Critic,
    Generator,
    Objective,
    Pass,
    Player,
    Regulariser,
    Schedule,
)
from gan_toolkit.latents import LatentSpace
from gan_toolkit.players import Moving, Optimiser, make_players
from gan_toolkit.randomness import (
    Randomness,
    global_states,
    restore_global_states,
    seed_of_attempt,
)
from gan_toolkit.schedules import as_schedule
from gan_toolkit.snapshot import Snapshot

Share = tuple[Tensor, Tensor | None]
"""One micro-batch: real samples and their condition."""


@dataclass(frozen=True)
class Term:
    """A regulariser in a game: how much it weighs and when it is active."""

    name: str
    regulariser: Regulariser
    weight: float | Schedule = 1.0
    every: int = 1
    """Active at steps that are multiples of it, and then scaled by it, so that the weight keeps
    its meaning (lazy regularisation: Karras et al. 2020, StyleGAN2, appendix B)."""
    start: int = 0
    stop: int | None = None
    """The first step at which it is no longer active."""

    @property
    def first(self) -> int:
        """The first step at which it is active."""
        return -(-self.start // self.every) * self.every

    def factor(self, step: int) -> float:
        """Return what its value is multiplied by at `step`; 0 when it is not active."""
        begun = step >= self.start and (self.stop is None or step < self.stop)
        if not begun or step % self.every:
            return 0.0
        return as_schedule(self.weight).at(step) * self.every


class Engine:
    """Two players, an objective, any number of terms, and the state that training changes."""

    def __init__(
        self,
        generator: Generator,
        critic: Critic,
        latents: LatentSpace,
        objective: Objective,
        optimisers: Mapping[Player, Optimiser],
        terms: Sequence[Term] = (),
        averaging: Averaging | None = None,
        *,
        device: Device | None = None,
        seed: int = 0,
        critic_steps: int = 1,
        accumulate: int = 1,
        ranks: Ranks | None = None,
    ) -> None:
        self.device = device or Device()
        self.ranks = ranks or Alone()
        self.latents = latents
        self.objective = objective
        self.terms = tuple(terms)
        self.averaging = averaging
        self.critic_steps = critic_steps
        self.accumulate = accumulate
        self.steps_done = 0
        self.attempt = 0
        """How often training went back to an earlier state, to go on with other numbers."""
        self.spare: Callable[[Diverged], None] | None = None
        """Is told of a move by what is not finite, and raises, or the move is left out. None: it is
        raised, or on a device where looking costs time, left to whoever reads the metrics."""
        self.watched = False
        """Whether the next step also counts how often the critic is right."""
        self.generator = generator
        self.critic = critic
        self.regularisers = {term.name: term.regulariser for term in self.terms}
        for module in (generator, critic, *self.regularisers.values()):
            self.device.place(module)
        if averaging is not None:
            averaging.attach(self.generator)
        self.notes: list[str] = []
        """What its user should know of how it computes."""
        self._called = self._compiled()
        self._norms = [m for m in self.critic.modules() if isinstance(m, _BatchNorm)]
        self._seed = seed
        self._random = Randomness(seed, self.device.torch_device)
        self._players = make_players(
            {"generator": self.generator, "critic": self.critic},
            self.regularisers,
            bystanders={"objective": objective, **{f"latents.{k}": v for k, v in latents.items()}},
            optimisers=optimisers,
        )

    @property
    def shown(self) -> nn.Module:
        """The generator that is sampled, evaluated and shared: the averaged one if there is one."""
        return self.generator if self.averaging is None else self.averaging.module

    @property
    def batches_per_step(self) -> int:
        """How many batches of real samples one step takes, laid end to end."""
        return self.critic_steps * self.accumulate

    # --- the step ---------------------------------------------------------------------------

    def step(self, real: Tensor, condition: Tensor | None = None) -> dict[str, Tensor]:
        """Let both players move and return what was measured on the way, scalars by name.

        `real` holds `batches_per_step` batches end to end, on the engine's device; of several
        ranks each gets its share of every batch. Raises Diverged before an optimiser would take in
        a loss or a gradient that is not finite, unless such moves are spared.
        """
        self.train()
        metrics: dict[str, Tensor] = {}
        turns = self._deal(real, condition)
        for turn, shares in enumerate(turns):
            self._move("critic", turn, shares, metrics)
        self._move("generator", 0, turns[-1], metrics)
        self.ranks.average(self._local_statistics())
        if self.averaging is not None:
            self.averaging.update(self.steps_done)
        self.steps_done += 1
        return metrics

    def _move(
        self, phase: Player, turn: int, shares: Sequence[Share], metrics: dict[str, Tensor]
    ) -> None:
        """Add up the gradients of all shares of a batch, then step the player's optimiser."""
        player = self._players[phase]
        buffers = self._buffers()
        logged: list[dict[str, Tensor]] = []
        found: list[dict[str, Tensor]] = []
        for part, (real, condition) in enumerate(shares):
            place = (self.steps_done, phase, turn, part)
            draw = partial(self._draws, place)
            seen = self.look(phase, real, condition, self._random.stream("latents", *place), draw)
            with self.device.computing(), _blaming(seen):
                losses = self.losses(seen)
            player.add_gradients(reduce(add, losses.values()), 1 / len(shares))
            logged.append(seen.logged)
            found.append(losses)
        norm = self._averaged(player, found)
        if fault := self._fault(phase, found, norm):
            player.forget()
            self._spare(fault, buffers)
            return
        metrics |= _means(logged) | {f"{phase}/gradient_norm": norm}
        player.move(self.steps_done)

    def _draws(self, place: tuple[str | int, ...], purpose: str) -> torch.Generator:
        """Return the generator of a term: of several ranks each but the first has its own."""
        own = () if self.ranks.is_first else ("rank", self.ranks.index)
        return self._random.stream("terms", *place, purpose, *own)

    def look(
        self,
        phase: Player,
        real: Tensor,
        condition: Tensor | None,
        rng: torch.Generator | None,
        draw: Callable[[str], torch.Generator] | None = None,
    ) -> Pass:
        """Draw fresh latents and return what the terms of `phase` will see.

        Terms draw what they need from `draw`, by purpose.
        """
        return Pass(
            phase,
            self.steps_done,
            generator=self._called["generator"],
            critic=self._called["critic"],
            space=self.latents,
            latent=self._latent(real.shape[0], rng),
            real=real,
            condition=condition,
            input_grad=phase == "critic" and self._input_grad_wanted(),
            norms=self._norms,
            separable=self.critic.separable and self._called["critic"] is self.critic,
            rng=draw,
        )

    def _latent(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw for the batches of all ranks, and take our own: the same however many there are."""
        return self.ranks.share(self.latents.sample(count * self.ranks.count, rng))

    def losses(self, seen: Pass) -> dict[str, Tensor]:
        """Return the scalars whose sum the moving player minimises: the game's, and each term's."""
        losses = {"loss": self._game(seen)}
        seen.logged[f"{seen.phase}/loss"] = losses["loss"].detach()
        for term in self.terms:
            factor = term.factor(self.steps_done)
            if factor != 0.0:
                seen.speaker = term.name
                critic_moves = seen.phase == "critic"
                compute = (
                    term.regulariser.critic_term
                    if critic_moves
                    else (term.regulariser.generator_term)
                )
                value = compute(seen)
                if value is not None:
                    _require_scalar(value, term.name)
                    seen.logged[f"{seen.phase}/{term.name}"] = value.detach()
                    losses[term.name] = factor * value
        return losses

    def _game(self, seen: Pass) -> Tensor:
        if seen.phase == "critic":
            real, fake = seen.on_real.score, seen.on_fake.score
            if self.watched:
                seen.logged[RIGHT] = (real > fake).float().mean()
            return self.objective.critic_loss(real, fake)
        real_score = seen.on_real.score if self.objective.needs_real_for_generator else None
        return self.objective.generator_loss(real_score, seen.on_fake.score)

    def _compiled(self) -> dict[Player, nn.Module]:
        """Return what calls each network in a step, and note what can't be compiled."""
        called: dict[Player, nn.Module] = {"generator": self.device.compiled(self.generator)}
        twice = [term.name for term in self.terms if term.regulariser.needs_input_grad]
        if twice and self.device.compiling != "off":
            self.notes.append(
                f"the critic is not compiled: {', '.join(twice)} needs the gradient of a gradient"
            )
            return called | {"critic": self.critic}
        return called | {"critic": self.device.compiled(self.critic)}

    def _input_grad_wanted(self) -> bool:
        return any(
            term.regulariser.needs_input_grad and term.factor(self.steps_done) != 0.0
            for term in self.terms
        )

    def _deal(self, real: Tensor, condition: Tensor | None) -> list[list[Share]]:
        """Cut what a step takes into turns of the critic, and turns into micro-batches."""
        count = self.batches_per_step
        if real.shape[0] % count or real.shape[0] == 0:
            raise ValueError(f"{real.shape[0]} samples can't be cut into {count} equal batches")
        conditions = [None] * count if condition is None else list(condition.chunk(count))
        shares = list(zip(real.chunk(count), conditions, strict=True))
        return [shares[i : i + self.accumulate] for i in range(0, count, self.accumulate)]

    # --- what is not finite -----------------------------------------------------------------

    def _averaged(self, player: Moving, found: Sequence[Mapping[str, Tensor]]) -> Tensor:
        """Average the gradients over the ranks and return their length.

        It is not finite where any loss of any rank is not: so all ranks stop at the same move.
        """
        losses = [loss.detach() for losses in found for loss in losses.values()]
        whole = reduce(add, losses).sum()  # in memory of its own: it is averaged in place
        self.ranks.average([*player.gradients(), whole])
        return player.gradient_norm() + whole * 0

    def _fault(
        self, phase: Player, found: Sequence[Mapping[str, Tensor]], norm: Tensor
    ) -> Diverged | None:
        """Return what is not finite, or None; looking waits for the device."""
        if self.spare is None and not self.device.checks_are_free:
            return None  # the loop looks at the metrics it fetches anyway, and before a checkpoint
        if math.isfinite(norm.item()):
            return None
        values = [(_called(name), loss.item()) for one in found for name, loss in one.items()]
        values.append(("the gradient", norm.item()))
        what, value = next(pair for pair in values if not math.isfinite(pair[1]))
        return Diverged(self.steps_done, f"{what} of the {phase}'s loss", value, phase)

    def _buffers(self) -> list[tuple[Tensor, Tensor]]:
        """Return what forwards change, each with a copy, where a move may be left out."""
        if self.spare is None:
            return []
        modules = (self.generator, self.critic, *self.regularisers.values())
        return [(buffer, buffer.clone()) for module in modules for buffer in module.buffers()]

    def _spare(self, fault: Diverged, buffers: Sequence[tuple[Tensor, Tensor]]) -> None:
        """Leave a move out as if it had not been tried, or raise."""
        if self.spare is None:
            raise fault
        with torch.no_grad():
            for buffer, before in buffers:
                buffer.copy_(before)
        self.spare(fault)

    # --- around the step --------------------------------------------------------------------

    def train(self) -> None:
        """Put what is trained into training mode."""
        for module in (self.generator, self.critic, *self.regularisers.values()):
            if not module.training:
                module.train()

    def _local_statistics(self) -> list[Tensor]:
        """Return what batch norms remember of our share only; alone, nothing."""
        if self.ranks.count == 1:
            return []
        modules = (self.generator, self.critic, *self.regularisers.values())
        return [statistic for module in modules for statistic in local_statistics(module)]

    def unmoved(self) -> list[str]:
        """Return the names of parameters that no loss has reached so far."""
        return sorted(name for player in self._players.values() for name in player.unmoved)

    def snapshot(self) -> Snapshot:
        """Return everything that the next step depends on."""
        random_tensors, random_facts = global_states(self.device.torch_device)
        tensors: dict[str, dict[str, Tensor]] = {"optimisers": {}, "random": random_tensors}
        for part, module in self._parts().items():
            group, _, prefix = part.partition("/")
            state = {f"{prefix}{name}": t.detach() for name, t in module.state_dict().items()}
            tensors.setdefault(group, {}).update(state)
        optimisers = {}
        for name, player in self._players.items():
            player_tensors, optimisers[name] = player.state()
            tensors["optimisers"] |= player_tensors
        facts = {
            "steps_done": self.steps_done,
            "random": random_facts,
            "optimisers": optimisers,
            "regularisers": {name: term.state() for name, term in self.regularisers.items()},
        }
        if self.attempt:
            pace = self._players["generator"].pace
            facts["attempt"] = {"number": self.attempt, "pace": pace}
        return Snapshot(tensors, facts)

    def restore(self, snapshot: Snapshot) -> None:
        """Take back what `snapshot` returned: all of it, or nothing and a ResumeError."""
        self._compare(snapshot)
        for part, module in self._parts().items():
            module.load_state_dict(_state_of(part, snapshot))
        for name, player in self._players.items():
            player.load_state(snapshot.tensors["optimisers"], snapshot.facts["optimisers"][name])
        for term in self.terms:
            term.regulariser.load_state(snapshot.facts["regularisers"][term.name])
        self.steps_done = snapshot.facts["steps_done"]
        self._begin_again(**snapshot.facts.get("attempt", {"number": 0, "pace": 1.0}))
        # last of all: loading may draw
        device = self.device.torch_device
        restore_global_states(snapshot.tensors["random"], snapshot.facts["random"], device)

    def _begin_again(self, number: int, pace: float) -> None:
        """Draw the numbers of an attempt, and learn at `pace` times the rates of the recipe."""
        self.attempt = number
        seed = seed_of_attempt(self._seed, number)
        self._random = Randomness(seed, self.device.torch_device)
        for player in self._players.values():
            player.pace = pace

    def _parts(self) -> dict[str, nn.Module]:
        """Return the modules of a snapshot as `group` or `group/prefix` of their tensors."""
        parts: dict[str, nn.Module] = {"generator": self.generator, "critic": self.critic}
        if self.averaging is not None:
            parts["average"] = self.averaging.module
        return parts | {f"regularisers/{name}.": term for name, term in self.regularisers.items()}

    def _compare(self, snapshot: Snapshot) -> None:
        """Compare every name, shape and type before the first copy."""
        found: list[str] = []
        for part, module in self._parts().items():
            own, other = module.state_dict(), _state_of(part, snapshot)
            where = part.rstrip(".").replace("/", ".")
            found += [f"{where}.{name} is missing" for name in own.keys() - other.keys()]
            found += [f"{where}.{name} is unknown" for name in other.keys() - own.keys()]
            found += [
                f"{where}.{name} is {_outline(other[name])}, the recipe makes {_outline(tensor)}"
                for name, tensor in own.items()
                if name in other and _outline(other[name]) != _outline(tensor)
            ]
        owned = {name for player in self._players.values() for name in player.parameters}
        states = {path.rpartition("/")[0] for path in snapshot.tensors.get("optimisers", {})}
        found += [f"the optimiser state of {name} is unknown" for name in states - owned]
        steps = snapshot.facts.get("steps_done")
        if type(steps) is not int or steps < 0:
            found.append(f"its steps are {steps!r:.40}")
        if found:
            more = f" (and {len(found) - 3} more)" if len(found) > 3 else ""
            raise ResumeError(
                f"the checkpoint does not fit the recipe: {'; '.join(sorted(found)[:3])}{more}"
            )


@contextmanager
def _blaming(seen: Pass) -> Iterator[None]:
    """Name the term whose code failed: it is a plugin's."""
    try:
        yield
    except GantkError:
        raise
    except (Exception, SystemExit) as error:
        if not seen.speaker:
            raise
        cause = f"{type(error).__name__}: {error}".removesuffix(": ")
        raise PluginError(
            f"step {seen.step}: the term {seen.speaker!r} failed in the {seen.phase}'s phase: "
            f"{cause}"
        ) from error


def _require_scalar(value: Tensor, name: str) -> None:
    if value.numel() != 1:
        shape = tuple(value.shape)
        raise PluginError(f"the term {name!r} gave a tensor of shape {shape}; a scalar is due")


def _called(name: str) -> str:
    return "the objective" if name == "loss" else f"the term {name!r}"


def _means(logged: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Average what the micro-batches of one batch logged."""
    if len(logged) == 1:
        return dict(logged[0])
    names = dict.fromkeys(name for some in logged for name in some)
    return {n: torch.stack([some[n] for some in logged if n in some]).mean() for n in names}


def _state_of(part: str, snapshot: Snapshot) -> dict[str, Tensor]:
    group, _, prefix = part.partition("/")
    tensors = snapshot.tensors.get(group, {})
    return {n.removeprefix(prefix): t for n, t in tensors.items() if n.startswith(prefix)}


def _outline(tensor: Tensor) -> str:
    return f"{'x'.join(map(str, tensor.shape)) or 'scalar'} {str(tensor.dtype)[6:]}"
