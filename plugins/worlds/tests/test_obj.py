from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from gan_toolkit import DataError
from gantk_worlds import mtl, obj
from gantk_worlds.mesh_files import open_files
from gantk_worlds.obj import Model, read_obj

SQUARE = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\n"


def read(folder: Path, text: str | bytes, **others: str) -> Model:
    """Read a model; `others` are files beside it, named `a_mtl` for `a.mtl`."""
    data = text if isinstance(text, bytes) else text.encode("latin-1")
    (folder / "m.obj").write_bytes(data)
    for name, content in others.items():
        (folder / name.replace("_mtl", ".mtl")).write_text(content)
    with open_files(folder) as files:
        return read_obj(files, "m.obj")


def triangles(model: Model) -> list[list[list[float]]]:
    return model.places[model.faces].tolist()


def luma(red: float, green: float, blue: float) -> float:
    return 0.299 * red + 0.587 * green + 0.114 * blue


# --- faces ---------------------------------------------------------------------------------


def test_a_polygon_is_cut_like_a_fan(tmp_path: Path) -> None:
    model = read(tmp_path, SQUARE + "f 1 2 3 4\n")

    a, b, c, d = [0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]
    assert triangles(model) == [[a, b, c], [a, c, d]]


def test_negative_numbers_count_from_the_last_corner_so_far(tmp_path: Path) -> None:
    backwards = read(tmp_path, SQUARE + "f -4 -3 -2\nv 9 9 9\nf -1 -2 -3\n")
    forwards = read(tmp_path, SQUARE + "v 9 9 9\nf 1 2 3\nf 5 4 3\n")

    assert triangles(backwards) == triangles(forwards)


@pytest.mark.parametrize("face", ["1/7 2/8 3/9", "1//5 2//5 3//5", "1/1/1 2/1/1 3/1/1"])
def test_numbers_of_textures_and_normals_are_passed_over(tmp_path: Path, face: str) -> None:
    assert triangles(read(tmp_path, f"{SQUARE}f {face}\n")) == triangles(
        read(tmp_path, SQUARE + "f 1 2 3\n")
    )


def test_a_face_may_name_corners_that_come_later(tmp_path: Path) -> None:
    assert triangles(read(tmp_path, "f 1 2 3\n" + SQUARE)) == triangles(
        read(tmp_path, SQUARE + "f 1 2 3\n")
    )


def test_corners_that_no_face_names_are_left_out(tmp_path: Path) -> None:
    model = read(tmp_path, "v 1000 0 0\n" + SQUARE + "f 2 3 4\n")

    assert model.places.max() == 1


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_any_end_of_line_will_do(tmp_path: Path, end: str) -> None:
    text = (SQUARE + "f 1 2 3 4").replace("\n", end)

    assert len(read(tmp_path, text).faces) == 2


def test_a_backslash_joins_lines(tmp_path: Path) -> None:
    assert len(read(tmp_path, SQUARE + "f 1 2 \\\n 3 4\n").faces) == 2


def test_all_other_lines_are_passed_over(tmp_path: Path) -> None:
    other = "# é\ng a b\no x\ns off\nvn 0 0 1\nvt 0 0\nl 1 2\nf 1 2\n\n  \nvp 1\ncurv2 1\n"

    assert len(read(tmp_path, other + SQUARE + "f 1 2 3\n").faces) == 1


def test_a_corner_may_have_a_weight_or_a_colour(tmp_path: Path) -> None:
    model = read(tmp_path, "v 0 0 0 1.0\nv 1 0 0 .5 .5 .5\nv 0 1 0\nf 1 2 3\n")

    assert triangles(model) == [[[0, 0, 0], [1, 0, 0], [0, 1, 0]]]


# --- greys ---------------------------------------------------------------------------------


def test_a_face_has_the_luma_of_its_material(tmp_path: Path) -> None:
    text = f"mtllib a.mtl\n{SQUARE}f 1 2 3\nusemtl dark red\nf 1 2 3\nusemtl sky\nf 1 2 3 4\n"
    library = "newmtl dark red\nKd .5 0 0\nnewmtl sky\nKa 1 1 1\nKd .2 .4 1\n"

    model = read(tmp_path, text, a_mtl=library)

    expected = [0.7, luma(0.5, 0, 0), luma(0.2, 0.4, 1), luma(0.2, 0.4, 1)]
    np.testing.assert_allclose(model.grey, expected)


@pytest.mark.parametrize(
    "text",
    ["usemtl a\n", "mtllib none.mtl\nusemtl a\n", "mtllib a.mtl\nusemtl b\n"],
    ids=["no library", "library missing", "material missing"],
)
def test_what_has_no_material_is_plain(tmp_path: Path, text: str) -> None:
    model = read(tmp_path, text + SQUARE + "f 1 2 3\n", a_mtl="newmtl a\nKd 0 0 0\n")

    assert model.grey.tolist() == [0.7]


@pytest.mark.parametrize("library", ["my colours.mtl", "My Colours.MTL", "x.mtl my.mtl"])
def test_names_of_libraries_may_hold_blanks_or_be_several(tmp_path: Path, library: str) -> None:
    for name in ("my colours.mtl", "my.mtl"):
        (tmp_path / name).write_text("newmtl a\nKd 0 0 0\n")

    model = read(tmp_path, f"mtllib {library}\nusemtl a\n{SQUARE}f 1 2 3\n")

    assert model.grey.tolist() == [0]


@pytest.mark.parametrize(
    "line",
    ["map_Kd wood.png", "map_Kd -s 1 1 1 wood.png", "map_Kd sub\\big oak.png", "map_Kd WOOD.PNG"],
)
@pytest.mark.parametrize("before", [True, False])
def test_a_texture_counts_as_its_mean(tmp_path: Path, line: str, before: bool) -> None:
    (tmp_path / "sub").mkdir()
    pixels = np.zeros((2, 4, 3), np.uint8)
    pixels[:, :2] = (255, 51, 0)
    for name in ("wood.png", "sub/big oak.png"):
        Image.fromarray(pixels).save(tmp_path / name)
    lines = [line, "Kd 1 1 1"] if before else ["Kd 1 1 1", line]

    model = read(
        tmp_path,
        f"mtllib a.mtl\nusemtl a\n{SQUARE}f 1 2 3\n",
        a_mtl="newmtl a\n" + "\n".join(lines),
    )

    np.testing.assert_allclose(model.grey, luma(0.5, 0.1, 0))


@pytest.mark.parametrize("name", ["none.png", "C:\\textures\\none.png", "../../secret.png"])
def test_a_texture_that_is_not_beside_the_model_does_not_count(tmp_path: Path, name: str) -> None:
    own = tmp_path / "a" / "b"
    own.mkdir(parents=True)
    Image.new("L", (2, 2)).save(tmp_path / "secret.png")

    model = read(
        own,
        f"mtllib a.mtl\nusemtl a\n{SQUARE}f 1 2 3\n",
        a_mtl=f"newmtl a\nKd .5 .5 .5\nmap_Kd {name}\n",
    )

    np.testing.assert_allclose(model.grey, 0.5)


# --- what can't be read --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "m.obj: there is no face in it"),
        (SQUARE, "m.obj: there is no face in it"),
        ("\x7fELF\0\0\0" * 99, "m.obj: there is no face in it"),
        (SQUARE + "f 1 2\n", "m.obj: there is no face in it"),
        ("f 1 2 3\n", "m.obj:1: a face names corner 1; the 0 count from 1 up"),
        (SQUARE + "f 1 2 5\n", "m.obj:5: a face names corner 5; the 4 count from 1 up"),
        (SQUARE + "f 1 2 3\nf 1 2 0\n", "m.obj:6: a face names corner 0"),
        (SQUARE + "f 1 2 -5\n", "m.obj:5: a face names corner -5"),
        (SQUARE + f"f 1 2 {10**30}\n", "m.obj:5: a face names corner 1000000000"),
        (SQUARE + f"f 1 2 {'9' * 5000}\n", "m.obj:5: f '999999"),
        (SQUARE + "f 1 2 x\n", "m.obj:5: f 'x': a face names corners by number"),
        (SQUARE + "f 1 2 1.5\n", "m.obj:5: f '1.5': a face names corners by number"),
        ("v 0 0\n", "m.obj:1: v '0 0': a corner is three numbers"),
        ("v 0 0 a\n", "m.obj:1: v '0 0 a': a corner is three numbers"),
        ("\nv 0 0 nan\n", "m.obj:2: v '0 0 nan': a corner is three numbers from"),
        ("v 0 0 inf\n", "m.obj:1: v '0 0 inf': a corner is three numbers from"),
        ("v 0 0 1e400\n", "m.obj:1: v '0 0 1e400': a corner is three numbers from"),
        ("v 0 0 1e10\n", "m.obj:1: v '0 0 1e10': a corner is three numbers from -1e+09 to 1e+09"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)) as caught:
        read(tmp_path, text)

    assert str(caught.value).startswith(str(tmp_path))
    assert len(str(caught.value)) < len(str(tmp_path)) + 200


@pytest.mark.parametrize(
    ("limit", "text", "message"),
    [
        ("MOST_CORNERS", SQUARE, "m.obj:4: there are more than 3 corners"),
        ("MOST_TRIANGLES", SQUARE + "f 1 2 3\n" * 4, "m.obj:8: there are more than 3 triangles"),
        ("MOST_TRIANGLES", SQUARE + "f 1 2 3 4 1 2\n", "m.obj:5: there are more than 3 triangles"),
    ],
)
def test_too_much_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, text: str, message: str
) -> None:
    monkeypatch.setattr(obj, limit, 3)

    with pytest.raises(DataError, match=re.escape(message)):
        read(tmp_path, text)


@pytest.mark.parametrize("colour", ["nan 0 0", "0 inf 0", "1 2", "", "a b c", "1e300 0 0"])
def test_a_colour_that_is_none_is_named(tmp_path: Path, colour: str) -> None:
    with pytest.raises(DataError, match=r"a\.mtl:2: Kd .*: a colour is three numbers"):
        read(tmp_path, "mtllib a.mtl\n", a_mtl=f"newmtl a\nKd {colour}\n")


@pytest.mark.parametrize(("colour", "grey"), [("5 5 5", 1), ("-1 -1 -1", 0), (".25", 0.25)])
def test_colours_are_cut_to_their_range(tmp_path: Path, colour: str, grey: float) -> None:
    text = f"mtllib a.mtl\nusemtl a\n{SQUARE}f 1 2 3\n"

    model = read(tmp_path, text, a_mtl=f"newmtl a\nKd {colour}\n")

    np.testing.assert_allclose(model.grey, grey)


def textured(folder: Path) -> Model:
    return read(folder, "mtllib a.mtl\n", a_mtl="newmtl a\nmap_Kd t.png\n")


def test_a_damaged_texture_is_named(tmp_path: Path) -> None:
    Image.effect_noise((64, 64), 80).save(tmp_path / "t.png")
    whole = (tmp_path / "t.png").read_bytes()
    (tmp_path / "t.png").write_bytes(whole[: len(whole) // 2])

    with pytest.raises(DataError, match=r"t\.png can't be read as a texture"):
        textured(tmp_path)


def test_a_huge_texture_is_refused_unread(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Image.new("L", (30, 30)).save(tmp_path / "t.png")
    monkeypatch.setattr(mtl, "_LARGEST_TEXTURE", 800)

    with pytest.raises(DataError, match=r"t\.png .* 30 x 30 pixels are too many"):
        textured(tmp_path)


def test_the_same_library_and_texture_are_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.new("L", (2, 2)).save(tmp_path / "t.png")
    (tmp_path / "m.obj").write_text("mtllib a.mtl a.mtl a.mtl\nmtllib a.mtl\n" + SQUARE + "f 1 2 3")
    (tmp_path / "a.mtl").write_text("newmtl a\nmap_Kd t.png\nnewmtl b\nmap_Kd t.png\n")

    with open_files(tmp_path) as files:
        asked: list[str] = []
        inner = files.read
        monkeypatch.setattr(files, "read", lambda name: (asked.append(name), inner(name))[1])
        read_obj(files, "m.obj")

    assert asked == ["m.obj", "a.mtl", "t.png"]
