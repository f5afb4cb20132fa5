"""`gantk evaluate`: numbers about a run or a model, when its training is over."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.options import SEED, effort_options, named_components
from gan_toolkit.cli.scores import show_scores
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import put, put_json, waiting
from gan_toolkit.errors import Interrupted, PluginError

if TYPE_CHECKING:
    from gan_toolkit.examination import Findings, Request
    from gan_toolkit.interfaces import Effort


@click.command(short_help="Measure a run or a model when its training is over.")
@click.argument("source", metavar="MODEL_OR_RUN", shell_complete=completing.runs)
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="NAME[:KEY=VALUE,…]",
    help="Measure this too, or change one of the recipe's; VALUE is TOML.",
)
@click.option("--all", "every", is_flag=True, help="Measure all else that applies, too.")
@effort_options
@click.option("--protocol", metavar="NAME", help="A published way, for the measures that know it.")
@click.option("--seed", type=SEED, help="Seed of every draw; the run's own otherwise.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change a value of data or measures; VALUE is TOML.",
)
@click.option("--allow-other-data", is_flag=True, help="Measure on data it was not trained on.")
@click.option("--device", metavar="DEVICE", help="auto, cpu, cuda or cuda:1.")
@click.option("--json", "as_json", is_flag=True, help="The records, as one JSON array on stdout.")
@shared
@pass_session
def evaluate(
    session: Session,
    source: str,
    measures: Sequence[str],
    effort: Effort | None,
    protocol: str | None,
    seed: int | None,
    settings: Sequence[str],
    device: str | None,
    *,
    every: bool,
    allow_other_data: bool,
    as_json: bool,
) -> None:
    """Measure MODEL_OR_RUN: what its recipe measures, and what --measure names.

    With --all, and where the recipe measures nothing and nothing is named, every measure that
    applies is run. How many samples are drawn follows from --fast or --full where neither the
    recipe nor --measure says it. What is found of a run goes into its evaluations; that file is
    the last line of standard output.
    """
    named = named_components(measures, "--measure")
    is_file = os.path.isfile(source)  # noqa: PTH113 - any text is a question, a long one too
    folder = None if is_file else _folder(source)
    with waiting("loading torch"):
        from gan_toolkit.examination import Request
        from gan_toolkit.recipe import Override

    request = Request(
        measures=named,
        every=every,
        overrides=[Override(text) for text in settings],
        effort=effort or "default",
        protocol=protocol or "",
        seed=seed,
        device=device,
        other_data=allow_other_data,
    )
    found = _examine(session, Path(source) if is_file else folder, request, is_file=is_file)
    _show(session, found, as_json=as_json)
    if found.stopped_in:
        raise Interrupted(
            f"stopped in {found.stopped_in}; what was measured before is kept, the same command "
            "measures all"
        )
    if found.failures:
        raise PluginError(f"{len(found.failures)} failed: {'; '.join(found.failures)}")


def _folder(source: str) -> Path:
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    return find_run(source, RUNS).folder


def _examine(session: Session, path: Path | None, request: Request, *, is_file: bool) -> Findings:
    from gan_toolkit.examination import examine_model, examine_run
    from gan_toolkit.runs import RunFolder

    def tell(event: Mapping[str, Any]) -> None:
        if event["event"] == "note":
            session.say(str(event["text"]))
        elif session.verbosity:
            session.say(f"measuring {event['name']}")

    assert path is not None, "a run that is not found is an error"
    if is_file:
        return examine_model(path, session.host, request, tell)
    return examine_run(RunFolder.open(path), session.host, request, tell)


def _show(session: Session, found: Findings, *, as_json: bool) -> None:
    """Show the table, on stdout when there is nothing else for it."""
    if found.scores:
        only_result = found.path is None and not as_json
        show_scores(found.scores, f"Measured at step {found.step:,}", err=not only_result)
    else:
        session.say("nothing could be measured")
    if as_json:
        put_json(found.scores)
    elif found.path is not None:
        put(str(found.path))
