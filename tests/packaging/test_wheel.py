"""The wheel works where the sources are not."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

from hatchling.builders.wheel import WheelBuilder

ROOT = Path(__file__).parents[2]
RECIPES = {path.stem for path in (ROOT / "recipes").glob("*.toml")}


def test_an_editable_install_keeps_no_copy_of_the_recipes(tmp_path):
    """A copy would be stale after the next edit."""
    builder = WheelBuilder(str(ROOT))

    (wheel,) = builder.build(directory=str(tmp_path), versions=["editable"])

    assert [name for name in zipfile.ZipFile(wheel).namelist() if name.endswith(".toml")] == []


def test_the_wheel_holds_packages_and_recipes_and_nothing_else(installed):
    names = [Path(name) for name in zipfile.ZipFile(installed.wheel).namelist()]
    packages = {path.name for path in ROOT.glob("plugins/*/gantk_*")} - {"gantk_example"}

    assert {path.parts[0] for path in names if not path.parts[0].endswith(".dist-info")} == {
        "gan_toolkit",
        *packages,
    }
    assert {path.stem for path in names if path.suffix == ".toml"} == RECIPES
    assert Path("gan_toolkit/py.typed") in names
    assert Path("gantk_worlds/heads.npz") in names
    assert Path("gantk_worlds/heads_notice.md") in names
    parts = {path.name for path in names if path.parent.name == "templates"}
    report = {"report.html.j2", "report.css", "report.js"}
    assert parts == report | {"chart.html.j2", "compare.html.j2", "compare.css"}


def test_what_runs_is_the_wheel(installed, tmp_path):
    code = "import gan_toolkit, gantk_latents; print(gan_toolkit.__file__, gantk_latents.__file__)"

    for path in installed.python("-c", code, here=tmp_path).split():
        assert Path(path).is_relative_to(installed.folder)


def test_recipes_are_listed_and_found_wanting_nothing(installed, tmp_path):
    listed = json.loads(installed.gantk("recipe", "list", "--json", here=tmp_path))
    checked = installed.gantk("recipe", "validate", *sorted(RECIPES), here=tmp_path)

    assert {recipe["name"] for recipe in listed if recipe["origin"] == "gan-toolkit"} == RECIPES
    assert checked.count(": well") == len(RECIPES)


def test_a_recipe_runs_by_name_and_its_model_samples(installed, tmp_path):
    changes = ("--steps", "2", "--set", "data.count=256", "--set", "measures.bound.samples=250")

    last = installed.gantk("run", "infogan_ring", *changes, here=tmp_path).splitlines()[-1]
    installed.gantk("sample", last, "-n", "4", "-o", "points.npy", here=tmp_path)

    assert (tmp_path / last / "model.safetensors").is_file()
    assert 'id="album"' in (tmp_path / last / "report.html").read_text("utf-8")
    assert (tmp_path / "points.npy").is_file()
