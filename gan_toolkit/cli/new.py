"""`gantk plugins new`: a plugin to begin with."""

from __future__ import annotations

from pathlib import Path

import click

from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import count_of, put


@click.command("new", short_help="Write a new plugin, complete with tests.")
@click.argument("name")
@click.option(
    "--kinds",
    default="",
    metavar="KIND,…",
    help="The kinds of component to begin with, such as latent,regulariser.",
)
@click.option(
    "--dir",
    "place",
    type=click.Path(path_type=Path),
    default=Path(),
    show_default=True,
    help="The folder in which the plugin's own folder is made.",
)
@shared
@pass_session
def new_plugin(session: Session, name: str, kinds: str, place: Path) -> None:
    """Write the plugin NAME as a package of its own, gantk-NAME: small, working and tested.

    One component of each kind, their options, a recipe that uses them, tests, a README. The folder
    that was written is the last line of standard output.
    """
    from gan_toolkit import scaffold

    wanted = scaffold.chosen_kinds(kinds)
    scaffold.check_name(name, wanted, session.host)
    texts = scaffold.render(name, wanted)
    folder = place / scaffold.distribution_of(name)
    scaffold.write_plugin(folder, texts)
    session.say(f"{count_of(len(texts), 'file')}, {count_of(len(wanted), 'component')}. Next:")
    session.say(f"  pip install -e {folder}")
    session.say(f"  gantk plugins check {name}")
    session.say(f"  python -m pytest {folder}")
    if any(path.endswith(".toml") and "recipes" in path for path in texts):
        session.say(f"  gantk run {name}:{name}")
    put(str(folder))
