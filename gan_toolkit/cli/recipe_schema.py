"""`gantk recipe schema`: what an editor needs to complete recipes and to mark mistakes."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import click

from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import put, put_json
from gan_toolkit.errors import UsageError


@click.command(short_help="A JSON Schema of recipes, for editors.")
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to this file; an older schema there is replaced.",
)
@shared
@pass_session
def schema(session: Session, output: Path | None) -> None:
    """Print a JSON Schema (draft-07) of recipes, made from the plugins that are loaded.

    A recipe whose first line is `#:schema ./FILE` is then completed and checked by editors that
    know TOML, such as those with Taplo or Tombi.
    """
    from gan_toolkit import files
    from gan_toolkit.recipe.schema import recipe_schema

    made = recipe_schema(session.host)
    if output is None:
        put_json(made)
        return
    if output.exists() and comment_of(output) is None:
        raise UsageError(f"{output} exists and is no schema of ours; choose another name")
    files.make_folders(output.absolute().parent)
    files.write_atomic(output, json.dumps(made, indent=2) + "\n")
    session.say(f"first line of a recipe beside it: #:schema ./{output.name}")
    put(str(output))


def comment_of(path: Path) -> str | None:
    """Return what a schema of ours says it was made of; None for any other file."""
    from gan_toolkit.recipe.schema import TITLE

    with suppress(OSError, ValueError):
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict) and found.get("title") == TITLE:
            return str(found.get("$comment", ""))
    return None
