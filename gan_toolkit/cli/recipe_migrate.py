"""`gantk recipe migrate`: a recipe of old as one would write it today."""

from __future__ import annotations

import difflib
from pathlib import Path

import click

from gan_toolkit.cli.options import recipe_source
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.streams import write
from gan_toolkit.cli.text import command, put
from gan_toolkit.errors import UsageError
from gan_toolkit.files import printable


@click.command(short_help="Bring a recipe of old up to date.")
@click.argument("file", type=recipe_source)
@click.option("--write", "in_place", is_flag=True, help="Change the file; else show what would.")
@shared
@pass_session
def migrate(session: Session, file: str, *, in_place: bool) -> None:
    """Show what would change in FILE to bring it up to date: format, old names, pinned versions.

    Comments stay where they are. A recipe of old runs without this too; what a run makes of it is
    the same before and after.
    """
    from gan_toolkit import files
    from gan_toolkit.recipe.finding import find_recipe
    from gan_toolkit.recipe.migrating import migrate as migrated
    from gan_toolkit.recipe.reading import read_file

    path = find_recipe(Path(file), session.host)
    if in_place and file == "-":
        raise UsageError("standard input can't be written to; leave --write out")
    document = read_file(path)
    text, notes = migrated(document, session.host)
    for note in notes:
        session.say(note)
    if not notes:
        session.say(f"{document.shown} is up to date")
    elif in_place:
        files.write_atomic(path, text)
        put(str(path))
    else:
        _show(document.text, text, document.shown)
        session.say(f"to change the file: {command('recipe', 'migrate', path, '--write')}")


def _show(old: str, new: str, name: str) -> None:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), name, f"{name}, migrated")
    for line in lines:
        write(printable(line.rstrip("\n")))
