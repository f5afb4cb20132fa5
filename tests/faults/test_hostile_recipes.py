"""Whatever stands in a recipe: it loads, or RecipeError says where, soon and in little memory."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.recipe.finding import own_folder

Found = list[dict[str, Any]]
Probe = Callable[..., Found]
Figures = Callable[[Found], None]

MOST_SECONDS = 2
MOST_BYTES = 50_000_000
SLOTS = (
    "data", "generator", "critic", "objective", "averaging", "augments.one", "latents.one",
    "regularisers.one", "optimisers.generator", "optimisers.critic", "panels.one", "measures.one",
    "trackers.one", "optimisers.generator.lr",
)  # fmt: skip


def shipped(name: str) -> str:
    folder = own_folder()
    assert folder is not None
    return (folder / f"{name}.toml").read_text("utf-8")


RING = shipped("infogan_ring")


def write(folder: Path, recipes: list[str | bytes]) -> None:
    for number, text in enumerate(recipes):
        content = text.encode("utf-8", "surrogatepass") if isinstance(text, str) else text
        (folder / f"{number:05}.toml").write_bytes(content)


def check(found: Found, *, named: str = r":\d+") -> None:
    """Nothing ran; each recipe was loaded, or refused at a line; nothing took long or much."""
    for one in found:
        assert one["told"] == [], one
        assert one["outcome"] in ("loaded", "refused"), one
        for place, _, text in one["problems"]:
            assert re.search(f"{named}", place), one
            assert text.strip(), one
        assert one["seconds"] < MOST_SECONDS, one["name"]
        assert one["bytes"] < MOST_BYTES, one["name"]


def components(use: object) -> str:
    """A recipe all of whose components are chosen by the same text."""
    text = 'format = 1\nname = "x"\n[run]\nsteps = 1\nbatch_size = 1\n'
    *tables, lr = SLOTS
    assert lr == "optimisers.generator.lr"
    for slot in tables:
        text += f"[{slot}]\nuse = {value(use)}\n"
    return text.replace(
        "[optimisers.generator]\n", f"[optimisers.generator]\nlr = {{ use = {value(use)} }}\n"
    )


def value(of: object) -> str:
    """A TOML value: JSON is one for texts and lists."""
    if isinstance(of, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {value(v)}" for k, v in of.items()) + " }"
    return json.dumps(of)


def test_a_name_of_code_is_refused_in_every_place_of_a_component(
    probe: Probe, figures: Figures, hostile: list[str], tmp_path: Path
) -> None:
    odd: list[object] = [{"_target_": "hostile.Run"}, ["hostile.Run"], [["hostile"]], 3, True, 0.5]
    assert len(hostile) >= 60
    write(tmp_path, [components(use) for use in [*hostile, *odd]])

    found = probe("recipes", "infogan_ring")

    assert len(found) == len(hostile) + len(odd)
    check(found)
    for one in found:
        refused = {path.removesuffix(".use") for _, path, _ in one["problems"]}
        # a schedule is asked for by the options of a component, and here none was found
        assert set(SLOTS[:-1]) <= refused, one
    figures(found)


def test_a_name_of_code_is_refused_as_a_schedule(
    probe: Probe, hostile: list[str], tmp_path: Path
) -> None:
    lines = [f"lr = {{ use = {value(text)} }}" for text in hostile]
    write(tmp_path, [RING.replace("lr = 2e-3", line) for line in lines])

    found = probe("recipes", "infogan_ring")

    check(found)
    for one in found:
        assert [path.startswith("optimisers.") for _, path, _ in one["problems"]] == [True, True]


@pytest.mark.parametrize(
    "place",
    ["extends = {}", "requires = [{}]", "variants = {}", "format = {}", "seed = {}", "{} = 1"],
)
def test_a_name_of_code_is_refused_where_files_and_plugins_are_named(
    probe: Probe, hostile: list[str], tmp_path: Path, place: str
) -> None:
    """But for `extends = "hostile.py"`: that is a file, it is read as TOML, and refused as such."""
    write(tmp_path, [f"{place.format(value(text))}\n{RING}" for text in hostile])

    found = probe("recipes", "infogan_ring")

    check(found)
    assert {one["outcome"] for one in found} == {"refused"}


def many(text: str, count: int) -> str:
    return "[" + f"'{text}'," * count + "]"


def instead(old: str, new: str) -> str:
    assert old in RING
    return RING.replace(old, new, 1)


NAMED = '["mode"]'
CROWD = "".join(f"[latents.n{n}]\nuse = 'gaussian'\ncount = 1024\n" for n in range(1000))
KEYS = range(4000)
BOMBS = {
    "unknown keys": instead("[run]", "[run]\n" + "".join(f"{'k' * 230}{n}=1\n" for n in KEYS)),
    "unknown components": RING + "".join(f"[panels.p{n}]\nuse = 'x{n}'\n" for n in range(1900)),
    "a name of a million letters": instead('"mlp"', value("mlp" * 300_000)),
    "references to nothing": instead(NAMED, many("x", 40_000)),
    "references to one": instead(NAMED, many("mode", 40_000)),
    "a million latents": RING + CROWD,
    "references to a million": instead(NAMED, many("n0.1", 40_000)) + CROWD,
    "references to the environment": instead('summary = "', 'summary = "' + "${env:A:-x}" * 80_000),
    "dollars": instead('summary = "', 'summary = "' + "$" * 900_000),
    "escapes": instead('summary = "', 'summary = "' + "\\u00e9" * 140_000),
    "a text over lines": instead('summary = "', 'summary = """' + "\\\n  " * 200_000 + '""" # '),
    "a row of one file": f"extends = {many('base.bomb', 99)}\n{RING}",
    "a tree of one file": f"extends = {many('tree.bomb', 99)}\n{RING}",
    "requirements": f"requires = {many('a>=1', 48_000)}\n{RING}",
    "itself": f"extends = '00014.toml'\n{RING}",
    "a device": f"extends = '/dev/zero'\n{RING}",
    "an endless number": instead("lr = 2e-3", f"lr = 1e{'9' * 3000}"),
    "a long number": instead("steps = 800", f"steps = {'9' * 3999}"),
    "dotted keys": RING + "".join("a." * 29 + f"k{n} = 1\n" for n in range(2000)),
    "nested": f"a = {'[' * 60}{']' * 60}\n{RING}",
}  # fmt: skip


def test_a_bomb_takes_neither_time_nor_memory(
    probe: Probe, figures: Figures, tmp_path: Path
) -> None:
    write(tmp_path, list(BOMBS.values()))
    (tmp_path / "base.bomb").write_text("x = [" + "1," * 49_000 + "]\n")
    (tmp_path / "tree.bomb").write_text(f"extends = {many('base.bomb', 99)}\n")

    found = probe("recipes", "infogan_ring")

    assert len(found) == len(BOMBS)
    check(found)
    figures(found)


def test_random_bytes_are_refused_at_a_line(probe: Probe, figures: Figures, tmp_path: Path) -> None:
    draw = random.Random(7)
    pieces = [b"[", b"]", b"{", b"}", b"'", b'"', b'"""', b"=", b".", b",", b"#", b"\n", b"a", b"1"]
    noise = [draw.randbytes(draw.randrange(400)) for _ in range(500)]
    almost = [b"".join(draw.choices(pieces, k=draw.randrange(200))) for _ in range(1500)]
    write(tmp_path, [*noise, *almost])

    found = probe("recipes", "infogan_ring")

    assert len(found) == 2000
    check(found)
    assert {one["outcome"] for one in found} == {"refused"}
    figures(found)


ODD_VALUES = (
    "nan", "-inf", "true", "[]", "{}", "''", "-1", "1e400", "9223372036854775808", "1979-05-27",
    "'hostile.Run'", "[[1]]", "{ use = 'mlp' }", "'${env:HOME'", "'\\u0000'",
)  # fmt: skip


def mutated(text: str, draw: random.Random) -> bytes:
    """A good recipe with one to three things wrong, by lines, values or bytes."""
    for _ in range(draw.randint(1, 3)):
        lines = text.splitlines()
        place = draw.randrange(len(lines))
        act = draw.randrange(6)
        if act == 0:
            del lines[place]
        elif act == 1:
            lines.insert(place, draw.choice(lines))
        elif act == 2:
            other = draw.randrange(len(lines))
            lines[place], lines[other] = lines[other], lines[place]
        elif act == 3:
            lines[place] = lines[place].partition("=")[0] + f"= {draw.choice(ODD_VALUES)}"
        elif act == 4:
            lines[place] = re.sub(r"\w", lambda _: draw.choice("aZ_0-. "), lines[place], count=1)
        else:
            start = draw.randrange(len(lines[place]) + 1)
            lines[place] = lines[place][:start] + draw.choice(ODD_VALUES) + lines[place][start:]
        text = "\n".join(lines) + "\n"
    raw = bytearray(text.encode())
    if draw.random() < 0.2:
        raw[draw.randrange(len(raw))] = draw.randrange(256)
    return bytes(raw)


@pytest.mark.parametrize("count", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_a_mutated_recipe_loads_or_is_refused_at_a_line(
    probe: Probe, figures: Figures, tmp_path: Path, count: int
) -> None:
    draw = random.Random(count)
    good = [RING, shipped("infogan_digits"), shipped("infogan_mnist"), shipped("infogan_chairs")]
    write(tmp_path, [mutated(draw.choice(good), draw) for _ in range(count)])

    found = probe("recipes", "infogan_ring")

    assert len(found) == count
    check(found)
    assert {one["outcome"] for one in found} == {"loaded", "refused"}
    figures(found)
