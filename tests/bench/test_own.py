"""The toolkit's own contestants: the loop of a run, and the products of its step."""

from __future__ import annotations

import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest
import torch

from gan_toolkit import Override, load_plugins, load_recipe
from gan_toolkit.bench import own, stepping
from gan_toolkit.bench.own import products, random_data, training
from gan_toolkit.bench.stepping import settling
from gan_toolkit.device import Device
from gan_toolkit.recipe.finding import find_recipe
from gan_toolkit.registry import Registry
from gan_toolkit.signals import StopRequest

HOST = load_plugins(environ={})
SMALL = ("data.count=2000", "run.batch_size=16", "run.log_every=2", "run.checkpoint_every=1")
EMA = ('averaging.use="ema"',)


def ring(*changes: str):
    overrides = [Override(text) for text in (*SMALL, *changes)]
    return load_recipe(find_recipe("infogan_ring", HOST), HOST, overrides=overrides)


@pytest.fixture
def told() -> list[dict]:
    return []


@pytest.fixture
def set_up(tmp_path, told):
    """Set the training loop of the ring up, with changes."""

    def make(*changes: str, **more):
        arguments = {"device": Device(threads=1), "folder": tmp_path, "tell": told.append}
        return training(ring(*changes), HOST, **(arguments | more))({})

    return make


def test_steps_are_those_of_a_run_that_neither_saves_nor_ends(set_up, told, tmp_path):
    facts, verbs = set_up()

    assert verbs["steps"](5) == {}

    assert facts["batch"] == facts["samples_per_step"] == 16
    assert facts["data"] == "ring (synthetic)"
    assert [event["event"] for event in told] == ["start", "log", "log", "log"]
    assert [event["step"] for event in told[1:]] == [1, 2, 4]
    assert list(tmp_path.rglob("MANIFEST.json")) == []
    assert list(tmp_path.rglob("metrics.jsonl")) != []


def test_shares_sum_to_one_and_name_every_part(set_up):
    before = vars(torch.autograd)["grad"]
    _, verbs = set_up(*EMA)
    verbs["steps"](1)

    shares = verbs["shares"](2)["shares"]

    parts = {"averaging", "data", "engine", "latents", "optimiser", "passes", "records"}
    assert set(shares) == parts
    assert sum(shares.values()) == pytest.approx(1)
    assert all(share > 0 for share in shares.values())
    assert vars(torch.autograd)["grad"] is before


def test_watching_leaves_no_trace(set_up, monkeypatch):
    loops = []
    monkeypatch.setattr(own, "shares", lambda loop, *_: loops.append(loop))
    _, verbs = set_up()
    verbs["shares"](1)
    monkeypatch.undo()
    (loop,) = loops
    before = [set(vars(part)) for part in (loop.engine, loop.parts.batches)]

    own.shares(loop, partial(loop.step, StopRequest()), 1, lambda: None)

    assert [set(vars(part)) for part in (loop.engine, loop.parts.batches)] == before


def test_a_step_counts_the_operations_that_its_floor_computes(set_up):
    _, verbs = set_up('run.on_alarm="off"')  # else some samples are made to be looked at
    facts, floor = products(ring(), HOST, device=Device(threads=1))({})

    assert verbs["flops"](2) == {"flops": sum(facts["products"].values())}
    assert floor["flops"](1) == verbs["flops"](1)
    assert floor["steps"](2) == {}


def test_random_samples_stand_in_for_the_recipe_s(set_up):
    facts, verbs = set_up(data=random_data((2,)))
    verbs["steps"](1)

    assert facts["data"] == "random samples (synthetic)"


@pytest.mark.parametrize(
    ("shape", "dtype"), [((1, 4, 4), torch.uint8), ((2,), torch.float32), ((3, 2, 2), torch.uint8)]
)
def test_random_samples_are_as_a_data_set_s_and_always_the_same(shape, dtype):
    one, other = (random_data(shape).batch(torch.arange(4)).samples for _ in range(2))

    assert (tuple(one.shape), one.dtype) == ((4, *shape), dtype)
    assert torch.equal(one, other)


class Module:
    def __init__(self) -> None:
        self.waited = 0

    def synchronize(self, _device) -> None:
        self.waited += 1

    def max_memory_allocated(self, _device) -> int:
        return 123


def test_an_accelerator_is_waited_for_and_tells_its_own_memory(monkeypatch):
    module = Module()
    monkeypatch.setattr(stepping.torch, "get_device_module", lambda _: module)
    device = torch.device("cuda")
    settling(device)()

    assert stepping.stepping(lambda: None, device)["steps"](3) == {"peak_bytes": 123}
    assert module.waited == 2


def calls_of(step) -> Counter[str]:
    """Return how often each function of ours is called in a step."""
    found: Counter[str] = Counter()

    def note(frame, event, _argument):
        if event == "call" and Path(frame.f_code.co_filename).is_relative_to(ROOT):
            found[frame.f_code.co_qualname] += 1

    sys.setprofile(note)
    try:
        step()
    finally:
        sys.setprofile(None)
    return found


ROOT = Path(own.__file__).parents[2]


def test_a_hundred_components_on_offer_cost_a_step_no_call(set_up, monkeypatch):
    _, verbs = set_up()
    verbs["steps"](2)
    few = calls_of(lambda: verbs["steps"](2))
    crowd = load_plugins(environ={})
    registry: Registry = crowd.registry
    with registry.owned_by("crowd"):
        for number in range(100):
            registry.add("regulariser", f"crowd_{number}", build="nowhere:Nothing")
    monkeypatch.setitem(globals(), "HOST", crowd)
    _, verbs = set_up()
    verbs["steps"](2)

    assert calls_of(lambda: verbs["steps"](2)) == few
