"""Several processes, started by torchrun and talking by gloo."""

from __future__ import annotations

import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path
from types import ModuleType

import pytest
import safetensors.torch
import torch
import torch.distributed as dist

from gan_toolkit.checkpoints import CheckpointStore
from gan_toolkit.device import Device
from gan_toolkit.distributed import Alone, Group, joined
from gan_toolkit.errors import ExitCode, RankError
from gan_toolkit.launch import launch
from gan_toolkit.launcher import Place, place_of
from gan_toolkit.plugins import load_plugins
from gan_toolkit.recipe import Override, find_recipe, load_recipe
from gan_toolkit.runs import RunFolder
from gan_toolkit.snapshot import Snapshot, difference

pytestmark = pytest.mark.skipif(not dist.is_gloo_available(), reason="this torch has no gloo")

AT_WORK = Path(__file__).with_name("at_work.py")
RING = ("run", "infogan_ring", "--set", "data.count=2000", "--set", "measures.modes.enabled=false")


def torchrun(*arguments: object, count: int = 2) -> subprocess.Popen[str]:
    start = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node", str(count)]
    return subprocess.Popen(
        [*start, "--rdzv-backend=c10d", "--rdzv-endpoint=localhost:0", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={name: text for name, text in os.environ.items() if not name.startswith("OMP_")},
    )


def output_of(process: subprocess.Popen[str]) -> str:
    try:
        return process.communicate(timeout=100)[0]
    finally:
        process.kill()


def ours(output: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith("gantk:")]


def alone_in(out: Path) -> Path:
    """Run the ring in this process alone and return its folder."""
    changes = [Override(text) for text in (*RING[3::2], "run.steps=5")]
    host = load_plugins(environ={})
    recipe = load_recipe(find_recipe("infogan_ring", host), host, overrides=changes)
    run = launch(recipe, host, device=Device(), out=out, name="one", tell=lambda _: None)
    return run.folder


def last_state(folder: Path) -> Snapshot:
    run = RunFolder.open(folder)
    checkpoint = CheckpointStore(run.checkpoints, run.id).newest([])
    assert checkpoint is not None
    return checkpoint.load()


def at_work() -> ModuleType:
    spec = importlib.util.spec_from_file_location("at_work", AT_WORK)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@contextmanager
def first_of_two() -> Iterator[dict[str, str]]:
    """Let this process be the first of two; give what the other must know."""
    with socket.socket() as free:
        free.bind(("localhost", 0))
        port = str(free.getsockname()[1])
    both = {"MASTER_ADDR": "localhost", "MASTER_PORT": port, "WORLD_SIZE": "2"}
    with pytest.MonkeyPatch.context() as patch:
        for name, text in (both | {"RANK": "0"}).items():
            patch.setenv(name, text)
        yield os.environ | {"RANK": "1", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "2"}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Work with another process until it ends; return the folder of what both found."""
    out, threads, module = tmp_path_factory.mktemp("found"), torch.get_num_threads(), at_work()
    with first_of_two() as environment:
        other = subprocess.Popen([sys.executable, AT_WORK, out], env=environment)
        torch.set_num_threads(1)
        try:
            with joined(place_of(), accelerated=False) as ranks:
                module.work(ranks, out)
                assert other.wait(60) == 0
                (out / "lost.json").write_text(json.dumps(module.lose(ranks)))
        finally:
            other.kill()
            torch.set_num_threads(threads)
    return out


def test_means_the_largest_and_bytes_come_through(found):
    first, second = (json.loads((found / f"found-{rank}.json").read_text()) for rank in (0, 1))

    for said in (first, second):
        assert said["average"] == [[1.5, 1.5], [[5.0]]]
        assert said["largest"] == 7
    assert (first["heard"], second["heard"]) == ("there and back", "there")


def test_a_rank_that_goes_without_a_word_is_noticed_and_told_once(found):
    said = json.loads((found / "lost.json").read_text())

    first, second = said["errors"]
    assert first[0].startswith("another rank ended without saying why")
    assert first[1:] == [False, 1]
    assert second == ["rank 0: lost", True, 5]
    assert said["speaks again"] is False


@pytest.fixture(scope="module")
def alone() -> dict[str, torch.Tensor]:
    weights = at_work().trained(None, "synchronised")
    return {name: tensor.clone() for name, tensor in weights.items()}


def furthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max((one[name].double() - other[name]).abs().max().item() for name in one)


def test_two_processes_train_the_weights_of_one(found, alone):
    for rank in (0, 1):
        weights = safetensors.torch.load_file(found / f"synchronised-{rank}")

        assert furthest(weights, alone) < 1e-5


def test_with_local_norms_they_train_others_but_both_the_same(found, alone):
    one, other = (safetensors.torch.load_file(found / f"local-{rank}") for rank in (0, 1))

    assert furthest(one, other) == 0
    assert furthest(one, alone) > 1e-3


def test_a_launched_run_is_one_run_with_one_voice(tmp_path):
    command = ("-m", "gan_toolkit", *RING, "--steps", 5, "--no-report", "--out", tmp_path)

    output = output_of(torchrun(*command, "--name", "two"))

    folder = tmp_path / "infogan_ring" / "two"
    assert output.count("step 5/5") == 1
    assert output.count("2 ranks, each: CPU") == 1
    assert RunFolder.open(folder).run_json["status"] == "finished"
    assert [path.name for path in (tmp_path / "infogan_ring").iterdir()] == ["two"]
    one, two = last_state(alone_in(tmp_path)), last_state(folder)
    for part in ("generator", "critic", "regularisers"):
        assert furthest(one.tensors[part], two.tensors[part]) < 1e-5


# --- slow: how runs end ----------------------------------------------------------------------

SPOILT = """
import os, torch
from gan_toolkit import Options, Regulariser, hookimpl

class Nothing(Options):
    pass

class Spoilt(Regulariser):
    def critic_term(self, seen):
        if seen.step == 2 and os.environ["RANK"] == "1":
            raise RuntimeError("no such luck")

@hookimpl
def gantk_register(registry):
    registry.add("regulariser", "spoilt", options=Nothing, build="spoilt:Spoilt", version=1,
                 summary="Fails in one rank.")
"""


@pytest.mark.slow
def test_a_rank_that_fails_ends_all_with_one_line(tmp_path):
    (tmp_path / "spoilt.py").write_text(SPOILT)
    plugin = ("-P", tmp_path / "spoilt.py", "--set", 'regularisers.own={use="spoilt"}')

    output = output_of(torchrun("-m", "gan_toolkit", *RING, *plugin, "--out", tmp_path, "--name=x"))

    cause = "the term 'own' failed in the critic's phase: RuntimeError: no such luck"
    assert ours(output) == [f"gantk: rank 1: step 2: {cause}"]
    assert "exitcode  : 3" in output
    facts = RunFolder.open(tmp_path / "infogan_ring" / "x").run_json
    assert facts["status"] == "failed"
    assert facts["cause"] == f"rank 1: step 2: {cause}"


@pytest.mark.slow
def test_a_launcher_that_is_asked_to_stop_leaves_a_run_that_goes_on_exactly(tmp_path):
    steps = ("--steps", 300, "--set", "run.log_every=1", "--no-report", "--out", tmp_path)
    output_of(torchrun("-m", "gan_toolkit", *RING, *steps, "--name", "straight"))
    process = torchrun("-m", "gan_toolkit", *RING, *steps, "--name", "stopped")
    folder = tmp_path / "infogan_ring" / "stopped"
    while process.poll() is None and not (folder / "metrics.jsonl").exists():
        time.sleep(0.05)

    process.send_signal(signal.SIGTERM)
    output = output_of(process)

    assert ours(output) == ["gantk: stopped by SIGTERM"]
    assert RunFolder.open(folder).run_json["exit_code"] == 75
    output = output_of(torchrun("-m", "gan_toolkit", "resume", folder, "--no-report"))
    assert RunFolder.open(folder).run_json["status"] == "finished", output
    straight = last_state(tmp_path / "infogan_ring" / "straight")
    assert difference(straight, last_state(folder)) == []


# --- without other processes -----------------------------------------------------------------


def test_a_process_without_others_joins_nobody():
    with joined(Place(), accelerated=True) as ranks:
        assert isinstance(ranks, Alone)


class Deaf(dist.Store):
    """A store whose launcher is gone."""

    def compare_set(self, *_arguments: object) -> bytes:
        raise RuntimeError("gone")


def test_a_copied_network_is_still_of_its_rank():
    group = Group(Place(1, 2), Deaf())

    assert deepcopy([group])[0] is group


def test_when_the_launcher_is_gone_the_first_rank_speaks():
    assert Group(Place(0, 2), Deaf()).speaks(1, "why")
    assert not Group(Place(1, 2), Deaf()).speaks(1, "why")


def test_the_loss_of_a_rank_has_the_exit_code_of_its_cause():
    assert RankError("rank 3: gone", ExitCode.DATA).exit_code == 4
