"""A run leaves a report however it ends, trains as ever, and tells nobody where it is."""

from __future__ import annotations

import getpass
import math
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import gan_toolkit.launch
from gan_toolkit import files
from gan_toolkit.assemble import Parts
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.device import Device
from gan_toolkit.errors import GantkError, GuardError, Preempted, StorageError
from gan_toolkit.events import Guard
from gan_toolkit.launch import launch, resume
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.report import reporter, write_report
from gan_toolkit.report.album import draw
from gan_toolkit.report.reporter import Reporter
from gan_toolkit.report.sources import of_run
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import difference

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = (
    "run.steps=6",
    "run.checkpoint_every=2",
    "run.log_every=1",
    "data.count=2000",
    "measures.bound.enabled=false",
    "measures.modes.enabled=false",
    "panels.samples.enabled=false",
    "panels.mode.enabled=false",
    "panels.bound.enabled=false",
)


def start(out: Path, name: str, *more: str, report: bool = True) -> RunFolder:
    recipe = load_recipe(RING, HOST, overrides=[Override(text) for text in (*SHORT, *more)])
    return launch(
        recipe, HOST, device=Device(), out=out, name=name, tell=lambda _: None, report=report
    )


def reopened(out: Path, name: str) -> RunFolder:
    return RunFolder.open(out / "infogan_ring" / name)


def status_in(run: RunFolder) -> str:
    found = re.search(r'class="chip state">(\w+)<', run.report.read_text("utf-8"))
    assert found is not None
    return found[1]


@pytest.fixture
def at_step(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, Callable[[Parts], None]], None]:
    """Do something to the parts of a run when so many steps are done."""

    def arrange(step: int, act: Callable[[Parts], None]) -> None:
        assemble = gan_toolkit.launch.assemble

        def changed(*arguments: Any) -> Parts:
            parts = assemble(*arguments)
            train = parts.engine.step

            def steps(real: torch.Tensor) -> dict[str, torch.Tensor]:
                metrics = train(real)
                if parts.engine.steps_done == step:
                    act(parts)
                return metrics

            parts.engine.step = steps  # type: ignore[method-assign]
            return parts

        monkeypatch.setattr(gan_toolkit.launch, "assemble", changed)

    return arrange


def test_a_run_trains_alike_with_and_without_reports(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reporter, "SHARE", 1e12)  # a report at every checkpoint
    without, with_reports = start(tmp_path, "a", report=False), start(tmp_path, "b")

    last = [CheckpointStore(r.checkpoints, r.id).newest([]) for r in (without, with_reports)]
    assert last[0] is not None
    assert last[1] is not None
    assert difference(last[0].load(), last[1].load()) == []
    assert without.model.read_bytes() == with_reports.model.read_bytes()
    assert not without.report.exists()
    assert status_in(with_reports) == "finished"


def test_reports_come_at_checkpoints_while_a_run_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_step: Any
) -> None:
    monkeypatch.setattr(reporter, "SHARE", 1e12)
    found: list[tuple[str, int]] = []
    run = lambda: reopened(tmp_path, "run")  # noqa: E731
    at_step(3, lambda _: found.append((status_in(run()), run().report.stat().st_size)))

    start(tmp_path, "run")

    assert found[0][0] == "running"
    assert found[0][1] > 10_000


def test_reports_take_a_hundredth_of_the_time(tmp_path: Path, make_run: Any) -> None:
    now = [0.0]
    guard = Guard(lambda _: None)
    writer = Reporter(make_run(), HOST, lambda: None, guard, clock=lambda: now[0])  # type: ignore[arg-type,return-value]
    written: list[float] = []

    def slow(*_: object, **__: object) -> Path:
        written.append(now[0])
        now[0] += 5.0
        return tmp_path

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reporter, "write_report", slow)
        while now[0] < 3_000:
            writer.write_if_cheap()
            now[0] += 10.0

    assert written[0] == pytest.approx(300, abs=10)
    assert len(written) * 5.0 <= 0.01 * 3_000 + 5.0


def test_a_run_that_is_asked_to_stop_leaves_a_report(tmp_path: Path, at_step: Any) -> None:
    at_step(3, lambda _: os.kill(os.getpid(), signal.SIGTERM))

    with pytest.raises(Preempted):
        start(tmp_path, "run")

    run = reopened(tmp_path, "run")
    assert status_in(run) == "stopped"
    assert 'id="album"' in run.report.read_text("utf-8")


def test_a_run_that_was_stopped_tells_the_step_that_was_saved(tmp_path: Path, at_step: Any) -> None:
    """It lies after the last one that was logged, here the first."""
    at_step(3, lambda _: os.kill(os.getpid(), signal.SIGTERM))

    with pytest.raises(Preempted):
        start(tmp_path, "run", "run.log_every=50")

    run = reopened(tmp_path, "run")
    assert [record["step"] for record in run.metrics.read()] == [1]
    assert "<dt>steps</dt><dd>3 of 6</dd>" in run.report.read_text("utf-8")


def test_asked_twice_it_stops_at_once(tmp_path: Path, at_step: Any) -> None:
    def twice(_: Parts) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), signal.SIGINT)

    at_step(3, twice)

    with pytest.raises(KeyboardInterrupt):
        start(tmp_path, "run")

    assert not reopened(tmp_path, "run").report.exists()


def test_a_run_that_broke_shows_its_last_checkpoint(tmp_path: Path, at_step: Any) -> None:
    def poison(parts: Parts) -> None:
        for parameter in parts.engine.generator.parameters():
            parameter.data.fill_(math.nan)

    at_step(3, poison)

    with pytest.raises(GuardError):
        start(tmp_path, "run")

    page = reopened(tmp_path, "run").report.read_text("utf-8")
    assert status_in(reopened(tmp_path, "run")) == "failed"
    assert "Generator of step 2." in page
    assert "<strong>failed:</strong> step 3: " in page


def test_a_bug_leaves_a_report_too(tmp_path: Path, at_step: Any) -> None:
    def bug(_: Parts) -> None:
        raise ZeroDivisionError("a <bug>")

    at_step(3, bug)

    with pytest.raises(ZeroDivisionError):
        start(tmp_path, "run")

    assert "ZeroDivisionError: a &lt;bug&gt;" in reopened(tmp_path, "run").report.read_text("utf-8")


@pytest.mark.parametrize("error", [RuntimeError("boo"), StorageError("disk full"), SystemExit(3)])
def test_a_report_that_fails_costs_the_report_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_: object, **__: object) -> Path:
        raise error

    monkeypatch.setattr(reporter, "write_report", fail)

    run = start(tmp_path, "run")

    assert run.run_json["status"] == "finished"
    assert f"report failed, the run goes on: {type(error).__name__}" in run.log_file.read_text()


def test_a_full_disk_at_the_end_hides_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_step: Any
) -> None:
    def full(path: Path, data: object) -> None:
        raise StorageError(f"disk full: {path.name}")

    def fill(_: Parts) -> None:
        monkeypatch.setattr(files, "write_atomic", full)
        monkeypatch.setattr("gan_toolkit.runs.append", full)
        raise ZeroDivisionError("the cause")

    at_step(3, fill)

    with pytest.raises(ZeroDivisionError, match="the cause"):
        start(tmp_path, "run")


# --- from the folder alone ------------------------------------------------------------------


def test_a_model_and_a_checkpoint_of_the_same_step_give_the_same_pictures(tmp_path: Path) -> None:
    run = start(tmp_path, "run", report=False)

    of_model = of_run(run, HOST)
    run.model.unlink()
    of_checkpoint = of_run(run, HOST)

    assert of_model.codes == of_checkpoint.codes == ("mode",)
    assert of_model.step == of_checkpoint.step == 6
    pages = [draw(source, work=lambda: 0.0) for source in (of_model, of_checkpoint)]
    assert [s.image for s in pages[0].sheets] == [s.image for s in pages[1].sheets]


def test_the_averaged_generator_is_the_one_that_is_shown(tmp_path: Path) -> None:
    averaging = ('averaging.use="ema"', "averaging.decay=0.9")
    run = start(tmp_path, "run", *averaging, report=False)

    shown = of_run(run, HOST)
    run.model.unlink()
    found = of_run(run, HOST)

    latent = shown.space.sample(4, torch.Generator().manual_seed(1))
    assert torch.equal(shown.generate(latent), found.generate(latent))


def test_what_came_further_is_shown(tmp_path: Path) -> None:
    run = start(tmp_path, "run", report=False)
    model = run.model.read_bytes()
    resume(run.folder, HOST, tell=lambda _: None, steps=8)
    assert of_run(run, HOST).step == 8

    run.model.write_bytes(model)  # as if the second part had been killed before its end

    assert of_run(run, HOST).step == 8


def test_without_model_and_checkpoint_the_report_says_so(tmp_path: Path) -> None:
    run = start(tmp_path, "run", report=False)
    run.model.unlink()
    for path in run.checkpoints.glob("*/MANIFEST.json"):
        path.unlink()

    with pytest.raises(GantkError, match="neither a model nor a whole checkpoint"):
        of_run(run, HOST)
    page = write_report(run, lambda: of_run(run, HOST)).read_text("utf-8")
    assert "There are no pictures of the codes: there is neither a model nor" in page


def test_a_recipe_tells_where_its_values_come_from_after_a_resume_too(tmp_path: Path) -> None:
    run = start(tmp_path, "run", report=False)
    before, _ = run.read_origins()

    resume(run.folder, HOST, tell=lambda _: None, steps=8)

    after, _ = run.read_origins()
    assert before["run.batch_size"] == after["run.batch_size"] == "infogan_ring.toml:10"
    assert before["run.accumulate"] == after["run.accumulate"] == "default of the core"
    assert before["run.steps"] == after["run.steps"] == "--set #1"


def test_no_place_of_the_machine_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Canaries: home, the folder of the run, the recipe's place, the environment, the machine."""
    home = tmp_path / "home of canary"
    place = home / "recipes of canary"
    place.mkdir(parents=True)
    recipe = place / "own.toml"
    recipe.write_text(RING.read_text() + "\n[trackers]\n", "utf-8")
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("CANARY", "what the canary sings")
    text = recipe.read_text().replace('name = "infogan_ring"', 'name = "own"', 1)
    summary = '"${env:CANARY} and more"'
    text = re.sub(r"summary = .*", lambda _: f"summary = {summary}", text, count=1)
    recipe.write_text(text, "utf-8")
    loaded = load_recipe(recipe, HOST, overrides=[Override(text) for text in SHORT])
    assert loaded.summary == "what the canary sings and more"
    argv = [str(home / "bin/gantk"), "run", str(recipe), f"--out={home / 'runs'}"]

    run = launch(
        loaded,
        HOST,
        device=Device(),
        out=home / "runs",
        tell=lambda _: None,
        argv=argv,
        report=True,
    )
    run.update(host="canary-machine")
    run.log(f'  File "{home / "x y.py"}", line 3\nno {home / "data/x.zip"} here')
    page = write_report(run, lambda: of_run(run, HOST)).read_text("utf-8")

    outside = re.sub(r"data:image/\w+;base64,[A-Za-z0-9+/=]+", "", page)
    for secret in ("canary", "sings", str(tmp_path), tmp_path.name):
        assert secret not in outside, secret
    if len(getpass.getuser()) > 4:
        assert getpass.getuser() not in outside
    assert "${env:CANARY} and more" in outside
    assert "own.toml:" in outside
    assert "gantk run &#39;…/own.toml&#39; &#39;--out=…/runs&#39;" in outside
