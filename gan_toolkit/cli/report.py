"""`gantk report`: what a run did, in one file that opens anywhere."""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import put, size, waiting
from gan_toolkit.errors import UsageError

TITLE_END = b"gan-toolkit</title>"
"""Tells a report from other pages."""
_HEAD = 2**16


@click.command(short_help="One HTML file of a run: codes to drag, scores, curves.")
@click.argument("runs", metavar="RUN…", nargs=-1, required=True, shell_complete=completing.runs)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Another file, of a single RUN; report.html in its folder otherwise.",
)
@click.option("--device", metavar="DEVICE", default="auto", show_default=True, help="As in run.")
@shared
@pass_session
def report(session: Session, runs: Sequence[str], output: Path | None, device: str) -> None:
    """Write one self-contained HTML file of each RUN: a folder, or the beginning of a name.

    It replaces a report that is there, no other file, and may be written while the run goes on.
    The files that were written are the last lines of standard output.
    """
    if output is not None and len(runs) > 1:
        raise UsageError(f"-o {output} takes one RUN; found {len(runs)}")
    if output is not None and not output.parent.is_dir():
        raise UsageError(f"-o {output}: there is no folder {output.parent}")
    if output is not None and os.path.lexists(output) and not _is_report(output):
        raise UsageError(f"-o {output} exists and is no report of ours; choose another name")
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    folders = [find_run(text, RUNS) for text in runs]
    host = session.host
    with waiting("loading torch"):
        from gan_toolkit.device import choose_device
        from gan_toolkit.report import write_report
        from gan_toolkit.report.sources import of_run

        where = str(choose_device(device).torch_device)
    for run in folders:
        written = write_report(run, partial(of_run, run, host, where), path=output)
        session.say(f"{run.folder.name}: {size(os.path.getsize(written))}")  # noqa: PTH202
        put(str(written))


def _is_report(path: Path) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return TITLE_END in file.read(_HEAD)
