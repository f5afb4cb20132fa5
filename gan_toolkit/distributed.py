"""The processes that train one model together, and all that they say to each other.

Every rank holds the same parts and the same state after every step. One batch is cut into equal
shares, a rank each; gradients are averaged, so the result does not depend on how many ranks there
are, up to rounding. Gradients go the way the device offers; whatever else is said is bytes and
counts on the CPU, so that no device waits for it. Nothing here is pickled.
"""

from __future__ import annotations

import json
import struct
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor

from gan_toolkit.errors import ExitCode, RankError
from gan_toolkit.launcher import Place

if TYPE_CHECKING:
    from torch.distributed.distributed_c10d import Store

PATIENCE = timedelta(hours=12)
"""How long a rank waits for another: longer than any evaluation the first one makes."""
_GRACE = timedelta(seconds=5)
"""How long a rank that lost another waits for it to say why."""
_FAILURE = "gan_toolkit/failure"
_LENGTH = struct.Struct("<q")

P = ParamSpec("P")
T = TypeVar("T")


class Ranks(ABC):
    """This process among those that train together."""

    place: Place

    @property
    def index(self) -> int:
        """Its number, from 0: the first one keeps the run's folder and speaks."""
        return self.place.index

    @property
    def count(self) -> int:
        """How many there are."""
        return self.place.count

    @property
    def is_first(self) -> bool:
        """Whether it keeps the run's folder."""
        return self.index == 0

    @property
    def others(self) -> range:
        """The numbers of the ranks behind the first."""
        return range(1, self.count)

    def share(self, rows: Tensor, batches: int = 1) -> Tensor:
        """Return this rank's rows of each of `batches` equal batches that lie end to end.

        The shares of a batch are contiguous and equal. Raises ValueError when they can't be.
        """
        if self.count == 1:
            return rows
        size, rest = divmod(len(rows), batches * self.count)
        if rest:
            parts = f"{batches} x {self.count} equal shares"
            raise ValueError(f"{len(rows)} samples can't be cut into {parts}")
        own = rows.unflatten(0, (batches, self.count, size))[:, self.index]
        return own.flatten(0, 1)

    @abstractmethod
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put in place of each tensor its mean over all ranks: one message for all of them."""

    @abstractmethod
    def largest(self, number: int) -> int:
        """Return the largest of the numbers that the ranks give; each waits for all."""

    @abstractmethod
    def send(self, content: bytes, to: int) -> None:
        """Send bytes to another rank, which waits for them."""

    @abstractmethod
    def receive(self, sender: int) -> bytes:
        """Wait for bytes of another rank."""

    @abstractmethod
    def speaks(self, code: int, cause: str) -> bool:
        """Return whether this rank tells of a failure: the first to fail does it for all."""


class Alone(Ranks):
    """One process: nothing to share, nobody to talk to."""

    place = Place()

    def average(self, tensors: Sequence[Tensor]) -> None:
        """Leave everything as it is."""

    def largest(self, number: int) -> int:
        """Return the number."""
        return number

    def send(self, content: bytes, to: int) -> None:
        """Raise RuntimeError: there is nobody."""
        raise RuntimeError(f"there is no rank {to} to send {len(content)} bytes to")

    def receive(self, sender: int) -> bytes:
        """Raise RuntimeError: there is nobody."""
        raise RuntimeError(f"there is no rank {sender} to hear from")

    def speaks(self, code: int, cause: str) -> bool:
        """Return True."""
        del code, cause
        return True


def _together(
    act: Callable[Concatenate[Group, P], T],
) -> Callable[Concatenate[Group, P], T]:
    """Let a call that failed since another rank is gone say so."""

    def acting(self: Group, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return act(self, *args, **kwargs)
        except RuntimeError as error:
            raise self.lost(error) from error

    return acting


class Group(Ranks):
    """One of several processes that a launcher started; make it with `joined`."""

    def __init__(self, place: Place, store: Store) -> None:
        self.place = place
        self._store = store

    def __deepcopy__(self, memo: dict[int, Any]) -> Group:
        """Stay the same: a copied network is still of this rank."""
        return self

    @_together
    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put in place of each tensor its mean over all ranks: one message for all of them.

        Every rank must give tensors of the same shapes, in the same order.
        """
        if not tensors:
            return
        flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
        dist.all_reduce(flat)
        flat /= self.count
        for tensor, mean in zip(tensors, flat.split([t.numel() for t in tensors]), strict=True):
            tensor.copy_(mean.view(tensor.shape))

    @_together
    def largest(self, number: int) -> int:
        """Return the largest of the numbers that the ranks give; each waits for all."""
        found = torch.tensor([number])
        dist.all_reduce(found, dist.ReduceOp.MAX)
        return int(found)

    @_together
    def send(self, content: bytes, to: int) -> None:
        """Send bytes to another rank, which waits for them."""
        dist.send(torch.tensor([len(content)]), to)
        dist.send(torch.frombuffer(bytearray(content), dtype=torch.uint8), to)

    @_together
    def receive(self, sender: int) -> bytes:
        """Wait for bytes of another rank."""
        length = torch.zeros(1, dtype=torch.int64)
        dist.recv(length, sender)
        content = torch.empty(int(length), dtype=torch.uint8)
        dist.recv(content, sender)
        return content.numpy().tobytes()

    def speaks(self, code: int, cause: str) -> bool:
        """Return whether this rank tells of a failure: the first to fail does it for all."""
        own = json.dumps({"rank": self.index, "code": code, "cause": cause}).encode()
        try:
            return self._store.compare_set(_FAILURE, "", own.decode()) == own
        except RuntimeError:  # the launcher is gone, and with it whoever could have read it
            return self.is_first

    def lost(self, error: RuntimeError) -> RankError:
        """Return what to raise when another rank no longer answers: why, if it has said so."""
        try:
            self._store.wait([_FAILURE], _GRACE)
            said = json.loads(self._store.get(_FAILURE))
        except RuntimeError:
            first = str(error).partition("\n")[0]
            text = f"another rank ended without saying why: killed, or out of memory? ({first})"
            return RankError(text, ExitCode.UNEXPECTED, told=False)
        return RankError(f"rank {said['rank']}: {said['cause']}", ExitCode(said["code"]))


@contextmanager
def joined(place: Place, *, accelerated: bool) -> Iterator[Ranks]:
    """Meet the other processes that the launcher started, and part from them at the end.

    `accelerated`: their tensors may be on an accelerator. After an error nobody is waited for: the
    launcher ends the others.
    """
    if place.count == 1:
        yield Alone()
        return
    from torch.distributed.rendezvous import rendezvous  # some builds of torch can't do it

    store, _, _ = next(rendezvous("env://", timeout=PATIENCE))
    dist.init_process_group(
        "cpu:gloo,cuda:nccl" if accelerated else "gloo",
        store=store,
        rank=place.index,
        world_size=place.count,
        timeout=PATIENCE,
    )
    yield Group(place, store)
    dist.destroy_process_group()
