"""Pictures and arrays are the samples of the model, with the latents they were made of."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from gan_toolkit import UsageError, load_plugins, to_uint8
from gan_toolkit.testing.conformance import model_of_images, model_of_points
from gantk_exporters.arrays import Arrays
from gantk_exporters.images import Images

SPACE = model_of_images().latents


def table(folder: Path) -> list[dict[str, str]]:
    with (folder / "latents.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def facts(folder: Path) -> dict[str, Any]:
    read: dict[str, Any] = json.loads((folder / "dataset.json").read_text("utf-8"))
    return read


def pixels(folder: Path) -> np.ndarray[Any, Any]:
    return np.stack([np.asarray(Image.open(path)) for path in sorted(folder.glob("*.png"))])


def test_pictures_are_the_samples_of_that_seed_and_those_codes(tmp_path: Path) -> None:
    model = model_of_images()

    Images(SPACE, count=300, seed=7, codes={"coin": 1}).export(model, tmp_path)

    due = to_uint8(model.sample(300, seed=7, coin=1))[:, 0].numpy()
    assert np.array_equal(pixels(tmp_path), due)
    assert {row["coin"] for row in table(tmp_path)} == {"1"}
    assert [row["file"] for row in table(tmp_path)][298:] == ["00298.png", "00299.png"]
    assert facts(tmp_path)["codes"] == {"coin": 1}


def test_a_row_of_the_table_makes_its_picture_again(tmp_path: Path) -> None:
    """Nine digits give back the same float32."""
    model = model_of_images()
    latent = SPACE.sample(4, torch.Generator().manual_seed(3))

    Images(SPACE, count=4, seed=3).export(model, tmp_path)

    levels = [float(row["level"]) for row in table(tmp_path)]
    assert torch.equal(torch.tensor(levels), latent[:, SPACE.columns("level")][:, 0])


def test_a_category_becomes_the_label_that_other_tools_read(tmp_path: Path) -> None:
    Images(SPACE, count=20, label="coin").export(model_of_images(), tmp_path)

    rows = table(tmp_path)
    assert facts(tmp_path)["labels"] == [[row["file"], int(row["coin"])] for row in rows]
    assert len({row["coin"] for row in rows}) == 2


def test_without_a_label_there_is_none(tmp_path: Path) -> None:
    Images(SPACE, count=1).export(model_of_images(), tmp_path)

    assert facts(tmp_path)["labels"] is None


@pytest.mark.parametrize("labels", ["latents.csv", "dataset.json"])
def test_our_own_reader_takes_the_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, labels: str
) -> None:
    monkeypatch.setenv("GANTK_CACHE", str(tmp_path / "cache"))
    folder = tmp_path / "pictures"
    folder.mkdir()
    Images(SPACE, count=6, label="coin").export(model_of_images(), folder)

    reader = load_plugins(environ={}).registry.get("dataset", "image_folder")
    given = {"root": str(folder), "size": 8, "channels": 1, "labels": str(folder / labels)}
    chosen = reader.options.model_validate(given)
    data = reader.load()(**dict(chosen))

    batch = data.batch(torch.arange(6))
    assert np.array_equal(batch.samples[:, 0].numpy(), pixels(folder))
    if labels == "latents.csv":
        assert [factor.name for factor in data.factors] == ["noise", "coin", "level", "turn"]
        assert batch.factors[:, 1].tolist() == [float(row["coin"]) for row in table(folder)]
    else:
        assert batch.labels.tolist() == [int(row["coin"]) for row in table(folder)]


def test_points_are_refused_with_what_takes_them(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"makes points of 2 numbers, not images; .* --to arrays"):
        Images(SPACE, count=2).export(model_of_points(), tmp_path)


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"codes": {"con": 1}}, "no latent is named 'con'.*did you mean 'coin'"),
        ({"codes": {"coin": 2}}, "2 is no choice; 0 to 1"),
        ({"label": "con"}, "no latent is named 'con'.*did you mean 'coin'"),
        ({"label": "level"}, "label = 'level': not one latent of categories"),
    ],
)
def test_what_the_model_has_not_is_refused_before_anything_is_written(
    options: dict[str, Any], text: str
) -> None:
    with pytest.raises(ValueError, match=text):
        Images(SPACE, **options)


@pytest.mark.parametrize("make", [model_of_images, model_of_points])
def test_arrays_are_the_samples_and_their_latents(tmp_path: Path, make: Any) -> None:
    model = make()

    Arrays(SPACE, count=300, seed=2, codes={"level": 0.5}).export(model, tmp_path)

    samples, latents = (np.load(tmp_path / f"{name}.npy") for name in ("samples", "latents"))
    due = model.sample(300, seed=2, level=0.5)
    expected = to_uint8(due) if due.ndim == 4 else due
    assert samples.dtype == expected.numpy().dtype
    assert np.array_equal(samples, expected.numpy())
    assert (latents.dtype, latents.shape) == (np.float32, (300, SPACE.width))
    torch.testing.assert_close(model.generate(torch.from_numpy(latents)), due)
    assert facts(tmp_path)["count"] == 300
