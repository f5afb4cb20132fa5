from __future__ import annotations

import json
import logging
import os
import re
import struct
import tracemalloc
import zipfile
from collections.abc import Iterator, Mapping
from math import tau
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import DataError
from gantk_worlds import mesh_chairs, mesh_files, mesh_models
from gantk_worlds.mesh_catalogue import CATALOGUE, Listed
from gantk_worlds.mesh_chairs import MeshChairsWorld, chairs_from_meshes
from gantk_worlds.mesh_models import find_models, fitted
from gantk_worlds.options import ChairsOptions
from gantk_worlds.rasteriser import RADIUS
from gantk_worlds.world import split

Files = Mapping[str, str | bytes]
DEBIAN = Path("/usr/share/sweethome3d/furniture")


@pytest.fixture(autouse=True)
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stands for the folder of the installed package, so that the machine's does not matter."""
    place = tmp_path / "installed"
    monkeypatch.setattr(mesh_models, "INSTALLED", place)
    return place


@pytest.fixture
def threads() -> Iterator[None]:
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def box(low: tuple[float, ...], high: tuple[float, ...], before: int) -> str:
    """An upright box after `before` corners."""
    places = [
        (x, y, z) for x in (low[0], high[0]) for y in (low[1], high[1]) for z in (low[2], high[2])
    ]
    faces = [(1, 2, 4, 3), (5, 7, 8, 6), (1, 5, 6, 2), (3, 4, 8, 7), (1, 3, 7, 5), (2, 6, 8, 4)]
    lines = [f"v {x} {y} {z}" for x, y, z in places]
    return "\n".join([*lines, *("f " + " ".join(str(i + before) for i in f) for f in faces), ""])


def chair(width: float = 1.0, grey: str = "") -> str:
    """A seat on a block with a back: it faces +z."""
    seat = box((-width, 0.0, -1.0), (width, 0.9, 1.0), 0)
    return grey + seat + box((-width, 0.9, -1.0), (width, 2.0, -0.8), 8)


def catalogue(*items: Mapping[str, str], licence: str = "Public domain") -> str:
    usual = {"model": "/m/chair.obj", "width": "50", "depth": "50", "height": "90"}
    lines = ["# a comment", f"license={licence}"]
    for number, item in enumerate(items, start=1):
        whole = {**usual, **item}
        lines += [f"{key}#{number}={value}" for key, value in whole.items() if value]
    return "\n".join(lines)


def pack(place: Path, text: str, files: Files | None = None) -> Path:
    place.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(place, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(CATALOGUE, text.encode("latin-1"))
        for name, content in (files or {"m/chair.obj": chair()}).items():
            archive.writestr(name, content)
    return place


def own(root: Path) -> Path:
    return root / "chair_meshes"


def one(root: Path, **item: str) -> Path:
    return pack(own(root) / "a.sh3f", catalogue({"name": "Chair", **item}))


def world(root: Path, size: int = 32, **options: Any) -> MeshChairsWorld:
    return MeshChairsWorld(find_models(root, "any"), size, **options)


def two_models(root: Path) -> None:
    own(root).mkdir(parents=True, exist_ok=True)
    (own(root) / "wide.obj").write_text(chair(1.5))
    (own(root) / "narrow.obj").write_text(chair(0.6))


# --- which models are found ----------------------------------------------------------------


def test_seats_of_a_pack_are_listed_with_creator_and_licence(tmp_path: Path) -> None:
    text = catalogue(
        {"name": "Oak chair", "creator": "Ann\tB."},
        {"name": "Table"},
        {"name": "Bar STOOL"},
        {"name": "Wheelchair"},
        {"name": "Seat Leon"},
        {"name": "Class seat"},
        licence="CC BY 3.0 \xa9 Ann",
    )
    pack(own(tmp_path) / "Some Pack.sh3f", text)

    models = find_models(tmp_path, "any").models

    names = ["Oak chair 1", "Bar STOOL 3", "Class seat 6"]
    assert [model.name for model in models] == [f"Some Pack/{name}" for name in names]
    assert (models[0].creator, models[0].licence) == ("Ann B.", "CC BY 3.0 \xa9 Ann")
    assert models[0].size == (50, 90, 50)


def test_the_catalogue_is_read_as_java_reads_it(tmp_path: Path) -> None:
    text = catalogue({"name": ""}) + (
        "\r\n  name#1 : Ch\\u0061ir \\\r\n    \\u20ac\r\n! no key\r\ncreator#1 Ann\r\nwidth#-1\r\n"
    )
    pack(own(tmp_path) / "a.sh3f", text)

    (model,) = find_models(tmp_path, "any").models

    assert (model.name, model.creator) == ("a/Chair \u20ac 1", "Ann")


def test_all_models_of_a_folder_are_listed(tmp_path: Path) -> None:
    for name in ("b.obj", "deep/er/A.OBJ", ".hidden/c.obj", "note.txt"):
        (own(tmp_path) / name).parent.mkdir(parents=True, exist_ok=True)
        (own(tmp_path) / name).write_text(chair())

    models = find_models(tmp_path, "any").models

    assert [model.name for model in models] == ["b", "deep/er/A"]
    assert {model.licence for model in models} == {"terms of the data: check"}


def test_packs_and_loose_models_come_together(tmp_path: Path) -> None:
    one(tmp_path)
    two_models(tmp_path)

    models = find_models(tmp_path, "any").models

    assert [model.name for model in models] == ["a/Chair 1", "narrow", "wide"]


def test_the_installed_package_is_looked_at_last(tmp_path: Path, installed: Path) -> None:
    pack(installed / "debian.sh3f", catalogue({"name": "Chair"}))

    theirs = find_models(tmp_path, "any").models
    one(tmp_path)
    ours = find_models(tmp_path, "any").models

    assert [model.pack for model in (*theirs, *ours)] == ["debian", "a"]


def test_without_models_every_place_and_the_command_are_named(
    tmp_path: Path, installed: Path
) -> None:
    with pytest.raises(DataError) as caught:
        find_models(tmp_path, "any")

    text = str(caught.value)
    assert str(own(tmp_path)) in text
    assert str(installed) in text
    assert "*.sh3f" in text
    assert "*.obj" in text
    assert "gantk data fetch chairs --from package" in text
    assert "\n" not in text


def test_only_cc0_leaves_out_other_and_unknown_licences(tmp_path: Path) -> None:
    for name, licence in (("a", "CC-0"), ("b", "Public domain"), ("c", "CC BY 3.0, no CC0")):
        pack(own(tmp_path) / f"{name}.sh3f", catalogue({"name": "Chair"}, licence=licence))
    two_models(tmp_path)

    models = find_models(tmp_path, "cc0").models

    assert [model.pack for model in models] == ["a", "b"]


def test_without_any_cc0_model_that_is_said(tmp_path: Path) -> None:
    two_models(tmp_path)

    with pytest.raises(DataError, match="no models under CC0"):
        find_models(tmp_path, "cc0")


# --- catalogues and packs that make no sense ------------------------------------------------


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({"width": ""}, "width#1: missing; expected a length in cm"),
        ({"width": "wide"}, "width#1: 'wide'; expected a length in cm"),
        ({"depth": "nan"}, "depth#1: 'nan'; expected a length in cm"),
        ({"depth": "inf"}, "depth#1: 'inf'; expected a length in cm"),
        ({"height": "0"}, "height#1: '0'; expected a length in cm"),
        ({"height": "-5"}, "height#1: '-5'; expected a length in cm"),
        ({"height": "1 2"}, "height#1: '1 2'; expected a length in cm"),
        ({"modelRotation": "1 0 0"}, "modelRotation#1: '1 0 0'; expected nine numbers"),
        ({"modelRotation": "9 " * 9}, "modelRotation#1: '9 9 9 9 9 9 9 9 9'; expected nine"),
        ({"modelRotation": "nan " * 9}, "expected nine numbers from -1 to 1"),
        ({"model": ""}, "model#1: missing; expected an OBJ file in this pack"),
        ({"model": "/m/none.obj"}, "model#1: '/m/none.obj'; expected an OBJ file in this pack"),
        ({"model": "../../etc/passwd"}, "model#1: '../../etc/passwd'; expected an OBJ"),
        ({"model": "/m/chair.3ds"}, "model#1: '/m/chair.3ds'; expected an OBJ"),
    ],
)
def test_a_key_that_makes_no_sense_is_named(
    tmp_path: Path, item: dict[str, str], message: str
) -> None:
    files = {"m/chair.obj": chair(), "m/chair.3ds": "?"}
    place = pack(own(tmp_path) / "a.sh3f", catalogue({"name": "Chair", **item}), files)

    with pytest.raises(DataError, match=re.escape(message)) as caught:
        find_models(tmp_path, "any")

    assert str(caught.value).startswith(f"{place}: {CATALOGUE}: ")


@pytest.mark.parametrize("name", ["../x.obj", "/x.obj", "m/../../x.obj", "C:/x.obj"])
def test_a_name_that_leads_out_of_a_pack_is_refused(tmp_path: Path, name: str) -> None:
    files = {"m/chair.obj": chair(), name: chair()}
    pack(own(tmp_path) / "a.sh3f", catalogue({"name": "Chair"}), files)

    with pytest.raises(DataError, match=r"a\.sh3f: member .*: its name leads out of the archive"):
        find_models(tmp_path, "any")


def test_a_name_with_a_backslash_is_refused(tmp_path: Path) -> None:
    pack(own(tmp_path) / "a.sh3f", catalogue({"name": "Chair"}), {"m\\chair.obj": chair()})

    with pytest.raises(DataError, match="no honest archive"):
        find_models(tmp_path, "any")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_occurs_twice_is_refused(tmp_path: Path) -> None:
    place = one(tmp_path)
    with zipfile.ZipFile(place, "a") as archive:
        archive.writestr("m/chair.obj", chair(2))

    with pytest.raises(DataError, match=r"member 'm/chair\.obj': its name occurs twice"):
        find_models(tmp_path, "any")


def test_other_methods_of_compression_are_refused(tmp_path: Path) -> None:
    place = one(tmp_path)
    with zipfile.ZipFile(place, "a", zipfile.ZIP_BZIP2) as archive:
        archive.writestr("m/other.obj", chair())

    with pytest.raises(DataError, match="neither stored nor deflated"):
        find_models(tmp_path, "any")


def claim(place: Path, member: str, size: int) -> None:
    """Make the directory of a zip claim another size of a member."""
    data = bytearray(place.read_bytes())
    entry = data.rindex(member.encode()) - 46
    assert data[entry : entry + 4] == b"PK\x01\x02"
    data[entry + 24 : entry + 28] = struct.pack("<I", size)
    place.write_bytes(data)


def test_a_huge_claimed_size_is_refused(tmp_path: Path) -> None:
    place = one(tmp_path)
    claim(place, "m/chair.obj", 3 << 30)

    with pytest.raises(DataError, match=r"chair\.obj': it claims 3,221,225,472 bytes"):
        find_models(tmp_path, "any")


def test_a_member_longer_than_it_claims_does_not_fill_the_memory(tmp_path: Path) -> None:
    bomb = {"m/chair.obj": b"#" * (1 << 24)}
    place = pack(own(tmp_path) / "a.sh3f", catalogue({"name": "Chair"}), bomb)
    claim(place, "m/chair.obj", 10)
    chairs = world(tmp_path)

    tracemalloc.start()
    try:
        with pytest.raises(DataError, match=r"m/chair\.obj can't be read: .*CRC"):
            chairs.render(torch.zeros(1, 4))
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()

    assert peak < 1 << 22


def test_too_many_members_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one(tmp_path)
    monkeypatch.setattr(mesh_files, "MOST_FILES", 1)

    with pytest.raises(DataError, match=r"a\.sh3f: 2 members; the limit is 1"):
        find_models(tmp_path, "any")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_cut_pack_is_named(tmp_path: Path, share: float) -> None:
    place = one(tmp_path)
    whole = place.read_bytes()
    place.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(DataError, match=r"a\.sh3f can't be read as a zip: .*; get it again"):
        find_models(tmp_path, "any")


def test_a_damaged_member_is_named(tmp_path: Path) -> None:
    place = one(tmp_path)
    data = bytearray(place.read_bytes())
    data[data.index(b"m/chair.obj") + 40] ^= 0xFF
    place.write_bytes(data)

    with pytest.raises(DataError, match=r"a\.sh3f: m/chair\.obj can't be read"):
        world(tmp_path).render(torch.zeros(1, 4))


def test_a_zip_without_a_catalogue_is_named(tmp_path: Path) -> None:
    own(tmp_path).mkdir()
    with zipfile.ZipFile(own(tmp_path) / "a.sh3f", "w") as archive:
        archive.writestr("x", "")

    with pytest.raises(DataError, match=f"a.sh3f: no {CATALOGUE} in it"):
        find_models(tmp_path, "any")


def test_a_damaged_model_is_named_when_it_is_drawn(tmp_path: Path) -> None:
    two_models(tmp_path)
    (own(tmp_path) / "wide.obj").write_text("v 0 0 nan\n")
    chairs = world(tmp_path)

    with pytest.raises(DataError, match=r"wide\.obj:1: v '0 0 nan'"):
        chairs.render(chairs.draw(torch.arange(2)))


def test_a_model_that_went_away_is_named(tmp_path: Path) -> None:
    two_models(tmp_path)
    chairs = world(tmp_path)
    (own(tmp_path) / "wide.obj").unlink()

    with pytest.raises(DataError, match=r"wide\.obj is not there any more"):
        chairs.render(chairs.draw(torch.arange(2)))


@pytest.mark.parametrize("size", [0.0, 1e-300])
def test_a_model_that_is_one_point_is_named(tmp_path: Path, size: float) -> None:
    own(tmp_path).mkdir()
    (own(tmp_path) / "a.obj").write_text(f"v 5 5 5\nv 5 {5 + size} 5\nv {size} 5 5\nf 1 2 2\n")

    with pytest.raises(DataError, match=r"a\.obj: all its faces lie in one point"):
        world(tmp_path).render(torch.zeros(1, 4))


def test_more_triangles_than_memory_holds_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_models(tmp_path)
    monkeypatch.setattr(mesh_models, "MOST_TRIANGLES", 30)

    with pytest.raises(DataError, match=r"wide\.obj: with this one, models have more than 30"):
        world(tmp_path).render(torch.zeros(1, 4))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read all")
def test_a_folder_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    closed = own(tmp_path) / "closed"
    closed.mkdir(parents=True)
    closed.chmod(0)
    try:
        with pytest.raises(DataError, match="closed: Permission denied"):
            find_models(tmp_path, "any")
    finally:
        closed.chmod(0o700)


# --- how a model is put before the camera ---------------------------------------------------


def listed(**facts: Any) -> Listed:
    return Listed(Path("p"), "m.obj", "m", "p", "c", "l", **facts)


CORNERS = np.array([(x, y, z) for x in (1.0, 3) for y in (0.0, 4) for z in (0.0, 8)])
"""Of a box 2 wide, 4 high and 8 deep."""


def extents(places: np.ndarray[Any, Any]) -> list[float]:
    low, high = places.min(axis=0), places.max(axis=0)
    np.testing.assert_allclose(low, -high, atol=1e-12, err_msg="not centred")
    return ((high - low) / (high - low).max()).tolist()


def test_a_model_is_centred_and_just_fits_the_sphere() -> None:
    places = fitted(CORNERS, listed())

    assert extents(places) == pytest.approx([0.25, 0.5, 1])
    assert np.linalg.norm(places, axis=1).max() == pytest.approx(RADIUS)


def test_a_model_is_turned_first_and_then_stretched_to_its_size() -> None:
    up_is_back = (1.0, 0, 0, 0, 0, 1, 0, -1, 0)  # y' = z, z' = -y

    turned = fitted(CORNERS, listed(rotation=up_is_back))
    sized = fitted(CORNERS, listed(rotation=up_is_back, size=(30.0, 60.0, 20.0)))

    assert extents(turned) == pytest.approx([0.25, 1, 0.5])
    assert extents(sized) == pytest.approx([0.5, 1, 1 / 3])
    np.testing.assert_array_equal(np.sign(turned[1]), [-1, 1, 1])  # was left, low and front


def test_a_flat_model_stays_flat() -> None:
    places = fitted(CORNERS * (1, 0, 1), listed(size=(50.0, 50.0, 50.0)))

    assert extents(places) == pytest.approx([1, 0, 1])


def test_the_widest_model_still_fits(tmp_path: Path) -> None:
    two_models(tmp_path)
    free, fixed = world(tmp_path), world(tmp_path, free_width=False)
    widest = torch.tensor([[0.0, 0, 1.2, 1]])

    radii = [
        chairs._build(row, [chairs._shapes[1]]).corners.norm(dim=-1).max().item()
        for chairs, row in ((free, widest), (fixed, widest[:, [0, 1, 3]]))
    ]

    assert radii == pytest.approx([RADIUS, RADIUS])


# --- the world -----------------------------------------------------------------------------


def test_factors_are_pose_and_width_and_the_model_is_a_nuisance(tmp_path: Path) -> None:
    two_models(tmp_path)

    free, fixed = world(tmp_path).factors, world(tmp_path, free_width=False).factors

    assert [f.name for f in free if f.scored] == ["azimuth", "elevation", "width"]
    assert [f.name for f in fixed if f.scored] == ["azimuth", "elevation"]
    assert free[-1].values == fixed[-1].values == ("narrow", "wide")
    assert not free[-1].scored


def test_drawn_factors_fill_their_ranges_and_are_independent(tmp_path: Path) -> None:
    two_models(tmp_path)
    chairs = world(tmp_path, elevations="continuous")
    many = 80_000

    drawn = split(chairs.draw(torch.arange(many)), chairs.factors)

    for factor in chairs.factors[:-1]:
        share = (drawn[factor.name] - factor.low) / (factor.high - factor.low)
        assert 0 <= share.min() < 0.001 < 0.999 < share.max() <= 1 + 1e-6, factor.name
    assert drawn["model"].mean() == pytest.approx(0.5, abs=0.01)
    azimuth = drawn.pop("azimuth")
    rows = torch.stack([azimuth.cos(), azimuth.sin(), *drawn.values()])
    assert (rows.corrcoef() - torch.eye(len(rows))).abs().max() < 0.02


def test_azimuths_can_be_the_31_of_the_real_set(tmp_path: Path) -> None:
    two_models(tmp_path)

    turns = world(tmp_path, azimuths="31").draw(torch.arange(2000))[:, 0] * 31 / tau

    assert torch.allclose(turns, turns.round(), atol=1e-4)
    assert turns.round().unique().tolist() == list(range(31))


def test_other_options_leave_the_other_factors_as_they_were(tmp_path: Path) -> None:
    two_models(tmp_path)
    usual, other = world(tmp_path), world(tmp_path, azimuths="31", free_width=False)

    ours, theirs = (split(w.draw(torch.arange(50)), w.factors) for w in (usual, other))

    changed = {name for name in theirs if not torch.equal(ours[name], theirs[name])}
    assert changed == {"azimuth"}


def test_sample_5_of_seed_0_is_not_sample_0_of_seed_5(tmp_path: Path) -> None:
    two_models(tmp_path)

    ours, theirs = (world(tmp_path, seed=seed).draw(torch.arange(6)) for seed in (0, 5))

    assert not torch.isclose(ours[5, [0, 2]], theirs[0, [0, 2]]).any()


@pytest.mark.parametrize(("together", "triangles"), [(1, 10**6), (7, 10**6), (48, 1), (48, 60)])
def test_a_picture_does_not_depend_on_its_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, together: int, triangles: int
) -> None:
    two_models(tmp_path)
    chairs = world(tmp_path)
    table = chairs.draw(torch.arange(24))
    whole = chairs.render(table)

    monkeypatch.setattr(mesh_chairs, "_AT_ONCE", together)
    monkeypatch.setattr(mesh_chairs, "_TRIANGLES", triangles)

    assert torch.equal(chairs.render(table), whole)
    assert torch.equal(chairs.render(table.flip(0)).flip(0), whole)


def test_no_batch_has_more_triangles_than_allowed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    two_models(tmp_path)  # 24 triangles each
    chairs = world(tmp_path)
    table = chairs.draw(torch.arange(10))
    monkeypatch.setattr(mesh_chairs, "_TRIANGLES", 75)

    sizes = [len(some) for some, _ in chairs._batches(table)]

    assert sizes == [3, 3, 3, 1]


@pytest.mark.usefixtures("threads")
def test_a_picture_does_not_depend_on_the_number_of_threads(tmp_path: Path) -> None:
    two_models(tmp_path)
    chairs = world(tmp_path, 64)
    table = chairs.draw(torch.arange(16))

    torch.set_num_threads(1)
    single = chairs.render(table)
    torch.set_num_threads(2)

    assert torch.equal(chairs.render(table), single)


@pytest.mark.parametrize("free_width", [True, False])
def test_all_is_made_on_the_device_of_the_table(tmp_path: Path, free_width: bool) -> None:
    """A tensor made without saying where would land on the meta device, and meeting it fails."""
    two_models(tmp_path)
    chairs, fresh = (world(tmp_path, 16, free_width=free_width) for _ in range(2))
    table = chairs.draw(torch.arange(12))
    expected = chairs.render(table)

    with torch.device("meta"):
        drawn = fresh.render(table)

    assert torch.equal(drawn, expected)


def test_every_factor_changes_the_picture(tmp_path: Path) -> None:
    two_models(tmp_path)
    chairs = world(tmp_path, 64)
    table = torch.tensor([[0.6, 0.0, 0.9, 0.0]])
    moved = table + torch.diag(torch.tensor([0.5, 1.0, 0.2, 1.0]))

    change = (chairs.render(moved).float() - chairs.render(table).float()).abs().mean((1, 2, 3))

    assert change.min() > 0.003 * 255


def covered(picture: Tensor) -> tuple[int, int]:
    """First and last column that is not white."""
    columns = (picture[0] < 255).any(dim=0).nonzero().flatten()
    return int(columns[0]), int(columns[-1])


def test_a_wider_chair_is_wider_and_as_high(tmp_path: Path) -> None:
    two_models(tmp_path)
    table = torch.tensor([[0.0, 0.0, 0.8, 0.0], [0.0, 0.0, 1.2, 0.0]])

    narrow, wide = world(tmp_path, 128, ss=1).render(table)

    spans = [last - first + 1 for first, last in map(covered, (narrow, wide))]
    assert spans[1] / spans[0] == pytest.approx(1.5, abs=0.05)
    heights = [(picture[0] < 255).any(dim=1).sum() for picture in (narrow, wide)]
    assert heights[0] == heights[1]


def test_the_back_is_behind(tmp_path: Path) -> None:
    """Turned a quarter to the right, a chair has its high back on the left."""
    two_models(tmp_path)

    (side,) = world(tmp_path, 64).render(torch.tensor([[tau / 4, 0.0, 1.0, 0.0]]))

    tops = (side[0] < 255).int().argmax(dim=0)
    first, last = covered(side)
    assert tops[first + 1] < tops[last - 1] - 10


def test_a_darker_material_is_drawn_darker(tmp_path: Path) -> None:
    own(tmp_path).mkdir()
    (own(tmp_path) / "a.mtl").write_text("newmtl black\nKd 0 0 0\n")
    (own(tmp_path) / "a.obj").write_text(chair(grey="mtllib a.mtl\nusemtl black\n"))

    picture = world(tmp_path, free_width=False).render(torch.zeros(1, 3))

    assert (picture == 0).sum() > 50


def test_a_table_of_no_rows_gives_no_pictures(tmp_path: Path) -> None:
    two_models(tmp_path)

    assert world(tmp_path).render(torch.zeros(0, 4)).shape == (0, 1, 32, 32)


# --- the data set --------------------------------------------------------------------------


def build(root: Path, **options: Any) -> Any:
    small = {"root": str(root), "size": 16, "count": 4, "held_out": 2, "cache": str(root / "cache")}
    given = dict(ChairsOptions(**{"source": "meshes", **small, **options}))
    del given["source"]
    return chairs_from_meshes(**given)


def manifest(root: Path, held_out: bool = False) -> dict[str, Any]:
    found = [json.loads(p.read_text()) for p in (root / "cache").rglob("manifest.json")]
    return next(m for m in found if (m["key"]["start"] > 0) == held_out)


def test_name_and_source_say_what_is_shown(tmp_path: Path) -> None:
    one(tmp_path, creator="Ann")

    data = build(tmp_path)

    assert (data.name, data.source) == ("chairs-meshes", "meshes")
    assert (len(data), len(data.held_out())) == (4, 2)
    assert manifest(tmp_path)["facts"]["source"] == "meshes"


def test_every_creator_is_credited(tmp_path: Path) -> None:
    text = catalogue(
        {"name": "Chair", "creator": "Bea"}, {"name": "Stool", "creator": "Ann"}, licence="CC BY 3"
    )
    pack(own(tmp_path) / "a.sh3f", text)
    two_models(tmp_path)

    data = build(tmp_path)

    assert data.notice.endswith(
        "; a by Ann, Bea (CC BY 3); chair_meshes by unknown (terms of the data: check)"
    )
    facts = manifest(tmp_path)["facts"]
    assert facts["notice"] == data.notice
    assert facts["works"][:2] == [
        {"name": "a/Chair 1", "creator": "Bea", "licence": "CC BY 3"},
        {"name": "a/Stool 2", "creator": "Ann", "licence": "CC BY 3"},
    ]
    assert len(facts["works"]) == 4


def test_the_same_models_elsewhere_are_the_same_data(tmp_path: Path) -> None:
    one(tmp_path / "here")
    one(tmp_path / "there")

    keys = [world(tmp_path / place).options for place in ("here", "there")]

    assert keys[0] == keys[1]


def test_a_changed_model_is_other_data(tmp_path: Path) -> None:
    one(tmp_path)
    two_models(tmp_path)
    before = world(tmp_path).options
    pack(own(tmp_path) / "a.sh3f", catalogue({"name": "Chair"}), {"m/chair.obj": chair(2)})
    between = world(tmp_path).options
    (own(tmp_path) / "wide.obj").write_text(chair(1.75))
    after = world(tmp_path).options

    assert before != between != after


def test_a_pack_that_is_not_used_does_not_matter(tmp_path: Path) -> None:
    pack(own(tmp_path) / "a.sh3f", catalogue({"name": "Chair"}))
    before = find_models(tmp_path, "any").stamps
    pack(own(tmp_path) / "b.sh3f", catalogue({"name": "Table"}))

    assert find_models(tmp_path, "any").stamps == before


def test_prepared_data_is_found_again_without_reading_a_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one(tmp_path)
    first = build(tmp_path)
    monkeypatch.setattr(mesh_chairs, "load", None)

    assert build(tmp_path).fingerprint() == first.fingerprint()


def test_an_option_without_effect_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "gantk")
    one(tmp_path)

    build(tmp_path, models=5)

    assert any("models = 5 has no effect" in message for message in caplog.messages)


# --- the real packs, where they are installed ------------------------------------------------


@pytest.mark.slow
@pytest.mark.skipif(not next(DEBIAN.glob("*.sh3f"), None), reason=f"no packs in {DEBIAN}")
def test_the_packs_of_debian_have_65_seats_and_20_are_cc0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mesh_models, "INSTALLED", DEBIAN)

    all_of_them, free = find_models(tmp_path, "any"), find_models(tmp_path, "cc0")

    assert (len(all_of_them.models), len(free.models)) == (65, 20)
    chairs = MeshChairsWorld(all_of_them, 32)
    one_each = torch.tensor([[0.0, 0.0, 1.0, model] for model in range(65)])
    drawn = (chairs.render(one_each) < 255).float().mean((1, 2, 3))
    assert 0.03 < drawn.min() < drawn.max() < 0.8
