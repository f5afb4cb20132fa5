"""A stranger's model file loads or is refused with its cause: no code, no memory, no other file."""

from __future__ import annotations

import json
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor

Case = Callable[[str], Path]
Strangers = Callable[[str], dict[str, dict[str, Any]]]

PICKLE = b"cos\nsystem\n(S'touch hostile.ran'\ntR."


class File:
    """A model file taken apart: header entries, note, data."""

    def __init__(self, content: bytes) -> None:
        start = 8 + int.from_bytes(content[:8], "little")
        self.header: dict[str, Any] = json.loads(content[8:start])
        self.note: dict[str, Any] = json.loads(self.header["__metadata__"]["gantk"])
        self.data = content[start:]

    @property
    def first(self) -> dict[str, Any]:
        return self.header[min(self.header.keys() - {"__metadata__"})]

    def whole(self) -> bytes:
        self.header["__metadata__"]["gantk"] = json.dumps(self.note)
        text = json.dumps(self.header).encode()
        return struct.pack("<Q", len(text)) + text + self.data


def changed(change: Callable[[File], object]) -> Callable[[bytes], bytes]:
    def made(content: bytes) -> bytes:
        file = File(content)
        change(file)
        return file.whole()

    return made


def named(*path: str, to: object) -> Callable[[bytes], bytes]:
    """Change what stands in the recipe of a file."""

    def change(file: File) -> None:
        table = file.note["recipe"]
        for key in path[:-1]:
            table = table[key]
        table[path[-1]] = to

    return changed(change)


def weights(change: Callable[[dict[str, Tensor]], object]) -> Callable[[bytes], bytes]:
    def made(content: bytes) -> bytes:
        tensors = safetensors.torch.load(content)
        change(tensors)
        note = {"gantk": json.dumps(File(content).note)}
        return safetensors.torch.save(tensors, metadata=note)

    return made


def length(number: int) -> Callable[[bytes], bytes]:
    return lambda content: struct.pack("<Q", number) + content[8:]


def twice(content: bytes) -> bytes:
    text = File(content).whole()[8:]
    head, rest = text[: text.index(b"{") + 1], text[text.index(b"{") + 1 :]
    size = int.from_bytes(File(content).whole()[:8], "little")
    more = b'"generator.out.weight":1,'
    return struct.pack("<Q", size + len(more)) + head + more + rest


def many(content: bytes) -> bytes:
    entry = b'"t%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    text = b"{" + b",".join(entry % number for number in range(200_000)) + b"}"
    return struct.pack("<Q", len(text)) + text


FILES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "nothing": (lambda _: b"", "0 bytes are too few"),
    "wrong magic": (lambda content: b"GGUF\x03\0\0\0" + content[8:], "its header claims"),
    "a pickle": (lambda _: PICKLE, "its header claims"),
    "a zip with a pickle": (lambda _: b"PK\x03\x04" + PICKLE * 9, "its header claims"),
    "header of 2^63": (length(2**63), "claims 9,223,372,036,854,775,808 bytes"),
    "header of 15 MB": (length(15 << 20), "the file has"),
    "200,000 tensors": (many, "more than 100,000 tensors|the limit is"),
    "a name twice": (twice, "stands twice"),
    "overlap": (
        changed(lambda f: f.first.update(data_offsets=[4, 4 + f.first["data_offsets"][1]])),
        "overlaps another or leaves a gap|takes",
    ),
    "a terabyte": (
        changed(lambda f: f.first.update(shape=[2**38], data_offsets=[0, 2**40])),
        "overlaps another or leaves a gap",
    ),
    "a shape that overflows": (changed(lambda f: f.first.update(shape=[2**62] * 2)), "takes"),
    "a terabyte in the recipe": (named("latents", "noise", "count", to=2**38), "too big"),
    "a terabyte of samples": (
        changed(lambda f: f.note["facts"]["data"].update(shape=[2**19, 2**19, 2**19])),
        "DONE",  # the tiny generator doesn't ask what the data are
    ),
    "trailing bytes": (lambda content: content + b"\0", "the file holds"),
    "a tensor that leads out": (
        changed(lambda f: f.header.update({"../../../out": f.header.pop("generator.out.bias")})),
        "generator.out.bias is missing",
    ),
    "a tensor of nobody": (
        weights(lambda t: t.update(hostile=torch.zeros(1))), "belongs to no part",
    ),
    "NaN in a weight": (weights(lambda t: t["generator.out.bias"].fill_(torch.nan)), "not finite"),
    "infinity in a weight": (
        weights(lambda t: t["critic.out.bias"].fill_(torch.inf)), "critic.out.bias is not finite",
    ),
    "NaN in the description": (
        changed(lambda f: f.note["facts"].update(x=float("nan"))), "NaN is not JSON",
    ),
    "an unknown component": (named("generator", "use", to="stranger@1"), "needs the generator"),
    "a newer component": (named("generator", "use", to="tiny_images@9"), "needs the generator"),
    "a dotted path": (named("generator", "use", to="hostile.Run"), "needs the generator"),
    "a colon path": (named("generator", "use", to="hostile:Run"), "needs the generator"),
    "a file": (named("generator", "use", to="./hostile.py"), "needs the generator"),
    "a target": (named("generator", to={"_target_": "hostile.Run"}), "generator"),
    "a list for a name": (named("generator", "use", to=["hostile.Run"]), "generator.use"),
    "an unknown option": (named("generator", "__class__", to="hostile.Run"), "unknown key"),
    "a reference to the environment": (
        named("regularisers", "read", "code", to="${env:HOME}"), "environment variable HOME",
    ),
    "a recipe that extends": (named("extends", to="hostile.py"), "DONE"),  # the key is not read
    "facts of another kind": (
        changed(lambda f: f.note["facts"]["data"].update(factors=[{"hostile": 1}])), "built",
    ),
    "control characters": (named("generator", "use", to="\x1b[2J\x1b]0;x\x07\n"), "needs the"),
}  # fmt: skip


def test_each_hostile_file_is_refused_with_its_cause(
    case: Case, strangers: Strangers, hostile: list[str], tmp_path: Path
) -> None:
    assert len(FILES) >= 25
    for name, (change, _) in FILES.items():
        path = case(name) / "model.safetensors"
        path.write_bytes(change(path.read_bytes()))

    found = strangers("look")

    for name, (_, cause) in FILES.items():
        outcome, text = found[name]["outcome"], found[name]["text"]
        assert outcome == ("done" if cause == "DONE" else "refused"), (name, text)
        if cause != "DONE":
            assert any(part in text for part in cause.split("|")), (name, text)
            assert str(Path("cases") / name / "model.safetensors") in text, name


@pytest.mark.parametrize(
    "use",
    [
        "generator",
        *(
            pytest.param(use, marks=pytest.mark.slow)
            for use in ("critic", "latents.noise", "regularisers.read")
        ),
    ],
)
def test_no_text_in_place_of_a_component_is_imported(
    case: Case, strangers: Strangers, hostile: list[str], use: str
) -> None:
    for number, text in enumerate(hostile):
        path = case(f"{number:03}") / "model.safetensors"
        path.write_bytes(named(*use.split("."), "use", to=text)(path.read_bytes()))

    found = strangers("look")

    assert len(found) >= 60
    left_out = use in ("critic", "regularisers.read")  # one samples without them
    for one in found.values():
        assert one["outcome"] == "refused" or left_out, one


def test_a_file_cut_anywhere_is_refused(
    trained: Path, case: Case, strangers: Strangers, tmp_path: Path
) -> None:
    """At every 4 KB, and around each boundary: the tiny file is padded to 40 KB by its card."""
    content = (trained / "model.safetensors").read_bytes()
    content = changed(lambda f: f.note["facts"].update(card="x" * 40_000))(content)
    for end in [*range(0, len(content), 4096), 8, len(content) - 1]:
        path = case(f"{end:06}") / "model.safetensors"
        path.write_bytes(content[:end])

    found = strangers("look")

    assert len(found) > 12
    assert {one["outcome"] for one in found.values()} == {"refused"}
