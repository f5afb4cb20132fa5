"""The verbs of whoever trains with torch: a step many times over, and what it computes.

Torch is all it needs, so that a script in another environment can import it.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from gan_toolkit.bench.contestant import Verb
from gan_toolkit.bench.floor import Recorder


def stepping(step: Callable[[], object], device: torch.device) -> dict[str, Verb]:
    """Return the verbs `steps`, and `flops`: two for each multiplication and addition of a step."""
    settle = settling(device)

    def steps(count: int) -> dict[str, Any]:
        for _ in range(count):
            step()
        settle()
        if device.type == "cpu":
            return {}
        # what the process held says nothing of an accelerator's memory
        return {"peak_bytes": torch.get_device_module(device).max_memory_allocated(device)}

    def flops(count: int) -> dict[str, Any]:
        with Recorder() as recorder:
            for _ in range(count):
                step()
        return {"flops": sum(recorder.flops().values()) // count}

    return {"steps": steps, "flops": flops}


def settling(device: torch.device) -> Callable[[], None]:
    """Return what waits until the device has done what it was given."""
    if device.type == "cpu":
        return lambda: None
    return partial(torch.get_device_module(device).synchronize, device)
