"""What the plugin adds to `gantk data`."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(short_help="Find pictures that can't be decoded.")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
def check(path: Path, *, as_json: bool) -> None:
    """Decode every picture of PATH, and list those that can't be: file, tab, reason.

    PATH is a folder, a zip, a tar or a picture. The exit code is 4 if any is bad.
    """
    from gan_toolkit import DataError
    from gantk_data.archives.trees import shown
    from gantk_data.check import check as each_checked

    count = 0
    bad = []
    for name, reason in each_checked(path):
        count += 1
        if reason:
            bad.append({"file": name, "reason": reason})
            if not as_json:
                click.echo(f"{name}\t{shown(reason)}")
    if as_json:
        document = {"path": shown(str(path)), "pictures": count, "bad": bad}
        click.echo(json.dumps(document, indent=2))
    total = f"{count:,} {'picture' if count == 1 else 'pictures'} in {shown(str(path))}"
    if bad:
        raise DataError(f"{len(bad):,} of {total} {'is' if len(bad) == 1 else 'are'} bad")
    click.echo(f"all of {total} can be decoded" if count > 1 else f"{total}: well", err=True)
