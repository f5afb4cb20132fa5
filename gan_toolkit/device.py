"""Device, precision, threads and determinism: the only file that knows CUDA."""

from __future__ import annotations

import contextlib
import os
import platform
import resource
import sys
from dataclasses import dataclass, field
from typing import Literal

import torch
from torch import nn

from gan_toolkit.errors import DeviceError
from gan_toolkit.launcher import Place

Precision = Literal["f32", "bf16"]


@dataclass(frozen=True)
class Device:
    """Where a run computes, and how exactly."""

    torch_device: torch.device = field(default_factory=lambda: torch.device("cpu"))
    precision: Precision = "f32"
    deterministic: bool = False
    threads: int = 0
    """Threads of the CPU kernels; 0 leaves torch's own choice."""

    @property
    def checks_are_free(self) -> bool:
        """Whether reading a tensor's value costs no synchronisation."""
        return self.torch_device.type == "cpu"

    def autocast(self) -> torch.autocast:
        """Return the context in which both phases compute."""
        return torch.autocast(
            self.torch_device.type, dtype=torch.bfloat16, enabled=self.precision == "bf16"
        )

    def place(self, module: nn.Module) -> None:
        """Move a module to this device, unless it is there."""
        wanted = self.torch_device
        for tensor in (*module.parameters(), *module.buffers()):
            there = tensor.device
            if there.type != wanted.type or wanted.index not in (None, there.index):
                module.to(wanted)
                return

    def prepare(self) -> None:
        """Set what torch keeps per process: threads, determinism."""
        if self.threads:
            torch.set_num_threads(self.threads)
        if self.torch_device.index is not None and self.torch_device.type == "cuda":
            torch.cuda.set_device(self.torch_device)  # else each process would also open the first
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
        return f"{name}, {self.precision}"

    def peak_memory(self) -> int:
        """Return the largest number of bytes that the process held on this device."""
        if self.torch_device.type == "cuda":
            return torch.cuda.max_memory_allocated(self.torch_device)
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


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
    place: Place | None = None,
) -> Device:
    """Turn the words of a recipe into a device.

    `auto` takes CUDA if it is there; `auto` precision takes bf16 where the hardware has it. Of
    several processes each takes the accelerator of its `place`, or its part of the cores. Raises
    DeviceError when a demanded device is missing.
    """
    if name == "auto":
        name = "cuda" if accelerator_available() else "cpu"
    if place is not None and place.count > 1:
        name = _own(name, place)
        threads = threads or max(1, _cores() // place.local_count)
    torch_device = _demanded(name)
    if precision == "auto":
        precision = "bf16" if _native_bf16(torch_device) else "f32"
    if precision not in ("f32", "bf16"):
        raise DeviceError(f"precision {precision!r} is unknown; known: auto, f32, bf16")
    return Device(torch_device, precision, deterministic, threads)  # type: ignore[arg-type]


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


def _cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


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
    with contextlib.suppress(AttributeError):  # torch 2.9 can't tell; f32 is right everywhere
        capabilities = torch.cpu.get_capabilities()
        return bool(capabilities.get("avx512_bf16") or capabilities.get("amx_bf16"))
    return False
