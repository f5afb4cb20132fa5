from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest
import torch

from gan_toolkit import (
    ArrayDataset,
    DataError,
    Dataset,
    MissingFilesError,
    PluginError,
    Registry,
)
from gantk_worlds import gantk_register, mesh_models
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


MISSING = MissingFilesError("no rendered_chairs.tar in here", "to get it: ask")


@pytest.mark.parametrize("source", ["auto", "synthetic"])
def test_without_files_chairs_are_rendered_and_bear_their_own_name(
    tmp_path: Path, source: str
) -> None:
    data = build(tmp_path, Reader(MISSING), source=source)

    kept = data.held_out()
    assert (data.name, data.source) == ("chairs-synthetic", "synthetic")
    assert (len(data), data.sample_shape) == (4, (1, 16, 16))
    assert kept is not None
    assert len(kept) == 2
    assert "3D Chairs" not in data.notice


def test_synthetic_looks_at_no_file(tmp_path: Path) -> None:
    reader = Reader()

    data = build(tmp_path, reader, source="synthetic")

    assert data.source == "synthetic"
    assert not reader.asked


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (MISSING, "no rendered_chairs.tar in here"),
        (PluginError("data set 'rendered_chairs' is offered by no plugin"), "by no plugin"),
    ],
)
def test_auto_says_in_one_line_what_was_missing_and_what_is_used(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception, told: str
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    build(tmp_path, Reader(error), source="auto")

    (line,) = caplog.messages
    assert told in line
    assert line.endswith("using chairs-synthetic, made here")


def test_auto_reads_real_files_where_they_are(tmp_path: Path) -> None:
    reader = Reader()

    data = build(tmp_path, reader, source="auto", size=32)

    assert data.source == "real"
    assert reader.asked == [{"use": "rendered_chairs", "root": str(tmp_path), "size": 32}]


@pytest.mark.parametrize("source", ["auto", "real"])
def test_damaged_files_are_an_error_and_no_reason_to_render(tmp_path: Path, source: str) -> None:
    with pytest.raises(DataError, match="damaged"):
        build(tmp_path, Reader(DataError("rendered_chairs.tar is damaged")), source=source)


def test_real_is_never_replaced(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"no rendered_chairs.*to get it"):
        build(tmp_path, Reader(MISSING), source="real")


@pytest.fixture
def meshes(tmp_path: Path) -> Path:
    folder = tmp_path / "chair_meshes"
    folder.mkdir()
    (folder / "a.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    return folder


@pytest.mark.usefixtures("meshes")
def test_meshes_are_rendered_when_asked_for(tmp_path: Path) -> None:
    data = build(tmp_path, Reader(), source="meshes")

    assert (data.name, data.source, len(data)) == ("chairs-meshes", "meshes", 4)
    assert data.sample_shape == (1, 16, 16)


@pytest.mark.usefixtures("meshes")
def test_auto_never_takes_meshes(tmp_path: Path) -> None:
    assert build(tmp_path, Reader(MISSING), source="auto").source == "synthetic"


def test_meshes_are_never_replaced(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mesh_models, "INSTALLED", tmp_path / "nowhere")

    with pytest.raises(DataError, match="no models under CC0"):
        build(tmp_path, Reader(), source="meshes", licence="cc0", root=str(tmp_path / "none"))


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
        "chairs: the real set is used; these options have no effect on it: ss, models"
    ]


def test_a_sample_of_any_factors_can_be_rendered(tmp_path: Path) -> None:
    data = build(tmp_path, Reader(MISSING))
    batch = data.batch(torch.arange(4))

    assert data.can_render
    assert batch.factors is not None
    assert torch.equal(data.render(batch.factors), batch.samples)


def test_the_plugin_offers_its_data_sets() -> None:
    registry = Registry()

    gantk_register(registry)

    names = ["chairs", "colour_heads", "faces", "grid", "ring", "rooms"]
    assert registry.names("dataset") == names
    for component in registry.all("dataset"):
        assert callable(component.load())
