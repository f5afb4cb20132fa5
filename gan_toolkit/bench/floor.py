"""The floor of a step: its matrix products and convolutions alone, each at its own shapes.

Nothing that computes the same step by the same kernels can be faster, whatever it does in between.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map
from torch.utils.flop_counter import flop_registry


@dataclass(frozen=True)
class Outline:
    """All of a tensor but its values."""

    shape: tuple[int, ...]
    stride: tuple[int, ...]
    dtype: torch.dtype
    device: torch.device

    def filled(self, rng: torch.Generator) -> Tensor:
        """Return a tensor like it, of random numbers."""
        # Laid out in one row first: what was expanded has several elements in one place.
        sides = zip(self.shape, self.stride, strict=True)
        extent = 1 + sum((side - 1) * stride for side, stride in sides)
        row = torch.zeros(max(extent, 0), dtype=self.dtype, device=self.device)
        if row.is_floating_point():
            row.normal_(generator=rng)
        return row.as_strided(self.shape, self.stride)


@dataclass(frozen=True)
class Product:
    """One matrix product or convolution, forward or backward; tensors are outlines."""

    operator: Callable[..., Any]
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    flops: int
    """Two for each multiplication and addition."""

    @property
    def name(self) -> str:
        """Its operator's name, such as `addmm`."""
        return str(self.operator).split(".")[1]


class Recorder(TorchDispatchMode):
    """Notes every matrix product and convolution that is computed meanwhile, and how often.

    By torch's own formulas, but not by its FlopCounterMode: that one follows modules through
    hooks of gradients, which fail where a term asks for a gradient itself (a gradient penalty).
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.products: dict[str, Product] = {}
        self.times: Counter[str] = Counter()

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Compute as if nobody looked."""
        del types
        options = dict(kwargs or {})
        made = func(*args, **options)
        count = flop_registry.get(func.overloadpacket)
        if count is not None:
            arguments, named = tree_map(_outline, (args, options))
            key = f"{func} {arguments} {named}"
            flops = int(count(*args, **options, out_val=made))
            self.products.setdefault(key, Product(func, arguments, named, flops))
            self.times[key] += 1
        return made

    def flops(self) -> dict[str, int]:
        """Return the floating-point operations by the name of the operator."""
        found: defaultdict[str, int] = defaultdict(int)
        for key, product in self.products.items():
            found[product.name] += product.flops * self.times[key]
        return dict(found)


class Replay:
    """Computes the products that a recorder noted, as often, on random numbers."""

    def __init__(self, recorder: Recorder, device: torch.device) -> None:
        rng = torch.Generator(device).manual_seed(0)
        self._calls = [
            (product.operator, *_filled(product, rng), recorder.times[key])
            for key, product in recorder.products.items()
        ]

    @torch.no_grad()
    def __call__(self) -> None:
        """Compute all of them once."""
        for operator, arguments, options, times in self._calls:
            for _ in range(times):
                operator(*arguments, **options)


def _outline(value: Any) -> Any:
    if not isinstance(value, Tensor):
        return value
    return Outline(tuple(value.shape), value.stride(), value.dtype, value.device)


def _filled(product: Product, rng: torch.Generator) -> Any:
    def fill(value: Any) -> Any:
        return value.filled(rng) if isinstance(value, Outline) else value

    return tree_map(fill, (product.arguments, dict(product.options)))
