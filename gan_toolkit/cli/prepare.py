"""`gantk data prepare`: what a run would prepare of its data, before a run needs it."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli.data_sets import component_of, facts_of, opened
from gan_toolkit.cli.options import overrides_from, recipe_changes, recipe_source
from gan_toolkit.cli.run import choose, going_on_later
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import put_json, shape_of, size, table, waiting
from gan_toolkit.errors import StorageError, UsageError, did_you_mean

if TYPE_CHECKING:
    from gan_toolkit.interfaces import Dataset
    from gan_toolkit.preparation import Preparation

TOLD = ("name", "source", "samples", "held_out", "shape", "fingerprint")
"""Of what there is to know of a data set."""


@click.command(short_help="Prepare data now that a run would prepare first.")
@click.argument("what", metavar="NAME_OR_RECIPE", type=recipe_source)
@recipe_changes
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def prepare(
    session: Session,
    what: str,
    variants: tuple[str, ...],
    settings: Sequence[str],
    removals: Sequence[str],
    *,
    as_json: bool,
) -> None:
    """Prepare the data set NAME, or the data of RECIPE as `gantk run` would on this machine.

    Of a data set, --set takes its options (count=1000); of a recipe, its keys (data.count=1000).
    Ctrl-C loses some seconds of work at most: the same command goes on.
    """
    with going_on_later(session):
        with waiting("loading torch"):
            from gan_toolkit.assemble import Assembly
            from gan_toolkit.preparation import noting

        begun = time.monotonic()
        with noting() as noted:
            if what in (sets := session.host.registry.names("dataset")):
                if variants or removals:
                    raise UsageError(f"{what} is a data set: it takes --set KEY=VALUE alone")
                dataset = opened(session, component_of(session, what), settings)
            else:
                _require_recipe(session, what, sets)
                changes = overrides_from(settings, removals)
                recipe, _device = choose(session, what, variants, changes)
                dataset = Assembly(recipe, session.host.registry).data()
        if faults := [one.fault for one in noted if one.fault]:
            raise StorageError(faults[0])  # a run could do without; this command is for keeping
        seconds = time.monotonic() - begun
        facts = _facts(dataset, noted, seconds)
    if as_json:
        put_json(facts)
    else:
        _show(facts)


def _require_recipe(session: Session, what: str, sets: Sequence[str]) -> None:
    """Raise UsageError unless there is such a recipe, with the data set that may be meant."""
    from gan_toolkit.recipe import find_recipe

    try:
        find_recipe(what, session.host)
    except UsageError as error:
        near = did_you_mean(what, sets) or "; gantk data list shows them"
        raise UsageError(f"{error}; nor is it a data set{near}") from error


def _facts(dataset: Dataset, noted: Sequence[Preparation], seconds: float) -> dict[str, Any]:
    known = facts_of(dataset)
    kept = {str(one.folder): one for one in noted}
    return {
        **{key: known[key] for key in TOLD},
        "seconds": round(seconds, 3),
        "kept": [
            {"folder": folder, "bytes": _bytes(one.folder), "made": one.made}
            for folder, one in kept.items()
        ],
    }


def _show(facts: dict[str, Any]) -> None:
    rows = [
        ("data", f"{facts['name']} ({facts['source']})"),
        ("samples", f"{facts['samples']:,} of {shape_of(facts['shape'])}"),
    ]
    if facts["held_out"]:
        rows.append(("held out", f"{facts['held_out']:,}"))
    rows += [("fingerprint", facts["fingerprint"]), ("time", f"{facts['seconds']:.1f} s")]
    for one in facts["kept"]:
        how = "made now" if one["made"] else "was there already"
        rows.append(("kept in", f"{one['folder']} ({size(one['bytes'])}, {how})"))
    if not facts["kept"]:
        rows.append(("kept in", "nothing is kept: it is read or made anew each time"))
    table(rows)


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.iterdir())
