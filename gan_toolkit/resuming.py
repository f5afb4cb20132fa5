"""Going on from a checkpoint: what may differ by then, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import torch

from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import Checkpoint
from gan_toolkit.errors import ResumeError
from gan_toolkit.files import printable
from gan_toolkit.messages import of_rank
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Recipe
from gan_toolkit.recipe.difference import Change, every_difference, is_free
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference, unsound
from gan_toolkit.train import Tell
from gan_toolkit.wording import count_of


def restore(
    run: RunFolder,
    recipe: Recipe,
    parts: Parts,
    checkpoint: Checkpoint | None,
    host: PluginHost,
    tell: Tell,
    *,
    allow_change: bool = False,
) -> Snapshot | None:
    """Put everything back to where the checkpoint was taken, and return what it held.

    Raises ResumeError, before anything is written, for a change that is not allowed, or a
    checkpoint that is not what this run writes.
    """
    if checkpoint is None:
        tell({"event": "note", "text": "there is no checkpoint yet; starting at step 0"})
        run.metrics.cut(0)
        return None
    with _taking_back(checkpoint):
        snapshot, changes = _take_back(run, recipe, parts, checkpoint, allow_change=allow_change)
        for text in _not_exact(checkpoint.manifest, parts, recipe, run, host):
            tell({"event": "note", "text": text})
        _record(changes, run, checkpoint.step, tell)
        _note_ranks(run, checkpoint.manifest.get("ranks", 1), parts, tell)
    return snapshot


def _take_back(
    run: RunFolder, recipe: Recipe, parts: Parts, checkpoint: Checkpoint, *, allow_change: bool
) -> tuple[Snapshot, list[Change]]:
    """Compare, then restore the parts and cut the journal; return what changed in the recipe."""
    manifest = checkpoint.manifest
    changes = _changes(manifest, recipe)
    _require(changes, run, allow_change=allow_change)
    _require_data(manifest, parts)
    snapshot = checkpoint.load()
    own = of_rank(snapshot, 0)
    meant = unsound(parts.engine.snapshot())  # such as a mask: infinite from the beginning
    parts.engine.restore(own)
    lost = difference(_portable(parts.engine.snapshot()), _portable(own))
    if lost:
        raise ResumeError(f"state did not come back as it was saved: {'; '.join(lost[:3])}")
    if broken := [name for name in unsound(own) if name not in meant]:
        raise ResumeError(
            f"{checkpoint.folder}: {broken[0]} is not finite; remove it to resume from an older one"
        )
    run.metrics.cut(manifest["journal"]["bytes"], manifest["journal"]["sha256"])
    return snapshot, changes


@contextmanager
def _taking_back(checkpoint: Checkpoint) -> Iterator[None]:
    """Name the checkpoint that is not what a run writes, hashes or no hashes: it is anybody's."""
    try:
        yield
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as e:
        cause = printable(f"{type(e).__name__}: {e}".partition("\n")[0])
        raise ResumeError(
            f"{checkpoint.folder} can't be taken back: {cause:.200}; it is not what this run and "
            "these plugins write: remove it to resume from an older one"
        ) from e


# --- the recipe ------------------------------------------------------------------------------


def _changes(manifest: Mapping[str, Any], recipe: Recipe) -> list[Change]:
    """Return what enters the training steps and is not as it was, value by value."""
    if manifest["latents"] != list(recipe.latents):
        raise ResumeError(
            f"the latents were {', '.join(manifest['latents'])}, in this order; "
            "it fixes the columns of the generator: change it back, or start a new run"
        )
    return [
        change
        for change in every_difference(manifest["recipe"], recipe.to_dict())
        if not is_free(change.path) and not (change.old is None and _by_default(recipe, change))
    ]


def _by_default(recipe: Recipe, change: Change) -> bool:
    """Return whether nobody wrote the key: a later version of its component added it."""
    return recipe.origins.get(change.path, "").startswith("default of ")


def _require(changes: Sequence[Change], run: RunFolder, *, allow_change: bool) -> None:
    """Refuse changes, unless they are allowed now or were at an earlier resume."""
    allowed = {(known["key"], repr(known["now"])) for known in run.run_json.get("changes", ())}
    new = [change for change in changes if (change.path, repr(change.new)) not in allowed]
    if new and not allow_change:
        found = "; ".join(map(_in_words, new[:5]))
        more = f" (and {len(new) - 5} more)" if len(new) > 5 else ""
        raise ResumeError(
            f"the recipe changed since the checkpoint: {found}{more}; change it back, resume with "
            "--allow-change, or start a new run"
        )


def _in_words(change: Change) -> str:
    return f"{change.path} was {change.old!r}, is {change.new!r}"


def _record(changes: Sequence[Change], run: RunFolder, step: int, tell: Tell) -> None:
    """Write into run and journal that from here on the run is no longer its recipe's."""
    if not changes:
        return
    known = list(run.run_json.get("changes", ()))
    made = [{"step": step, "key": key, "was": old, "now": new} for key, old, new in changes]
    run.update(changes=known + [change for change in made if change not in known])
    text = f"changed at step {step}: {'; '.join(map(_in_words, changes))}"
    _note(run, step, text, tell)


# --- the rest --------------------------------------------------------------------------------


def _require_data(manifest: Mapping[str, Any], parts: Parts) -> None:
    if manifest["data_fingerprint"] != parts.data.fingerprint():
        now, then = parts.data.fingerprint()[:12], manifest["data_fingerprint"][:12]
        raise ResumeError(
            f"{parts.data.name} is not the data of the checkpoint (fingerprint {now}, was {then}); "
            "put the old data back, or start a new run"
        )


def _not_exact(
    manifest: Mapping[str, Any], parts: Parts, recipe: Recipe, run: RunFolder, host: PluginHost
) -> list[str]:
    """Return what may make the numbers other than those of a run that went on."""
    texts = []
    if manifest["device"] != parts.engine.device.describe():
        texts.append(
            f"the run began on {manifest['device']}: consistent from here on, not bit-exact"
        )
    if manifest["versions"]["torch"] != torch.__version__:
        texts.append(f"the checkpoint is of torch {manifest['versions']['torch']}: not bit-exact")
    before = run.run_json.get("plugins", {})
    now = {record.name: record.version for record in host.records}
    used = {chosen.component.plugin for chosen in recipe.components()}
    return texts + [
        f"plugin {name!r} was {before[name]}, is {now[name]}: the same only if its components "
        "compute as before"
        for name in sorted(used & before.keys())
        if before[name] != now[name]
    ]


def _note_ranks(run: RunFolder, before: int, parts: Parts, tell: Tell) -> None:
    """Say that from here on sums are made of other parts."""
    now = parts.engine.ranks.count
    if now != before:
        text = (
            f"the checkpoint is of {count_of(before, 'rank')}, this run has {now}: the same up to "
            "rounding and to what terms and dropout draw, not bit-exact"
        )
        _note(run, parts.engine.steps_done, text, tell)


def _note(run: RunFolder, step: int, text: str, tell: Tell) -> None:
    """Say something of the run that whoever reads its numbers must know."""
    run.metrics.append({"event": "note", "step": step, "text": text})
    run.log(text)
    tell({"event": "note", "text": text})


def _portable(snapshot: Snapshot) -> Snapshot:
    """Leave out the random state of an accelerator, which another machine may not have."""
    random = {k: v for k, v in snapshot.tensors["random"].items() if k != "device"}
    return replace(snapshot, tensors={**snapshot.tensors, "random": random})
