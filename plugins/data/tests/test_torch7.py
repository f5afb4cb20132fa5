from __future__ import annotations

import struct
from typing import Any

import numpy as np
import pytest

from gantk_data.formats.torch7 import Torch7Error, read_tensor


def text(value: str) -> bytes:
    return struct.pack("<i", len(value)) + value.encode("latin1")


def head(name: str, version: str = "V 1", number: int = 1) -> bytes:
    return struct.pack("<ii", 4, number) + text(version) + text(name)


def longs(*values: int) -> bytes:
    return struct.pack(f"<{len(values)}q", *values)


def tensor(
    values: Any,
    kind: str = "Float",
    sizes: tuple[int, ...] = (2, 3),
    strides: tuple[int, ...] = (3, 1),
    offset: int = 1,
    length: int | None = None,
    storage: str = "",
) -> bytes:
    """A file as Torch7 writes it; some of it may be a lie."""
    array = np.asarray(values, dtype="<f4" if kind == "Float" else "<f8")
    return b"".join(
        (
            head(f"torch.{kind}Tensor"),
            struct.pack("<i", len(sizes)),
            longs(*sizes, *strides, offset),
            head(f"torch.{storage or kind}Storage", number=2),
            longs(array.size if length is None else length),
            array.tobytes(),
        )
    )


VALUES = [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]


@pytest.mark.parametrize(("kind", "dtype"), [("Float", np.float32), ("Double", np.float64)])
def test_a_tensor_is_read(kind: str, dtype: type) -> None:
    array = read_tensor(tensor(VALUES, kind))

    assert array.dtype == dtype
    assert array.tolist() == [[0, 1, 2], [3, 4, 5]]


def test_the_stride_of_a_single_place_says_nothing() -> None:
    array = read_tensor(tensor(VALUES, sizes=(2, 1, 3), strides=(3, 77, 1)))

    assert array.shape == (2, 1, 3)


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        (b"", "it ends too early"),
        (struct.pack("<i", 0), "it holds nothing"),
        (struct.pack("<id", 1, 0.5), "it holds a number"),
        (struct.pack("<i", 2) + text("x"), "it holds a string"),
        (struct.pack("<iii", 3, 1, 0), "it holds a table"),
        (struct.pack("<i", 5), "it holds a boolean"),
        (struct.pack("<ii", 6, 1) + text("\x1bLua"), "it holds a function"),
        (struct.pack("<ii", 7, 1), "it holds a function"),
        (struct.pack("<ii", 8, 1) + text("\x1bLua"), "it holds a function"),
        (struct.pack("<i", 77), "it holds an object of type 77"),
        (head("torch.CudaTensor"), r"it holds a torch\.CudaTensor, expected torch\.FloatTensor or"),
        (head("nn.\x1b[2J"), r"it holds a nn\.\\x1b\[2J, expected"),
        (head("torch.FloatTensor", version="V 2"), r"version b'V 2', expected b'V 1'"),
        (head("torch.FloatTensor", version="torch.FloatTensor"), "has version"),
        (struct.pack("<iii", 4, 1, 2_000_000_000), "a name claims 2,000,000,000 bytes"),
        (struct.pack("<iii", 4, 1, -1), "a name claims -1 bytes"),
        (tensor(VALUES)[:-1], "24 bytes of values are promised, 23 are there"),
        (tensor(VALUES) + b"x", "24 bytes of values are promised, 25 are there"),
        (tensor(VALUES, sizes=(2**40, 2**40), length=2**60), "it claims sizes"),
        (tensor(VALUES, sizes=(2**32, 2**32), length=0), "it claims sizes"),
        (tensor(VALUES, sizes=(2**31, 3), length=3 * 2**31), "bytes of values are promised, 24"),
        (tensor(VALUES, sizes=(-2, -3)), r"it claims sizes \(-2, -3\)"),
        (tensor(VALUES, sizes=(0, 3), length=0), r"it claims sizes \(0, 3\)"),
        (tensor(VALUES, sizes=(3, 2), strides=(1, 3)), r"strides \(1, 3\)"),
        (tensor(VALUES, sizes=(2, 2)), r"sizes \(2, 2\), strides \(3, 1\), offset 1 in 6 values"),
        (tensor(VALUES, offset=2), "offset 2"),
        (tensor(VALUES, length=-6), "in -6 values"),
        (tensor(VALUES, storage="Double"), r"behind the torch\.FloatTensor is a torch\.DoubleSt"),
        (tensor(VALUES, sizes=(), strides=()), "it claims 0 dimensions"),
        (head("torch.FloatTensor") + struct.pack("<i", 2**31 - 1), "claims 2147483647 dimensions"),
    ],
)
def test_anything_else_is_named_and_refused(data: bytes, complaint: str) -> None:
    with pytest.raises(Torch7Error, match=complaint):
        read_tensor(data)


def test_a_function_behind_a_tensor_is_refused() -> None:
    whole = tensor(VALUES)
    start = whole.index(head("torch.FloatStorage", number=2))

    with pytest.raises(Torch7Error, match="it holds a function"):
        read_tensor(whole[:start] + struct.pack("<ii", 8, 2) + text("\x1bLua"))


@pytest.mark.parametrize("keep", range(0, len(tensor(VALUES)), 3))
def test_a_cut_file_is_refused_wherever_it_is_cut(keep: int) -> None:
    with pytest.raises(Torch7Error):
        read_tensor(tensor(VALUES)[:keep])
