"""`gantk doctor`: what this machine and this installation are fit for."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import click

from gan_toolkit.cli.recipe_schema import comment_of
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import command, put_json, table
from gan_toolkit.launcher import cores

OLDEST_TORCH = (2, 9)


class Finding(NamedTuple):
    """One thing that was looked at."""

    what: str
    well: bool
    found: str
    remedy: str = ""


@click.command(short_help="Look at this machine and this installation.")
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def doctor(session: Session, *, as_json: bool) -> None:
    """Look at this machine and this installation, and say what to mend.

    The exit code is 0 whatever is found: a finding is advice.
    """
    findings = [*machine(), *torch_findings(), *folders(), *plugin_findings(session)]
    findings += schema_findings(session)
    if as_json:
        put_json([finding._asdict() for finding in findings])
        return
    table(
        [("ok" if f.well else "!", f.what, f"{f.found}{_remedy(f)}") for f in findings],
    )


def _remedy(finding: Finding) -> str:
    return f"; {finding.remedy}" if finding.remedy and not finding.well else ""


def machine() -> Iterator[Finding]:
    """Look at Python, cores and their load."""
    version = platform.python_version()
    yield Finding(
        "python", sys.version_info >= (3, 11), f"{version} ({sys.executable})", "use 3.11+"
    )
    yield Finding("cores", True, f"{cores()}, {platform.machine()}")
    if hasattr(os, "getloadavg"):
        load = os.getloadavg()[0]
        advice = "set run.threads to the number of free cores: busy ones slow every thread down"
        yield Finding("load", load < 0.7 * cores(), f"{load:.1f} in the last minute", advice)
    if os.environ.get("OMP_WAIT_POLICY", "").lower() == "active":
        yield Finding("threads", False, "OMP_WAIT_POLICY is active", "passive shares cores better")


def torch_findings() -> Iterator[Finding]:
    """Look at torch and the devices it sees."""
    try:
        import torch
    except Exception as error:  # noqa: BLE001 - a broken installation is what we look for
        yield Finding("torch", False, f"{type(error).__name__}: {error}", "install torch again")
        return
    from gan_toolkit.device import accelerators, choose_device

    parts = torch.__version__.split("+")[0].split(".")
    new_enough = tuple(int(part) for part in parts[:2]) >= OLDEST_TORCH
    yield Finding("torch", new_enough, torch.__version__, "install torch 2.9 or newer")
    for name in accelerators():
        yield Finding(name, True, choose_device(name).describe())
    if not accelerators():
        yield Finding("accelerator", True, "none: recipes use their 'cpu' variant")
    chosen = choose_device()
    yield Finding("device", True, f"auto is {chosen.describe()}")


def folders() -> Iterator[Finding]:
    """Look at the folders we write into."""
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.folders import cache_folder, data_folder

    for what, folder in (("runs", RUNS), ("data", data_folder()), ("cache", cache_folder())):
        there = next(
            path for path in (folder.absolute(), *folder.absolute().parents) if path.exists()
        )
        well = there.is_dir() and os.access(there, os.W_OK)
        yield Finding(f"{what} folder", well, _folder(folder), f"{there} can't be written")


def _folder(folder: Path) -> str:
    return f"{folder}" if folder.exists() else f"{folder} (made when it is needed)"


def schema_findings(session: Session) -> Iterator[Finding]:
    """Look at the schemas that recipes here name in their first line, in whatever state."""
    from gan_toolkit.recipe.schema import made_of

    named: dict[Path, None] = {}
    for recipe in sorted(Path().glob("*.toml")):
        with suppress(OSError, UnicodeDecodeError), recipe.open(encoding="utf-8") as file:
            first = file.readline(1024).split(maxsplit=1)
            if first[:1] == ["#:schema"] and len(first) > 1:
                named[Path(first[1].strip())] = None
    for schema in named:
        comment = comment_of(schema)
        if comment is not None:  # what is not there, or not ours, is for the editor to say
            well = comment == made_of(session.host)
            found = "of these plugins" if well else f"of other plugins ({comment})"
            yield Finding(
                f"schema {schema}", well, found, command("recipe", "schema", "-o", schema)
            )


def plugin_findings(session: Session) -> Iterator[Finding]:
    """Look at the plugins, and let them look at what they need."""
    host = session.host
    loaded = [record.name for record in host.records if record.status == "loaded"]
    yield Finding("plugins", bool(loaded), f"{len(loaded)} loaded", "pip install -e . again")
    for record in host.records:
        if record.status not in ("loaded", "blocked", "skipped") and not record.quiet:
            advice = f"see gantk plugins info {record.name}"
            yield Finding(
                f"plugin {record.name}", False, f"{record.status}: {record.reason}", advice
            )
    for check in host.checks():
        found = "well" if check.well else "not well"
        yield Finding(f"{check.plugin}: {check.name}", check.well, found, check.remedy)
    for record in host.records:
        for note in record.notes:
            yield Finding(
                f"plugin {record.name}", False, note, f"see gantk plugins info {record.name}"
            )
