from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import files
from gan_toolkit.cli import pictures
from gan_toolkit.interfaces import Grid
from gan_toolkit.testing.disks import FailingDisk

Gantk = Callable[..., Any]


@pytest.fixture
def run(gantk: Gantk, recipe: Path) -> Path:
    assert gantk("run", recipe, "--name", "one").exit_code == 0
    return Path("runs/tiny/one")


def size_of(path: str) -> tuple[int, int]:
    with Image.open(path) as image:
        return image.size


def test_a_sheet_of_samples(gantk: Gantk, run: Path) -> None:
    result = gantk("sample", run, "-n", "9", "-o", "sheet.png")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == "sheet.png\n"
    side = 3 * (pictures.SMALLEST_CELL + pictures.GAP) + pictures.GAP
    assert size_of("sheet.png") == (side, side)


def test_same_seed_same_samples_and_codes_hold(gantk: Gantk, run: Path) -> None:
    for name, *options in (
        ("a.npy", "--code", "code=1"),
        ("b.npy", "--code", "code=1"),
        ("c.npy", "--code", "code=-1"),
    ):
        assert gantk("sample", run, "-n", "5", "-o", name, *options).exit_code == 0

    a, b, c = (np.load(f"{name}.npy") for name in "abc")
    assert a.shape == (5, 1, 4, 4)
    assert np.array_equal(a, b)
    assert not np.array_equal(a, c)


def test_one_picture_each(gantk: Gantk, run: Path) -> None:
    result = gantk("sample", run, "-n", "3", "--each", "-o", "pictures")

    assert result.stdout == "pictures\n"
    assert [p.name for p in sorted(Path("pictures").iterdir())] == [
        "0000.png",
        "0001.png",
        "0002.png",
    ]


def test_a_file_is_not_replaced_unasked(gantk: Gantk, run: Path) -> None:
    Path("sheet.png").write_text("mine")

    refused = gantk("sample", run, "-o", "sheet.png")
    forced = gantk("sample", run, "-o", "sheet.png", "--force")

    assert refused.exit_code == 2
    assert forced.exit_code == 0


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("cod=1", "did you mean 'code'?"),
        ("code", "write NAME=VALUE"),
        ("code=x", "x is not a TOML value; a number, or a text in quotes: '\"x\"'"),
        ("code=7", "7 is not a side of a coin"),
        ("code=1 --code code=1", "code is set twice"),
    ],
)
def test_a_bad_code_is_explained(gantk: Gantk, run: Path, code: str, text: str) -> None:
    result = gantk("sample", run, "--code", *code.split(), "-o", "x.png")

    assert result.exit_code == 2
    assert text in result.stderr
    assert not Path("x.png").exists()


def test_other_formats_are_refused_before_anything_is_drawn(gantk: Gantk, run: Path) -> None:
    result = gantk("sample", run, "-o", "x.jpg")

    assert result.exit_code == 2
    assert result.stderr == "gantk: x.jpg: a picture is written as .png; numbers as .npy\n"


@pytest.mark.parametrize("command", [("sample", "one"), ("traverse", "one", "code")])
@pytest.mark.parametrize("seed", [str(2**63), "-1", "9" * 23])
def test_a_seed_is_one_of_those_a_recipe_may_have(
    gantk: Gantk, command: tuple[str, ...], seed: str
) -> None:
    result = gantk(*command, "--seed", seed)

    assert result.exit_code == 2
    assert f"{seed} is not in the range 0<=x<={2**63 - 1}" in result.stderr


def test_the_largest_seed_works(gantk: Gantk, run: Path) -> None:
    assert gantk("sample", run, "--seed", str(2**63 - 1)).exit_code == 0


def test_a_name_of_a_file_is_no_folder_for_each(gantk: Gantk, run: Path) -> None:
    result = gantk("sample", run, "--each", "-o", "each.png")

    assert result.exit_code == 2
    assert result.stderr == (
        "gantk: --each writes a folder, and each.png ends in .png; another -o, such as each\n"
    )


WRITERS = [
    ("sample", "one", "-o", "new/x.npy"),
    ("sample", "one", "-o", "new/x.png"),
    ("sample", "one", "--each", "-o", "new"),
    ("traverse", "one", "code", "-o", "new/x.png"),
]


@pytest.mark.parametrize("arguments", WRITERS, ids=" ".join)
def test_a_full_disk_leaves_no_part_of_a_file(
    gantk: Gantk, run: Path, arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("new").mkdir()
    failing = {"--each": 5}  # the folder, then the second picture
    monkeypatch.setattr(files, "disk", FailingDisk(failing.get(arguments[2], 1)))

    result = gantk(*arguments)

    assert result.exit_code == 8
    assert result.stderr.startswith("gantk: disk full: new/")
    assert len(result.stderr.splitlines()) == 1
    assert not list(Path("new").iterdir())


@pytest.mark.parametrize("arguments", WRITERS, ids=" ".join)
def test_a_file_in_place_of_a_folder_is_told(
    gantk: Gantk, run: Path, arguments: tuple[str, ...]
) -> None:
    Path("new").write_text("")

    result = gantk(*arguments, "--force")

    assert result.exit_code == 8
    assert result.stderr == "gantk: new is not a folder; choose another\n"


def test_a_traversal_in_numbers_has_rows_and_columns(gantk: Gantk, run: Path) -> None:
    result = gantk("traverse", run, "code", "--rows", "3", "-o", "code.npy")

    assert result.stdout == "code.npy\n"
    assert np.load("code.npy").shape == (3, 2, 1, 4, 4)


def test_a_traversal_is_named_after_its_code(gantk: Gantk, run: Path) -> None:
    result = gantk("traverse", "one", "code", "--rows", "2")

    assert result.exit_code == 0, result.stderr
    assert result.stdout == "code.png\n"
    assert size_of("code.png")[1] > 2 * pictures.SMALLEST_CELL


def test_a_latent_that_has_no_grid_is_explained(gantk: Gantk, run: Path) -> None:
    result = gantk("traverse", run, "noise")

    assert result.exit_code == 2
    assert "'noise' can't be traversed" in result.stderr


def test_a_run_without_a_model_says_what_to_do(gantk: Gantk, run: Path) -> None:
    (run / "model.safetensors").unlink()

    result = gantk("sample", run)

    assert result.exit_code == 2
    assert f"gantk resume {run}" in result.stderr


def test_a_missing_model_file_is_no_name_of_a_run(gantk: Gantk) -> None:
    result = gantk("sample", "missing.safetensors")

    assert result.exit_code == 2
    assert result.stderr == "gantk: there is no file missing.safetensors\n"


def test_untrained_values_are_grey() -> None:
    grid = Grid(torch.zeros(2, 1), ["8", "8"], [True, False])

    picture = np.asarray(pictures.traversal(torch.ones(1, 2, 1, 64, 64), grid, ""))

    head = picture[pictures.MARGIN + 20 : pictures.MARGIN + 46]
    left, right = np.split(head[:, pictures.MARGIN : -pictures.MARGIN], [66], axis=1)
    assert left.min() < pictures.FAINT <= right.min() < pictures.PAPER


def test_points_become_a_scatter() -> None:
    grid = Grid(torch.zeros(3, 1), ["a", "b", "c"], [True] * 3)

    assert pictures.sheet(torch.randn(50, 2)).size == (600, 600)
    assert pictures.traversal(torch.randn(10, 3, 2), grid, "").size == (600, 600)
