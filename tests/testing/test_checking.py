"""The checks without pytest: each broken plugin is told from a good one, in one line a fault."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib import metadata
from pathlib import Path
from textwrap import dedent

import pytest

from gan_toolkit.errors import UsageError
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.registry import KINDS
from gan_toolkit.testing.checking import Finding, check_plugin
from gan_toolkit.testing.distributions import lay
from gan_toolkit.testing.installed import entry_points, records_of, source_of
from gan_toolkit.testing.printing import kept_quiet

ROOT = Path(__file__).parents[2]

GOOD = """
    from gan_toolkit import Constant, Options, hookimpl

    class HoldOptions(Options):
        value: float = 1.0
        "The number."

    class Hold(Constant):
        def __init__(self, value=1.0):
            super().__init__(value)

    @hookimpl
    def gantk_register(registry):
        registry.add(
            "schedule", "hold", options=HoldOptions, build=__name__ + ":Hold", summary="a number"
        )
"""

Write = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Write a plugin into a file of a name that no other test uses."""
    before = set(sys.modules)

    def written(code: str) -> Path:
        path = tmp_path / f"checked_{len(list(tmp_path.iterdir()))}_{abs(hash(tmp_path))}.py"
        path.write_text(dedent(code))
        return path

    yield written
    for name in set(sys.modules) - before:
        if name.startswith("checked_"):
            del sys.modules[name]


def check(path: Path) -> list[Finding]:
    host = PluginHost()
    (record,) = records_of(str(path), host)
    return list(check_plugin(record, host))


def failures(path: Path) -> dict[str, str]:
    return {one.check: one.detail for one in check(path) if one.outcome == "failed"}


def test_a_good_plugin_passes(write: Write) -> None:
    found = check(write(GOOD))

    assert {one.outcome for one in found} == {"ok", "skipped"}
    assert ("schedule hold", "it depends on the step alone") in {f[1:3] for f in found}
    (light,) = [one for one in found if one.check == "offering loads no torch"]
    assert (light.outcome, light.detail[:13]) == ("skipped", "a single file")


@pytest.mark.parametrize(
    ("old", "new", "check", "detail"),
    [
        ('summary="a number"', 'summary=""', "every component has a summary", "has no summary"),
        ('"The number."', "pass", "every component has a summary", "option 'value' has no text"),
        ("value=1.0", "value=2.0", "builders take the options", "value is 2.0"),
        ("value=1.0", "", "builders take the options", "does not take the options"),
        (":Hold", ":Hod", "builders take the options", "has no attribute 'Hod'"),
        (
            "value: float = 1.0",
            "value: float = 1.0; count: int = 2",
            "whole numbers have a least value",
            "option 'count' takes any whole number; say the least",
        ),
        (
            "value: float = 1.0",
            "value: float",
            "options survive a resolved recipe",
            "option 'value' has no default: say registry.add(..., trial={...})",
        ),
        ("(Constant)", "", "it is a finite number at every step", "TypeError: object.__init__()"),
        (
            "super().__init__(value)",
            "super().__init__(float('inf'))",
            "it is a finite number at every step",
            "at 0 it is inf",
        ),
    ],
    ids=lambda text: text[:30],
)
def test_a_fault_is_named(write: Write, old: str, new: str, check: str, detail: str) -> None:
    assert old in GOOD

    found = failures(write(GOOD.replace(old, new)))

    (said,) = [text for name, text in found.items() if name.startswith(check)]
    assert detail in said
    assert len(said.splitlines()) == 1


def test_an_assertion_without_words_shows_its_line(write: Write) -> None:
    code = GOOD.replace("super().__init__(value)", "self.value = next(numbers)").replace(
        "class Hold(", "import itertools\n    numbers = itertools.count()\n    class Hold("
    )

    # In a process of its own: pytest rewrites assertions, so that they say what they compared.
    command = [sys.executable, "-m", "gan_toolkit", "plugins", "check", "--json", write(code)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)

    failed = [one for one in json.loads(told.stdout) if one["outcome"] == "failed"]
    assert [(one["check"], one["detail"]) for one in failed] == [
        ("it depends on the step alone", "assert forwards == backwards[::-1] == anew")
    ]


def test_ctrl_c_gets_out(write: Write) -> None:
    path = write(GOOD.replace("super().__init__(value)", "raise KeyboardInterrupt"))

    with pytest.raises(KeyboardInterrupt):
        check(path)


def test_a_plugin_that_does_not_load_is_one_failure(write: Write) -> None:
    path = write("import nothing_there")

    (found,) = check(path)

    assert found[2:5] == (
        "it loads",
        "failed",
        "failed: ModuleNotFoundError: No module named 'nothing_there'",
    )


def test_a_hook_that_raises_is_a_failure(write: Write) -> None:
    path = write("from gan_toolkit import hookimpl\n@hookimpl\ndef gantk_recipes(): 1 / 0")

    found = failures(path)

    assert found["its hooks do what they say"].startswith("gantk_recipes raised ZeroDivisionError")


@pytest.fixture
def chatty(write: Write) -> Path:
    """A schedule that prints, as Python, as a library below it, and as another process."""
    code = """
        class Hold(Constant):
            def __init__(self, value=1.0):
                super().__init__(value)
                if CHATTY:
                    print("said")
                    print("warned", file=sys.stderr)
                    os.write(1, b"written\\n")
                    subprocess.run([sys.executable, "-c", "print('\\x1b[31mfrom afar')"])
                    raise ValueError("no")
                print("nobody asked")
    """
    head, _, tail = dedent(GOOD).partition("class Hold(")
    ending = tail[tail.index("@hookimpl") :]
    imports = "import os, subprocess, sys\nCHATTY = True\n"
    return write(f"{imports}{head}{dedent(code)}\n{ending}")


def test_what_a_check_prints_is_shown_when_it_failed(
    chatty: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    failed = [one for one in check(chatty) if one.outcome == "failed"]

    assert failed
    assert {one.printed for one in failed} == {("said", "warned", "written", "from afar")}
    assert capfd.readouterr() == ("", "")


def test_what_a_check_prints_is_left_out_when_it_passed(
    chatty: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    chatty.write_text(chatty.read_text().replace("CHATTY = True", "CHATTY = False"))

    found = check(chatty)

    assert {one.outcome for one in found} == {"ok", "skipped"}
    assert {one.printed for one in found} == {()}
    assert capfd.readouterr() == ("", "")


def test_the_last_of_many_lines_are_kept() -> None:
    with kept_quiet() as lines:
        for number in range(100):
            print(number)  # noqa: T201 - that is what is tried

    assert lines == [str(number) for number in range(80, 100)]


def test_a_stream_that_is_closed_is_no_trouble(write: Write) -> None:
    command = f"exec {sys.executable} -m gan_toolkit plugins check --json {write(GOOD)} 2>&-"

    done = subprocess.run(["sh", "-c", command], stdout=subprocess.PIPE, text=True, check=False)

    assert done.returncode == 0
    assert {one["outcome"] for one in json.loads(done.stdout)} == {"ok", "skipped"}


def test_what_is_blocked_is_not_checked() -> None:
    host = load_plugins(["no:penalties"])
    (record,) = records_of("penalties", host)

    (found,) = check_plugin(record, host)

    assert found[:3] == ("penalties", "", "it loads")
    assert found[3:5] == ("skipped", "blocked: blocked by -P no:penalties")


def test_what_needs_files_says_so(write: Write) -> None:
    code = """
        from gan_toolkit import NoOptions, Options, RecipePath, hookimpl

        class FileOptions(Options):
            file: RecipePath
            "The file."

        @hookimpl
        def gantk_register(registry):
            own = __name__ + ":build"
            registry.add("dataset", "file", options=FileOptions, build=own, summary="a file")

        def build(file): ...
    """.replace("NoOptions, ", "")

    details = {one.component: one.detail for one in check(write(code)) if one.component}

    assert details == {"dataset file": "'file' is a path that only the user knows"}


EXPORTER = """
    from gan_toolkit import Exporter, MissingPackageError, UsageError, hookimpl

    class Paper(Exporter):
        suffix = ".txt"

        def __init__(self):
            {constructor}

        def export(self, model, target):
            {export}

    @hookimpl
    def gantk_register(registry):
        registry.add("exporter", "paper", build=__name__ + ":Paper", summary="on paper")
"""


def test_an_exporter_whose_package_is_missing_is_skipped_with_its_remedy(write: Write) -> None:
    missing = 'raise MissingPackageError("pip install paper")'

    found = check(write(EXPORTER.format(constructor=missing, export="pass")))

    own = [one for one in found if one.component == "exporter paper"]
    assert {(one.outcome, one.detail) for one in own} == {("skipped", "pip install paper")}


@pytest.mark.parametrize(
    ("export", "failed"),
    [
        ("target.write_text(str(model.sample(1).tolist()))", 0),
        ('if model.sample(1).ndim == 4: raise UsageError("points")\n            target.touch()', 1),
        ('raise UsageError("nothing at all")', 4),
    ],
    ids=["images", "points only", "nothing"],
)
def test_an_exporter_is_tried_on_the_first_model_it_takes(
    write: Write, export: str, failed: int
) -> None:
    """Of an empty file is said that it is empty."""
    found = check(write(EXPORTER.format(constructor="pass", export=export)))

    own = [one for one in found if one.component == "exporter paper"]
    assert sum(one.outcome == "failed" for one in own) == failed


def test_the_page_that_shows_the_smallest_components_shows_good_ones(write: Write) -> None:
    page = (ROOT / "docs" / "how-to" / "add_a_component.md").read_text("utf-8")
    code = "\n\n".join(re.findall(r"^```python\n(.*?)^```$", page, re.DOTALL | re.MULTILINE))
    path = write("")
    path.write_text(code.replace('"mine:', f'"{path.stem}:'))

    found = check(path)

    assert [one for one in found if one.outcome == "failed"] == []
    kinds = {one.component.partition(" ")[0] for one in found} - {""}
    assert kinds == set(KINDS)


def test_a_folder_is_checked_as_if_it_were_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", list(sys.path))
    monkeypatch.delitem(sys.modules, "gantk_example", raising=False)
    host = load_plugins()

    (record,) = records_of(str(ROOT / "plugins" / "example"), host)
    found = list(check_plugin(record, host))

    assert record.status == "loaded"
    assert records_of(str(ROOT / "plugins" / "example"), host) == [record], "it is loaded once"
    assert [one for one in found if one.outcome == "failed"] == []
    assert {one.component for one in found} == {"", "latent dial", "regulariser diversity"}


@pytest.mark.parametrize(
    ("word", "text"),
    [
        ("penaltie", "did you mean 'penalties'?"),
        ("./nothing.py", "neither a plugin's .py file nor a folder with pyproject.toml"),
        (str(ROOT / "docs"), "neither a plugin's .py file nor a folder with pyproject.toml"),
    ],
)
def test_a_word_that_leads_nowhere(word: str, text: str) -> None:
    with pytest.raises(UsageError, match=text.replace("?", r"\?")):
        records_of(word, load_plugins())


def test_a_plugin_wins_over_a_folder_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path)

    (record,) = records_of("data", load_plugins())

    assert record.target == "gantk_data"


def test_a_folder_that_offers_nothing(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[project]\nname = 'x'\n")

    with pytest.raises(UsageError, match="offers no entry point of the group 'gan_toolkit'"):
        records_of(str(tmp_path), PluginHost())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (b"x = [", "pyproject.toml: not TOML: Invalid value"),
        (b"\xff", "pyproject.toml: not TOML: 'utf-8' codec can't decode"),
        (b"project = 3", r"pyproject.toml: project is 3; a table \[project\]"),
        (b"[project]\nentry-points = 3", "offers no entry point of the group"),
        (b"[project.entry-points]\ngan_toolkit = 3", "offers no entry point of the group"),
        (
            b"[project.entry-points.gan_toolkit]\nwave = 5",
            "entry point 'wave' is 5; the name of a module in quotes, such as \"gantk_wave\"",
        ),
    ],
)
def test_a_project_that_anybody_wrote(tmp_path: Path, text: bytes, told: str) -> None:
    (tmp_path / "pyproject.toml").write_bytes(text)

    with pytest.raises(UsageError, match=told) as refused:
        records_of(str(tmp_path), PluginHost())

    assert len(str(refused.value).splitlines()) == 1


# --- what is written and what is installed ------------------------------------------------------


@pytest.fixture
def edited(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A distribution that is installed in place, with one plugin."""
    project, site = tmp_path / "my project", tmp_path / "site"
    project.mkdir()
    site.mkdir()
    info = lay(site, "edited", "from gan_toolkit import hookimpl")
    url = {"url": project.as_uri(), "dir_info": {"editable": True}}
    (info / "direct_url.json").write_text(json.dumps(url))
    monkeypatch.syspath_prepend(str(site))
    return project


def offer(project: Path, *lines: str) -> None:
    table = "\n".join(["[project.entry-points.gan_toolkit]", *lines])
    (project / "pyproject.toml").write_text(f"[project]\nname = 'gantk-edited'\n{table}\n")


@pytest.mark.parametrize(
    ("lines", "outcome", "detail"),
    [
        (['edited = "p_edited"'], "ok", ""),
        (
            ['edited = "p_edited"', 'more = "p_more"'],
            "failed",
            "more differ from what is installed; run pip install -e . again",
        ),
        (
            ['edited = "p_other"'],
            "failed",
            "edited differ from what is installed; run pip install -e . again",
        ),
    ],
)
def test_entry_points_are_those_installed(
    edited: Path, lines: list[str], outcome: str, detail: str
) -> None:
    offer(edited, *lines)
    (record,) = records_of("edited", load_plugins())

    (found,) = entry_points(record)

    assert source_of("gantk-edited") == edited
    assert (found.outcome, found.detail) == (outcome, detail)


def test_what_is_not_edited_in_place_is_not_compared(edited: Path) -> None:
    (record,) = records_of("edited", load_plugins())
    assert list(entry_points(record)) == [], "the folder holds no pyproject.toml"
    assert source_of("pytest") is None
    assert source_of("no-such-distribution") is None
    assert source_of("") is None


def test_optimised_python_checks_nothing_and_says_so() -> None:
    done = subprocess.run(
        [sys.executable, "-O", "-m", "gan_toolkit", "plugins", "check", "penalties"],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ,
    )

    assert done.returncode == 2
    assert "run it without -O" in done.stderr


def test_every_component_of_ours_is_checked_somewhere() -> None:
    """By its trial, or by a class of its plugin's tests that says `of = "kind name"`."""
    from gan_toolkit.testing.conformance import checks_of

    host = load_plugins()
    ours = metadata.distribution("gan-toolkit").metadata["Name"]
    plugins = {r.name for r in host.records if r.distribution == ours}
    components = [c for c in host.registry.all() if c.plugin in plugins]

    unchecked = []
    for component in components:
        tests = ROOT / "plugins" / component.plugin / "tests"
        text = "\n".join(path.read_text("utf-8") for path in tests.glob("test_*.py"))
        assert f'return "gantk_{component.plugin}"' in text, f"{tests}: no PluginConformance"
        named = f'of = "{component.kind} {component.name}"' in text
        if not checks_of(component) and not named:
            unchecked.append(f"{component.kind} {component.name}")

    assert len(components) > 60
    assert unchecked == []
