"""Where the pictures of codes come from: a run that is going on, its model file, a checkpoint."""

from __future__ import annotations

from gan_toolkit.checkpoints import Checkpoint, CheckpointStore
from gan_toolkit.errors import GantkError
from gan_toolkit.evaluation import EngineView
from gan_toolkit.model import Model, from_checkpoint, load
from gan_toolkit.plugins import PluginHost
from gan_toolkit.report.album import Source
from gan_toolkit.runs import RunFolder
from gan_toolkit.tensorfile import describe


def of_view(view: EngineView) -> Source:
    """Return what a run that is going on would show."""
    return Source(view.space, view.inferable, view.generate, view.step)


def of_run(run: RunFolder, host: PluginHost, device: str = "cpu") -> Source:
    """Return what a run's folder holds: its model, or a checkpoint that has come further.

    Raises GantkError with why there is nothing.
    """
    notes: list[str] = []
    checkpoint = CheckpointStore(run.checkpoints, run.id).newest(notes)
    step = _step_of_model(run)
    if step is not None and (checkpoint is None or step >= checkpoint.step):
        model = load(run.model, host, device)
    elif checkpoint is not None:
        model = _from(checkpoint, run, host, device)
        step = checkpoint.step
    else:
        why = f": {notes[0]}" if notes else ""
        raise GantkError(f"there is neither a model nor a whole checkpoint{why}")
    return Source(model.latents, model.codes, model.generate, step)


def _from(checkpoint: Checkpoint, run: RunFolder, host: PluginHost, device: str) -> Model:
    data = run.run_json.get("data")
    if not isinstance(data, dict) or not isinstance(data.get("shape"), list):
        raise GantkError("run.json does not say what one sample looks like")
    return from_checkpoint(checkpoint, data, host, device)


def _step_of_model(run: RunFolder) -> int | None:
    """Return the steps the model file was trained for; None when there is no file."""
    if not run.model.is_file():
        return None
    steps = describe(run.model)["facts"].get("steps")
    return steps if isinstance(steps, int) else 0
