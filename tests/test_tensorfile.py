from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

import pytest
import safetensors
import safetensors.torch
import torch

from gan_toolkit.errors import StorageError
from gan_toolkit.tensorfile import MOST_TENSORS, describe, read_header, safe_name

TENSORS = {"generator.weight": torch.arange(6.0).reshape(2, 3), "generator.count": torch.tensor(3)}


def container(header: object, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def one(**changes: object) -> dict[str, object]:
    return {"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "m.safetensors"


def test_a_header_says_names_types_shapes_and_the_note(path):
    path.write_bytes(safetensors.torch.save(TENSORS, metadata={"gantk": "the note"}))

    header = read_header(path)

    assert header.tensors == {"generator.weight": ("F32", (2, 3)), "generator.count": ("I64", ())}
    assert header.note == "the note"
    assert header.size == path.stat().st_size


@pytest.mark.parametrize(
    "dtype",
    ["float64", "float32", "bfloat16", "float16", "int64", "int32", "uint8", "bool", "complex64"],
)
def test_every_type_that_torch_saves_is_read(path, dtype):
    tensors = {"a": torch.zeros(3, dtype=getattr(torch, dtype)), "empty": torch.zeros(0, 4)}
    path.write_bytes(safetensors.torch.save(tensors))

    assert read_header(path).tensors["a"].shape == (3,)


HOSTILE = {
    "nothing": b"",
    "too short": b"\x00" * 9,
    "a pickle": b"\x80\x04\x95\x10\x00\x00\x00\x00\x00\x00\x00\x8c\x05posix\x94.",
    "a zip": b"PK\x03\x04" + b"\x00" * 100,
    "header of 2^63": container(one(), b"\0" * 8, 2**63),
    "header of 17 MB": container(one(), b"\0" * 8, 17 * 2**20),
    "header longer than the file": container(one(), b"\0" * 8, 1000),
    "header not JSON": container(b"{not json"),
    "header a list": container([1]),
    "header not UTF-8": container(b"\xff\xfe{}"),
    "nested too deeply": container(b'{"a":' + b"[" * 50_000),
    "a key twice": container(b'{"a":1,"a":2}'),
    "a number of 5000 digits": container(b'{"a":' + b"1" * 5000 + b"}"),
    "NaN": container(b'{"a":NaN}'),
    "entry not a table": container({"a": 1}),
    "entry with another key": container(one(code="os.system"), b"\0" * 8),
    "unknown dtype": container(one(dtype="OBJECT"), b"\0" * 8),
    "dtype a list": container(one(dtype=["F32"]), b"\0" * 8),
    "negative shape": container(one(shape=[-2]), b"\0" * 8),
    "shape of booleans": container(one(shape=[True]), b"\0" * 8),
    "shape that overflows": container(one(shape=[2**62, 2**62]), b"\0" * 8),
    "a terabyte claimed": container(one(shape=[2**38], data_offsets=[0, 2**40]), b"\0" * 8),
    "shape and place disagree": container(one(shape=[3]), b"\0" * 8),
    "body too short": container(one(), b"\0" * 7),
    "trailing bytes": container(one(), b"\0" * 9),
    "overlap": container({**one(), "b": one()["a"]}, b"\0" * 16),
    "gap": container(one(data_offsets=[4, 12]), b"\0" * 12),
    "backwards": container(one(data_offsets=[8, 0]), b"\0" * 8),
    "metadata not text": container({"__metadata__": {"gantk": 1}}),
    "metadata a list": container({"__metadata__": []}),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_one_line_without_taking_memory(path, name):
    path.write_bytes(HOSTILE[name])
    tracemalloc.start()
    start = time.perf_counter()

    with pytest.raises(StorageError) as e:
        read_header(path)

    assert time.perf_counter() - start < 0.5
    assert tracemalloc.get_traced_memory()[1] < 5_000_000
    tracemalloc.stop()
    assert str(path) in str(e.value)
    assert "\n" not in str(e.value)
    assert str(e.value).isprintable()


@pytest.mark.parametrize("count", [MOST_TENSORS + 1, 300_000])
def test_too_many_tensors_are_refused_before_they_are_parsed(path, count):
    entry = b'"%d":{"dtype":"F32","shape":[0],"data_offsets":[0,0]}'
    path.write_bytes(container(b"{" + b",".join(entry % i for i in range(count)) + b"}"))
    tracemalloc.start()
    start = time.perf_counter()

    with pytest.raises(StorageError, match=r"more than 100,000 tensors|the limit is"):
        read_header(path)

    assert time.perf_counter() - start < 0.5
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()


def test_every_truncation_of_a_file_is_refused(path):
    whole = safetensors.torch.save({"a": torch.arange(900.0), "b": torch.arange(60.0)})
    path.write_bytes(whole)
    for length in reversed(range(len(whole))):
        os.truncate(path, length)
        with pytest.raises(StorageError):
            read_header(path)


def test_a_changed_byte_in_the_header_never_crashes_and_what_passes_is_consistent(path):
    whole = bytearray(safetensors.torch.save(TENSORS, metadata={"gantk": "{}"}))
    length = 8 + int.from_bytes(whole[:8], "little")
    draw = random.Random(1)
    passed = 0
    path.write_bytes(whole)
    with path.open("r+b", buffering=0) as file:
        for _ in range(2000):
            changed = whole.copy()
            changed[draw.randrange(length)] = draw.randrange(256)
            file.seek(0)
            file.write(changed)
            try:
                header = read_header(path)
            except StorageError:
                continue
            passed += 1
            loaded = safetensors.torch.load(bytes(changed))
            assert {n: tuple(t.shape) for n, t in loaded.items()} == {
                n: facts.shape for n, facts in header.tensors.items()
            }

    assert 0 < passed < 2000  # a changed name is a good header; hashes find that


def test_a_file_that_is_a_link_is_not_read(path):
    path.with_name("real").write_bytes(safetensors.torch.save(TENSORS))
    path.symlink_to(path.with_name("real"))

    with pytest.raises(StorageError, match="links are not followed"):
        read_header(path)


NOTE = {"format": 1, "recipe": {"name": "r"}, "facts": {"data": {"shape": [1, 4, 4]}}}


def test_a_model_file_is_described_from_its_header(path):
    path.write_bytes(safetensors.torch.save(TENSORS, metadata={"gantk": json.dumps(NOTE)}))

    described = describe(path)

    assert described["recipe"] == {"name": "r"}
    assert described["tensors"]["generator.weight"] == ["F32", [2, 3]]
    assert described["parameters"] == {"generator": 7}
    assert described["bytes"] == path.stat().st_size


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"format": 2}, "format 2; this gan-toolkit reads up to 1"),
        ({"format": "1"}, "format must be a number"),
        ({"format": True}, "format must be a number"),
        ({"recipe": []}, "'recipe' must be a table"),
        ({"facts": None}, "'facts' must be a table"),
        ({"facts": {}}, "data.shape must be sizes"),
        ({"facts": {"data": [1]}}, "data.shape must be sizes"),
        ({"facts": {"data": {"shape": [2**40]}}}, "data.shape must be sizes"),
        ({"facts": {"data": {"shape": [0.5]}}}, "data.shape must be sizes"),
    ],
)
def test_a_note_that_lacks_what_we_rely_on_is_refused(path, changes, cause):
    note = json.dumps({**NOTE, **changes})
    path.write_bytes(safetensors.torch.save(TENSORS, metadata={"gantk": note}))

    with pytest.raises(StorageError, match=cause):
        describe(path)


def test_tensors_of_others_are_not_a_model_file(path):
    path.write_bytes(safetensors.torch.save(TENSORS))

    with pytest.raises(StorageError, match="not a model file of gan-toolkit"):
        describe(path)


def test_describing_needs_no_torch(path):
    path.write_bytes(safetensors.torch.save(TENSORS, metadata={"gantk": json.dumps(NOTE)}))
    code = (
        "import sys; from pathlib import Path; from gan_toolkit.tensorfile import describe\n"
        f"describe(Path({str(path)!r})); sys.exit('torch' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "name",
    ["..", ".", ".hidden", "a/b", "a\\b", "c:", "a\0", "x" * 300, "CON", "con", "nul.txt", "COM1",
     "", "ü", "a b", "-x", "a\n"],
)  # fmt: skip
def test_names_that_are_no_safe_file_names(name):
    assert not safe_name(name)


@pytest.mark.parametrize("name", ["generator.safetensors", "step-00000001.png", "A_b.1", "x"])
def test_names_that_are_safe(name):
    assert safe_name(name)
