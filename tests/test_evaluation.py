"""Looking at a run between two steps: in eval mode, and without a trace."""

from __future__ import annotations

import math
from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit.averaging import ExponentialAverage
from gan_toolkit.batches import ArrayDataset
from gan_toolkit.device import Device
from gan_toolkit.engine import Engine, Term
from gan_toolkit.evaluation import CHUNK, EngineView, Trained, evaluate, quiet
from gan_toolkit.interfaces import Measure, Score, View
from gan_toolkit.matrices import Matrix
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.testing.parts import WIDTH, ReadBack, tiny_engine


class ReadThroughNorm(ReadBack):
    """Reads the code through batch norm and dropout: in training mode each row moves the others."""

    def __init__(self) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.BatchNorm1d(WIDTH), nn.Dropout(0.5), nn.Linear(WIDTH, 1))


def points(count: int = 40) -> ArrayDataset:
    rng = torch.Generator().manual_seed(0)
    return ArrayDataset("points", "synthetic", torch.randn(count, 2, generator=rng))


def trained(**changes: object) -> Engine:
    """Return an engine whose running statistics are no longer those it began with."""
    engine = tiny_engine(terms=[Term("read", ReadThroughNorm())], **changes)
    for step in range(3):
        rng = torch.Generator().manual_seed(step)
        engine.step(torch.randn(8, 2, generator=rng))
    return engine


def view_of(engine: Engine) -> EngineView:
    return EngineView(engine, points(), name="tiny", seed=0)


def modules(engine: Engine) -> Iterator[nn.Module]:
    for part in (engine.generator, engine.shown, engine.critic, *engine.regularisers.values()):
        yield from part.modules()


def state(engine: Engine) -> tuple[Snapshot, list[bool]]:
    snapshot = engine.snapshot()
    tensors = {g: {n: t.clone() for n, t in group.items()} for g, group in snapshot.tensors.items()}
    return Snapshot(tensors, snapshot.facts), [module.training for module in modules(engine)]


def look_at_everything(view: EngineView) -> dict[str, Tensor]:
    bank = view.bank(4)
    return {"sample": view.generate(bank.latent), **view.infer(bank.samples)}


@pytest.mark.parametrize("averaging", [None, ExponentialAverage(0.9)], ids=["plain", "averaged"])
def test_a_sample_alone_equals_the_same_sample_in_a_batch(averaging):
    view = view_of(trained(averaging=averaging))
    latent, samples = view.bank(6)

    together = view.infer(samples)["code"]

    for row in range(6):
        alone = slice(row, row + 1)
        torch.testing.assert_close(view.generate(latent[alone]), samples[alone])
        torch.testing.assert_close(view.infer(samples[alone])["code"], together[alone])


def test_looking_leaves_weights_statistics_and_modes_as_they_were():
    engine = trained()
    before, modes = state(engine)

    look_at_everything(view_of(engine))

    after, modes_after = state(engine)
    assert difference(before, after) == []
    assert modes_after == modes
    assert all(modes)


@pytest.mark.parametrize("held", ["generator.norm", "critic.dropout", "regularisers.read.head"])
def test_a_part_that_its_owner_holds_in_eval_mode_stays_there(held):
    engine = trained()
    parts = nn.ModuleDict({"generator": engine.generator, "critic": engine.critic})
    parts["regularisers"] = nn.ModuleDict(engine.regularisers)
    parts.get_submodule(held).eval()
    _, modes = state(engine)

    look_at_everything(view_of(engine))

    assert state(engine)[1] == modes
    assert not all(modes)


def test_modes_come_back_when_looking_fails():
    engine = trained()

    def look() -> None:
        with quiet(engine):
            assert not any(module.training for module in modules(engine))
            assert not torch.is_grad_enabled()
            raise RuntimeError("no more")

    with pytest.raises(RuntimeError, match="no more"):
        look()

    assert all(module.training for module in modules(engine))


def test_a_bank_is_the_beginning_of_one_endless_row():
    view = view_of(trained())

    few, many = view.bank(5), view.bank(CHUNK + 5)

    assert many.latent.shape[0] == many.samples.shape[0] == CHUNK + 5
    assert torch.equal(few.samples, many.samples[:5])
    assert not torch.equal(many.latent[:5], many.latent[CHUNK:])


def test_looking_keeps_the_precision_of_the_run_and_returns_f32():
    engine = trained(device=Device(precision="bf16"))
    seen: list[torch.dtype] = []
    engine.critic.out.register_forward_hook(lambda _, __, out: seen.append(out.dtype))

    found = look_at_everything(view_of(engine))

    assert set(seen) == {torch.bfloat16}
    assert {tensor.dtype for tensor in found.values()} == {torch.float32}


def test_real_samples_are_drawn_once_each_and_held_out_ones_must_exist():
    view = view_of(trained())

    real = view.real(100).samples

    assert torch.equal(real.unique(dim=0), points().batch(torch.arange(40)).samples.unique(dim=0))
    with pytest.raises(ValueError, match="points has no held-out samples"):
        view.real(4, held_out=True)


def test_a_value_that_is_not_finite_is_recorded_as_null_and_void():
    class Two(Measure):
        def measure(self, view: View) -> list[Score]:
            return [Score("good", 0.5, 10, "exact"), Score("bad", math.nan, 10, "exact")]

    good, bad = evaluate("table", Two(), view_of(trained()))

    assert (good["measure"], good["value"], "void" in good) == ("table", 0.5, False)
    assert (bad["value"], bad["void"]) == (None, "the value is nan")


def counting(engine: Engine) -> list[int]:
    """Return a list to which each batch that the critic judges adds its size."""
    seen: list[int] = []
    engine.critic.register_forward_hook(lambda _, given, __: seen.append(len(given[0])))
    return seen


def test_real_samples_are_read_once_however_many_ask():
    engine = trained()
    view = EngineView(engine, points(CHUNK + 40), name="tiny", seed=0)
    few, raw_of_few = view.read_real(10)
    seen = counting(engine)

    many, raw_of_many = view.read_real(CHUNK + 5)
    view.read_real(20)

    assert seen == [40]  # the second chunk: the first was read for the few
    assert torch.equal(many.samples[:10], few.samples)
    assert torch.equal(raw_of_many["code"][:10], raw_of_few["code"])
    assert len(many.samples) == len(raw_of_many["code"]) == CHUNK + 5


def test_reading_real_samples_gives_what_real_and_infer_give():
    view = EngineView(trained(), points(CHUNK + 40), name="tiny", seed=0)

    batch, raw = view.read_real(CHUNK + 20)

    apart = view.real(CHUNK + 20)
    assert torch.equal(batch.samples, apart.samples)
    torch.testing.assert_close(raw["code"], view.infer(apart.samples)["code"])


def test_what_is_remembered_is_made_once_for_a_seed_and_shared_between_views():
    engine, memory, made = trained(), {}, []

    def ask(seed: int, key: str) -> int:
        view = EngineView(engine, points(), name="tiny", seed=seed, memory=memory)
        view.remember(key, lambda: made.append(key))
        return len(made)

    assert [ask(0, "a"), ask(0, "a"), ask(0, "b"), ask(1, "a")] == [1, 1, 2, 3]


def test_without_a_critic_nothing_is_inferred():
    engine = trained()
    parts = Trained(engine.latents, engine.shown, None, engine.regularisers)

    view = EngineView(parts, points(), name="tiny", seed=0)

    assert view.inferable == ()
    assert len(view.bank(3).samples) == 3


def test_a_record_says_how_and_on_what_a_score_was_found():
    class One(Measure):
        def measure(self, view: View) -> list[Score]:
            return [Score("one", 0.5, 10, "exact", split="held-out")]

    engine = trained()
    view = EngineView(engine, points(), name="tiny", seed=3, effort="fast")

    (record,) = evaluate("table", One(), view, "one@2")

    assert record == {
        "measure": "table",
        "use": "one@2",
        "name": "one",
        "value": 0.5,
        "count": 10,
        "estimator": "exact",
        "split": "held-out",
        "seed": 3,
        "step": 3,
        "effort": "fast",
        "data": {
            "name": "points",
            "source": "synthetic",
            "fingerprint": points().fingerprint()[:12],
        },
    }


def test_a_record_holds_what_else_is_known_of_a_score_and_nothing_empty():
    class One(Measure):
        def measure(self, view: View) -> list[Score]:
            told = {"protocol": "ours", "warnings": ("few",), "headline": "ONE"}
            return [
                Score(
                    "one", 0.5, 10, "exact", anchors={"known": float("nan"), "best": 1.0}, **told
                ),
                Score("two", 0.5, 10, "exact"),
            ]

    one, two = evaluate("table", One(), view_of(trained()))

    assert one["anchors"] == {"known": None, "best": 1.0}
    assert (one["protocol"], one["warnings"], one["headline"]) == ("ours", ["few"], "ONE")
    assert not {"protocol", "warnings", "headline", "anchors"} & two.keys()


def test_the_view_before_training_is_of_fresh_parts_made_once_and_draws_alike():
    made = []

    def fresh() -> Engine:
        made.append(tiny_engine(terms=[Term("read", ReadThroughNorm())]))
        return made[-1]

    view = EngineView(
        trained(), points(), name="tiny", seed=4, effort="fast", memory={}, fresh=fresh
    )

    assert not made
    before = view.untrained()
    assert before is view.untrained()
    assert (before.step, before.seed, before.effort, before.data) == (0, 4, "fast", view.data)
    assert torch.equal(before.bank(3).latent, view.bank(3).latent)
    assert not torch.equal(before.bank(3).samples, view.bank(3).samples)
    assert torch.equal(before.real(5).samples, view.real(5).samples)
    assert before.untrained() is None
    assert len(made) == 1


def test_during_training_there_is_no_view_before_it():
    assert view_of(trained()).untrained() is None


def test_the_matrices_of_a_score_go_into_its_record() -> None:
    class Square(Measure):
        def measure(self, view: View) -> list[Score]:
            matrix = Matrix(("a",), ("x", "y"), ((0.5, math.nan),), "shares", "hinton")
            return [Score("with", 1.0, 1, "", matrices={"all": matrix}), Score("no", 1.0, 1, "")]

    one, other = evaluate("m", Square(), view_of(trained()))

    assert one["matrices"] == {
        "all": {
            "rows": ["a"],
            "columns": ["x", "y"],
            "values": [[0.5, None]],
            "what": "shares",
            "style": "hinton",
            "ceiling": None,
        }
    }
    assert "matrices" not in other
