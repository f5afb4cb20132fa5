"""Samples by index, and training batches that are a pure function of (seed, step).

Shapes: N samples, B rows of a batch, K factors; images are (N, C, H, W), points (N, D).
"""

from __future__ import annotations

import copy
import hashlib
import warnings
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeGuard

import torch
from numpy.typing import NDArray
from torch import Tensor

from gan_toolkit.device import Copies
from gan_toolkit.errors import DataError, PluginError
from gan_toolkit.interfaces import Augment, Batch, Dataset, Factor
from gan_toolkit.randomness import Randomness, seed_of, seed_of_attempt

RESIDENT_BYTES = 2 * 1024**3
"""Arrays up to this size are kept on the device that trains: no copy in each step."""

_CPU = torch.device("cpu")


class ArrayDataset(Dataset):
    """Samples held in arrays: in memory, or mapped from a `.npy` file.

    `samples` are uint8 (N, C, H, W) or float32 (N, D), `labels` integers (N,) that index
    `classes`, `factors` numbers (N, K) that `descriptions` describe column by column. A
    `fingerprint` that is known already saves reading everything for one. `render` makes samples
    (N, ...) of factors (N, K). Raises ValueError if these don't fit together.
    """

    def __init__(
        self,
        name: str,
        source: str,
        samples: Tensor | NDArray[Any],
        labels: Tensor | NDArray[Any] | None = None,
        factors: Tensor | NDArray[Any] | None = None,
        *,
        classes: Sequence[str] = (),
        descriptions: Sequence[Factor] = (),
        notice: str = "",
        held_out: Dataset | None = None,
        fingerprint: str = "",
        render: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        self.name = name
        self.source = source
        self.classes = tuple(classes)
        self.factors = tuple(descriptions)
        self.notice = notice
        self._samples = _tensor(samples)
        self._labels = None if labels is None else _tensor(labels).to(torch.int64)
        self._values = None if factors is None else _tensor(factors).to(torch.float32)
        self._held_out = held_out
        self._fingerprint = fingerprint
        self._render = render
        self.can_render = render is not None
        self._check()
        self.sample_shape = tuple(self._samples.shape[1:])

    def __len__(self) -> int:
        return self._samples.shape[0]

    @property
    def nbytes(self) -> int:
        """The size of its arrays in bytes."""
        return sum(array.nbytes for array in self._arrays().values())

    def batch(self, indices: Tensor) -> Batch:
        """Return the samples at `indices`, on the device of the arrays."""
        rows = indices.to(self._samples.device)
        gathered = {role: array.index_select(0, rows) for role, array in self._arrays().items()}
        return Batch(**gathered)

    def fingerprint(self) -> str:
        """Return the one given, or the SHA-256 of name and arrays, computed on first use."""
        if not self._fingerprint:
            digest = hashlib.sha256(self.name.encode())
            for role, array in self._arrays().items():
                digest.update(f"\0{role} {array.dtype} {tuple(array.shape)}\0".encode())
                digest.update(array.cpu().contiguous().view(-1).numpy().data)
            self._fingerprint = digest.hexdigest()
        return self._fingerprint

    def held_out(self) -> Dataset | None:
        """Return the samples kept from training, or None."""
        return self._held_out

    def render(self, factors: Tensor) -> Tensor:
        """Return the samples of factors (N, K); ValueError as `Dataset.render` says."""
        if self._render is None:
            return super().render(factors)
        _check_table(factors, self.factors, self.name)
        return self._render(factors)

    def to(self, device: torch.device) -> ArrayDataset:
        """Return the same data set with its arrays on `device`."""
        placed = copy.copy(self)
        placed._samples = self._samples.to(device)
        placed._labels = None if self._labels is None else self._labels.to(device)
        placed._values = None if self._values is None else self._values.to(device)
        return placed

    def _arrays(self) -> dict[str, Tensor]:
        roles = {"samples": self._samples, "labels": self._labels, "factors": self._values}
        return {role: array for role, array in roles.items() if array is not None}

    def _check(self) -> None:
        kind = (self._samples.dtype, self._samples.ndim)
        if kind not in {(torch.uint8, 4), (torch.float32, 2)}:
            raise ValueError(
                f"samples of {self.name} are {kind[0]} with {kind[1]} dimensions; "
                "expected uint8 (N, C, H, W) or float32 (N, D)"
            )
        lengths = {role: array.shape[0] for role, array in self._arrays().items()}
        if len(set(lengths.values())) > 1:
            raise ValueError(f"arrays of {self.name} differ in length: {lengths}")
        if self._labels is not None and self.classes:
            self._check_indices("labels of", self._labels, self.classes)
        columns = 0 if self._values is None else self._values.shape[1]
        if columns != len(self.factors):
            raise ValueError(
                f"{self.name} has {columns} columns of factors and {len(self.factors)} descriptions"
            )
        values = () if self._values is None else self._values.unbind(dim=1)
        for factor, column in zip(self.factors, values, strict=True):
            if factor.kind == "discrete":
                self._check_indices(f"indices of {factor.name!r} in", column, factor.values)
            elif odd := int((~column.isfinite()).sum()):
                raise ValueError(f"{odd} values of {factor.name!r} in {self.name} are not finite")

    def _check_indices(self, what: str, column: Tensor, names: Sequence[str]) -> None:
        """Raise ValueError unless all indices (N,) have a name."""
        if len(column):
            low, high = column.min().item(), column.max().item()
            if not 0 <= low <= high < len(names):
                raise ValueError(
                    f"{what} {self.name} go from {low:g} to {high:g}, but {len(names)} are named"
                )


def _check_table(table: Tensor, factors: Sequence[Factor], name: str) -> None:
    """Raise ValueError unless `name` can render every row of a table (N, K) of its factors.

    Indexing would take -1 for the last value, and drawing would make an empty picture of a NaN.
    """
    width = len(factors)
    if table.ndim != 2 or table.shape[1] != width or table.is_complex():
        raise ValueError(
            f"{name} renders a table of {width} real factors, (N, {width}), "
            f"not {table.dtype} {tuple(table.shape)}"
        )
    for factor, column in zip(factors, table.double().unbind(1), strict=True):
        odd = column[_impossible(column, factor)]
        if len(odd):
            raise ValueError(f"{name}: {factor.name} is {odd[0]:g}; it can be {_domain(factor)}")


def _impossible(column: Tensor, factor: Factor) -> Tensor:
    """Return which values (N,) a factor can't have."""
    if factor.kind == "circular":
        return ~column.isfinite()
    if factor.kind == "discrete":
        return ~((column >= 0) & (column < len(factor.values)) & (column == column.round()))
    slack = 1e-6 * max(abs(factor.low), abs(factor.high))  # the ends, rounded to float32
    return ~((column >= factor.low - slack) & (column <= factor.high + slack))


def _domain(factor: Factor) -> str:
    if factor.kind == "circular":
        return "any angle in rad"
    if factor.kind == "discrete":
        return f"an index from 0 to {len(factor.values) - 1}"
    return f"anything from {factor.low:g} to {factor.high:g}"


def normalise(samples: Tensor) -> Tensor:
    """Return uint8 images as float32 in [-1, 1], v / 127.5 - 1; floats pass through."""
    if samples.dtype == torch.uint8:
        return samples.to(torch.float32).div_(127.5).sub_(1.0)
    if samples.is_floating_point():
        return samples
    raise ValueError(f"samples are {samples.dtype}; expected uint8 or floats")


def order(seed: int, epoch: int, count: int) -> Tensor:
    """Return the permutation of 0 … count - 1 in which `epoch` goes through the samples.

    It depends on the arguments and on nothing else.
    """
    rng = torch.Generator().manual_seed(seed_of(seed, "order", epoch))
    return torch.randperm(count, generator=rng)


class Batches:
    """The endless sequence of training batches: every sample once in each epoch, none partial.

    A batch may span the end of an epoch. The `augments` change it one after the other. Of several
    processes each keeps its `share` of the rows: it reads no others, unless augments draw for the
    whole batch. Raises DataError if a batch would not fit into the data set.
    """

    def __init__(
        self,
        dataset: Dataset,
        size: int,
        seed: int,
        device: torch.device = _CPU,
        augments: Mapping[str, Augment] | None = None,
        share: Callable[[Tensor], Tensor] | None = None,
    ) -> None:
        if size < 1:
            raise ValueError(f"a batch needs at least one sample, not {size}")
        if size > len(dataset):
            raise DataError(
                f"batch of {size:,} is larger than the {len(dataset):,} samples of "
                f"{dataset.name}; lower run.batch_size to {len(dataset):,} or less, or use more "
                "data"
            )
        self.size = size
        self._count = len(dataset)
        self._first_seed = seed
        self._device = device
        self._augments = dict(augments or {})
        self._share = share or (lambda rows: rows)
        # Where the samples are gathered, and so where the permutation is kept.
        self._home = _CPU
        if device.type != "cpu" and _may_move(dataset):
            dataset, self._home = dataset.to(device), device
        self._dataset: Dataset = dataset
        # What does not fit on the device is copied there one step ahead.
        away = device.type == "cuda" and self._home == _CPU
        self._copies = Copies(device) if away else None
        self._permutation = torch.empty(0, dtype=torch.int64)
        self.begin_again(0)

    def begin_again(self, attempt: int) -> None:
        """From here on take the samples in another order, that of `attempt`; 0 is the first."""
        self._seed = seed_of_attempt(self._first_seed, attempt)
        self._randomness = Randomness(self._seed)
        self._ahead: tuple[int, list[Tensor | None]] = (-1, [])
        self._epoch = -1

    def at(self, step: int) -> Batch:
        """Return the batch of `step` (0 is the first) on the device, images as float32 in [-1, 1].

        It depends on seed, attempt and step only.
        """
        if step < 0:
            raise ValueError(f"the first step is 0; there is no step {step}")
        samples, labels, factors = self._placed(step)
        assert samples is not None, "a batch always has samples"
        made = Batch(self._augmented(normalise(samples), step), labels, factors)
        return self._own(made) if self._augments else made

    def _own(self, batch: Batch) -> Batch:
        samples, labels, factors = (None if a is None else self._share(a) for a in batch)
        assert samples is not None, "a batch always has samples"
        return Batch(samples, labels, factors)

    def _placed(self, step: int) -> list[Tensor | None]:
        """Return the arrays of a batch on the device, and begin with those of the next."""
        if self._copies is None:
            arrays = self._gathered(step)
            return [None if array is None else array.to(self._device) for array in arrays]
        ready, placed = self._ahead
        if ready != step:
            placed = self._copies.send(self._gathered(step))
        self._copies.receive(placed)
        self._ahead = (step + 1, self._copies.send(self._gathered(step + 1)))
        return placed

    def _gathered(self, step: int) -> Batch:
        """Return the rows of a batch that this process reads: augments draw for the whole."""
        indices = self._indices(step)
        return self._dataset.batch(indices if self._augments else self._share(indices))

    def _augmented(self, samples: Tensor, step: int) -> Tensor:
        for name, augment in self._augments.items():
            changed = augment.apply(samples, self._randomness.stream("augment", name, step))
            if (changed.shape, changed.dtype) != (samples.shape, samples.dtype):
                raise PluginError(
                    f"augment {name!r} made {changed.dtype} {tuple(changed.shape)} of "
                    f"{samples.dtype} {tuple(samples.shape)}; it must keep both"
                )
            samples = changed
        return samples

    def _indices(self, step: int) -> Tensor:
        epoch, offset = divmod(step * self.size, self._count)
        indices = self._order(epoch)[offset : offset + self.size]
        rest = self.size - len(indices)
        return torch.cat([indices, self._order(epoch + 1)[:rest]]) if rest else indices

    def _order(self, epoch: int) -> Tensor:
        if epoch != self._epoch:
            self._permutation = order(self._seed, epoch, self._count).to(self._home)
            self._epoch = epoch
        return self._permutation


def _may_move(dataset: Dataset) -> TypeGuard[ArrayDataset]:
    return isinstance(dataset, ArrayDataset) and dataset.nbytes <= RESIDENT_BYTES


def _tensor(array: Tensor | NDArray[Any]) -> Tensor:
    if isinstance(array, Tensor):
        return array
    with warnings.catch_warnings():
        # A read-only mapping is welcome here: nobody writes to samples.
        warnings.filterwarnings("ignore", message=".*not writable", category=UserWarning)
        return torch.from_numpy(array)
