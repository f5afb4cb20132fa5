from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_toolkit import ArrayDataset, DataError, Dataset, Registry
from gantk_worlds import gantk_register
from gantk_worlds.options import ChairsOptions
from gantk_worlds.sources import chairs


class Reader:
    """Stands for the reader of the real renders."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked: list[dict[str, Any]] = []
        self._error = error

    def __call__(self, use: str, **options: Any) -> Dataset:
        self.asked.append({"use": use, **options})
        if self._error:
            raise self._error
        return ArrayDataset("the real ones", "real", torch.zeros(1, 1, 8, 8, dtype=torch.uint8))


def build(folder: Path, reader: Reader, **options: Any) -> Dataset:
    small: dict[str, Any] = {"size": 16, "count": 4, "held_out": 2, "cache": str(folder / "cache")}
    given = small | {"root": str(folder)} | options
    return chairs(**dict(ChairsOptions(**given)), sibling=reader)


@pytest.mark.parametrize("source", ["auto", "synthetic"])
def test_without_files_chairs_are_rendered_and_bear_their_own_name(
    tmp_path: Path, source: str
) -> None:
    reader = Reader()

    data = build(tmp_path, reader, source=source)

    kept = data.held_out()
    assert (data.name, data.source) == ("chairs-synthetic", "synthetic")
    assert (len(data), data.sample_shape) == (4, (1, 16, 16))
    assert kept is not None
    assert len(kept) == 2
    assert not reader.asked
    assert "3D Chairs" not in data.notice


def test_auto_says_in_one_line_what_was_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    build(tmp_path, Reader(), source="auto")

    (line,) = caplog.messages
    assert "chairs-synthetic" in line
    assert str(tmp_path) in line


@pytest.mark.parametrize(
    "file",
    ["rendered_chairs.tar", "rendered_chairs/1/renders/x.png", "1/renders/x.png"],
)
def test_auto_reads_real_files_where_there_are_some(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / file).touch()
    reader = Reader()

    data = build(tmp_path, reader, source="auto", size=32)

    assert data.source == "real"
    assert reader.asked == [{"use": "rendered_chairs", "root": str(tmp_path), "size": 32}]


@pytest.mark.parametrize("source", ["auto", "real"])
def test_damaged_files_are_an_error_and_no_reason_to_render(tmp_path: Path, source: str) -> None:
    (tmp_path / "rendered_chairs.tar").touch()
    reader = Reader(DataError("rendered_chairs.tar is damaged"))

    with pytest.raises(DataError, match="damaged"):
        build(tmp_path, reader, source=source)


def test_real_is_never_replaced(tmp_path: Path) -> None:
    reader = Reader(DataError("no rendered_chairs.tar"))

    with pytest.raises(DataError, match="no rendered_chairs"):
        build(tmp_path, reader, source="real")


def test_the_data_folder_is_where_files_are_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANTK_DATA", str(tmp_path))
    (tmp_path / "rendered_chairs").mkdir()
    reader = Reader()

    build(tmp_path, reader, root=None)

    assert reader.asked[0]["root"] is None


def test_options_without_effect_on_real_chairs_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    chairs(**dict(ChairsOptions(source="real", models=5, ss=3)), sibling=Reader())

    assert caplog.messages == [
        "chairs: the real renders are used; these options have no effect on them: ss, models"
    ]


def test_the_plugin_offers_its_data_sets() -> None:
    registry = Registry()

    gantk_register(registry)

    assert registry.names("dataset") == [
        "chairs",
        "grid",
        "house_numbers",
        "ring",
        "sprites",
        "stacked_digits",
        "strokes",
    ]
    for component in registry.all("dataset"):
        assert callable(component.load())
