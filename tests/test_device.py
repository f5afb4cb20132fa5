"""The words for a device and a precision, and what the precision changes in a step."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from gan_toolkit import device
from gan_toolkit.device import Device, choose_device
from gan_toolkit.engine import Engine, Term
from gan_toolkit.errors import DeviceError, ExitCode
from gan_toolkit.interfaces import Generator, Pass, Regulariser
from gan_toolkit.launcher import Place
from gan_toolkit.players import Optimiser
from gan_toolkit.testing.parts import ReadBack, Smooth, tiny_engine

CPU = torch.device("cpu")


@pytest.fixture
def threads() -> Iterator[None]:
    """Put torch's own number of threads back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def pretend_cuda(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: count > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)


def test_auto_takes_cuda_and_bf16_where_they_are_and_the_cpu_elsewhere(monkeypatch):
    pretend_cuda(monkeypatch, 0)
    monkeypatch.setattr(torch.cpu, "get_capabilities", dict, raising=False)
    assert choose_device() == Device(CPU, "f32")

    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": True}, raising=False)
    assert choose_device() == Device(CPU, "bf16")

    pretend_cuda(monkeypatch, 2)
    assert choose_device() == Device(torch.device("cuda"), "bf16")


def test_plain_words_are_taken_as_they_are(monkeypatch):
    pretend_cuda(monkeypatch, 2)

    assert choose_device("cpu", "f32", deterministic=True, threads=3) == Device(CPU, "f32", True, 3)
    assert choose_device("cpu", "bf16").precision == "bf16"
    assert choose_device("cuda:1", "f32").torch_device == torch.device("cuda", 1)


def test_each_of_several_processes_takes_an_accelerator_of_its_own(monkeypatch):
    pretend_cuda(monkeypatch, 2)
    place = Place(index=5, count=8, local_index=1, local_count=2)

    for name in ("auto", "cuda"):
        assert choose_device(name, "f32", place=place).torch_device == torch.device("cuda", 1)
    assert choose_device("cpu", "f32", place=place).torch_device == CPU


def test_more_processes_than_accelerators_are_refused(monkeypatch):
    text = "4 ranks were started on this machine, and torch sees {}: start torchrun with"
    place = Place(0, 4, 0, 4)
    for cards, there in ((1, "1 CUDA device"), (2, "2 CUDA devices")):
        pretend_cuda(monkeypatch, cards)

        with pytest.raises(DeviceError, match=text.format(there) + f" --nproc-per-node {cards}$"):
            choose_device("auto", "f32", place=place)
    with pytest.raises(DeviceError, match="device 'cuda:1' can't be shared by 4 ranks; say cuda"):
        choose_device("cuda:1", "f32", place=place)


def test_processes_of_one_machine_share_its_cores(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: set(range(6)), raising=False)

    assert choose_device("cpu", "f32", place=Place(0, 4, 0, 2)).threads == 3
    assert choose_device("cpu", "f32", place=Place(0, 8, 0, 8)).threads == 1
    assert choose_device("cpu", "f32", threads=5, place=Place(0, 2, 0, 2)).threads == 5
    assert choose_device("cpu", "f32", place=Place()).threads == 0


def test_where_cores_can_not_be_assigned_all_are_counted(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    monkeypatch.setattr("os.cpu_count", lambda: None)

    assert choose_device("cpu", "f32", place=Place(0, 2, 0, 2)).threads == 1


def test_a_process_opens_only_the_accelerator_it_computes_on(monkeypatch):
    opened = []
    monkeypatch.setattr(torch.cuda, "set_device", opened.append)

    Device(torch.device("cuda", 1)).prepare()
    Device(torch.device("cuda")).prepare()
    Device().prepare()

    assert opened == [torch.device("cuda", 1)]


@pytest.mark.parametrize(
    ("name", "precision", "cards", "text"),
    [
        ("gpu", "f32", 0, "device 'gpu' is unknown; known: auto, cpu, cuda, cuda:1"),
        ("mps", "f32", 0, "device 'mps' is not supported; known: auto, cpu, cuda, cuda:1"),
        ("cuda", "f32", 0, "device 'cuda': torch sees no CUDA device; use auto or cpu"),
        ("cuda:2", "f32", 2, "device 'cuda:2': there are 2, numbered from cuda:0"),
        ("cpu", "f16", 0, "precision 'f16' is unknown; known: auto, f32, tf32, bf16"),
        ("cpu", "tf32", 0, "precision 'tf32' is CUDA's; on the CPU use auto, f32 or bf16"),
    ],
)
def test_a_word_that_can_not_be_served_is_refused_with_those_that_can(
    monkeypatch, name, precision, cards, text
):
    pretend_cuda(monkeypatch, cards)

    with pytest.raises(DeviceError) as caught:
        choose_device(name, precision)

    assert str(caught.value) == text
    assert caught.value.exit_code == ExitCode.DEVICE


def test_a_device_is_described_in_a_few_words(threads):
    machine = platform.machine()
    torch.set_num_threads(1)

    assert Device(threads=1).describe() == f"CPU ({machine}), 1 thread, f32"
    assert Device(threads=2, precision="bf16").describe() == f"CPU ({machine}), 2 threads, bf16"
    assert Device().describe() == f"CPU ({machine}), 1 thread, f32"
    assert Device(compiling="kernels").describe().endswith("f32, compiled")


def test_preparing_sets_threads_and_determinism_only_when_wanted(monkeypatch, threads):
    monkeypatch.setenv("CUBLAS_WORKSPACE_CONFIG", ":16:8")
    asked: list[bool] = []
    monkeypatch.setattr(torch, "use_deterministic_algorithms", asked.append)
    torch.set_num_threads(1)

    Device().prepare()
    assert (torch.get_num_threads(), asked) == (1, [])

    Device(deterministic=True, threads=2).prepare()
    assert (torch.get_num_threads(), asked) == (2, [True])


@pytest.fixture
def products() -> Iterator[None]:
    """Start with exact f32 products, and put torch's switches back."""
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    torch.set_float32_matmul_precision("highest")
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize(
    ("found", "exact", "wanted"),
    [
        ({"avx512_f": True, "cpu_name": "AMD EPYC"}, True, "medium"),
        ({"avx512_f": True, "cpu_name": "AMD EPYC"}, False, "highest"),
        ({"avx512_f": False, "cpu_name": "AMD EPYC"}, True, "highest"),
        ({"avx512_f": True, "cpu_name": "Intel Xeon"}, True, "highest"),
        ({}, True, "highest"),
    ],
)
def test_products_go_to_onednn_where_it_is_faster_and_as_exact(
    monkeypatch, products, found, exact, wanted
):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: found, raising=False)
    monkeypatch.setattr(device, "_products_are_exact", lambda: exact)

    Device().prepare()

    assert torch.get_float32_matmul_precision() == wanted


def test_a_product_that_was_rounded_is_noticed():
    assert device._products_are_exact()
    with torch.autocast("cpu", torch.bfloat16):
        assert not device._products_are_exact()


@pytest.mark.parametrize(("precision", "wanted"), [("f32", "highest"), ("tf32", "high")])
def test_on_cuda_f32_is_exact_and_tf32_is_asked_for_by_name(products, precision, wanted):
    Device(torch.device("cuda"), precision).prepare()

    assert torch.get_float32_matmul_precision() == wanted
    assert torch.backends.cudnn.allow_tf32 == (precision == "tf32")


class Maps(Generator):
    """One up-convolution."""

    channels_last = True

    def __init__(self) -> None:
        super().__init__()
        self.up = nn.ConvTranspose2d(4, 3, 4)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return self.up(latent[:, :, None, None])


@pytest.mark.parametrize("says", [True, False])
def test_weights_lie_channels_last_in_networks_that_say_they_may(says):
    network = Maps()
    network.channels_last = says
    before = network(torch.ones(2, 4))

    Device().place(nn.ModuleList([network]))

    assert network.up.weight.is_contiguous(memory_format=torch.channels_last) == says
    torch.testing.assert_close(network(torch.ones(2, 4)), before)


def test_peak_memory_is_counted_in_bytes():
    """A process that has loaded torch holds more than 50 MiB; in KiB the number would be less."""
    assert 50 * 2**20 < Device().peak_memory() < 2**50


# --- what bf16 changes ------------------------------------------------------------------------


class Watched(ReadBack):
    """Reads the code, and notes the type of the scores it is shown."""

    def __init__(self) -> None:
        super().__init__()
        self.scores: set[torch.dtype] = set()

    def critic_term(self, seen: Pass) -> Tensor:
        self.scores |= {seen.on_real.score.dtype, seen.on_fake.score.dtype}
        return super().critic_term(seen)


def game(precision: device.Precision) -> tuple[Engine, dict[str, set[torch.dtype]]]:
    """Return an engine, and the types it computes with and steps along, noted as it goes."""
    torch.manual_seed(0)
    head = Watched()
    seen: dict[str, set[torch.dtype]] = {"layers": set(), "gradients": set(), "scores": head.scores}

    def sgd(groups: list[dict[str, Any]]) -> torch.optim.Optimizer:
        parameters = [p for group in groups for p in group["params"]]
        optimiser = torch.optim.SGD(groups)
        optimiser.register_step_pre_hook(
            lambda *_: seen["gradients"].update(p.grad.dtype for p in parameters)
        )
        return optimiser

    engine = tiny_engine(
        terms=[Term("read", head), Term("smooth", Smooth())],
        optimisers={"generator": Optimiser(sgd, 0.1), "critic": Optimiser(sgd, 0.1)},
        device=Device(precision=precision),
    )
    engine.critic.dropout.p = 0.0
    for layer in (engine.generator.out, engine.critic.out, head.head):
        layer.register_forward_hook(lambda _, __, out: seen["layers"].add(out.dtype))
    return engine, seen


@pytest.mark.parametrize(("precision", "dtype"), [("f32", torch.float32), ("bf16", torch.bfloat16)])
def test_networks_compute_in_the_precision_and_all_that_is_kept_is_f32(precision, dtype):
    engine, seen = game(precision)

    metrics = engine.step(torch.randn(8, 2))

    assert seen["layers"] == {dtype}
    assert seen["scores"] == seen["gradients"] == {torch.float32}
    kept = [p for player in engine._players.values() for p in player.parameters.values()]
    assert {tensor.dtype for tensor in (*kept, *metrics.values())} == {torch.float32}


def test_a_step_in_bf16_is_close_to_one_in_f32():
    """bf16 keeps 8 bits of a number: 0.4 % of each."""
    exact, rough = game("f32")[0], game("bf16")[0]
    real = torch.randn(64, 2, generator=torch.Generator().manual_seed(0))

    wanted, found = exact.step(real), rough.step(real)

    assert all(value.isfinite() for value in found.values())
    torch.testing.assert_close(found, wanted, rtol=0.01, atol=0.001)
    pairs = zip(exact.generator.parameters(), rough.generator.parameters(), strict=True)
    for one, other in pairs:
        torch.testing.assert_close(other, one, rtol=0.01, atol=0.001)
    assert found["critic/loss"] != wanted["critic/loss"]


# --- copies to a card -------------------------------------------------------------------------


class Array:
    """Stands for an array of the CPU: notes what is done with it, in order."""

    def __init__(self, done: list[str]) -> None:
        self.done = done

    def pin_memory(self) -> Array:
        self.done.append("pin")
        return self

    def to(self, where: torch.device, *, non_blocking: bool) -> Array:
        self.done.append(f"copy to {where}" + (", not waiting" if non_blocking else ""))
        return self

    def record_stream(self, stream: Any) -> None:
        self.done.append(f"used by {stream.name}")


class Stream:
    def __init__(self, done: list[str], name: str) -> None:
        self.done = done
        self.name = name

    def __enter__(self) -> None:
        self.done.append(f"on {self.name}:")

    def __exit__(self, *_: object) -> None:
        pass

    def wait_stream(self, other: Stream) -> None:
        self.done.append(f"{self.name} waits for {other.name}")


def test_a_copy_runs_beside_what_computes_which_waits_for_it_when_it_is_used(monkeypatch):
    done: list[str] = []
    monkeypatch.setattr(torch.cuda, "Stream", lambda device: Stream(done, "copies"))
    monkeypatch.setattr(torch.cuda, "stream", lambda stream: stream)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda device: Stream(done, "steps"))

    copies = device.Copies(torch.device("cuda"))
    sent = copies.send([Array(done), None])
    copies.receive(sent)

    assert sent[1] is None
    assert done == [
        "on copies:",
        "pin",
        "copy to cuda, not waiting",
        "steps waits for copies",
        "used by steps",
    ]


# --- compiled networks ------------------------------------------------------------------------


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """Trace, but leave the kernels as they are: what the compiler is asked is returned."""
    asked: list[dict[str, Any]] = []
    real = torch.compile

    def traced(network: nn.Module, **options: Any) -> nn.Module:
        asked.append(options)
        return real(network, backend="eager", dynamic=options["dynamic"])

    monkeypatch.setattr(torch, "compile", traced)
    yield asked
    torch._dynamo.reset()


def weights_after(engine: Engine, steps: int) -> dict[str, Tensor]:
    for step in range(steps):
        engine.step(torch.randn(8, 2, generator=torch.Generator().manual_seed(step)))
    return {**engine.generator.state_dict(), **engine.critic.state_dict()}


def compiled_engine(compiling: device.Compiling, term: type[Regulariser] = ReadBack) -> Engine:
    torch.manual_seed(0)
    engine = tiny_engine(terms=[Term("term", term())], device=Device(compiling=compiling))
    engine.critic.dropout.p = 0.0
    return engine


@pytest.mark.filterwarnings("ignore:The .grad attribute")  # the tracer looks at every tensor
def test_a_compiled_step_is_the_same_and_names_its_parameters_alike(compiler):
    plain = weights_after(compiled_engine("off"), 3)

    compiled = weights_after(compiled_engine("kernels"), 3)

    assert compiler == [{"mode": None, "dynamic": False}] * 2
    assert compiled.keys() == plain.keys()
    for name, value in plain.items():
        torch.testing.assert_close(compiled[name], value, rtol=1e-5, atol=1e-6, msg=name)


def test_graphs_are_asked_of_the_compiler(compiler):
    compiled_engine("graphs")

    assert compiler == [{"mode": "reduce-overhead", "dynamic": False}] * 2


def test_a_critic_whose_gradient_is_differentiated_is_not_compiled_and_that_is_told(compiler):
    engine = compiled_engine("kernels", Smooth)

    assert len(compiler) == 1
    assert engine.notes == ["the critic is not compiled: term needs the gradient of a gradient"]
    assert compiled_engine("off", Smooth).notes == []


class Uncompilable(nn.Module):
    """Stands for what the compiler returns of a network that it fails on when it is called."""

    def forward(self, *_: Any) -> None:
        from torch._dynamo.exc import TorchDynamoException

        raise TorchDynamoException("no compiler\nand a long story")


def test_a_network_that_can_not_be_compiled_is_one_line(monkeypatch):
    monkeypatch.setattr(torch, "compile", lambda *_, **__: Uncompilable())

    with pytest.raises(DeviceError) as caught:
        compiled_engine("kernels").step(torch.zeros(4, 2))

    assert str(caught.value) == (
        'the networks can\'t be compiled: no compiler; use run.compile = "off"'
    )


def test_graphs_need_cuda():
    with pytest.raises(DeviceError, match="graphs are CUDA's; on the CPU use"):
        choose_device("cpu", compiling="graphs")
