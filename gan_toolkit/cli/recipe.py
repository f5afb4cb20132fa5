"""`gantk recipe`: the recipes there are, what is in them, and whether they would work."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.failures import lines_of
from gan_toolkit.cli.group import Group
from gan_toolkit.cli.options import overrides_from, recipe_changes, recipe_source, without_base
from gan_toolkit.cli.recipe_diff import diff
from gan_toolkit.cli.recipe_explain import explain
from gan_toolkit.cli.recipe_migrate import migrate
from gan_toolkit.cli.recipe_schema import schema
from gan_toolkit.cli.recipe_sides import origin_of
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.streams import is_terminal, results, write
from gan_toolkit.cli.text import command, count_of, echo, put, put_json, table
from gan_toolkit.errors import ExitCode, GantkError, RecipeError, UsageError
from gan_toolkit.files import printable

if TYPE_CHECKING:
    from gan_toolkit.plugins import PluginHost
    from gan_toolkit.recipe import Recipe
    from gan_toolkit.recipe.finding import Listed


@click.group(cls=Group, short_help="The recipes there are, and whether they would work.")
def recipe() -> None:
    """The recipes there are, what is in them, and whether they would work."""


@recipe.command("list", short_help="All recipes that can be run by name.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def list_all(session: Session, *, as_json: bool) -> None:
    """List the recipes that `gantk run NAME` knows."""
    from gan_toolkit.recipe import list_recipes

    found = [(listed, *_headline(listed, session.host)) for listed in list_recipes(session.host)]
    if as_json:
        put_json(
            [
                {**listed._asdict(), "path": str(listed.path), "summary": s, "variants": v}
                for listed, s, v in found
            ]
        )
        return
    rows = [(listed.name, summary, ", ".join(names)) for listed, summary, names in found]
    table([(n, v or "-", s) for n, s, v in rows], ("recipe", "variants", "what it shows"))
    if not found:
        session.say("there are none here; a recipe is a .toml file: gantk run my.toml")


def _headline(listed: Listed, host: PluginHost) -> tuple[str, list[str]]:
    """Return a recipe's summary and variants without checking the rest of it."""
    from gan_toolkit.recipe.extending import merge_documents
    from gan_toolkit.recipe.reading import read_file

    try:
        content = merge_documents(read_file(listed.path), host).table
    except GantkError as error:
        return f"can't be read: {error}", []
    variants = content.get("variants")
    return str(content.get("summary", "")), list(variants) if isinstance(variants, dict) else []


@recipe.command(short_help="One recipe: as given, or with every value.")
@click.argument("source", metavar="RECIPE", type=recipe_source, shell_complete=completing.recipes)
@click.option("--resolved", is_flag=True, help="With every value, variants and changes applied.")
@click.option("--origins", is_flag=True, help="Each value, and where it comes from.")
@recipe_changes
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def show(
    session: Session,
    source: str,
    variants: tuple[str, ...],
    settings: Sequence[str],
    removals: Sequence[str],
    *,
    resolved: bool,
    origins: bool,
    as_json: bool,
) -> None:
    """Show RECIPE as its file gives it, or what a run would make of it."""
    from gan_toolkit.recipe import find_recipe, load_recipe
    from gan_toolkit.recipe.reading import read_file

    if not (resolved or origins or as_json or variants or settings or removals):
        text = read_file(find_recipe(source, session.host)).text
        if is_terminal(results()):  # it is anybody's; a file or pipe gets it to the byte
            text = "\n".join(map(printable, text.split("\n")))
        write(text, newline=not text.endswith("\n"))
        return
    loaded = load_recipe(
        source,
        session.host,
        variants=without_base(variants),
        overrides=overrides_from(settings, removals),
    )
    _say_notes(session, loaded)
    if origins:
        rows = list(_origins(loaded))
        if as_json:
            put_json([{"key": key, "value": v, "origin": place} for key, v, place in rows])
        else:
            from gan_toolkit.cli.fields import toml_of

            table([(key, toml_of(value), place) for key, value, place in rows])
    elif as_json:
        put_json(loaded.to_dict())
    else:
        write(loaded.to_toml(), newline=False)


def _origins(loaded: Recipe) -> Iterator[tuple[str, Any, str]]:
    from gan_toolkit.recipe.difference import leaves
    from gan_toolkit.recipe.paths import dotted

    for path, value in leaves(loaded.to_dict()):
        yield dotted(path), value, origin_of(dotted(path), loaded.origins)


@recipe.command(short_help="All that is wrong with recipes, variants included.")
@click.argument(
    "sources",
    metavar="RECIPE…",
    nargs=-1,
    required=True,
    type=recipe_source,
    shell_complete=completing.recipes,
)
@click.option("--build", is_flag=True, help="Build the networks too, without memory.")
@shared
@pass_session
def validate(session: Session, sources: Sequence[str], *, build: bool) -> None:
    """Check each RECIPE and each of its variants; all that is wrong is said at once."""
    from gan_toolkit.recipe import check_variants

    codes = [ExitCode.DONE]
    for source in sources:
        try:
            recipes = check_variants(source, session.host)
            for checked in recipes:
                _say_notes(session, checked)
                if build:
                    _build(session, checked)
        except GantkError as error:
            if len(sources) == 1:
                raise
            for line in lines_of(error):
                echo(line if isinstance(error, RecipeError) else f"{source}: {line}")
            codes.append(error.exit_code)
            continue
        names = recipes[0].variants
        offered = f", {count_of(len(names), 'variant')}: {', '.join(names)}" if names else ""
        put(f"{source}: well{offered}")
    click.get_current_context().exit(max(codes))


def _build(session: Session, checked: Recipe) -> None:
    """Build what a run would build, on the meta device, and show how large it is."""
    from gan_toolkit.device import Device
    from gan_toolkit.launch import plan

    name = checked.name + "".join(f", variant {variant}" for variant in checked.applied)
    try:
        rows = dict(plan(checked, session.host, Device()))
    except RecipeError:
        raise
    except GantkError as error:
        raise type(error)(f"{name}: {error}") from error
    shown = ("data", "generator", "critic")
    session.say(f"{name}: " + "; ".join(f"{part} {rows[part]}" for part in shown if part in rows))


@recipe.command(short_help="Copy a recipe, to change it.")
@click.argument("name", type=recipe_source, shell_complete=completing.recipes)
@click.argument("destination", required=False)
@shared
@pass_session
def copy(session: Session, name: str, destination: str | None) -> None:
    """Copy the recipe NAME to DESTINATION; nothing is ever overwritten.

    DESTINATION is a file, or a folder that is there or ends in /.
    """
    from gan_toolkit import files
    from gan_toolkit.recipe import find_recipe
    from gan_toolkit.recipe.reading import read_file

    source = find_recipe(name, session.host)
    document = read_file(source)
    target = _target(destination or "", source.name)
    if os.path.lexists(target):
        raise UsageError(f"{target} exists; choose another name")
    files.make_folders(target.parent)
    files.write_atomic(target, document.text)
    if "extends" in document.table:
        session.say(f"it extends {document.table['extends']}, as seen from {source.parent}")
    session.say(f"run it with: {command('run', target)}")
    put(str(target))


def _target(destination: str, name: str) -> Path:
    """Return the file to write: `name` in a folder that is there or ends in a slash."""
    target = Path(destination)
    if not target.is_dir() and not destination.endswith(("/", os.sep)):
        return target
    if name == "-":
        raise UsageError("a recipe from standard input has no name; give that of the copy")
    return target / name


def _say_notes(session: Session, loaded: Recipe) -> None:
    for note in loaded.notes:
        session.say(note)


for command_of_its_own in (diff, explain, migrate, schema):
    recipe.add_command(command_of_its_own)
