"""What editors make of the schema: the linters of Tombi and Taplo are asked, as editors do.

Tombi names each mistake once. Taplo repeats an unknown key for every node of its table, so that it
is asked for silence on good files only.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import gan_toolkit
from gan_toolkit.discovery import Found
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe import load_recipe
from gan_toolkit.recipe.schema import TITLE, recipe_schema

Gantk = Callable[..., Any]
ROOT = Path(gan_toolkit.__file__).parents[1]
EXAMPLE = ROOT / "plugins" / "example"
RECIPES = [
    *sorted((ROOT / "recipes").glob("*.toml")),
    *sorted(EXAMPLE.glob("gantk_example/recipes/*.toml")),
]
SCRIPTS = Path(sysconfig.get_path("scripts"))
TOMBI, TAPLO = (
    SCRIPTS / (f"{name}.exe" if os.name == "nt" else name) for name in ("tombi", "taplo")
)

needs_tombi = pytest.mark.skipif(not TOMBI.exists(), reason="tombi is not installed here")
needs_taplo = pytest.mark.skipif(not TAPLO.exists(), reason="taplo is not installed here")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> PluginHost:
    """All plugins of ours, and the example."""
    monkeypatch.syspath_prepend(EXAMPLE)
    made = load_plugins([], environ={})
    if made.record_of("example") is None:

        def load() -> Any:
            return importlib.import_module("gantk_example")

        record = made.add(Found("example", "gantk_example", "gantk-example", "0.1.0", load))
        assert record.status == "loaded"
    return made


@pytest.fixture
def lint(tmp_path: Path, host: PluginHost) -> Callable[[dict[str, str]], list[tuple[Any, ...]]]:
    """Return what Tombi says of recipes: file, line and message, warnings included."""
    (tmp_path / "schema.json").write_text(json.dumps(recipe_schema(host)))

    def linted(texts: dict[str, str]) -> list[tuple[Any, ...]]:
        for name, text in texts.items():
            (tmp_path / name).write_text("#:schema ./schema.json\n" + text, encoding="utf-8")
        out = ("--diagnostics-format", "json-lines", "--diagnostics-file", "found.jsonl")
        done = subprocess.run(
            [TOMBI, "lint", "--offline", "--quiet", *out, *texts],
            cwd=tmp_path,
            env=os.environ | {"HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)},
            capture_output=True,
            text=True,
            check=False,
        )
        found = [json.loads(line) for line in (tmp_path / "found.jsonl").read_text().splitlines()]
        assert done.returncode == any(one["level"] == "error" for one in found), done.stderr
        return [
            (Path(one["path"]).name, one["range"]["start"]["line"] - 1, one["message"])
            for one in found
        ]

    return linted


@needs_tombi
def test_nothing_is_marked_in_our_recipes_as_given_and_resolved(
    lint: Any, host: PluginHost
) -> None:
    given = {path.name: path.read_text(encoding="utf-8") for path in RECIPES}
    resolved = {f"all-{path.name}": load_recipe(path, host).to_toml() for path in RECIPES}

    assert len(given) > 5
    assert lint(given | resolved) == []


CHILD = """extends = "infogan_ring"
name = "child"
[generator]
hidden = [8]
[measures.bound]
enabled = false
[regularisers.information]
use = "infogan:mutual_information@1"
codes = ["mode"]
weight = { use = "linear", from = 0, to = 1.0, over = 100 }
[variants.small.latents.noise]
size = 1
"""


@needs_tombi
@needs_taplo
def test_taplo_is_silent_too(lint: Any, host: PluginHost, tmp_path: Path) -> None:
    given = {path.name: path.read_text(encoding="utf-8") for path in RECIPES}
    lint({**given, "child.toml": CHILD})

    command = [TAPLO, "lint", "--colors", "never", *given, "child.toml"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr.lower()


@needs_tombi
def test_nothing_is_marked_in_a_child_that_says_only_what_it_changes(lint: Any) -> None:
    assert lint({"child.toml": CHILD}) == []


BAD = """format = 1
nmae = "ring"
[latents.noise]
use = "gausian"
width = 128
[latents.identity]
use = "categorical"
categories = 1
[latents.other]
size = 1
[latents.Third]
use = "infogan:gausian@1"
[generator]
use = "mlp"
[regularisers.information]
use = "mutual_information@1"
codes = [
  "identity",
]
wieght = 1
every = true
jitter = { with = 1 }
[regularisers.more]
use = "mutual_information"
weight = { use = "linear", from = 1.0, to = 2.0, ower = 3 }
[optimisers.criic]
use = "adam"
[optimisers.critic]
use = "adam"
lr = 0
[variants.cpu.latents.noise]
use = "uniform"
sise = 3
"""


@needs_tombi
def test_each_mistake_is_marked_at_its_key(lint: Any) -> None:
    found = lint({"bad.toml": BAD})

    assert [
        (line, message.split(" but ")[0].split(" one of ")[0]) for _, line, message in found
    ] == [
        (2, '"nmae" is not allowed'),
        (4, "the value must be"),
        (8, "the value must be ≥ 2,"),
        (9, '"use" is required'),
        (11, "Third does not match the pattern `^[a-z][a-z0-9_]*$`"),
        (12, found[5][2]),
        (20, '"wieght" is not allowed'),
        (21, "expected a value of type Integer,"),
        (22, "the value must be"),
        (25, '"ower" is not allowed'),
        (26, '"criic" is not allowed'),
        (30, "the value must be > 0,"),
        (33, '"sise" is not allowed'),
    ]
    assert 'one of ["categorical", "circular", ' in found[1][2]
    assert "does not match the pattern" in found[5][2]


# --- the command -----------------------------------------------------------------------------


def test_the_schema_is_printed_or_written(gantk: Gantk) -> None:
    printed = gantk("recipe", "schema")
    written = gantk("recipe", "schema", "-o", "new/s.json")

    assert json.loads(printed.stdout)["title"] == TITLE
    assert json.loads(Path("new/s.json").read_text()) == json.loads(printed.stdout)
    assert written.stdout == "new/s.json\n"
    assert written.stderr == "first line of a recipe beside it: #:schema ./s.json\n"


@pytest.mark.parametrize("text", ["{}", "[]", "not JSON", '{"title": "mine"}'])
def test_only_a_schema_is_replaced(gantk: Gantk, text: str) -> None:
    gantk("recipe", "schema", "-o", "s.json")
    again = gantk("recipe", "schema", "-o", "s.json")
    Path("mine.json").write_text(text)
    refused = gantk("recipe", "schema", "-o", "mine.json")

    assert again.exit_code == 0
    assert refused.exit_code == 2
    assert "mine.json exists and is no schema of ours" in refused.stderr
    assert Path("mine.json").read_text() == text


def test_the_doctor_sees_a_schema_of_other_plugins(gantk: Gantk, recipe: Path) -> None:
    gantk("recipe", "schema", "-o", "s.json")
    schema = json.loads(Path("s.json").read_text())
    Path("old.json").write_text(json.dumps(schema | {"$comment": "format 1; plugins: none"}))
    for number, first in enumerate(
        ["#:schema ./s.json", "#:schema old.json", "#:schema gone.json"]
    ):
        Path(f"r{number}.toml").write_text(f"{first}\n")
    Path("bytes.toml").write_bytes(b"#:schema \xff\n")
    Path("blank.toml").write_text("#:schema\n")

    found = json.loads(gantk("doctor", "--json").stdout)

    assert [(f["what"], f["well"], f["remedy"]) for f in found if f["what"].startswith("sch")] == [
        ("schema s.json", True, "gantk recipe schema -o s.json"),
        ("schema old.json", False, "gantk recipe schema -o old.json"),
    ]
