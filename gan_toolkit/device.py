"""Device, precision, threads and determinism: the only file that knows CUDA."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import Tensor, nn

from gan_toolkit.errors import DeviceError
from gan_toolkit.interfaces import Critic, Generator
from gan_toolkit.launcher import Place, cores

if TYPE_CHECKING:
    from gan_toolkit.recipe import RunOptions

Compiling = Literal["off", "kernels", "graphs"]
Precision = Literal["f32", "tf32", "bf16"]
PRECISIONS = ("f32", "tf32", "bf16")


@dataclass(frozen=True)
class Device:
    """Where a run computes, and how exactly."""

    torch_device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "f32"
    deterministic: bool = False
    threads: int = 0
    """Threads of the CPU kernels; 0 leaves torch's own choice."""
    compiling: Compiling = "off"
    """Whether networks are compiled for their steps, and on CUDA also replayed as graphs."""

    @property
    def checks_are_free(self) -> bool:
        """Whether reading a tensor's value costs no synchronisation."""
        return self.torch_device.type == "cpu"

    def autocast(self) -> torch.autocast:
        """Return the context in which both phases compute."""
        return torch.autocast(
            self.torch_device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"
        )

    def compiled(self, network: nn.Module) -> nn.Module:
        """Return what calls `network` in a step: itself, or its compiled form.

        It holds the same parameters, and shapes are taken as fixed. The first calls take long.
        """
        if self.compiling == "off":
            return network
        mode = "reduce-overhead" if self.compiling == "graphs" else None
        return torch.compile(network, mode=mode, dynamic=False)  # type: ignore[return-value]

    def computing(self) -> contextlib.AbstractContextManager[Any]:
        """Return the context of a phase: this precision, and one line when compiling fails."""
        return self.autocast() if self.compiling == "off" else _compiling(self.autocast())

    def place(self, module: nn.Module) -> None:
        """Move a module to this device, unless it is there, with its weights in the best order."""
        wanted = self.torch_device
        for tensor in (*module.parameters(), *module.buffers()):
            there = tensor.device
            if there.type != wanted.type or wanted.index not in (None, there.index):
                module.to(wanted)
                break
        for part in module.modules():
            if isinstance(part, Generator | Critic) and part.channels_last:
                for parameter in part.parameters():
                    if parameter.ndim == 4:
                        # Not by `part.to`: it can't be done to what only stands for a tensor.
                        parameter.data = parameter.data.contiguous(
                            memory_format=torch.channels_last
                        )

    def prepare(self) -> None:
        """Set what torch keeps per process: threads, determinism, kernels of f32."""
        if self.threads:
            torch.set_num_threads(self.threads)
        if self.torch_device.type == "cuda":
            if self.torch_device.index is not None:
                # Else each of several processes would also open the first card.
                torch.cuda.set_device(self.torch_device)
            rounded = self.precision == "tf32"
            torch.set_float32_matmul_precision("high" if rounded else "highest")
            torch.backends.cudnn.allow_tf32 = rounded
        elif _onednn_is_faster():
            _multiply_by_onednn()
        if self.deterministic:
            torch.use_deterministic_algorithms(True)
            # cuBLAS refuses to compute without it; it is read when the first handle is made
            os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")

    def describe(self) -> str:
        """Return device, precision and threads in a few words."""
        if self.torch_device.type == "cuda":
            name = torch.cuda.get_device_name(self.torch_device)
        else:
            threads = self.threads or torch.get_num_threads()
            several = "s" if threads > 1 else ""
            name = f"CPU ({platform.machine()}), {threads} thread{several}"
        compiled = {"off": "", "kernels": ", compiled", "graphs": ", compiled to graphs"}
        return f"{name}, {self.precision}{compiled[self.compiling]}"

    def peak_memory(self) -> int:
        """Return the largest number of bytes that the process held on this device."""
        if self.torch_device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.torch_device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


class Copies:
    """Copies arrays to a CUDA device on a stream of their own, while it computes."""

    def __init__(self, device: torch.device) -> None:
        self._device = device
        self._stream = torch.cuda.Stream(device)

    def send(self, arrays: Sequence[Tensor | None]) -> list[Tensor | None]:
        """Begin to copy arrays of the CPU; use what is returned after `receive` only."""
        with torch.cuda.stream(self._stream):
            return [
                # Pinned: the device reads it by itself, and nobody waits for the copy.
                None if a is None else a.pin_memory().to(self._device, non_blocking=True)
                for a in arrays
            ]

    def receive(self, arrays: Sequence[Tensor | None]) -> None:
        """Let what is computed from now on wait for the copies."""
        current = torch.cuda.current_stream(self._device)
        current.wait_stream(self._stream)
        for array in arrays:
            if array is not None:
                array.record_stream(current)  # else its memory may be given away too early


@contextlib.contextmanager
def _compiling(precision: torch.autocast) -> Iterator[None]:
    from torch._dynamo.exc import TorchDynamoException  # loads the compiler: seconds

    try:
        with precision:
            yield
    except TorchDynamoException as error:
        cause = str(error).strip().partition("\n")[0]
        raise DeviceError(
            f'the networks can\'t be compiled: {cause}; use run.compile = "off"'
        ) from error


def accelerator_available() -> bool:
    """Return whether a CUDA device can be used."""
    return torch.cuda.is_available()


def accelerators() -> list[str]:
    """Return the names of the CUDA devices that can be used, such as `cuda:0`."""
    count = torch.cuda.device_count() if accelerator_available() else 0
    return [f"cuda:{index}" for index in range(count)]


def accelerator_states() -> list[torch.Tensor]:
    """Return the random states of the CUDA devices in use; asking another would start it."""
    return torch.cuda.get_rng_state_all() if torch.cuda.is_initialized() else []


def restore_accelerator_states(states: list[torch.Tensor]) -> None:
    """Take back what `accelerator_states` returned."""
    if states:
        torch.cuda.set_rng_state_all(states)


def choose_device(
    name: str = "auto",
    precision: str = "auto",
    *,
    deterministic: bool = False,
    threads: int = 0,
    compiling: Compiling = "off",
    place: Place | None = None,
) -> Device:
    """Turn the words of a recipe into a device.

    `auto` takes CUDA if it is there; `auto` precision takes bf16 where the hardware has it. Of
    several processes each takes the accelerator of its `place`, or its part of the cores. Raises
    DeviceError when a demanded device is missing, or can't do what is asked of it.
    """
    if name == "auto":
        name = "cuda" if accelerator_available() else "cpu"
    if place is not None and place.count > 1:
        name = _own(name, place)
        threads = threads or max(1, cores() // place.local_count)
    torch_device = _demanded(name)
    if precision == "auto":
        precision = "bf16" if _native_bf16(torch_device) else "f32"
    if precision not in PRECISIONS:
        known = ", ".join(("auto", *PRECISIONS))
        raise DeviceError(f"precision {precision!r} is unknown; known: {known}")
    if precision == "tf32" and torch_device.type != "cuda":
        raise DeviceError("precision 'tf32' is CUDA's; on the CPU use auto, f32 or bf16")
    if compiling == "graphs" and torch_device.type != "cuda":
        raise DeviceError('graphs are CUDA\'s; on the CPU use run.compile = "off" or "kernels"')
    return Device(torch_device, precision, deterministic, threads, compiling)  # type: ignore[arg-type]


def device_of(keys: RunOptions, asked: str | None = None, place: Place | None = None) -> Device:
    """Return the device that `[run]` asks for, or the one `asked` for in its stead.

    Of several processes it is the one for this `place`.
    """
    return choose_device(
        asked or keys.device,
        keys.precision,
        deterministic=keys.deterministic,
        threads=keys.threads,
        compiling=keys.compile,
        place=place,
    )


def _own(name: str, place: Place) -> str:
    """Return the device of one of several processes: none shares an accelerator."""
    if name.startswith("cuda:"):
        raise DeviceError(f"device {name!r} can't be shared by {place.count} ranks; say cuda")
    there = len(accelerators())
    if name == "cuda" and 0 < there < place.local_count:
        raise DeviceError(
            f"{place.local_count} ranks were started on this machine, and torch sees {there} CUDA "
            f"device{'s' if there > 1 else ''}: start torchrun with --nproc-per-node {there}"
        )
    return f"cuda:{place.local_index}" if name == "cuda" and there else name


def _demanded(name: str) -> torch.device:
    try:
        device = torch.device(name)
    except RuntimeError:
        raise DeviceError(f"device {name!r} is unknown; known: auto, cpu, cuda, cuda:1") from None
    if device.type == "cuda":
        count = torch.cuda.device_count()
        if not torch.cuda.is_available() or count == 0:
            raise DeviceError(f"device {name!r}: torch sees no CUDA device; use auto or cpu")
        if device.index is not None and device.index >= count:
            raise DeviceError(f"device {name!r}: there are {count}, numbered from cuda:0")
    elif device.type != "cpu":
        raise DeviceError(f"device {name!r} is not supported; known: auto, cpu, cuda, cuda:1")
    return device


def _native_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    found = _capabilities()
    return bool(found.get("avx512_bf16") or found.get("amx_bf16"))


def _capabilities() -> Mapping[str, Any]:
    with contextlib.suppress(AttributeError):  # torch 2.9 can't tell; f32 is right everywhere
        return torch.cpu.get_capabilities()
    return {}


def _onednn_is_faster() -> bool:
    """Return whether oneDNN multiplies f32 matrices faster than MKL, which torch asks first.

    Measured on AMD's AVX-512 only: 1.1 to 1.3 times as fast. MKL is at its best on Intel's own.
    """
    found = _capabilities()
    return bool(found.get("avx512_f")) and "AMD" in str(found.get("cpu_name"))


def _multiply_by_onednn() -> None:
    """Send f32 matrix products to oneDNN, unless it would round them.

    The one switch that does so, "medium", allows it bf16 inside; it has plain f32 kernels all the
    same, and uses them where the processor has no matrix unit for bf16. So one product is looked
    at. Not by the switch of that backend alone: torch raises where the two disagree.
    """
    former = torch.get_float32_matmul_precision()
    torch.set_float32_matmul_precision("medium")
    if not _products_are_exact():
        torch.set_float32_matmul_precision(former)


def _products_are_exact() -> bool:
    """Return whether a product keeps what bf16, with its 8 bits, would round away."""
    value = 1 + 2.0**-12
    rows = torch.full((128, 512), value)
    return bool(((rows @ rows.T).double() / 512 - value**2).abs().max() < 2.0**-18)
