"""What `gantk plugins new` writes: every kind works, and what can't be written leaves nothing."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
from itertools import combinations
from pathlib import Path

import pytest

from gan_toolkit import scaffold
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.device import choose_device
from gan_toolkit.discovery import Found
from gan_toolkit.errors import StorageError, UsageError
from gan_toolkit.launch import launch, resume
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.registry import KINDS
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.testing.checking import check_plugin
from gan_toolkit.testing.counting import code_lines
from gan_toolkit.testing.distributions import lay

ALL = list(KINDS)
MOST_LINES = 25
LONG = "n" * scaffold.LONGEST


def written(place: Path, name: str, kinds: list[str]) -> Path:
    folder = place / scaffold.distribution_of(name)
    scaffold.write_plugin(folder, scaffold.render(name, kinds))
    return folder


def ruff(*words: str, here: Path) -> str:
    pytest.importorskip("ruff")
    done = subprocess.run(
        [sys.executable, "-m", "ruff", *words, "--no-cache", "."],
        cwd=here,
        capture_output=True,
        text=True,
        check=False,
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


# --- what is written -------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plugins(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Each kind alone, named after it; all together, also by the shortest and longest name."""
    place = tmp_path_factory.mktemp("plugins")
    for kind in ALL:
        written(place, f"a_{kind}", [kind])
    for name in ("wave", "w", LONG):
        written(place, name, ALL)
    return place


def test_there_is_a_skeleton_of_every_kind():
    skeletons = Path(scaffold.__file__).parent / "skeleton" / "kinds"

    assert {path.stem for path in skeletons.iterdir()} == set(KINDS)
    assert scaffold.chosen_kinds("latent, panel,latent") == ["latent", "panel"]


def test_what_is_written_is_clean(plugins):
    assert ruff("format", "--check", here=plugins) == ""
    assert ruff("check", here=plugins) == ""


def test_ruff_notices_what_is_not_clean(tmp_path):
    folder = written(tmp_path, "wave", ["latent"])
    with (folder / "gantk_wave" / "latent.py").open("a") as module:
        module.write("import os\n")

    assert "F401" in ruff("check", here=tmp_path)


def test_every_pair_of_kinds_is_clean_and_its_recipe_says_nothing_twice(tmp_path):
    pairs = list(combinations(ALL, 2))

    for pair in pairs:
        name = "_".join(kind[:3] for kind in pair)
        texts = scaffold.render(name, pair)
        for path, text in texts.items():
            place = tmp_path / name / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        recipe = texts.get(f"gantk_{name}/recipes/{name}.toml")
        if set(pair) == {"comparison", "exporter"}:  # no recipe has a place for either
            assert recipe is None
            continue
        assert recipe is not None
        assert f'use = "{name}"' in recipe
        assert tomllib.loads(recipe)["requires"] == [f"{name}>=0.1"]

    assert len({path.name for path in tmp_path.iterdir()}) == len(pairs)
    assert ruff("format", "--check", here=tmp_path) == ""
    assert ruff("check", here=tmp_path) == ""


@pytest.mark.parametrize("kind", ALL)
def test_each_kind_alone_keeps_its_contract(kind, plugins, monkeypatch):
    folder = plugins / f"gantk-a-{kind}"
    package = f"gantk_a_{kind}"
    monkeypatch.syspath_prepend(str(folder))
    host = PluginHost()

    record = host.add(Found(f"a_{kind}", package, "", "0.1.0", lambda: __import__(package)))
    found = list(check_plugin(record, host))

    assert record.components == (f"{kind} a_{kind}",)
    assert len(found) > 8
    assert [finding for finding in found if finding.outcome == "failed"] == []


@pytest.mark.parametrize("kind", ALL)
def test_each_component_is_short(kind, plugins):
    module = plugins / "gantk-wave" / "gantk_wave" / f"{kind}.py"

    (lines,) = code_lines(module.read_text()).values()

    assert lines <= MOST_LINES


def environment(*folders: Path) -> dict[str, str]:
    """Return this environment with folders before everything else that Python finds."""
    path = os.pathsep.join([*map(str, folders), *filter(None, sys.path)])
    return {**os.environ, "PYTHONPATH": path}


def test_the_recipe_of_all_kinds_stopped_and_resumed_equals_uninterrupted(
    plugins, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(str(plugins / "gantk-wave"))
    monkeypatch.syspath_prepend(str(tmp_path))
    lay(tmp_path, "wave", "", target="gantk_wave", version="0.1.0")
    host = load_plugins()
    few = ("measures.bound.samples=100", "run.log_every=10", "data.count=512")

    def run(name: str, steps: int) -> RunFolder:
        changes = [Override(text) for text in (*few, f"run.steps={steps}")]
        recipe = load_recipe("wave:wave", host, overrides=changes)
        device = choose_device("cpu")
        return launch(recipe, host, device=device, out=tmp_path, name=name, tell=lambda _: None)

    straight, stopped = run("straight", 20), run("stopped", 10)
    resumed = resume(stopped.folder, host, tell=lambda _: None, steps=20)

    assert difference(last_state(straight), last_state(resumed)) == []
    parts = {key.partition("/")[0] for key in straight.metrics.read()[0]}
    assert {"critic", "generator", "information", "wave"} <= parts


def last_state(run: RunFolder) -> Snapshot:
    checkpoint = CheckpointStore(run.checkpoints, run.id).newest([])
    assert checkpoint is not None
    return checkpoint.load()


@pytest.mark.slow
def test_types_are_sound_and_mypy_notices_when_not(plugins):
    folder = plugins / "gantk-wave"
    mypy = [sys.executable, "-m", "mypy", "--config-file", "pyproject.toml"]

    def typed() -> str:
        return subprocess.run(
            [*mypy, "gantk_wave", "tests"],
            cwd=folder,
            env={**environment(folder), "MYPYPATH": str(Path(scaffold.__file__).parents[1])},
            capture_output=True,
            text=True,
            check=False,
        ).stdout

    before = typed()
    (folder / "gantk_wave" / "wrong.py").write_text("wrong: int = ''\n")
    after = typed()
    (folder / "gantk_wave" / "wrong.py").unlink()

    assert "Success" in before, before
    assert "Incompatible types" in after


def test_metadata_and_entry_point(plugins):
    project = tomllib.loads((plugins / "gantk-wave" / "pyproject.toml").read_text())["project"]

    assert project["name"] == "gantk-wave"
    assert project["keywords"] == ["gantk-plugin"]
    assert project["entry-points"]["gan_toolkit"] == {"wave": "gantk_wave"}


def test_what_no_recipe_can_use_comes_without_one():
    texts = scaffold.render("wave", ["comparison", "exporter"])

    assert not [path for path in texts if "recipes" in path]
    assert "gantk_recipes" not in texts["gantk_wave/__init__.py"]
    assert "recipe" not in texts["tests/test_plugin.py"]


# --- what is refused -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["", "Wave", "9lives", "a-b", "a.b", "a__b", "_a", "a_", "é", "x" * 25]
)
def test_a_name_that_is_none_is_refused(name):
    with pytest.raises(UsageError, match="can't name a plugin: lower-case"):
        scaffold.check_name(name, ALL, PluginHost())


def test_a_word_of_python_is_refused():
    with pytest.raises(UsageError, match="'lambda' is a word of Python"):
        scaffold.check_name("lambda", ALL, PluginHost())


@pytest.mark.parametrize("name", ["infogan", "latents"])
def test_the_name_of_a_plugin_that_is_there_is_refused(name):
    with pytest.raises(UsageError, match=f"there is a plugin '{name}' already"):
        scaffold.check_name(name, ALL, load_plugins(environ={}))


def test_the_name_of_a_distribution_that_is_there_is_refused():
    host = PluginHost()
    host.add(Found("other", "nothing_there", "gantk-a-b", "1", lambda: __import__("nothing_there")))

    with pytest.raises(UsageError, match="there is a plugin 'a_b' already, of gantk-a-b"):
        scaffold.check_name("a_b", ["latent"], host)


def test_a_component_that_is_there_is_refused_for_its_kind_only():
    host = load_plugins(environ={})

    scaffold.check_name("ring", ["latent"], host)
    with pytest.raises(UsageError, match="plugin 'worlds' offers a dataset 'ring'"):
        scaffold.check_name("ring", ["latent", "dataset"], host)


def test_no_kinds_lists_them_and_an_unknown_one_gets_the_nearest():
    with pytest.raises(UsageError, match=r"which components to begin with: latent, .*exporter$"):
        scaffold.chosen_kinds(" ,")
    with pytest.raises(UsageError, match=r"'regularizer'; known: .*did you mean 'regulariser'"):
        scaffold.chosen_kinds("latent,regularizer")


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_exists_is_left_alone(there, tmp_path):
    place = tmp_path / "gantk-wave"
    {
        "folder": place.mkdir,
        "file": place.touch,
        "link": lambda: place.symlink_to(tmp_path / "nowhere"),
    }[there]()

    with pytest.raises(UsageError, match="exists already"):
        written(tmp_path, "wave", ["latent"])

    assert [path.name for path in tmp_path.iterdir()] == ["gantk-wave"]


def test_a_place_that_is_not_there_is_named(tmp_path):
    with pytest.raises(UsageError, match=r"--dir: there is no folder .*nowhere"):
        written(tmp_path / "nowhere", "wave", ["latent"])


def test_a_disk_that_fails_half_way_leaves_nothing(tmp_path, monkeypatch):
    count = 0
    write = scaffold.files.disk.write

    def failing(path: Path, handle: int, data: bytes) -> None:
        nonlocal count
        count += 1
        if count == 5:
            raise OSError(28, "No space left on device")
        write(path, handle, data)

    monkeypatch.setattr(scaffold.files.disk, "write", failing)

    with pytest.raises(StorageError, match="disk full"):
        written(tmp_path, "wave", ALL)

    assert list(tmp_path.iterdir()) == []
