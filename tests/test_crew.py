"""The first rank works between steps, the others serve it; here they are threads."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from threading import Lock
from typing import Any

import pytest
import torch

import gan_toolkit.crew
import gan_toolkit.launch
from gan_toolkit.assemble import Parts
from gan_toolkit.batches import ArrayDataset, Batches
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.crew import Crew, Follower
from gan_toolkit.device import Device
from gan_toolkit.distributed import Ranks
from gan_toolkit.engine import Engine
from gan_toolkit.errors import ExitCode, GuardError, Preempted, RankError, RecipeError
from gan_toolkit.evaluation import CHUNK, EngineView
from gan_toolkit.events import Guard
from gan_toolkit.launch import follow, follow_resumed, launch, plan, resume
from gan_toolkit.messages import Message, of_rank
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, load_recipe
from gan_toolkit.recipe.difference import is_free
from gan_toolkit.runs import RunFolder
from gan_toolkit.signals import StopRequest
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.testing.parts import TinyCritic, tiny_engine
from gan_toolkit.testing.ranks import as_ranks

RING = Path(gan_toolkit.__file__).parent.parent / "recipes" / "infogan_ring.toml"
HOST = load_plugins(environ={})
SHORT = (
    "data.count=2000",
    "run.log_every=2",
    "run.evaluate_every=4",
    "measures.bound.samples=600",
    "measures.modes.enabled=false",
    *(f"panels.{name}.enabled=false" for name in ("samples", "mode", "bound")),
)


# --- what is said ----------------------------------------------------------------------------


def test_a_message_comes_out_as_it_went_in():
    tensors = {"a/b": torch.eye(2), "c": torch.arange(3)}

    found = Message.from_bytes(Message("do", tensors, {"n": [1, None]}).to_bytes())

    assert (found.word, found.facts) == ("do", {"n": [1, None]})
    torch.testing.assert_close(found.tensors, tensors, rtol=0, atol=0)


def test_an_empty_message_comes_out_empty():
    assert Message.from_bytes(Message("go on", {}, {}).to_bytes()) == ("go on", {}, {})


# --- a crew of tiny engines ------------------------------------------------------------------


def parts_of(ranks: Ranks, engine: Engine) -> Parts:
    engine.ranks = ranks
    rng = torch.Generator().manual_seed(0)
    data = ArrayDataset("points", "synthetic", torch.randn(40, 2, generator=rng))
    return Parts(data, engine, Batches(data, 8, 0, share=ranks.share))


def alike() -> Engine:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return tiny_engine(critic=TinyCritic(dropout=0.0))


def crewed(act: Callable[[Crew, Parts], Any], count: int = 3, spoil: Any = None) -> Any:
    """Let `act` work as the first rank before step 0, while the others serve."""
    engines = [alike() for _ in range(count)]

    def one(ranks: Ranks) -> Any:
        parts = parts_of(ranks, engines[ranks.index])
        if spoil is not None and not ranks.is_first:
            spoil(parts, ranks.index)
        if not ranks.is_first:
            return Follower(parts, steps=0, seed=0)()
        crew = Crew(ranks, parts.engine)
        result = act(crew, parts)
        crew.go_on()
        crew.stay()
        crew.leave()
        return result

    return as_ranks(count, one)[0]


def view_of(parts: Parts, **more: Any) -> EngineView:
    return EngineView(parts.engine, parts.data, name="tiny", seed=0, **more)


@pytest.mark.parametrize("count", [40, CHUNK, 5 * CHUNK - 7])
def test_what_the_ranks_compute_together_is_what_one_computes(count):
    def act(crew: Crew, parts: Parts) -> None:
        alone, together = view_of(parts), view_of(parts, spread=crew.spread)
        assert torch.equal(together.bank(count).samples, alone.bank(count).samples)
        samples = alone.bank(count).samples
        assert together.infer(samples) == alone.infer(samples) == {}

    crewed(act)


def test_a_rank_that_cannot_compute_costs_the_measure_and_not_the_run():
    def spoil(parts: Parts, index: int) -> None:
        if index == 1:
            parts.engine.generator.forward = None

    def act(crew: Crew, parts: Parts) -> None:
        latent = torch.zeros(3 * CHUNK, parts.engine.latents.width)
        with pytest.raises(RuntimeError, match="TypeError: 'NoneType'"):
            view_of(parts, spread=crew.spread).generate(latent)
        assert crew.snapshot(), "all listen again"

    crewed(act, spoil=spoil)


def test_a_first_rank_that_cannot_compute_still_takes_the_answers():
    def act(crew: Crew, parts: Parts) -> None:
        latent = torch.zeros(3 * CHUNK, parts.engine.latents.width)
        with pytest.raises(ZeroDivisionError):
            crew.spread(lambda *_: 1 / 0, "generate", latent.split(CHUNK))
        assert crew.snapshot().facts["steps_done"] == 0

    crewed(act)


def test_a_rank_that_drifted_is_named_with_the_part():
    def spoil(parts: Parts, index: int) -> None:
        if index == 2:
            parts.engine.critic.out.bias.data += 1e-7

    def act(crew: Crew, _parts: Parts) -> None:
        with pytest.raises(GuardError, match="step 0: rank 2 holds another critic than rank 0"):
            crew.start_from(None)

    crewed(act, spoil=spoil)


def test_all_begin_where_the_first_begins():
    engine = alike()
    engine.step(torch.zeros(4, 2))
    snapshot = engine.snapshot()

    def act(crew: Crew, parts: Parts) -> Snapshot:
        parts.engine.restore(snapshot)
        crew.start_from(snapshot)
        return crew.snapshot()

    found = crewed(act)

    assert difference(of_rank(found, 0), snapshot) == []
    assert len(found.facts["ranks"]) == 2


def test_each_rank_gets_back_what_was_random_in_it():
    tensors = {
        name: torch.tensor([n]) for n, name in enumerate(("torch", "rank1.torch", "rank2.torch"))
    }
    facts = {"random": {"spare": 0}, "ranks": [{"spare": 1}, {"spare": 2}], "steps_done": 4}
    saved = Snapshot({"random": tensors}, facts)

    for rank in range(3):
        own = of_rank(saved, rank)

        assert own.facts == {"random": {"spare": rank}, "steps_done": 4}
        assert own.tensors == {"random": {"torch": torch.tensor([rank])}}


def test_a_rank_that_was_not_there_takes_what_the_first_had():
    snapshot = tiny_engine().snapshot()

    assert difference(of_rank(snapshot, 5), snapshot) == []


def test_alone_a_crew_does_everything_itself():
    engine = tiny_engine()
    crew, stop = Crew(engine.ranks, engine), StopRequest()

    crew.call(stop, due=True)
    crew.start_from(None)
    crew.go_on()
    crew.stay()
    crew.leave()

    assert crew.at_hand
    assert difference(crew.snapshot(), engine.snapshot()) == []
    assert crew.means({"b": torch.tensor(2.0), "a": torch.tensor(1)}) == {"a": 1.0, "b": 2.0}
    assert crew.spread(lambda *given: given, "generate", [1, 2]) == [
        ("generate", 1),
        ("generate", 2),
    ]


def test_the_loss_of_a_rank_is_no_fault_of_an_observer():
    def lost() -> None:
        raise RankError("rank 1: gone", ExitCode.UNEXPECTED)

    with pytest.raises(RankError):
        Guard(print).call("measure", lost)


# --- whole runs ------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def _one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads share torch's generator: build in turn, and leave the generator alone."""
    assemble, lock = gan_toolkit.launch.assemble, Lock()

    def in_turn(*arguments: Any) -> Parts:
        with lock:
            return assemble(*arguments)

    monkeypatch.setattr(gan_toolkit.launch, "assemble", in_turn)
    monkeypatch.setattr(gan_toolkit.launch, "seed_rank", lambda *_: None)
    monkeypatch.setattr(gan_toolkit.crew, "seed_rank", lambda *_: None)


def recipe(*more: str) -> Any:
    return load_recipe(RING, HOST, overrides=[Override(text) for text in (*SHORT, *more)])


def quietly(_event: Any) -> None:
    """Hear nothing."""


def start(out: Path, steps: int, name: str, count: int = 2, *more: str) -> RunFolder:
    """Run the ring with so many ranks."""
    chosen = recipe(f"run.steps={steps}", *more)

    def one(ranks: Ranks) -> RunFolder | None:
        if ranks.is_first:
            return launch(
                chosen, HOST, device=Device(), out=out, name=name, tell=quietly, ranks=ranks
            )
        return follow(chosen, HOST, device=Device(), ranks=ranks)

    return as_ranks(count, one)[0]


def go_on(run: RunFolder, steps: int, count: int = 2, tell: Any = quietly) -> RunFolder:
    def one(ranks: Ranks) -> RunFolder | None:
        if ranks.is_first:
            return resume(run.folder, HOST, tell=tell, steps=steps, ranks=ranks)
        return follow_resumed(run.folder, HOST, ranks=ranks, steps=steps)

    return as_ranks(count, one)[0]


def last(run: RunFolder) -> Any:
    return CheckpointStore(run.checkpoints, run.id).newest([])


def records(run: RunFolder, event: str = "log") -> list[dict[str, Any]]:
    found = [record for record in run.metrics.read() if record["event"] == event]
    aside = ("samples_per_second", "event")
    return [{k: v for k, v in r.items() if k not in aside} for r in found]


def test_two_ranks_find_what_one_finds(tmp_path):
    one, two = (start(tmp_path, 6, f"run{count}", count) for count in (1, 2))

    for alone, shared in zip(records(one), records(two), strict=True):
        assert shared == pytest.approx(alone, rel=1e-3, abs=1e-5)
    first, second = (records(run, "evaluation")[-1]["scores"] for run in (one, two))
    assert [s["value"] for s in second] == pytest.approx([s["value"] for s in first], rel=1e-3)
    assert last(two).manifest["ranks"] == two.run_json["ranks"] == 2


def test_stopped_and_resumed_equals_uninterrupted_with_as_many_ranks(tmp_path):
    straight, stopped = start(tmp_path, 9, "straight"), start(tmp_path, 4, "stopped")

    resumed = go_on(stopped, 9)

    found = difference(last(straight).load(), last(resumed).load())
    assert [line for line in found if "random" not in line] == []
    assert not records(resumed, "note")


@pytest.mark.parametrize("count", [1, 4])
def test_with_another_number_of_ranks_a_run_goes_on_and_says_so(tmp_path, count):
    straight, stopped = start(tmp_path, 9, "straight"), start(tmp_path, 4, "stopped")
    told: list[Any] = []

    resumed = go_on(stopped, 9, count, told.append)

    (note,) = records(resumed, "note")
    assert note["step"] == 4
    assert note["text"].startswith(
        f"the checkpoint is of 2 ranks, this run has {count}: the same up"
    )
    assert note["text"] in [event.get("text") for event in told]
    assert note["text"] in resumed.log_file.read_text()
    assert records(resumed)[-1] == pytest.approx(records(straight)[-1], rel=1e-3, abs=1e-5)


class Asked(StopRequest):
    """Was asked to stop before it began."""

    def __enter__(self) -> StopRequest:
        self.received = signal.SIGTERM
        return super().__enter__()


def test_a_stop_that_one_rank_hears_stops_all_and_is_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(gan_toolkit.crew, "StopRequest", Asked)

    with pytest.raises((Preempted, RankError), match="stopped by SIGTERM") as stopped:
        start(tmp_path, 9, "run")

    run = RunFolder.open(tmp_path / "infogan_ring" / "run")
    assert stopped.value.exit_code == run.run_json["exit_code"] == 75
    assert run.run_json["status"] == "stopped"
    assert last(run).step == 1


def test_a_rank_that_fails_ends_the_run_and_the_record_names_it(tmp_path, monkeypatch):
    real = Batches.at

    def at(self: Batches, step: int) -> Any:
        if step == 2 and self._share.func.__self__.index == 1:
            raise GuardError("no more")
        return real(self, step)

    monkeypatch.setattr(Batches, "at", at)

    with pytest.raises(GuardError, match="no more"):
        start(tmp_path, 9, "run")

    cause = RunFolder.open(tmp_path / "infogan_ring" / "run").run_json["cause"]
    assert cause == "rank 1: no more"


def test_a_batch_that_cannot_be_shared_is_refused_with_both_numbers(tmp_path):
    expected = r"run.batch_size: 128 samples can't be shared evenly by 3 ranks; try 126 or 129"

    with pytest.raises(RecipeError, match=expected):
        start(tmp_path, 9, "run", 3)
    with pytest.raises(RecipeError, match=expected):
        as_ranks(3, lambda ranks: plan(recipe(), HOST, Device(), ranks))
    assert not (tmp_path / "infogan_ring" / "run").exists()


def test_a_plan_says_how_many_ranks_there_are():
    rows = as_ranks(2, lambda ranks: dict(plan(recipe(), HOST, Device(), ranks)))[0]

    assert rows["device"].startswith("2 ranks, each: CPU")


def test_what_norms_look_at_enters_training():
    assert not is_free("run.batch_norm")
