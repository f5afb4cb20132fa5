"""A new plugin, written from templates: what `gantk plugins new` puts into a folder.

`skeleton/` holds the templates: one for each file that every plugin has, and in `kinds/` one for
each kind of component, cut into blocks. Light: no torch here.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import NamedTuple

from jinja2 import Environment, FunctionLoader, StrictUndefined

from gan_toolkit import __version__, files
from gan_toolkit.errors import UsageError, did_you_mean
from gan_toolkit.hooks import GANTK_API
from gan_toolkit.plugins import PluginHost
from gan_toolkit.registry import KINDS

LONGEST = 24
"""Characters of a name: longer ones make lines that style checkers would break."""

_NAME = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")


class Part(NamedTuple):
    """What one kind adds to a plugin, as text."""

    kind: str
    options_name: str
    summary: str
    builder: str
    options: str
    component: str
    test: str
    table: str
    """Of a recipe that uses it; empty where recipes have no place for it."""


def chosen_kinds(words: str) -> list[str]:
    """Read kinds that commas separate; UsageError for an unknown one, and when there is none."""
    known = ", ".join(KINDS)
    wanted = [word.strip() for word in words.split(",") if word.strip()]
    if not wanted:
        raise UsageError(f"--kinds: say which components to begin with: {known}")
    for word in wanted:
        if word not in KINDS:
            near = did_you_mean(word, KINDS)
            raise UsageError(f"--kinds: no kind is named {word!r}; known: {known}{near}")
    return [kind for kind in KINDS if kind in wanted]


def check_name(name: str, wanted: Sequence[str], host: PluginHost) -> None:
    """Raise UsageError unless a plugin of this name, with these kinds, could be loaded here."""
    if not _NAME.fullmatch(name) or len(name) > LONGEST:
        raise UsageError(
            f"{name!r} can't name a plugin: lower-case letters, digits and single _, letter first, "
            f"{LONGEST} characters at most"
        )
    if keyword.iskeyword(name):
        raise UsageError(f"{name!r} is a word of Python; choose another name")
    for record in host.records:
        if name == record.name or distribution_of(name) == record.distribution:
            whose = record.distribution or record.target
            raise UsageError(f"there is a plugin {name!r} already, of {whose}; choose another name")
    for kind in wanted:
        if name in host.registry.names(kind):
            owner = host.registry.get(kind, name).plugin
            raise UsageError(
                f"plugin {owner!r} offers a {kind} {name!r}; two of one name can't be loaded: "
                "choose another name"
            )


def distribution_of(name: str) -> str:
    """Return the name under which a plugin is installed."""
    return f"gantk-{name.replace('_', '-')}"


def render(name: str, wanted: Sequence[str]) -> dict[str, str]:
    """Return the files of a new plugin: their texts by their paths in its folder."""
    environment = _environment()
    package = f"gantk_{name}"
    titled = "".join(word.capitalize() for word in name.split("_"))
    names = {"name": name, "Name": titled, "package": package}
    parts = [_part(environment, kind, names) for kind in wanted]
    facts = {
        **names,
        "distribution": distribution_of(name),
        "toolkit": ".".join(__version__.split(".")[:2]),
        "api": GANTK_API,
        "parts": parts,
        "recipe": any(part.table.strip() for part in parts),
        "rate": any("Scheduled" in part.options for part in parts),
    }
    written = {
        "pyproject.toml": "pyproject.toml",
        "README.md": "README.md",
        "init.py": f"{package}/__init__.py",
        "options.py": f"{package}/options.py",
        "test_plugin.py": "tests/test_plugin.py",
    }
    if facts["recipe"]:
        written["recipe.toml"] = f"{package}/recipes/{name}.toml"
    made = {
        path: environment.get_template(f"{source}.j2").render(facts)
        for source, path in written.items()
    }
    for part in parts:
        made[f"{package}/{part.kind}.py"] = part.component
        made[f"tests/test_{part.kind}.py"] = f"from __future__ import annotations\n\n{part.test}"
    return {**made, f"{package}/py.typed": ""}


def write_plugin(folder: Path, texts: Mapping[str, str]) -> None:
    """Write a new plugin's folder: whole, or not at all.

    Raises UsageError when it exists already or its place does not, StorageError when it can't be
    written.
    """
    if files.is_link(folder) or folder.exists():
        raise UsageError(f"{folder} exists already; remove it, or choose another name or --dir")
    if not folder.parent.is_dir():
        raise UsageError(f"--dir: there is no folder {folder.parent}")
    with files.temporary(folder.parent) as unfinished:
        for name, text in texts.items():
            files.make_folders((unfinished / name).parent)
            files.write_new(unfinished / name, text.encode())
        with files.storage_errors(folder):
            files.disk.rename(unfinished, folder)
            files.disk.sync_folder(folder.parent)


def _environment() -> Environment:
    return Environment(
        autoescape=False,  # Python and TOML are written, not HTML
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        loader=FunctionLoader(_template),
    )


def _template(name: str) -> str:
    return (resources.files("gan_toolkit") / "skeleton" / name).read_text("utf-8")


def _part(environment: Environment, kind: str, names: Mapping[str, str]) -> Part:
    template = environment.get_template(f"kinds/{kind}.j2")
    blocks = {
        block: "".join(write(template.new_context(dict(names)))).strip("\n")
        for block, write in template.blocks.items()
    }
    long = {block: f"{blocks.pop(block)}\n" for block in ("component", "options", "test")}
    return Part(kind, f"{names['Name']}{kind.capitalize()}Options", **blocks, **long)
