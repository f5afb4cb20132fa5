"""Each row of the table of broken plugins, by real distributions found on a path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import click
import pluggy
import pytest

from gan_toolkit import hooks, plugins
from gan_toolkit.errors import PluginError, UsageError
from gan_toolkit.hooks import SPECIFIED
from gan_toolkit.plugins import PluginHost, PluginRecord, load_plugins
from gan_toolkit.testing.distributions import lay

GOOD = """
    from gan_toolkit import hookimpl

    @hookimpl
    def gantk_register(registry):
        registry.add("latent", "shape", build="nowhere:Shape")
"""

Install = Callable[..., None]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    monkeypatch.setattr(plugins, "_told", set())
    before = set(sys.modules)
    yield folder
    for name in set(sys.modules) - before:
        if name.startswith(("p_", "mine")):
            del sys.modules[name]


@pytest.fixture
def install(site: Path) -> Install:
    """Lay down a distribution `gantk-<name>` with one plugin `<name>` in a module `p_<name>`."""

    def lay_here(name: str, code: str = GOOD, **facts: str) -> None:
        lay(site, name, code, **facts)

    return lay_here


@pytest.fixture
def load(site: Path) -> Callable[..., PluginHost]:
    def loaded(*switches: str, **environ: str) -> PluginHost:
        return load_plugins(switches, environ, [str(site)])

    return loaded


def _only(host: PluginHost, name: str) -> PluginRecord:
    (record,) = (record for record in host.records if record.name == name)
    return record


Load = Callable[..., PluginHost]


def test_a_good_plugin(install: Install, load: Load, capsys: pytest.CaptureFixture[str]) -> None:
    install("good", version="1.2")

    record = _only(load(), "good")

    assert (record.status, record.reason, record.version) == ("loaded", "", "1.2")
    assert record.hooks == ("gantk_register",)
    assert record.components == ("latent shape",)
    assert record.milliseconds > 0
    assert capsys.readouterr() == ("", "")


HALF = """
    from gan_toolkit import hookimpl
    @hookimpl
    def gantk_register(registry):
        registry.add("latent", "half", build="nowhere:Half")
        registry.add("latent", "shape", build="nowhere:Shape")
"""

BROKEN = {
    "imports": ("import nothing_there", "ModuleNotFoundError: No module named 'nothing_there'"),
    "leaves": ("raise SystemExit(3)", "SystemExit: 3"),
    "argument": (
        """
        from gan_toolkit import hookimpl
        @hookimpl
        def gantk_register(registry, engine): ...
        """,
        "hook 'gantk_register' has no argument 'engine'; it has: registry",
    ),
    "zhalf": (HALF, "latent 'shape' is already registered by good; block one of the two"),
    "misspelt": (
        """
        from gan_toolkit import hookimpl
        @hookimpl
        def gantk_registr(registry): ...
        """,
        "unknown hook 'gantk_registr'; did you mean 'gantk_register'?",
    ),
    "unmarked": ("def gantk_register(registry): ...", "'gantk_register' lacks @hookimpl"),
    "version": ("GANTK_API = 'x'", "GANTK_API must be two integers such as (1, 0); found 'x'"),
    "truth": (
        "GANTK_API = (1, False)",
        "GANTK_API must be two integers such as (1, 0); found (1, False)",
    ),
    "syntax": ("def (:", "SyntaxError: invalid syntax (p_syntax.py, line 1)"),
    "silent": ("raise ValueError", "ValueError"),
    "spoken": ("raise ValueError('\\n\\n a\\x1b[31m\\nb')", "ValueError: a?[31m"),
    "mute": (
        """
        class Mute(Exception):
            def __str__(self): raise RuntimeError
        raise Mute
        """,
        "Mute",
    ),
    "bare": ("raise BaseException('x')", "BaseException: x"),
    "deep": ("def f(): f()\nf()", "RecursionError: maximum recursion depth exceeded"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_plugin_is_contained(
    name: str, install: Install, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    code, reason = BROKEN[name]
    install("good")
    install(name, code)

    host = load()

    record = _only(host, name)
    assert (record.status, record.reason) == ("failed", reason)
    assert record.traceback
    assert host.failed == [record]
    assert host.registry.names("latent") == ["shape"]
    assert capsys.readouterr().err == (
        f"gantk: plugin {name!r} failed to load ({reason}); see: gantk plugins info {name}\n"
    )


def test_all_broken_plugins_together_leave_the_good_one(install: Install, load: Load) -> None:
    install("good")
    for name, (code, _) in BROKEN.items():
        install(name, code)

    host = load()

    assert {r.name for r in host.failed} == set(BROKEN)
    assert host.registry.get("latent", "shape").plugin == "good"


def test_a_plugin_that_is_too_new(install: Install, load: Load) -> None:
    install("new", "GANTK_API = (1, 4)")
    install("other", "GANTK_API = (2, 0)")

    host = load()

    record = _only(host, "new")
    assert (record.status, record.reason) == ("incompatible", "needs plugin API 1.4, this is 1.0")
    assert _only(host, "other").status == "incompatible"


def test_a_plugin_made_for_an_older_minor_version_is_loaded(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hooks, "GANTK_API", (1, 3))
    for name, api in (("old", "(1, 0)"), ("same", "(1, 3)"), ("before", "(0, 9)")):
        install(name, f"from gan_toolkit import hookimpl\nGANTK_API = {api}\n@hookimpl\n" + RECIPES)

    records = load().records

    assert {record.name: record.status for record in records} == {
        "old": "loaded",
        "same": "loaded",
        "before": "incompatible",
    }


def test_a_plugin_that_says_no_version_is_taken_for_the_first(
    install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("good")
    assert _only(load(), "good").status == "loaded"

    monkeypatch.setattr(hooks, "GANTK_API", (2, 0))

    assert _only(load(), "good").reason == "needs plugin API 1.0, this is 2.0"


RECIPES = "def gantk_recipes(): return []"


class Later(hooks.Hooks):
    """The hooks as they may be one day: one and an argument on their way out, one argument new."""

    @hooks.hookspec(warn_on_impl=DeprecationWarning("gantk_recipes goes with API 2.0"))
    def gantk_recipes(self) -> list[Path]:  # type: ignore[empty-body]
        """Return folders of recipes."""

    @hooks.hookspec(warn_on_impl_args={"cli": DeprecationWarning("cli goes with API 2.0")})
    def gantk_commands(self, cli: click.Group, session: object) -> None:
        """Add commands."""


@pytest.mark.parametrize(
    ("hook", "notes"),
    [
        (RECIPES, ["gantk_recipes goes with API 2.0"]),
        ("def gantk_commands(cli): cli.help = 'seen'", ["cli goes with API 2.0"]),
        ("def gantk_commands(): ...", []),
    ],
)
def test_a_deprecated_hook_works_and_is_noted(
    hook: str, notes: list[str], install: Install, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And an argument that is new is no matter to those that don't name it."""

    def later() -> pluggy.PluginManager:
        manager = pluggy.PluginManager(hooks.PROJECT)
        manager.add_hookspecs(Later)
        return manager

    monkeypatch.setattr(plugins, "new_manager", later)
    install("old", f"from gan_toolkit import hookimpl\n@hookimpl\n{hook}")

    host = load()
    group = click.Group()
    host.add_commands(group)

    assert _only(host, "old").status == "loaded"
    assert _only(host, "old").notes == notes
    assert host.recipes() == []
    assert (group.help == "seen") is ("seen" in hook)


def test_the_same_plugin_twice_is_no_trouble(
    install: Install, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    install("good")
    install("more", entry="good", target="p_good")

    first, second = load().records

    assert (first.status, second.status) == ("loaded", "duplicate")
    assert second.reason == "already provided by gantk-good"
    assert capsys.readouterr().err == ""


def test_two_plugins_of_one_name(
    install: Install, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    install("good")
    install("rival", entry="good")

    _, second = load().records

    assert second.status == "duplicate"
    assert second.reason == "already provided by gantk-good as p_good; block one of them"
    assert "'good' is a duplicate" in capsys.readouterr().err


def test_blocking_the_first_lets_the_second_in(install: Install, load: Load) -> None:
    install("good")
    install("rival", entry="good")

    first, second = load(GANTK_BLOCK_PLUGINS="gantk-good").records

    assert (first.status, second.status) == ("blocked", "loaded")


def test_first_party_plugins_come_first_then_by_name(install: Install, load: Load) -> None:
    install("rival", entry="zebra", distribution="aardvark")
    install("ours", entry="zebra", distribution="gan_toolkit")
    install("b", "", entry="beta", distribution="a")
    install("a", "", entry="alpha", distribution="b")

    records = load().records

    assert [(record.distribution, record.name, record.status) for record in records] == [
        ("gan-toolkit", "zebra", "loaded"),
        ("b", "alpha", "loaded"),
        ("a", "beta", "loaded"),
        ("aardvark", "zebra", "duplicate"),
    ]


def test_a_plugin_may_skip_itself(
    install: Install, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    install("shy", "from gan_toolkit import SkipPlugin\nraise SkipPlugin('needs CUDA')")

    record = _only(load(), "shy")

    assert (record.status, record.reason) == ("skipped", "needs CUDA")
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", ["loud", "gantk-loud", "gantk_LOUD"])
def test_a_blocked_plugin_is_never_imported(name: str, install: Install, load: Load) -> None:
    install("loud", "raise SystemExit")

    record = _only(load(GANTK_BLOCK_PLUGINS=name), "loud")

    assert (record.status, record.reason) == ("blocked", "blocked by GANTK_BLOCK_PLUGINS")
    assert "p_loud" not in sys.modules


def test_switches(install: Install, load: Load) -> None:
    for name in ("a", "b", "c"):
        install(name, GOOD.replace("shape", name))

    def loaded(host: PluginHost) -> list[str]:
        return [record.name for record in host.records if record.status == "loaded"]

    assert loaded(load()) == ["a", "b", "c"]
    assert loaded(load(GANTK_PLUGINS="")) == []
    assert loaded(load(GANTK_PLUGINS="a, c")) == ["a", "c"]
    assert loaded(load("no:a")) == ["b", "c"]
    assert loaded(load("no:a", "a")) == ["a", "b", "c"]
    assert loaded(load("b", GANTK_PLUGINS="a")) == ["a", "b"]
    assert loaded(load("b", GANTK_BLOCK_PLUGINS="a b")) == ["b", "c"]
    assert _only(load("no:a"), "a").reason == "blocked by -P no:a"
    assert _only(load(GANTK_PLUGINS="a"), "b").reason == "not named in GANTK_PLUGINS"


@pytest.mark.parametrize(
    ("switches", "environ", "text"),
    [
        (["goood"], {}, "-P: no plugin is named 'goood'; known: .*did you mean 'good'"),
        (["no:goood"], {}, "-P: no plugin is named 'goood'"),
        ([], {"GANTK_PLUGINS": "goood"}, "GANTK_PLUGINS: no plugin is named 'goood'"),
        ([], {"GANTK_BLOCK_PLUGINS": "x"}, "GANTK_BLOCK_PLUGINS: no plugin is named 'x'"),
        (["./nothing.py"], {}, "-P: there is no file ./nothing.py"),
        (["./"], {}, "-P: ./ is a folder; one .py file, or: pip install -e ./"),
    ],
)
def test_an_unknown_name_in_a_switch(
    switches: list[str], environ: dict[str, str], text: str, install: Install, load: Load
) -> None:
    install("good")

    with pytest.raises(UsageError, match=text) as caught:
        load(*switches, **environ)

    assert caught.value.exit_code == 2
    assert "p_good" not in sys.modules


def test_a_plugin_in_a_file(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    code = dedent(GOOD).replace("nowhere:Shape", "mine:Shape") + "\nclass Shape: ...\n"
    file.write_text(code)

    host = load(str(file))

    assert _only(host, "mine").status == "loaded"
    assert host.registry.get("latent", "shape").load().__name__ == "Shape"


def test_a_broken_file_leaves_nothing(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("raise ValueError('no')")

    assert _only(load(str(file)), "mine").reason == "ValueError: no"
    assert "mine" not in sys.modules


def test_a_file_that_hides_a_module(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "json.py"
    file.write_text("")

    record = _only(load(str(file)), "json")

    assert record.reason == "a module named 'json' is loaded already; rename the file"
    assert sys.modules["json"] is json


def test_a_file_that_was_edited_is_run_again(load: Load, tmp_path: Path) -> None:
    file = tmp_path / "notebook.py"
    file.write_text("SHADE = 1")
    load(str(file))
    file.write_text("SHADE = 22")

    assert _only(load(str(file)), "notebook").status == "loaded"
    assert sys.modules["notebook"].SHADE == 22


def test_strict_mode_stops(install: Install, load: Load) -> None:
    install("bad", "1/0")

    with pytest.raises(PluginError, match="these plugins failed to load: 'bad'") as caught:
        load(GANTK_STRICT_PLUGINS="1")

    assert caught.value.exit_code == 3
    assert load(GANTK_STRICT_PLUGINS="0").failed


def test_a_failure_is_told_once(
    install: Install, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    install("bad", "1/0")

    load()
    load()

    assert capsys.readouterr().err.count("\n") == 1


def test_ctrl_c_is_not_contained(install: Install, load: Load) -> None:
    install("slow", "raise KeyboardInterrupt")

    with pytest.raises(KeyboardInterrupt):
        load()


def test_what_a_plugin_prints_goes_to_stderr(
    install: Install, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    install("chatty", dedent(GOOD) + "\n    print('inside')\nprint('outside')")

    load()

    assert capsys.readouterr() == ("", "outside\ninside\n")


def test_an_entry_point_must_be_a_module(install: Install, load: Load) -> None:
    install("good")
    install("thing", target="p_good:hookimpl")

    assert _only(load(), "thing").reason == (
        "the entry point must name a module; 'p_good:hookimpl' is none"
    )


def test_a_plugin_without_hooks_is_noted(install: Install, load: Load) -> None:
    install("empty", "")

    record = _only(load(), "empty")

    assert (record.status, record.notes) == ("loaded", ["implements no hook"])


HOOKS = """
    from pathlib import Path
    import click
    from gan_toolkit import hookimpl

    @hookimpl
    def gantk_recipes():
        return [Path("/recipes")]

    @hookimpl
    def gantk_commands(cli):
        cli.add_command(click.Command("extra"))

    @hookimpl
    def gantk_checks():
        return [("weather", True, "wait")]
"""

RAISING = """
    import click
    from gan_toolkit import hookimpl

    @hookimpl
    def gantk_recipes(): raise RuntimeError("no recipes")

    @hookimpl
    def gantk_commands(cli):
        cli.add_command(click.Command("half"))
        raise SystemExit(1)

    @hookimpl
    def gantk_checks(): return 5
"""


def test_gantk_register(install: Install, load: Load) -> None:
    install("good")

    assert load().registry.names("latent") == ["shape"]


def test_gantk_recipes(install: Install, load: Load) -> None:
    install("a_raising", RAISING)
    install("hooks", HOOKS)
    host = load()

    assert host.recipes() == [("hooks", Path("/recipes"))]
    assert _only(host, "a_raising").notes == ["gantk_recipes raised RuntimeError: no recipes"]
    assert _only(host, "a_raising").status == "loaded"


def test_gantk_commands(install: Install, load: Load) -> None:
    install("a_raising", RAISING)
    install("hooks", HOOKS)
    cli = click.Group()
    host = load()

    host.add_commands(cli)

    assert set(cli.commands) == {"extra"}
    assert _only(host, "a_raising").notes == ["gantk_commands raised SystemExit: 1"]


def test_a_command_cannot_be_taken_over(install: Install, load: Load) -> None:
    install("hooks", HOOKS)
    own = click.Command("extra")
    cli = click.Group(commands={"extra": own})
    host = load()

    host.add_commands(cli)

    assert cli.commands == {"extra": own}
    assert "there is a command 'extra' already" in _only(host, "hooks").notes[0]


def test_gantk_checks(install: Install, load: Load) -> None:
    install("a_raising", RAISING)
    install("hooks", HOOKS)
    host = load()

    assert [tuple(line) for line in host.checks()] == [("hooks", "weather", True, "wait")]
    assert "gantk_checks raised TypeError" in _only(host, "a_raising").notes[0]


def test_a_hook_that_raised_is_not_called_again(install: Install, load: Load) -> None:
    install("a_raising", RAISING)
    host = load()

    host.recipes()
    host.recipes()

    assert len(_only(host, "a_raising").notes) == 1


def test_every_hook_has_a_test_of_its_name() -> None:
    assert {f"test_{hook}" for hook in SPECIFIED} <= set(globals())


ROOT = Path(__file__).parents[1]

SCRIPT = """
import json, sys
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import load_recipe, list_recipes
host = load_plugins()
list_recipes(host)
print(json.dumps({
    "records": {r.name: [r.status, r.reason] for r in host.records},
    "torch": "torch" in sys.modules,
}))
"""


def test_in_a_fresh_process_without_torch(install: Install, site: Path) -> None:
    """As installed, with the plugins of this project beside it; nobody loads torch."""
    install("good")
    install("imports", "import nothing_there")

    done = subprocess.run(
        [sys.executable, "-c", SCRIPT],
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), str(ROOT)])},
        capture_output=True,
        text=True,
        check=True,
    )

    found = json.loads(done.stdout)
    assert found["records"]["good"] == ["loaded", ""]
    assert found["records"]["imports"] == ["failed", BROKEN["imports"][1]]
    assert not found["torch"]
    assert "plugin 'imports' failed to load" in done.stderr


def test_damaged_metadata_of_others_is_passed_over(
    install: Install, load: Load, site: Path
) -> None:
    install("good")
    info = site / "other-1.dist-info"
    info.mkdir()
    (info / "entry_points.txt").write_bytes(b"[gan_toolkit\n=\xff\n")
    (site / "nameless-1.dist-info").mkdir()

    assert [record.name for record in load().records] == ["good"]
