"""Writes the parts of these pages that follow from code: `python docs/generate.py`.

A part stands between `<!-- generated: NAME -->` and `<!-- end -->`; what is there is replaced. A
test fails when a committed page differs from what this would write.
"""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import click

import gan_toolkit
from gan_toolkit import errors, hooks
from gan_toolkit.cli.fields import Option, options_of
from gan_toolkit.cli.root import SECTIONS, cli
from gan_toolkit.cli.session import Session
from gan_toolkit.discovery import find_plugins
from gan_toolkit.errors import ExitCode, GantkError
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.recipe.difference import FREE
from gan_toolkit.recipe.keys import (
    KIND_OF_SECTION,
    KIND_OF_TABLE,
    PLAYERS,
    Head,
    RunOptions,
    keys_of,
)
from gan_toolkit.registry import KINDS, Component

DOCS = Path(__file__).parent
MARK = re.compile(r"(<!-- generated: ([a-z -]+) -->\n).*?(<!-- end -->)", re.DOTALL)
OURS = "gan-toolkit"


def pages() -> dict[Path, str]:
    """Return each page with generated parts, as it should be."""
    found = {path: path.read_text(encoding="utf-8") for path in sorted(DOCS.rglob("*.md"))}
    return {path: render(text) for path, text in found.items() if MARK.search(text)}


def render(text: str) -> str:
    """Return a page with its generated parts made anew."""
    return MARK.sub(lambda found: f"{found[1]}{PARTS[found[2]]()}\n{found[3]}", text)


# --- Markdown --------------------------------------------------------------------------------


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; a bar inside a cell would end it."""
    names = list(header)
    lines = [names, ["---"] * len(names)]
    lines += [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def options_table(options: Iterable[Option]) -> str:
    """Return the options of a model."""
    rows = [
        (
            f"`{option.name}`",
            ", ".join(filter(None, (option.type, option.range))),
            "required" if option.required else f"`{option.default}`",
            option.help,
        )
        for option in options
    ]
    return table(("key", "value", "default", "meaning"), rows)


def first_line(thing: Any) -> str:
    """Return the first sentence of a docstring, on one line."""
    return " ".join((inspect.getdoc(thing) or "").partition("\n\n")[0].split())


# --- components ------------------------------------------------------------------------------


def our_plugins() -> PluginHost:
    """Load what gan-toolkit brings, whatever else is installed here."""
    switches = [f"no:{found.name}" for found in find_plugins() if found.distribution != OURS]
    return load_plugins(switches, environ={})


def components() -> str:
    """Return every component with its options, by kind."""
    registry = our_plugins().registry
    blocks = []
    for kind in KINDS:
        offered = registry.all(kind)
        if offered:
            blocks.append(f"## {kind}")
            blocks += [_component(component) for component in offered]
    return "\n\n".join(blocks)


def _component(component: Component) -> str:
    head = f"### {component.kind} `{component.name}`\n\n{_sentence(component.summary)}"
    head += f" Plugin `{component.plugin}`, version {component.version}."
    options = options_of(component.options)
    return f"{head}\n\n{options_table(options)}" if options else f"{head} No options."


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}".rstrip(".") + "."


# --- recipes ---------------------------------------------------------------------------------


def run_keys() -> str:
    """Return the keys of `[run]`."""
    return options_table(options_of(RunOptions))


def head_keys() -> str:
    """Return the keys at the top of a recipe."""
    return options_table(options_of(Head))


def shared_keys() -> str:
    """Return the keys that the core reads in the table of a component, by kind."""
    places = {kind: f"[{key}]" for key, kind in KIND_OF_TABLE.items()}
    places |= {kind: f"[{key}.<name>]" for key, kind in KIND_OF_SECTION.items()}
    rows = [
        (
            f"`{place}`",
            kind,
            f"`{option.name}`",
            ", ".join(filter(None, (option.type, option.range))),
            f"`{option.default}`",
            option.help,
        )
        for kind, place in places.items()
        for option in options_of(keys_of(kind))
    ]
    return table(("table", "kind", "key", "value", "default", "meaning"), rows)


def places() -> str:
    """Return where each kind of component stands in a recipe."""
    counts = {
        "averaging": "one, or none",
        "latents": "at least one",
        "optimisers": " and ".join(f"`{player}`" for player in PLAYERS),
    }
    tables = {f"[{key}]": (key, kind, "one") for key, kind in KIND_OF_TABLE.items()}
    tables |= {f"[{key}.<name>]": (key, k, "any number") for key, k in KIND_OF_SECTION.items()}
    rows = [
        (f"`{shown}`", kind, counts.get(key, usual)) for shown, (key, kind, usual) in tables.items()
    ]
    return table(("table", "kind of component", "how many"), rows)


def resume_free() -> str:
    """Return the keys that a resumed run may change."""
    shown = [f"everything in `{key[:-1]}`" if key.endswith(".") else f"`{key}`" for key in FREE]
    return "\n".join(f"- {key}" for key in shown)


# --- the command line ------------------------------------------------------------------------


def commands() -> str:
    """Return every command of ours with its arguments and options."""
    session = Session()
    session.host = our_plugins()
    context = click.Context(cli, info_name="gantk", obj=session)
    blocks = [_command(context, cli)]
    for title, names in SECTIONS.items():
        blocks.append(f"## {title}")
        for name in names:
            blocks += _family(name, context)
    return "\n\n".join(blocks)


def _family(name: str, above: click.Context) -> Iterator[str]:
    group = above.command
    assert isinstance(group, click.Group), "only groups have commands"
    command = group.get_command(above, name)
    assert command is not None, name
    context = click.Context(command, info_name=name, parent=above)
    yield f"### `{context.command_path}`\n\n{_command(context, command)}"
    if isinstance(command, click.Group):
        for inner in command.list_commands(context):
            yield from _family(inner, context)


def _command(context: click.Context, command: click.Command) -> str:
    arguments = [p for p in command.params if isinstance(p, click.Argument)]
    words = [context.command_path, *(_argument(argument) for argument in arguments)]
    if isinstance(command, click.Group):
        words.append("COMMAND …")
    text = "\n\n".join(" ".join(p.split()) for p in (command.help or "").split("\n\n"))
    rows = [
        (_spelt(option), option.help or "", _default(option, context))
        for option in command.params
        if isinstance(option, click.Option)
        and not option.hidden
        and (context.parent is None or option.name not in ("plugin", "verbose"))
    ]
    shown = table(("option", "meaning", "default"), rows) if rows else ""
    return "\n\n".join(filter(None, (f"`{' '.join(words)}`", text, shown)))


def _argument(argument: click.Argument) -> str:
    shown = argument.metavar or str(argument.name).upper()
    if isinstance(argument.type, click.Choice):
        shown = "|".join(argument.type.choices)
    return shown if argument.required else f"[{shown}]"


def _spelt(option: click.Option) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    if option.is_flag or option.count:
        return names
    return f"{names} {option.metavar or option.type.name.partition(' ')[0].upper()}"


def _default(option: click.Option, context: click.Context) -> str:
    return f"`{option.get_default(context)}`" if option.show_default else ""


def exit_codes() -> str:
    """Return the exit codes and the errors that lead to them."""
    kinds = [kind for kind in vars(errors).values() if _is_ours(kind)]
    rows = []
    for code in ExitCode:
        own = [kind for kind in kinds if kind.exit_code is code and kind not in _WITHOUT_A_CODE]
        means = " ".join(first_line(kind) for kind in own) or _CODES_WITHOUT_ERROR[code]
        shown = ", ".join(f"`{kind.__name__}`" for kind in own)
        rows.append((f"{int(code)}", code.name.lower(), means, shown))
    return table(("code", "name", "what happened", "in Python"), rows)


_WITHOUT_A_CODE = (GantkError, errors.RankError)
"""The base, and what ends a process with the code of another one."""
_CODES_WITHOUT_ERROR = {
    ExitCode.DONE: "Everything that was asked for is done.",
    ExitCode.UNEXPECTED: "A fault of the toolkit or of a plugin: the traceback is in `log.txt` of "
    "the run, or shown with `-vv`.",
}


def _is_ours(kind: Any) -> bool:
    return inspect.isclass(kind) and issubclass(kind, GantkError)


# --- plugins ---------------------------------------------------------------------------------


def hook_table() -> str:
    """Return the hooks with their arguments."""
    rows = [
        (f"`{name}({', '.join(arguments)})`", first_line(getattr(hooks.Hooks, name)))
        for name, arguments in hooks.SPECIFIED.items()
    ]
    return table(("hook", "what it does"), rows)


def _homes() -> list[tuple[str, list[str]]]:
    """Return the modules that define public names, and those names."""
    homes: dict[str, list[str]] = {}
    for name, home in sorted(vars(gan_toolkit)["_HOME_OF"].items()):
        homes.setdefault(home, []).append(name)
    return sorted(homes.items())


def public_names() -> str:
    """Return what `from gan_toolkit import …` can name, by the module that defines it."""
    rows = [
        (f"`{home}`", first_line(importlib.import_module(home)), ", ".join(f"`{n}`" for n in names))
        for home, names in _homes()
    ]
    return table(("defined in", "what it is", "names"), rows)


def api() -> str:
    """Return what makes Sphinx show every public name with its docstring, module by module."""
    return "\n\n".join(
        f"## `{home}`\n\n{first_line(importlib.import_module(home))}\n\n"
        "```{eval-rst}\n" + "\n".join(_directive(home, name) for name in names) + "\n```"
        for home, names in _homes()
    )


def _directive(home: str, name: str) -> str:
    value = getattr(gan_toolkit, name)
    if inspect.isclass(value):
        return f".. autoclass:: {home}.{name}\n   :members:"
    return f".. auto{'function' if inspect.isroutine(value) else 'data'}:: {home}.{name}"


PARTS: dict[str, Callable[[], str]] = {
    "api": api,
    "components": components,
    "run keys": run_keys,
    "head keys": head_keys,
    "shared keys": shared_keys,
    "places": places,
    "resume free": resume_free,
    "commands": commands,
    "exit codes": exit_codes,
    "hooks": hook_table,
    "public names": public_names,
}


if __name__ == "__main__":
    for page, content in pages().items():
        page.write_text(content, encoding="utf-8")
