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
    Registry,
)
from gantk_worlds import gantk_register, mesh_models
from gantk_worlds.chair_sources import chairs
from gantk_worlds.options import ChairsOptions


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


def test_options_without_effect_on_real_chairs_are_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    chairs(**dict(ChairsOptions(source="real", models=5, ss=3)), sibling=Reader())

    assert caplog.messages == ["the real ones is used: ss, models have no effect on it"]


@pytest.mark.parametrize("source", ["synthetic", "auto"])
def test_a_licence_without_effect_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, source: str
) -> None:
    caplog.set_level(logging.INFO, "gantk")

    build(tmp_path, Reader(), source=source, licence="cc0")

    assert 'chairs: licence = "cc0" has no effect: it chooses among meshes' in caplog.messages


def test_a_sample_of_any_factors_can_be_rendered(tmp_path: Path) -> None:
    data = build(tmp_path, Reader(MISSING))
    batch = data.batch(torch.arange(4))

    assert data.can_render
    assert batch.factors is not None
    assert torch.equal(data.render(batch.factors), batch.samples)


def test_the_plugin_offers_its_data_sets() -> None:
    registry = Registry()

    gantk_register(registry)

    assert registry.names("dataset") == [
        "chairs",
        "colour_heads",
        "faces",
        "grid",
        "house_numbers",
        "ring",
        "rooms",
        "sprites",
        "stacked_digits",
        "strokes",
    ]
    for component in registry.all("dataset"):
        assert callable(component.load())
