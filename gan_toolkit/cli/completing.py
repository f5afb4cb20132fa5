"""What can stand at the cursor, for the shell: names and keys, found without torch.

Whatever goes wrong, nothing is offered and nothing is said: the command line is half typed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import redirect_stderr, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args, get_origin

import click
from click.shell_completion import CompletionItem

if TYPE_CHECKING:
    from gan_toolkit.cli.session import Session
    from gan_toolkit.plugins import PluginHost
    from gan_toolkit.recipe import Recipe
    from gan_toolkit.recipe.chosen import Chosen

Items = list[CompletionItem[Any]]
Complete = Callable[[click.Context, click.Parameter, str], Items]
Find = Callable[[click.Context, str], Iterable[str]]
SOURCES = ("recipe", "run", "source", "b", "a")
"""What arguments that name a recipe are called."""


def _completing(otherwise: str = "") -> Callable[[Find], Complete]:
    """Make a completer of what finds candidates; `otherwise` is the type of path to offer."""

    def wrapped(find: Find) -> Complete:
        def complete(context: click.Context, _: click.Parameter, typed: str) -> Items:
            found: list[str] = []
            with suppress(Exception), redirect_stderr(io.StringIO()):
                start = _bare(typed)
                found = [name for name in find(context, typed) if _bare(name).startswith(start)]
            if not found and otherwise:
                return [CompletionItem(typed, type=otherwise)]
            return [CompletionItem(name) for name in found]

        return complete

    return wrapped


def _bare(text: str) -> str:
    """Return a text without the quotes that shells and people leave out."""
    return text.replace('"', "").replace("'", "")


@_completing("file")
def recipes(context: click.Context, _: str) -> Iterable[str]:
    """Offer the recipes that have a name, or else files."""
    from gan_toolkit.recipe import list_recipes

    return [listed.name for listed in list_recipes(_host(context))]


@_completing("file")
def runs(context: click.Context, _: str) -> Iterable[str]:
    """Offer the names of runs in `--out`, the newest first, or else files and folders."""
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import RUN

    out = Path(context.params.get("out") or RUNS)
    found = {path.parent: path.stat().st_mtime for path in out.glob(f"*/[!.]*/{RUN}")}
    return [folder.name for folder in sorted(found, key=lambda one: -found[one])]


@_completing()
def plugins(context: click.Context, _: str) -> Iterable[str]:
    """Offer the names of plugins, and of those to leave out."""
    names = [record.name for record in _host(context).records]
    return [*names, *(f"no:{name}" for name in names)]


@_completing("file")
def installed(context: click.Context, _: str) -> Iterable[str]:
    """Offer the names of plugins, or else files."""
    return [record.name for record in _host(context).records]


@_completing()
def kinds(context: click.Context, _: str) -> Iterable[str]:
    """Offer the kinds of components."""
    from gan_toolkit.registry import KINDS

    del context
    return KINDS


@_completing()
def components(context: click.Context, _: str) -> Iterable[str]:
    """Offer the components of the kind that stands before."""
    return _host(context).registry.names(context.params["kind"])


@_completing()
def exporters(context: click.Context, _: str) -> Iterable[str]:
    """Offer the exporters."""
    return _host(context).registry.names("exporter")


@_completing()
def exporter_settings(context: click.Context, _: str) -> Iterable[str]:
    """Offer the options of the exporter that stands before."""
    from gan_toolkit.recipe.messages import keys_in

    component = _host(context).registry.get("exporter", context.params["exporter"])
    return [f"{key}=" for key in sorted(keys_in(component.options))]


@_completing()
def variants(context: click.Context, _: str) -> Iterable[str]:
    """Offer the variants of the recipe on the line, and the word for none."""
    from gan_toolkit.cli.options import NO_VARIANT

    return [*_recipe(context).variants, NO_VARIANT]


@_completing()
def removals(context: click.Context, _: str) -> Iterable[str]:
    """Offer keys and tables of the recipe on the line."""
    return [key for key, _ in _keys(_recipe(context))] + [
        chosen.table for chosen in _recipe(context).components()
    ]


@_completing()
def settings(context: click.Context, typed: str) -> Iterable[str]:
    """Offer keys of the recipe on the line, then the values that can be told beforehand."""
    key, equals, _ = typed.partition("=")
    if equals:
        return [f"{key}={value}" for value in _values(context, key)]
    return [f"{key}=" for key, _ in _keys(_recipe(context))]


@_completing()
def keys(context: click.Context, _: str) -> Iterable[str]:
    """Offer keys of the core and of components: the recipe, if any, stands behind the cursor."""
    from gan_toolkit.recipe.keys import RunOptions
    from gan_toolkit.recipe.messages import keys_in

    found = [f"run.{key}" for key in keys_in(RunOptions)]
    for component in _host(context).registry.all():
        start = f"{component.kind}.{component.name}"
        found += [start, *(f"{start}.{key}" for key in keys_in(component.options))]
    return sorted(found)


# --- what they look at -----------------------------------------------------------------------


def _host(context: click.Context) -> PluginHost:
    session: Session = context.find_root().obj
    return session.host


def _recipe(context: click.Context) -> Recipe:
    """Return the recipe on the line, or that of the run whose folder is there."""
    from gan_toolkit.journal import RESOLVED
    from gan_toolkit.recipe import load_recipe

    # An option that waits for its value leaves the arguments before it unread.
    given = [context.params.get(name) for name in SOURCES]
    named = [name for name in (*given, *context.args) if isinstance(name, str)]
    resolved = Path(named[0]) / RESOLVED
    return load_recipe(resolved if resolved.is_file() else named[0], _host(context))


def _keys(recipe: Recipe) -> Iterator[tuple[str, Chosen | None]]:
    """Yield every key that a recipe has or could have, and the table it stands in."""
    from gan_toolkit.recipe.keys import RunOptions, keys_of
    from gan_toolkit.recipe.messages import keys_in

    for key in ("name", "summary", *(f"run.{key}" for key in sorted(keys_in(RunOptions)))):
        yield key, None
    for chosen in recipe.components():
        names = {"use"} | keys_in(chosen.component.options) | keys_in(keys_of(chosen.kind))
        yield from ((f"{chosen.table}.{name}", chosen) for name in sorted(names))


def _values(context: click.Context, key: str) -> list[str]:
    """Return the values of a key in TOML, where they are few: names, words, true and false."""
    from gan_toolkit.recipe.expectation import Place
    from gan_toolkit.recipe.explaining import explain
    from gan_toolkit.recipe.overrides import read_key

    recipe, host = _recipe(context), _host(context)
    chosen = dict(_keys(recipe))[key]
    if chosen is not None and key == f"{chosen.table}.use":
        return [json.dumps(name) for name in host.registry.names(chosen.kind)]
    (found,) = explain(read_key(key), host, recipe.to_dict())
    place = Place.of(found.model).inner(found.key)
    members = [] if place is None else [member.annotation for member in place.members]
    words = [w for one in members if get_origin(one) is Literal for w in get_args(one)]
    words += [True, False] if bool in members else []
    return [json.dumps(word) for word in words]
