"""What ranks send each other between two steps, and a snapshot of several ranks.

What is random differs from rank to rank, all else is the same to the bit: so a snapshot holds the
rest once, and compares hashes of it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import safetensors.torch
from torch import Tensor

from gan_toolkit import strict_json
from gan_toolkit.checkpoints import separate
from gan_toolkit.snapshot import Snapshot

Named = dict[str, Tensor]

_OTHERS = "rank{}."
"""Before the names of the random states of the ranks behind the first."""


class Message(NamedTuple):
    """An order, or the answer to one: a word, tensors by name, and what JSON holds."""

    word: str
    tensors: Named
    facts: dict[str, Any]

    def to_bytes(self) -> bytes:
        """Return it as bytes: the length of a JSON head, the head, and safetensors."""
        head = strict_json.dump({"word": self.word, "facts": self.facts}).encode()
        return (
            len(head).to_bytes(8, "little") + head + safetensors.torch.save(separate(self.tensors))
        )

    @classmethod
    def from_bytes(cls, content: bytes) -> Message:
        """Read what `to_bytes` gave."""
        end = 8 + int.from_bytes(content[:8], "little")
        head = strict_json.parse_object(content[8:end])
        return cls(head["word"], safetensors.torch.load(content[end:]), head["facts"])


def of_rank(snapshot: Snapshot, index: int) -> Snapshot:
    """Return a snapshot as the engine of one rank takes it: with what is random there.

    A rank that was not there when it was taken finds what the first one had.
    """
    facts = dict(snapshot.facts)
    others = facts.pop("ranks", [])
    prefix = _OTHERS.format(index)
    random = snapshot.tensors["random"]
    own = {n.removeprefix(prefix): t for n, t in random.items() if n.startswith(prefix)}
    if own:
        facts["random"] = others[index - 1]
    else:
        own = {name: tensor for name, tensor in random.items() if "." not in name}
    return replace(snapshot, tensors={**snapshot.tensors, "random": own}, facts=facts)


def with_random_of(own: Snapshot, answers: Sequence[Message]) -> Snapshot:
    """Add what is random in the ranks behind the first."""
    random = dict(own.tensors["random"])
    for rank, answer in enumerate(answers, 1):
        random |= {_OTHERS.format(rank) + name: t for name, t in answer.tensors.items()}
    facts = own.facts | {"ranks": [answer.facts["random"] for answer in answers]}
    return replace(own, tensors={**own.tensors, "random": random}, facts=facts)


def digests_of(snapshot: Snapshot) -> dict[str, str]:
    """Return a hash of each part that must be the same on all ranks."""
    facts = {key: value for key, value in snapshot.facts.items() if key != "random"}
    found = {"state": hashlib.sha256(strict_json.dump(facts).encode()).hexdigest()}
    for group, tensors in snapshot.tensors.items():
        if group != "random":
            content = safetensors.torch.save(separate(tensors))
            found[group] = hashlib.sha256(content).hexdigest()
    return found


def flat(snapshot: Snapshot) -> tuple[Named, dict[str, Any]]:
    """Return a snapshot as the tensors and facts of a message; see `folded`."""
    tensors = {
        f"{group}/{name}": tensor
        for group, some in snapshot.tensors.items()
        for name, tensor in some.items()
    }
    return tensors, snapshot.facts


def folded(order: Message) -> Snapshot:
    """Return the snapshot that a message holds."""
    tensors: dict[str, Named] = {}
    for path, tensor in order.tensors.items():
        group, _, name = path.partition("/")
        tensors.setdefault(group, {})[name] = tensor
    return Snapshot(tensors, order.facts)
