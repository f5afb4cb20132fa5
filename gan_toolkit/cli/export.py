"""`gantk export`: a model in a form that other programs read."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.sample import model_of, open_model
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import count_of, put, put_json, size, waiting


@click.command(short_help="Write a model for other programs: ONNX, pictures, arrays.")
@click.argument("source", metavar="MODEL_OR_RUN", shell_complete=completing.runs)
@click.option(
    "--to",
    "exporter",
    metavar="NAME",
    required=True,
    shell_complete=completing.exporters,
    help="The form; `gantk components list exporter` names them.",
)
@click.option(
    "-o",
    "--out",
    "target",
    type=click.Path(path_type=Path),
    help="The file or folder; one named after the recipe, here, otherwise.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    shell_complete=completing.exporter_settings,
    help="An option of the exporter; VALUE is TOML, so a text stands in quotes.",
)
@click.option("--force", is_flag=True, help="Replace a file, or a folder that an export wrote.")
@click.option("--json", "as_json", is_flag=True, help="What was written, as JSON on stdout.")
@shared
@pass_session
def export(
    session: Session,
    source: str,
    exporter: str,
    target: Path | None,
    settings: Sequence[str],
    *,
    force: bool,
    as_json: bool,
) -> None:
    """Write the generator of MODEL_OR_RUN, or what it makes, in another form.

    MODEL_OR_RUN is a model file, a run's folder, or the beginning of its name. What is written is
    there whole or not at all, and is the last line of standard output.
    """
    path = model_of(source)
    host = session.host
    with waiting("loading torch"):
        from gan_toolkit.exporting import choose_exporter, export_model

    chosen = choose_exporter(exporter, settings, host)
    model = open_model(session, path)
    with waiting(f"exporting to {exporter}"):
        written = export_model(model, chosen, target, force=force)
    session.say(f"{exporter} of {path}: {count_of(written.files, 'file')}, {size(written.bytes)}")
    if as_json:
        put_json({**vars(written), "path": str(written.path), "model": str(path)})
    else:
        put(str(written.path))
