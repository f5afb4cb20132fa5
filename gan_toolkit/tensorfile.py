"""The header of a safetensors file, by hand: limits first, then JSON; tensors are left alone.

The format is eight bytes of length, a JSON header, and the data. What the header claims is checked
against the size of the file before anything is believed, and nothing here imports torch.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from gan_toolkit import strict_json
from gan_toolkit.errors import StorageError
from gan_toolkit.files import open_regular, read_bytes, read_exactly, write_atomic

LARGEST_HEADER = 16 * 2**20
"""Bytes."""
MOST_TENSORS = 100_000
NOTE = "gantk"
"""The one metadata key we write: the order of several is not reproducible."""
_BITS = {"BOOL": 8, "BF16": 16, "C64": 64, "F8_E4M3": 8, "F8_E5M2": 8} | {
    f"{kind}{bits}": bits for kind in "IUF" for bits in (8, 16, 32, 64) if (kind, bits) != ("F", 8)
}


class TensorFacts(NamedTuple):
    """What a header says of one tensor."""

    dtype: str
    """The format's own word: F32, BF16, I64 …"""
    shape: tuple[int, ...]


@dataclass(frozen=True)
class Header:
    """What a safetensors file says of itself."""

    tensors: Mapping[str, TensorFacts]
    note: str
    """The text under our metadata key; empty when there is none."""
    size: int
    """Bytes of the whole file."""


def read_header(path: Path) -> Header:
    """Read and check a header; StorageError says what is wrong with the file."""
    with open_regular(path) as handle:
        size = os.fstat(handle).st_size
        try:
            text = _header_text(path, handle, size)
            return _checked(text, size, size - 8 - len(text))
        except ValueError as error:
            raise StorageError(f"{path} is not a safetensors file we can read: {error}") from None


def describe(path: Path) -> dict[str, Any]:
    """Return what a model file says of itself, its tensors and size added; needs no torch.

    Keys are those of `save_model` (`format`, `recipe`, `facts`, …), and `tensors` (name to dtype
    and shape), `parameters` (numbers stored for each part) and `bytes`. Raises StorageError.
    """
    header = read_header(path)
    if not header.note:
        raise StorageError(f"{path} holds tensors but is not a model file of gan-toolkit")
    try:
        note = strict_json.parse_object(header.note)
        check_note(note)
    except ValueError as error:
        raise StorageError(f"{path}: {error}") from None
    tensors = {name: [facts.dtype, list(facts.shape)] for name, facts in header.tensors.items()}
    parts: dict[str, int] = {}
    for name, facts in header.tensors.items():
        part = name.partition(".")[0]
        parts[part] = parts.get(part, 0) + math.prod(facts.shape)
    return {**note, **dict(zip(_ADDED, (tensors, parts, header.size), strict=True))}


def change_facts(path: Path, changes: Mapping[str, Any]) -> None:
    """Change facts in the description of a model file; every tensor stays, bit for bit.

    The file is whole at every instant, and the one that would have been saved with these facts.
    Raises StorageError as `describe` does, and when the description would get too long to be read.
    """
    described = describe(path)
    note = {key: value for key, value in described.items() if key not in _ADDED}
    note["facts"] |= changes
    content = read_bytes(path, described["bytes"])
    start = 8 + int.from_bytes(content[:8], "little")
    entries = strict_json.parse_object(content[8:start])
    entries["__metadata__"] = {NOTE: strict_json.dump(note)}
    header = json.dumps(entries, ensure_ascii=False, separators=(",", ":")).encode()
    header += b" " * (-len(header) % 8)
    if len(header) > LARGEST_HEADER:
        raise StorageError(
            f"{path}: its description would take {len(header):,} bytes, the limit is "
            f"{LARGEST_HEADER:,}; the file is as it was"
        )
    write_atomic(path, len(header).to_bytes(8, "little") + header + content[start:])


_ADDED = ("tensors", "parameters", "bytes")
"""What `describe` adds to a note."""
FORMAT = 1
"""Of the model file."""
SHARED = (
    *("format", "name", "summary", "data", "latents", "generator", "critic", "regularisers"),
    "measures",
)
"""The tables of a recipe that go into a model file: what samples, reads and is measured."""


def check_note(note: Mapping[str, Any]) -> None:
    """Raise ValueError unless the note of a model file has the parts we rely on."""
    known = note.get("format")
    if type(known) is not int or known < 1:
        raise ValueError(f"the model file's format must be a number from 1; found {known!r:.40}")
    if known > FORMAT:
        raise ValueError(f"model file of format {known}; this gan-toolkit reads up to {FORMAT}")
    for key in ("recipe", "facts"):
        if not isinstance(note.get(key), dict):
            raise ValueError(f"the model file's {key!r} must be a table")
    data = note["facts"].get("data")
    shape = data.get("shape") if isinstance(data, dict) else None
    if not isinstance(shape, list) or not 1 <= len(shape) <= 8 or not all(map(_is_side, shape)):
        raise ValueError(f"the model file's data.shape must be sizes; found {shape!r:.40}")


def _is_side(value: Any) -> bool:
    return type(value) is int and 0 < value <= 1 << 20


def _header_text(path: Path, handle: int, size: int) -> bytes:
    if size < 10:
        raise ValueError(f"{size} bytes are too few")
    length = int.from_bytes(read_exactly(path, handle, 8), "little")
    if length > LARGEST_HEADER:
        raise ValueError(f"its header claims {length:,} bytes, the limit is {LARGEST_HEADER:,}")
    if length > size - 8:
        raise ValueError(f"its header claims {length:,} bytes, the file has {size:,}")
    return read_exactly(path, handle, length)


def _checked(text: bytes, size: int, data: int) -> Header:
    # Counting first: parsing a header of very many tensors is what takes memory.
    if text.count(b"data_offsets") > MOST_TENSORS or text.count(b"{") > 3 * MOST_TENSORS:
        raise ValueError(f"more than {MOST_TENSORS:,} tensors")
    entries = strict_json.parse_object(text)
    metadata = entries.pop("__metadata__", {})
    if not isinstance(metadata, dict) or not isinstance(metadata.get(NOTE, ""), str):
        raise ValueError("its metadata is not text")
    if len(entries) > MOST_TENSORS:
        raise ValueError(f"more than {MOST_TENSORS:,} tensors")
    spans = {name: _span(name, entry) for name, entry in entries.items()}
    end = 0
    for name, (start, stop) in sorted(spans.items(), key=lambda item: item[1]):
        if start != end:
            raise ValueError(f"tensor {name!r:.80} overlaps another or leaves a gap")
        end = stop
    if end != data:
        raise ValueError(f"its tensors take {end:,} bytes, the file holds {data:,}")
    tensors = {n: TensorFacts(e["dtype"], tuple(e["shape"])) for n, e in entries.items()}
    return Header(tensors, metadata.get(NOTE, ""), size)


def _span(name: str, entry: Any) -> tuple[int, int]:
    """Return where a tensor's bytes start and stop, once its entry is found sound."""
    if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
        raise ValueError(f"tensor {name!r:.80} is not described as the format asks")
    dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    if not isinstance(dtype, str) or dtype not in _BITS:
        raise ValueError(f"tensor {name!r:.80} has the unknown dtype {dtype!r:.20}")
    if not _sizes(shape) or not _sizes(offsets) or len(offsets) != 2:
        raise ValueError(f"tensor {name!r:.80} has no usable shape or place")
    start, stop = offsets
    if stop - start != math.prod(shape) * _BITS[dtype] // 8:
        raise ValueError(f"tensor {name!r:.80} of shape {shape!r:.40} takes {stop - start:,} bytes")
    return start, stop


def _sizes(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) <= 64
        and all(type(number) is int and 0 <= number < 2**63 for number in value)
    )


def safe_name(name: str) -> bool:
    """Return whether a name found in a file may be used as the name of a file here."""
    reserved = re.fullmatch(r"(?i)(con|prn|aux|nul|com\d|lpt\d)(\..*)?", name)
    return bool(re.fullmatch(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,99}", name)) and not reserved
