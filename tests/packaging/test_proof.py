"""Components of a stranger, of 25 lines each, take part like ours: trained, saved, resumed."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Tensor

from gan_toolkit import (
    Latent,
    Override,
    Pass,
    Regulariser,
    choose_device,
    load_plugins,
    load_recipe,
)
from gan_toolkit import load as load_model
from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.exporting import choose_exporter, export_model
from gan_toolkit.launch import launch, resume
from gan_toolkit.plugins import PluginHost
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference
from gan_toolkit.testing.checking import check_plugin
from gan_toolkit.testing.conformance import LatentConformance
from gan_toolkit.testing.counting import code_lines

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent / "proof"
FILE = HERE / "proof.py"
MOST_LINES = 25


@pytest.fixture(scope="module")
def host() -> Iterator[PluginHost]:
    before = sys.modules.get("proof")
    assert before is None, "another module of this name would be taken for it"
    yield load_plugins([str(FILE)], environ={})
    del sys.modules["proof"]


@pytest.fixture
def proof(host: PluginHost) -> ModuleType:
    return sys.modules["proof"]


@pytest.fixture
def of_strangers(proof: ModuleType, request: pytest.FixtureRequest) -> None:
    request.instance.proof = proof


def test_each_component_is_short():
    lines = code_lines(FILE.read_text())
    components = {"BetaLatent", "BernoulliLatent", "Orthogonal", "Csv", "Svg", "moons"}
    lines["BetaLatent"] += lines["harmonic"]

    assert components <= lines.keys()
    assert {name: lines[name] for name in components if lines[name] > MOST_LINES} == {}


def test_the_page_that_compares_says_how_long_they_are():
    page = (ROOT / "docs" / "explanation" / "adding_a_component.md").read_text()
    lines = code_lines(FILE.read_text())

    for name in ("Orthogonal", "BetaLatent", "BernoulliLatent", "Csv", "Svg", "moons"):
        assert f"| `{name}` | {lines[name]} |" in page


def test_it_imports_the_public_surface_only():
    imports = [line for line in FILE.read_text().splitlines() if "gan_toolkit" in line]

    assert imports == ["from gan_toolkit import ("]


def test_all_but_the_integral_over_a_bounded_line_is_well(host):
    """`plugins check` can't know where a beta lives; the class below can."""
    found = list(check_plugin(next(r for r in host.records if r.name == "proof"), host))

    failed = {(f.component, f.check) for f in found if f.outcome == "failed"}
    assert len(found) > 40
    assert failed <= {("latent beta", "the density of a posterior integrates to one")}


@pytest.mark.usefixtures("of_strangers")
class TestBeta(LatentConformance):
    def make(self) -> Latent:
        return self.proof.BetaLatent(rank=2, of=4)

    def support(self) -> tuple[Tensor, float]:
        middles = (torch.arange(100_000, dtype=torch.float64) + 0.5) / 100_000
        return middles[:, None].float(), 1 / 100_000


@pytest.mark.usefixtures("of_strangers")
class TestBernoulli(LatentConformance):
    def make(self) -> Latent:
        return self.proof.BernoulliLatent(bits=3, chance=0.25)


def test_entropies_by_hand(proof):
    """Of Beta(1, 1), a uniform number: 0. Of Beta(2, 1), density 2x: 1/2 - log 2."""
    assert proof.BetaLatent(rank=1, of=1).entropy() == pytest.approx(0)
    assert proof.BetaLatent(rank=2, of=2).entropy() == pytest.approx(0.5 - math.log(2))
    assert proof.BernoulliLatent(bits=2, chance=0.5).entropy() == pytest.approx(2 * math.log(2))


def run(host: PluginHost, out: Path, steps: int, name: str) -> RunFolder:
    recipe = load_recipe(HERE / "proof.toml", host, overrides=[Override(f"run.steps={steps}")])
    device = choose_device("cpu")
    return launch(recipe, host, device=device, out=out, name=name, tell=lambda _: None)


def last_state(run: RunFolder) -> Snapshot:
    checkpoint = CheckpointStore(run.checkpoints, run.id).newest([])
    assert checkpoint is not None
    return checkpoint.load()


def test_trained_with_infogan_stopped_and_resumed_equals_uninterrupted(host, tmp_path):
    straight = run(host, tmp_path, 8, "straight")
    stopped = run(host, tmp_path, 4, "stopped")

    resumed = resume(stopped.folder, host, tell=lambda _: None, steps=8)

    assert difference(last_state(straight), last_state(resumed)) == []
    drawing = export_model(
        load_model(resumed.folder, host),
        choose_exporter("svg", ["points=5"], host),
        tmp_path / "moons.svg",
    )
    assert drawing.path.read_text().count("<circle") == 5 * 8
    table = (straight.folder / "critic-loss.csv").read_text().splitlines()
    assert [line.split(",")[0] for line in table] == [str(step) for step in range(1, 9)]
    saved = [name for group in last_state(straight).tensors.values() for name in group]
    assert [name for name in saved if "apart" in name and "head" in name]


def test_what_a_cell_defines_trains_by_name(tmp_path):
    class Even(Regulariser):
        def generator_term(self, seen: Pass) -> Tensor:
            return seen.fake.mean().square()

    host = load_plugins(environ={})
    host.registry.offer("regulariser", "even", Even)
    few = ("run.steps=2", "run.log_every=1", "data.count=256", "measures.bound.samples=100")
    even = 'regularisers.even={use = "even"}'
    recipe = load_recipe("infogan_ring", host, overrides=[Override(t) for t in (*few, even)])

    run = launch(recipe, host, device=choose_device("cpu"), out=tmp_path, tell=lambda _: None)

    assert "generator/even" in next(iter(run.metrics.read()))
