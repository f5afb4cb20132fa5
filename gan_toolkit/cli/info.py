"""`gantk info`: what a model file or a run says of itself, read without torch."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from gan_toolkit.cli import completing
from gan_toolkit.cli.scores import show_scores
from gan_toolkit.cli.session import Session, pass_session, shared
from gan_toolkit.cli.text import command, heading, put, put_json, shape_of, size, table
from gan_toolkit.scores import checked

if TYPE_CHECKING:
    from gan_toolkit.runs import RunFolder


@click.command(short_help="What a model file or a run says of itself.")
@click.argument("source", metavar="MODEL_OR_RUN", shell_complete=completing.runs)
@click.option("--json", "as_json", is_flag=True, help="One JSON document on stdout.")
@shared
@pass_session
def info(session: Session, source: str, *, as_json: bool) -> None:
    """Show what MODEL_OR_RUN says of itself; no plugin is needed and nothing in it is run."""
    del session
    if os.path.isfile(source):  # noqa: PTH113 - any text is a question, a long one too
        _show_model(Path(source), as_json=as_json)
        return
    from gan_toolkit.cli.run import RUNS
    from gan_toolkit.runs import find_run

    _show_run(find_run(source, RUNS), as_json=as_json)


def _show_model(path: Path, *, as_json: bool) -> None:
    from gan_toolkit.tensorfile import describe

    about = describe(path)
    if as_json:
        put_json(about)
        return
    heading(str(path))
    table(model_rows(about))
    show_codes_and_scores(about["facts"])


def model_rows(about: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the facts of a model file, in words."""
    recipe, facts = about["recipe"], about["facts"]
    data = facts.get("data") or {}
    parameters = ", ".join(f"{part} {count:,}" for part, count in about["parameters"].items())
    rows = [
        ("model", str(recipe.get("name", ""))),
        ("about", str(recipe.get("summary") or "")),
        ("made by", f"gan-toolkit {about.get('gan-toolkit', '?')}"),
        ("size", size(about["bytes"])),
        ("samples", shape_of(facts.get("sample_shape") or data.get("shape") or ())),
        ("trained", _trained(facts)),
        ("data", f"{data['name']} ({data.get('source')})" if data.get("name") else ""),
        ("parts", _parts(recipe)),
        ("numbers", parameters),
        ("notice", str(data.get("notice") or "")),
    ]
    return [(name, text) for name, text in rows if text]


def _trained(facts: Mapping[str, Any]) -> str:
    if "steps" not in facts:
        return ""
    seen = facts.get("samples_seen")
    return f"{facts['steps']:,} steps" + (f", {seen:,} samples seen" if seen else "")


def _parts(recipe: Mapping[str, Any]) -> str:
    uses = [recipe.get(part, {}).get("use") for part in ("generator", "critic", "objective")]
    uses += [table_of.get("use") for table_of in recipe.get("regularisers", {}).values()]
    return ", ".join(str(use) for use in uses if use)


def show_codes_and_scores(facts: Mapping[str, Any]) -> None:
    """Show the codes and what was measured."""
    codes = facts.get("codes")
    if isinstance(codes, Mapping) and codes:
        put()
        heading("Codes")
        table([(name, _code(about)) for name, about in codes.items()], indent="  ")
    if facts.get("scores"):
        put()
        _show_scores(facts["scores"])


def _show_scores(scores: object) -> None:
    """Show scores, or what keeps them from being shown: a model file may be anybody's."""
    try:
        known = checked(scores)
    except ValueError as error:
        table([("scores", f"damaged: {error}")])
        return
    show_scores(known, "Measured", err=False)


def _code(about: Any) -> str:
    if not isinstance(about, Mapping):
        return str(about)
    return ", ".join(f"{key} {value}" for key, value in about.items())


def _show_run(run: RunFolder, *, as_json: bool) -> None:
    facts = run.run_json
    model = None
    if run.model.is_file():
        from gan_toolkit.tensorfile import describe

        model = describe(run.model)
    _, scores = run.scores()
    if as_json:
        put_json({"run": facts, "model": model, "scores": scores})
        return
    heading(str(run.folder))
    table(run_rows(facts, run))
    said = {} if model is None else model["facts"]
    show_codes_and_scores({**said, "scores": scores or said.get("scores")})


def run_rows(facts: Mapping[str, Any], run: RunFolder) -> list[tuple[str, str]]:
    """Return the facts of a run, in words."""
    data = facts.get("data") or {}
    variants = ", ".join(facts.get("variants") or ())
    going = facts.get("status") == "running"
    to_end = f"to end it: {command('resume', run.folder)}"
    remedy = "it is written when the run ends" if going else to_end
    status = f"{facts.get('status', '?')}" + (f": {facts['cause']}" if facts.get("cause") else "")
    rows = [
        ("recipe", str(facts.get("recipe", "")) + (f", variant {variants}" if variants else "")),
        ("status", status),
        ("created", str(facts.get("created", ""))),
        ("ended", "" if going else str(facts.get("ended", ""))),
        ("seed", str(facts.get("seed", ""))),
        ("device", str(facts.get("device", ""))),
        ("memory", size(facts["peak_memory"]) if facts.get("peak_memory") else ""),
        ("data", f"{data['name']} ({data.get('source')})" if data.get("name") else ""),
        ("last step", _last_step(run)),
        ("pictures", str(len(_pictures(run))) if _pictures(run) else ""),
        ("model", run.model.name if run.model.is_file() else f"none yet; {remedy}"),
    ]
    return [(name, text) for name, text in rows if text]


def _pictures(run: RunFolder) -> list[Path]:
    return list(run.folder.glob("**/step-*.png"))


def _last_step(run: RunFolder) -> str:
    steps = [record["step"] for record in run.metrics.read() if isinstance(record.get("step"), int)]
    step = max((run.saved_step(), *steps[-1:]))
    return f"{step:,}" if step else ""
