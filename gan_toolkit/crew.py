"""What several ranks do between two steps: the first one works, the others serve it.

The first rank keeps the folder, measures, draws and saves. After a step it calls the others when it
has work for them, sends orders one by one, and lets them go on. So only the first knows when what
is due, and an order is all that another rank must understand.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from signal import Signals

import torch
from torch import Tensor

from gan_toolkit.assemble import Parts
from gan_toolkit.distributed import Ranks
from gan_toolkit.engine import Engine
from gan_toolkit.errors import Diverged, ExitCode, GuardError, RankError
from gan_toolkit.evaluation import Compute, EngineView, quiet
from gan_toolkit.messages import Message, Named, digests_of, flat, folded, of_rank, with_random_of
from gan_toolkit.randomness import seed_globals, seed_of
from gan_toolkit.signals import StopRequest
from gan_toolkit.snapshot import Snapshot

GO_ON, LEAVE, STATE, METRICS, COMPUTE, START = (
    "go on",
    "leave",
    "state",
    "metrics",
    "compute",
    "start",
)
_STOP = 100
"""Added to the number of a signal, so that it is larger than a call."""


class Crew:
    """The first rank's hold on the others; alone, it does everything itself."""

    def __init__(self, ranks: Ranks, engine: Engine) -> None:
        self.ranks = ranks
        self._engine = engine
        self._serving = ranks.count > 1

    @property
    def at_hand(self) -> bool:
        """Whether everybody is between two steps, so that the run may be stopped and saved."""
        return self._serving or self.ranks.count == 1

    def call(self, stop: StopRequest, *, due: bool) -> None:
        """After a step, call the others if there is work to do, or any rank was asked to stop."""
        if self.ranks.count == 1:
            return
        self._serving = meet(self.ranks, stop, due=due)

    def go_on(self) -> None:
        """Let the others take the next step."""
        if self._serving and self.ranks.count > 1:
            self._order(Message(GO_ON, {}, {}))
            self._serving = False

    def stay(self) -> None:
        """After the last step, or a move that no rank could make, the others serve."""
        self._serving = self.ranks.count > 1

    def leave(self, cause: str = "", exit_code: ExitCode = ExitCode.DONE) -> None:
        """Let the others end as this rank ends; do nothing while they can't listen."""
        if self._serving:
            self._order(Message(LEAVE, {}, {"cause": cause, "exit_code": int(exit_code)}))
            self._serving = False

    def start_from(self, snapshot: Snapshot | None) -> None:
        """Let the others begin where this rank begins, and make sure that all are alike.

        Without a snapshot that is the beginning. Raises GuardError as `snapshot` does.
        """
        if not self._serving:
            return
        tensors, facts = ({}, {}) if snapshot is None else flat(snapshot)
        self._order(Message(START, tensors, facts))
        self.snapshot()

    def means(self, metrics: Mapping[str, Tensor]) -> dict[str, float]:
        """Return what was measured in a step as numbers: the mean over the ranks."""
        names = sorted(metrics)
        stacked = torch.stack([metrics[name].float() for name in names])
        if self._serving:
            self._order(Message(METRICS, {}, {"names": names}))
            answers = [self._answer(rank).tensors["metrics"] for rank in self.ranks.others]
            stacked = torch.stack([stacked.cpu(), *answers]).mean(0)
        return dict(zip(names, stacked.tolist(), strict=True))

    def snapshot(self) -> Snapshot:
        """Return the state of the run: that of this rank, and what is random in the others.

        Raises GuardError naming a rank whose state is not that of the others, bit for bit.
        """
        ours = self._engine.snapshot()
        if not self._serving:
            return ours
        self._order(Message(STATE, {}, {}))
        answers = [self._answer(rank) for rank in self.ranks.others]
        known = digests_of(ours)
        for rank, answer in zip(self.ranks.others, answers, strict=True):
            theirs = answer.facts["digests"]
            if drifted := [part for part, own in known.items() if theirs.get(part) != own]:
                raise GuardError(
                    f"step {self._engine.steps_done}: rank {rank} holds another {drifted[0]} than "
                    "rank 0; all must have the same recipe, data, plugins and kind of device"
                )
        return with_random_of(ours, answers)

    def spread(self, compute: Compute, task: str, chunks: Sequence[Tensor]) -> list[Named]:
        """Return what `compute` makes of each chunk, the ranks taking turns; the order is kept."""
        if not self._serving:
            return [compute(task, chunk) for chunk in chunks]
        found: list[Named] = []
        for begin in range(0, len(chunks), self.ranks.count):
            own, *theirs = chunks[begin : begin + self.ranks.count]
            busy = range(1, len(theirs) + 1)
            for rank, chunk in zip(busy, theirs, strict=True):
                order = Message(COMPUTE, {"chunk": chunk}, {"task": task})
                self.ranks.send(order.to_bytes(), rank)
            with self._all_answering(busy) as answers:
                found.append(compute(task, own))
            found += [_made(answer) for answer in answers]
        return found

    @contextmanager
    def _all_answering(self, busy: range) -> Iterator[list[Message]]:
        """Take every answer, even when our own part fails: the next order needs free ranks."""
        answers: list[Message] = []
        try:
            yield answers
        finally:
            answers += [self._answer(rank) for rank in busy]

    def _order(self, order: Message) -> None:
        content = order.to_bytes()
        for rank in self.ranks.others:
            self.ranks.send(content, rank)

    def _answer(self, rank: int) -> Message:
        return Message.from_bytes(self.ranks.receive(rank))


class Follower:
    """Any rank but the first: it takes the same steps, and serves between them."""

    def __init__(self, parts: Parts, steps: int, seed: int) -> None:
        self.parts = parts
        self.engine = parts.engine
        self.ranks = parts.engine.ranks
        self.steps = steps
        self.seed = seed
        self._metrics: dict[str, Tensor] = {}

    def __call__(self) -> None:
        """Train to the last step and serve until the first rank ends.

        Raises RankError when it ended early: it has said why.
        """
        with StopRequest(repeated=True) as stop:
            self._serve()
            while self.engine.steps_done < self.steps:
                real = self.parts.batches.at(self.engine.steps_done).samples
                try:
                    self._metrics = self.engine.step(real)
                except Diverged:  # in all ranks at once: the first one knows what to do
                    self._serve()
                    continue
                if meet(self.ranks, stop, due=False):
                    self._serve()
            self._serve()

    def _serve(self) -> None:
        """Do what the first rank orders until it goes on."""
        while (order := Message.from_bytes(self.ranks.receive(0))).word not in (GO_ON, LEAVE):
            answer = self._ANSWERS[order.word](self, order)
            if answer is not None:
                self.ranks.send(answer.to_bytes(), 0)
        if order.word == LEAVE and order.facts["exit_code"]:
            raise RankError(order.facts["cause"], ExitCode(order.facts["exit_code"]))

    def _start(self, order: Message) -> None:
        if not order.tensors:
            return
        snapshot, index = folded(order), self.ranks.index
        self.engine.restore(of_rank(snapshot, index))
        self.parts.batches.begin_again(self.engine.attempt)
        if index > len(snapshot.facts.get("ranks", [])):  # we were not there: draw our own numbers
            seed_rank(seed_of(self.seed, "from step", self.engine.steps_done), self.ranks)

    def _state(self, _order: Message) -> Message:
        own = self.engine.snapshot()
        facts = {"digests": digests_of(own), "random": own.facts["random"]}
        return Message(STATE, own.tensors["random"], facts)

    def _tell_metrics(self, order: Message) -> Message:
        stacked = torch.stack([self._metrics[name].float() for name in order.facts["names"]])
        return Message(METRICS, {"metrics": stacked}, {})

    def _compute(self, order: Message) -> Message:
        view = EngineView(self.engine, self.parts.data, name="", seed=0)
        try:
            with quiet(self.engine), self.engine.device.autocast():
                made = view.compute(order.facts["task"], order.tensors["chunk"])
        except Exception as error:  # noqa: BLE001 - whoever ordered it raises it
            return Message(COMPUTE, {}, {"failed": f"{type(error).__name__}: {error}"})
        return Message(COMPUTE, made, {})

    _ANSWERS: Mapping[str, Callable[[Follower, Message], Message | None]] = {
        START: _start,
        STATE: _state,
        METRICS: _tell_metrics,
        COMPUTE: _compute,
    }


def meet(ranks: Ranks, stop: StopRequest, *, due: bool) -> bool:
    """Agree after a step: return whether to stay, for work that is due or for a stop.

    A stop that one rank was asked for is from then on asked of all.
    """
    loudest = ranks.largest(int(due) if stop.received is None else _STOP + stop.received)
    if loudest > _STOP and stop.received is None:
        stop.received = Signals(loudest - _STOP)
    return loudest > 0


def seed_rank(seed: int, ranks: Ranks) -> None:
    """Start the global generators: a rank behind the first draws numbers of its own."""
    seed_globals(seed if ranks.is_first else seed_of(seed, "rank", ranks.index))


def _made(answer: Message) -> Named:
    if "failed" in answer.facts:
        raise RuntimeError(answer.facts["failed"])
    return answer.tensors
