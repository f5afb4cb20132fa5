"""What pages show is true: their Python runs, their commands parse, their links lead somewhere."""

from __future__ import annotations

import re
import runpy
import shlex
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from gan_toolkit.cli.root import cli
from gan_toolkit.cli.session import Session
from gan_toolkit.device import choose_device
from gan_toolkit.launch import launch
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.testing.conformance import CONTRACTS

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    path
    for pattern in ("*.md", "docs/**/*.md", "plugins/**/*.md", "recipes/*.md", "tests/**/*.md")
    for path in ROOT.glob(pattern)
    if not any(part.startswith(".") for part in path.relative_to(ROOT).parts)
)
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
TAKES_A_RECIPE = {"validate", "show", "copy"}


def shown(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@dataclass(frozen=True)
class Block:
    """A fenced block of a page, and the line it begins at."""

    text: str
    line: int


def blocks(page: Path, *languages: str) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(match[2], text.count("\n", 0, match.start(2)) + 1)
        for match in FENCE.finditer(text)
        if match[1] in languages
    ]


# --- Python ----------------------------------------------------------------------------------


def source(page: Path) -> str:
    """Return the Python of a page, each line at its own number, so that tracebacks are right."""
    lines: list[str] = []
    for block in blocks(page, "python"):
        lines += [""] * (block.line - 1 - len(lines)) + block.text.splitlines()
    return "\n".join(lines) + "\n"


TUTORIAL = ROOT / "docs" / "tutorials" / "first_plugin.md"
"""Its blocks are files of their own, and tested as such."""
WITH_PYTHON = [page for page in PAGES if page != TUTORIAL and blocks(page, "python")]


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which `gantk run infogan_ring --name first` was run, in a few steps."""
    folder = tmp_path_factory.mktemp("page")
    host = load_plugins()
    few = ["run.steps=4", "data.count=512", "measures.bound.samples=100"]
    recipe = load_recipe("infogan_ring", host, overrides=[Override(text) for text in few])
    run = launch(
        recipe,
        host,
        device=choose_device("cpu"),
        out=folder / "runs",
        name="first",
        tell=lambda _: None,
    )
    (folder / "model.safetensors").write_bytes(run.model.read_bytes())
    return folder


@pytest.mark.parametrize("page", WITH_PYTHON, ids=shown)
def test_the_python_of_a_page_runs(page, trained, tmp_path, monkeypatch):
    """Each page in one namespace."""
    monkeypatch.chdir(trained)
    script = tmp_path / f"{page.stem}.py"
    script.write_text(source(page), encoding="utf-8")

    runpy.run_path(str(script))


def test_tutorials_have_python_to_run():
    assert ROOT / "docs" / "tutorials" / "engine.md" in WITH_PYTHON


def gantk(*words: str) -> str:
    """Call the command line; a file given to `-P` is a module that a process loads only once."""
    try:
        result = CliRunner().invoke(cli, words)
    finally:
        sys.modules.pop(Path(words[1]).stem, None)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_file_of_the_plugin_tutorial_is_a_plugin(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("repel.py").write_text(blocks(TUTORIAL, "python")[0].text)

    told = gantk("-P", "./repel.py", "components", "show", "regulariser", "repel")
    apart = 'regularisers.apart={use = "repel", weight = 0.5}'
    plan = gantk("-P", "./repel.py", "run", "infogan_ring", "--set", apart, "--dry-run")

    assert "reach" in told
    assert "repel, every step" in plan


def test_the_second_file_of_the_plugin_tutorial_proves_the_contract(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    for name, block in zip(("repel.py", "test_repel.py"), blocks(TUTORIAL, "python"), strict=True):
        Path(name).write_text(block.text)

    try:
        proof = runpy.run_path("test_repel.py")["TestRepel"]()
    finally:
        sys.modules.pop("repel", None)
    checks = [name for name in dir(proof) if name.startswith("test_")]
    for check in checks:
        getattr(proof, check)()

    assert len(checks) == 13, "thirteen are promised"


HOW_TO = ROOT / "docs" / "how-to" / "add_a_component.md"


@pytest.mark.parametrize("kind", CONTRACTS)
def test_the_how_to_has_all_of_each_kind(kind):
    heading = {"dataset": "Data set"}.get(kind, kind.capitalize())
    contents, _, text = HOW_TO.read_text().partition(f"\n## {heading}\n")
    text = text.partition("\n## ")[0]

    assert f"[{heading}](#{heading.lower().replace(' ', '-')})" in contents
    assert "```python\n" in text
    assert f"Contract: `{CONTRACTS[kind].__name__}`. Trap: " in text
    assert "use = " in text or kind in ("comparison", "exporter"), "no line of a recipe"


def test_the_components_of_the_how_to_make_a_run_together(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("mine.py").write_text(source(HOW_TO))
    Path("mine.toml").write_text("\n".join(block.text for block in blocks(HOW_TO, "toml")))

    folder = Path(gantk("-P", "./mine.py", "run", "mine.toml").splitlines()[-1])

    assert (folder / "model.safetensors").is_file()
    assert (folder / "dots" / "step-00000020.png").is_file()


# --- commands --------------------------------------------------------------------------------


def commands(page: Path) -> Iterator[list[str]]:
    """Yield the words of each `gantk` command in the blocks of a shell."""
    for block in blocks(page, "console", "sh"):
        for line in block.text.splitlines():
            for part in re.split(r"&&|;", line.removeprefix("$ ")):
                words = shlex.split(part, comments=True)
                if "gantk" in words and words[0] in ("gantk", "do"):
                    yield words[words.index("gantk") + 1 :]


COMMANDS = {
    f"{shown(page)}: {shlex.join(words)}": words for page in PAGES for words in commands(page)
}


def parsed(words: list[str]) -> click.Context:
    """Return the context of the command that is meant; click.UsageError when there is none."""
    context = click.Context(cli, info_name="gantk", obj=Session())
    rest = list(words)
    while isinstance(group := context.command, click.Group):
        while rest[0].startswith("-"):
            del rest[: 2 if rest[0] in ("-P", "--plugin") else 1]
        name, command, rest = group.resolve_command(context, rest)
        assert command is not None
        context = click.Context(command, info_name=name, parent=context)
    context.command.parse_args(context, rest)
    return context


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_a_command_that_is_shown_parses(words):
    context = parsed(words)

    assert context.info_name


def test_there_are_commands_and_a_wrong_one_is_noticed():
    assert len(COMMANDS) > 40
    with pytest.raises(click.UsageError):
        parsed(["run", "infogan_ring", "--stepz", "3"])


def is_of_ours(words: list[str]) -> bool:
    """Return whether a command names recipes that come with the toolkit."""
    asks = words[0] == "run" or (words[0] == "recipe" and words[1] in TAKES_A_RECIPE)
    return (
        "-P" not in words
        and asks
        and not any(
            word.endswith(".toml") or word.startswith(("example:", "wave:")) or word.isupper()
            for word in words
        )
    )


OF_OURS = {name: words for name, words in COMMANDS.items() if is_of_ours(words)}


@pytest.mark.parametrize("words", OF_OURS.values(), ids=OF_OURS)
def test_recipes_that_are_named_exist_and_take_the_changes(words):
    given = parsed(words).params
    names = given.get("sources") or [given.get("recipe") or given.get("source") or given["name"]]
    changes = [Override(text, unset=True) for text in given.get("removals", ())]
    changes += [Override(text) for text in given.get("settings", ())]
    variants = [variant for variant in given.get("variants", ()) if variant != "base"]

    for name in names:
        load_recipe(name, load_plugins(), variants=variants, overrides=changes)


# --- links -----------------------------------------------------------------------------------


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as they are made for Markdown on the web."""
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    plain = (re.sub(r"[^\w\- ]", "", heading.lower()) for heading in headings)
    return {heading.replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=shown)
def test_links_lead_to_files_and_headings(page):
    text = FENCE.sub("", page.read_text(encoding="utf-8"))
    broken = []
    for link in LINK.findall(text):
        if re.match(r"[a-z]+:", link):
            continue
        name, _, heading = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not target.exists() or (heading and heading not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_of_the_docs_is_in_the_index():
    index = ROOT / "docs" / "README.md"
    linked = {(index.parent / link).resolve() for link in LINK.findall(index.read_text())}
    of_the_site = ROOT / "docs" / "index.md"  # which includes it

    pages = {page for page in PAGES if ROOT / "docs" in page.parents}
    assert pages - linked == {index, of_the_site}
