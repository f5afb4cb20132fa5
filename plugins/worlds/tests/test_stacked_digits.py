from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from gan_toolkit import ArrayDataset, Dataset
from gantk_worlds import stacked_digits as module
from gantk_worlds.options import StackedDigitsOptions
from gantk_worlds.stacked_digits import StackedMnist, stacked_digits
from gantk_worlds.world import HELD_OUT, split


def digits(first: int = 0, count: int = 50, kept: Dataset | None = None) -> ArrayDataset:
    """Return blank pictures; the grey of each is its number, its last figure its label."""
    number = torch.arange(first, first + count)
    return ArrayDataset(
        "MNIST",
        "real",
        number.to(torch.uint8)[:, None, None, None].expand(-1, 1, 28, 28).contiguous(),
        labels=number % 10,
        classes=tuple("0123456789"),
        notice="whose digits they are",
        held_out=kept,
    )


class Reader:
    """Stands for the reader of MNIST."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def __call__(self, use: str, **options: Any) -> Dataset:
        self.asked.append({"use": use, **options})
        if self._error:
            raise self._error
        return digits(kept=digits(100, 20))


def build(folder: Path, reader: Reader, **options: Any) -> ArrayDataset:
    small: dict[str, Any] = {"count": 30, "held_out": 10, "cache": str(folder)}
    return stacked_digits(**dict(StackedDigitsOptions(**(small | options))), sibling=reader)


@pytest.fixture
def few_strokes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_DRAWN", (40, 20))


# --- stacks --------------------------------------------------------------------------------


def test_the_mode_is_the_digits_read_from_red_to_blue() -> None:
    world = StackedMnist(digits(kept=digits(100, 20)))
    table = world.draw(torch.arange(500))

    pictures = world.render(table)

    assert pictures.shape == (500, 3, 28, 28)
    numbers = pictures[:, :, 5, 5].long()
    known = split(table, world.factors)
    read = numbers % 10
    assert torch.equal(known["mode"].long(), read @ torch.tensor([100, 10, 1]))
    for place, colour in enumerate(("red", "green", "blue")):
        assert torch.equal(known[f"{colour}_digit"].long(), read[:, place])
        assert torch.equal(known[f"{colour}_image"].long(), numbers[:, place])


def test_all_thousand_modes_come_up() -> None:
    world = StackedMnist(digits(kept=digits(100, 20)))

    counts = torch.bincount(world.draw(torch.arange(100_000))[:, 0].long(), minlength=1000)

    assert len(counts) == 1000
    assert counts.min() > 50
    assert counts.max() < 160


def test_held_out_stacks_are_made_of_held_out_digits() -> None:
    world = StackedMnist(digits(kept=digits(100, 20)))

    trained, kept = (world.render(world.draw(torch.arange(500) + start)) for start in (0, HELD_OUT))

    assert trained.unique().tolist() == list(range(50))
    assert kept.unique().tolist() == list(range(100, 120))


def test_the_digits_are_scored_and_what_follows_from_them_is_not() -> None:
    factors = StackedMnist(digits(kept=digits(100, 20))).factors

    assert [f.name for f in factors if f.scored] == ["red_digit", "green_digit", "blue_digit"]
    assert factors[0].values[:2] == ("000", "001")
    assert factors[0].values[-1] == "999"


def test_a_larger_picture_has_a_black_border() -> None:
    small, large = (StackedMnist(digits(1, kept=digits(100, 20)), size) for size in (28, 32))
    table = small.draw(torch.arange(9))

    pictures = large.render(table)

    assert pictures.shape == (9, 3, 32, 32)
    assert torch.equal(pictures[..., 2:-2, 2:-2], small.render(table))
    assert pictures.double().sum() == small.render(table).double().sum()


def test_other_digits_are_other_data() -> None:
    kept = digits(100, 20)
    worlds = [
        StackedMnist(digits(kept=kept)),
        StackedMnist(digits(1, kept=kept)),
        StackedMnist(digits(kept=digits(101, 20))),
    ]

    prints = [tuple(world.options.values()) for world in worlds]

    assert len(set(prints)) == 3


def test_digits_without_held_out_ones_are_refused() -> None:
    with pytest.raises(ValueError, match="holds no samples out"):
        StackedMnist(digits())


def test_digits_without_labels_are_refused() -> None:
    kept = digits(100, 20)
    unknown = ArrayDataset(
        "blots", "real", torch.zeros(5, 1, 28, 28, dtype=torch.uint8), held_out=kept
    )

    with pytest.raises(ValueError, match="blots has no labels"):
        StackedMnist(unknown)


# --- sources -------------------------------------------------------------------------------


@pytest.mark.parametrize("source", ["real", "auto"])
def test_real_digits_are_stacked_where_they_are_found(tmp_path: Path, source: str) -> None:
    reader = Reader()

    data = build(tmp_path, reader, source=source, root=str(tmp_path))

    kept = data.held_out()
    assert reader.asked == [{"use": "mnist", "root": str(tmp_path), "split": "train"}]
    assert (data.name, data.source) == ("stacked MNIST", "real")
    assert data.notice.endswith("whose digits they are")
    assert len(data.classes) == 1000
    assert kept is not None
    assert (len(data), len(kept)) == (30, 10)


@pytest.mark.usefixtures("few_strokes")
def test_drawn_digits_need_no_files_and_bear_their_own_name(tmp_path: Path) -> None:
    reader = Reader()

    data = build(tmp_path, reader, source="synthetic")

    assert not reader.asked
    assert (data.name, data.source) == ("stacked-strokes-synthetic", "synthetic")
    assert "MNIST" not in data.notice
