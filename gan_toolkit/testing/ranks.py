"""Several ranks as threads of one process: what a term or a network does among them, at once.

They share what torch and Python keep per process, the global random states above all: build parts
one rank after the other, and leave dropout out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Queue
from threading import Barrier, BrokenBarrierError
from typing import Any, TypeVar

import torch
from torch import Tensor

from gan_toolkit.distributed import Ranks
from gan_toolkit.errors import ExitCode, RankError
from gan_toolkit.launcher import Place

T = TypeVar("T")
PATIENCE = 30.0
"""Seconds after which a thread that waits for another gives up."""


class Table:
    """Where the threads meet."""

    def __init__(self, count: int) -> None:
        self.barrier = Barrier(count, timeout=PATIENCE)
        self.given: list[Any] = [None] * count
        self.post: dict[tuple[int, int], Queue[bytes]] = {
            (sender, to): Queue() for sender in range(count) for to in range(count)
        }
        self.failure = ""


class ThreadRank(Ranks):
    """One of several ranks that are threads; make them with `as_ranks`."""

    def __init__(self, index: int, count: int, table: Table) -> None:
        self.place = Place(index, count, index, count)
        self._table = table

    def __deepcopy__(self, memo: dict[int, Any]) -> ThreadRank:
        """Stay the same, as a rank that is a process does."""
        return self

    @torch.no_grad()
    def average(self, tensors: Sequence[Tensor]) -> None:
        """Put the mean over all ranks in place of each tensor."""
        given = self._exchange([tensor.clone() for tensor in tensors])
        for place, tensor in enumerate(tensors):
            tensor.copy_(torch.stack([each[place] for each in given]).mean(0))

    def largest(self, number: int) -> int:
        """Return the largest number."""
        return max(self._exchange(number))

    def send(self, content: bytes, to: int) -> None:
        """Put bytes where the other finds them."""
        self._table.post[self.index, to].put(content)

    def receive(self, sender: int) -> bytes:
        """Take bytes; RankError when none come because a rank failed."""
        content = self._table.post[sender, self.index].get(timeout=PATIENCE)
        if not content:
            raise self._lost()
        return content

    def speaks(self, code: int, cause: str) -> bool:
        """Return whether this rank failed first."""
        del code
        first = not self._table.failure
        self._table.failure = self._table.failure or f"rank {self.index}: {cause}"
        return first

    def give_up(self, error: BaseException) -> None:
        """Tell the others that this rank has failed."""
        self.speaks(1, str(error))
        self._table.barrier.abort()
        for (sender, _), queue in self._table.post.items():
            if sender == self.index:
                queue.put(b"")

    def _exchange(self, own: T) -> list[T]:
        try:
            self._table.given[self.index] = own
            self._table.barrier.wait()
            found = list(self._table.given)
            self._table.barrier.wait()
        except BrokenBarrierError:
            raise self._lost() from None
        return found

    def _lost(self) -> RankError:
        return RankError(self._table.failure, ExitCode.UNEXPECTED)


def as_ranks(count: int, act: Callable[[Ranks], T]) -> list[T]:
    """Let `act` run once as each of `count` ranks at the same time, and return what each gave.

    Raises what the rank that failed first raised.
    """
    table = Table(count)
    ranks = [ThreadRank(index, count, table) for index in range(count)]
    errors: list[BaseException] = []

    def one(rank: ThreadRank) -> T:
        try:
            return act(rank)
        except BaseException as error:
            errors.append(error)
            rank.give_up(error)
            raise

    with ThreadPoolExecutor(count) as pool:
        futures = [pool.submit(one, rank) for rank in ranks]
    if errors:
        raise errors[0]
    return [future.result() for future in futures]
