"""The loop: batch, step, record, look, save, stop."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Hashable, Mapping
from dataclasses import asdict
from typing import Any

import torch

from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.crew import Crew
from gan_toolkit.divergence import Divergence
from gan_toolkit.errors import Diverged, GuardError
from gan_toolkit.evaluation import EngineView, evaluate
from gan_toolkit.events import Guard, Observers
from gan_toolkit.health import Health
from gan_toolkit.interfaces import Measure, Panel
from gan_toolkit.model import save_model
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Recipe
from gan_toolkit.report.reporter import Reporter
from gan_toolkit.runs import RunFolder
from gan_toolkit.signals import StopRequest
from gan_toolkit.tensorfile import SHARED
from gan_toolkit.watchdog import Watchdog

LONG_STEP = 120.0
"""Seconds after which a step is worth a word: it may have a term that hangs."""

Tell = Callable[[Mapping[str, Any]], None]
"""Is told every event of a run, as a record with the key `event`."""


class Loop:
    """One run of a recipe in its folder, from wherever its engine stands to the last step.

    With the plugins of `reporting` it writes a report now and then; `report` writes the last one.
    """

    def __init__(
        self,
        recipe: Recipe,
        parts: Parts,
        run: RunFolder,
        tell: Tell,
        reporting: PluginHost | None = None,
    ) -> None:
        self.recipe = recipe
        self.keys = recipe.run
        self.parts = parts
        self.engine = parts.engine
        self.crew = Crew(parts.engine.ranks, parts.engine)
        self.run = run
        self.tell = tell
        self.store = CheckpointStore(run.checkpoints, run.id, self.keys.keep_checkpoints)
        self.watchdog = Watchdog(self._note)
        self.observers = Observers(parts.trackers, self._note, self.watchdog)
        self.guard = Guard(self._note, self.watchdog)
        self.history: list[dict[str, Any]] = run.metrics.read()
        self.reporter = Reporter(run, reporting, self._view, self.guard) if reporting else None
        self.divergence = Divergence(
            self.keys, parts, self.crew, run, self.store, self.history, self._remark
        )
        self._memory: dict[Hashable, Any] = {}
        self.health = self._health() if self.keys.on_alarm != "off" else None
        self._begun_at = self.engine.steps_done
        self._saved_at = self.engine.steps_done or -1
        self._clock = (time.monotonic(), self.engine.steps_done)

    def __call__(self) -> None:
        """Train to the last step, then evaluate, draw and write the model file.

        Raises Interrupted or Preempted after saving, and GuardError when training diverged.
        """
        facts = {
            "run": self.run.id,
            "folder": str(self.run.folder),
            "name": self.recipe.name,
            "recipe": self.recipe.to_dict(),
        }
        self.observers.start(facts)
        for note in self.engine.notes:
            self._note(note)
        try:
            with StopRequest(repeated=self.crew.ranks.count > 1) as stop, self.watchdog:
                if self.divergence.goes_back and self.store.newest([]) is None:
                    self._save("start")
                self.crew.go_on()
                while self.engine.steps_done < self.keys.steps:
                    try:
                        self.step(stop)
                        self._heed(stop)
                    except Diverged as fault:
                        self._overcome(fault)
                    self.crew.go_on()
                self.crew.stay()
                self._finish(stop)
        finally:
            self.observers.close()
            for failure in (*self.guard.failures(), *self.observers.failures()):
                self._note(failure)

    def step(self, stop: StopRequest) -> None:
        """Take one step, and do what is due after it; of several ranks, all hear of `stop`."""
        done = self.engine.steps_done
        step = done + 1
        last = step == self.keys.steps
        logs = last or step % self.keys.log_every == 0 or step == 1
        self.engine.watched = logs and self.health is not None
        with self.watchdog.watching(f"step {step}", LONG_STEP):
            metrics = self.engine.step(self.parts.batches.at(done).samples)
        if done == self._begun_at:  # now the optimisers have all their state
            self.store.require_room(self.engine.snapshot().bytes)
        interval = self.keys.checkpoint_every
        saves = last or (interval > 0 and step % interval == 0)
        self.crew.call(stop, due=logs or saves or any(self._due_at(step)))
        if logs:
            self._log(step, metrics)
        self._look(step)
        if saves:
            self._save("end" if last else "interval")
            if not last and self.reporter is not None and self.reporter.write_if_cheap():
                self._emit("report", path=self.run.report.name, status="running")

    def _overcome(self, fault: Diverged) -> None:
        """Go on from an earlier checkpoint, or raise GuardError.

        What was done is committed at once: a run that is killed now must not do it again.
        """
        self.divergence.overcome(fault)
        self._saved_at = -1
        self._clock = (time.monotonic(), self.engine.steps_done)
        if self.health:
            self.health.begin_again()
        self._save("rollback")

    def _heed(self, stop: StopRequest) -> None:
        """Save and end if somebody asked for it; of several ranks, once all know of it."""
        error = stop.error() if self.crew.at_hand else None
        if error is not None:
            self._save("stop")
            raise error

    def _finish(self, stop: StopRequest) -> None:
        """Do what a finished run owes; doing it twice changes nothing.

        The model comes first, and again with its scores: measuring may take minutes, and fail.
        """
        view = self._view()
        self._write_model(view, [])
        self._heed(stop)
        scores = self._evaluate(view, self.parts.measures)
        self._heed(stop)
        self._draw(view, self.parts.panels)
        self._write_model(view, scores)
        self._emit("model", path=self.run.model.name)

    def _write_model(self, view: EngineView, scores: list[dict[str, Any]]) -> None:
        codes = {
            name: {"H": f"{self.engine.latents[name].entropy():.4f} nats"}
            for name in view.inferable
        }
        save_model(
            self.run.model,
            # no more than a model needs: paths and trackers of this machine stay here
            recipe={key: table for key, table in self.recipe.shareable().items() if key in SHARED},
            generator=self.engine.shown,
            critic=self.engine.critic,
            regularisers=self.engine.regularisers,
            facts={
                "steps": self.engine.steps_done,
                "samples_seen": self.parts.batches.size * self.engine.steps_done,
                "data": data_facts(self.parts) | described(self.parts),
                "codes": codes,
                "scores": scores,
            },
        )

    def report(self, status: str) -> None:
        """Write the report of a run that ended, however it did; do nothing unless it reports."""
        if self.reporter is not None and self.reporter.write(hasty=status != "finished"):
            self._emit("report", path=self.run.report.name, status=status)

    # --- the events of a step ---------------------------------------------------------------

    def _log(self, step: int, metrics: Mapping[str, torch.Tensor]) -> None:
        values = self.crew.means(metrics)
        bad = [name for name, value in values.items() if not math.isfinite(value)]
        if bad:
            raise Diverged(step, ", ".join(bad), values[bad[0]])
        now, then = time.monotonic(), self._clock
        self._clock = (now, step)
        samples = (step - then[1]) * self.parts.batches.size
        looks = self.health.look(step) if self.health else {}
        record = {"event": "log", "step": step, **values, **looks}
        self._record(record | {"samples_per_second": round(samples / max(now - then[0], 1e-9), 1)})
        self._listen(record)
        due = max((term.first for term in self.engine.terms), default=0)
        first = -(-(due + 1) // self.keys.log_every) * self.keys.log_every
        if step == first and (unmoved := self.engine.unmoved()):
            self._note(f"no loss has reached {', '.join(unmoved[:3])}: {len(unmoved)} in all")

    def _listen(self, record: Mapping[str, Any]) -> None:
        """Let the alarms read a record; GuardError when one is raised and the run is to stop."""
        changes = self.health.changes(record) if self.health else []
        for change in changes:
            self._remark(change)
        raised = [change["text"] for change in changes if change["state"] == "raised"]
        if raised and self.keys.on_alarm == "stop":
            self._save("alarm")
            raise GuardError(f"{raised[0]}; the run is saved, and a resume goes on with it")

    def _look(self, step: int) -> None:
        """Run the panels and measures that are due, but for those that are due at the end."""
        if step == self.keys.steps:
            return
        panels, measures = self._due_at(step)
        if panels or measures:
            view = self._view()
            self._evaluate(view, measures)
            self._draw(view, panels)

    def _due_at(self, step: int) -> tuple[dict[str, Panel], dict[str, Measure]]:
        panels = {n: p for n, p in self.parts.panels.items() if self._due(step, "panels", n)}
        measures = {n: m for n, m in self.parts.measures.items() if self._due(step, "measures", n)}
        return panels, measures

    def _due(self, step: int, table: str, name: str) -> bool:
        chosen = getattr(self.recipe, table).get(name)
        every: int = (chosen.shared.every if chosen is not None else 0) or 0
        if not every and table == "measures":
            every = self.keys.evaluate_every
        return every > 0 and step % every == 0

    def _evaluate(self, view: EngineView, measures: Mapping[str, Any]) -> list[dict[str, Any]]:
        if not measures:
            return []
        scores: list[dict[str, Any]] = []
        for name, measure in measures.items():
            use = self.recipe.component_of("measures", name)
            scores += self.guard.call(f"measure {name!r}", evaluate, name, measure, view, use) or ()
        self.run.add_scores(view.step, scores)
        self._record({"event": "evaluation", "step": view.step, "scores": scores})
        return scores

    def _draw(self, view: EngineView, panels: Mapping[str, Any]) -> None:
        for name, panel in panels.items():
            for picture in self.guard.call(f"panel {name!r}", panel.draw, view) or ():
                path = self.run.save_picture(picture, view.step)
                self.observers.picture(picture, view.step)
                self._emit("picture", step=view.step, path=path.relative_to(self.run.folder))

    def _save(self, reason: str) -> None:
        step = self.engine.steps_done
        if step == self._saved_at:
            return
        snapshot = self.crew.snapshot()
        self.divergence.require_sound(snapshot)
        length, digest = self.run.metrics.sync()
        extra = {
            "reason": reason,
            "recipe": self.recipe.to_dict(),
            "latents": list(self.recipe.latents),
            "device": self.engine.device.describe(),
            "ranks": self.crew.ranks.count,
            "data_fingerprint": self.parts.data.fingerprint(),
            "journal": {"bytes": length, "sha256": digest},
        }
        self.store.save(snapshot, step=step, extra=extra)
        self._saved_at = step
        self._emit("checkpoint", step=step, reason=reason)

    # --- telling ----------------------------------------------------------------------------

    def _health(self) -> Health:
        return Health(self.engine, self.keys.steps, self.history, self._view, self.guard)

    def _view(self) -> EngineView:
        return EngineView(
            self.engine,
            self.parts.data,
            name=self.recipe.name,
            seed=self.keys.seed,
            history=self.history,
            memory=self._memory,
            spread=self.crew.spread,
        )

    def _record(self, record: dict[str, Any]) -> None:
        """Write to the journal first, then tell: a tracker can be replayed from it."""
        self.run.metrics.append(record)
        self.history.append(record)
        self.observers.log(record)
        self.tell(record)

    def _remark(self, record: dict[str, Any]) -> None:
        """Record something that a reader of the log must hear of too; its `text` says it."""
        self._record(record)
        self.run.log(record["text"])

    def _emit(self, event: str, **facts: Any) -> None:
        self.tell(
            {"event": event, **{k: v if isinstance(v, int) else str(v) for k, v in facts.items()}}
        )

    def _note(self, text: str) -> None:
        self.run.log(text)
        self.tell({"event": "note", "text": text})


def data_facts(parts: Parts) -> dict[str, Any]:
    """Return what must be known of the data wherever a result of it is shown."""
    data = parts.data
    return {
        "name": data.name,
        "source": data.source,
        "samples": len(data),
        "shape": list(data.sample_shape),
        "fingerprint": data.fingerprint(),
        "notice": data.notice,
    }


def described(parts: Parts) -> dict[str, Any]:
    """Return what else a network may be built from: the names of classes and factors."""
    return {
        "classes": list(parts.data.classes),
        "factors": [asdict(factor) for factor in parts.data.factors],
    }
