from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import gan_toolkit.batches as batches_module
from gan_toolkit.batches import ArrayDataset, Batches, normalise, order
from gan_toolkit.errors import DataError, PluginError
from gan_toolkit.interfaces import Augment, Batch, Dataset, Factor


def numbered(count: int, name: str = "numbers") -> ArrayDataset:
    """Points that are their own index, labelled by parity."""
    index = torch.arange(count)
    return ArrayDataset(
        name,
        "synthetic",
        index[:, None].to(torch.float32),
        labels=index % 2,
        factors=index[:, None] / count,
        classes=("even", "odd"),
        descriptions=(Factor("share", "continuous"),),
    )


def rendering() -> ArrayDataset:
    """Renders a table as twice itself."""
    factors = (
        Factor("shape", "discrete", ("cube", "ball")),
        Factor("size", "continuous", low=-1, high=3.3),
        Factor("angle", "circular", high=6.2832),
    )
    return ArrayDataset(
        "alpha",
        "synthetic",
        torch.zeros(2, 3),
        factors=torch.zeros(2, 3),
        descriptions=factors,
        render=lambda table: table * 2,
    )


def drawn(batches: Batches, steps: int) -> list[int]:
    rows = [batches.at(step).samples for step in range(steps)]
    return torch.cat(rows)[:, 0].to(torch.int64).tolist()


sizes = st.integers(1, 12).flatmap(lambda size: st.tuples(st.integers(size, 30), st.just(size)))


@settings(deadline=None)
@given(sizes, st.integers(0, 2**63), st.integers(1, 4))
def test_every_sample_comes_once_in_each_epoch(
    sizes: tuple[int, int], seed: int, epochs: int
) -> None:
    count, size = sizes
    batches = Batches(numbered(count), size, seed)

    steps = -(-count * epochs // size)
    seen = drawn(batches, steps)

    for epoch in range(epochs):
        assert sorted(seen[epoch * count : (epoch + 1) * count]) == list(range(count))


@settings(deadline=None)
@given(sizes, st.integers(0, 99), st.lists(st.integers(0, 60), min_size=1, max_size=8))
def test_a_batch_depends_on_seed_and_step_only(
    sizes: tuple[int, int], seed: int, steps: list[int]
) -> None:
    count, size = sizes
    wandering = Batches(numbered(count), size, seed)

    for step in steps:
        alone = Batches(numbered(count), size, seed).at(step)
        assert torch.equal(wandering.at(step).samples, alone.samples)
        assert len(alone.samples) == size


def test_a_batch_spans_epochs_in_their_orders() -> None:
    batches = Batches(numbered(10), 4, seed=3)

    batch = batches.at(2)

    expected = torch.cat([order(3, 0, 10)[8:], order(3, 1, 10)[:2]])
    assert batch.samples[:, 0].to(torch.int64).tolist() == expected.tolist()


def test_labels_and_factors_stay_with_their_samples() -> None:
    batch = Batches(numbered(10), 7, seed=0).at(1)

    assert batch.labels is not None
    assert batch.factors is not None
    assert torch.equal(batch.labels, batch.samples[:, 0].to(torch.int64) % 2)
    assert torch.equal(batch.factors, batch.samples / 10)


def test_orders_differ_by_seed_and_by_epoch() -> None:
    orders = [order(seed, epoch, 50).tolist() for seed in range(3) for epoch in range(3)]

    assert len({tuple(one) for one in orders}) == 9


def test_order_leaves_the_global_generator_alone() -> None:
    before = torch.get_rng_state()

    order(1, 2, 100)

    assert torch.equal(torch.get_rng_state(), before)


def test_images_arrive_as_floats_between_minus_one_and_one() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)
    data = ArrayDataset("strip", "synthetic", pixels)

    samples = Batches(data, 1, seed=0).at(0).samples

    assert samples.dtype == torch.float32
    torch.testing.assert_close(samples.view(-1), torch.tensor([-1.0, -0.6, 1.0]))
    assert pixels.view(-1).tolist() == [0, 51, 255]


def test_floats_pass_through_normalise() -> None:
    points = torch.tensor([[3.0, -7.0]])

    assert normalise(points) is points


def test_normalise_refuses_integers_of_another_kind() -> None:
    with pytest.raises(ValueError, match="int64"):
        normalise(torch.arange(3))


def test_a_batch_larger_than_the_data_names_both_numbers() -> None:
    with pytest.raises(DataError, match="batch of 128 is larger than the 100 samples of numbers"):
        Batches(numbered(100), 128, seed=0)


def test_a_batch_as_large_as_the_data_is_an_epoch() -> None:
    assert sorted(drawn(Batches(numbered(5), 5, seed=0), 1)) == [0, 1, 2, 3, 4]


def test_there_is_no_step_before_the_first() -> None:
    with pytest.raises(ValueError, match="no step -1"):
        Batches(numbered(3), 1, seed=0).at(-1)


def test_other_data_sets_are_asked_for_indices() -> None:
    class Squares(Dataset):
        name, source, sample_shape = "squares", "synthetic", (1,)

        def __len__(self) -> int:
            return 6

        def batch(self, indices: Tensor) -> Batch:
            return Batch(indices[:, None].to(torch.float32) ** 2)

        def fingerprint(self) -> str:
            return "squares"

    batch = Batches(Squares(), 6, seed=0).at(0)

    assert sorted(batch.samples[:, 0].tolist()) == [0, 1, 4, 9, 16, 25]
    assert batch.labels is None
    assert batch.factors is None


def test_fingerprint_follows_name_and_every_array() -> None:
    def made(name: str = "a", sample: int = 0, label: int = 0, factor: float = 0.0) -> str:
        return ArrayDataset(
            name,
            "synthetic",
            torch.full((2, 1, 2, 2), sample, dtype=torch.uint8),
            labels=torch.full((2,), label),
            factors=torch.full((2, 1), factor),
            descriptions=(Factor("f", "continuous"),),
        ).fingerprint()

    variants = [made(), made("b"), made(sample=1), made(label=1), made(factor=0.5)]

    assert len(set(variants)) == 5
    assert made() == made()


def test_fingerprint_is_computed_once() -> None:
    data = numbered(4)
    first = data.fingerprint()

    data.name = "renamed"

    assert data.fingerprint() == first


@pytest.mark.parametrize("mode", ["r", "c"])
def test_mapped_arrays_are_samples_like_others(tmp_path: Path, mode: Literal["r", "c"]) -> None:
    pixels = np.arange(2 * 3 * 4 * 4, dtype=np.uint8).reshape(2, 3, 4, 4)
    np.save(tmp_path / "images.npy", pixels)
    mapped = np.load(tmp_path / "images.npy", mmap_mode=mode)

    data = ArrayDataset("mapped", "real", mapped)

    assert data.sample_shape == (3, 4, 4)
    assert torch.equal(data.batch(torch.tensor([1])).samples[0], torch.from_numpy(pixels[1]))
    same = ArrayDataset("mapped", "real", torch.from_numpy(pixels))
    assert data.fingerprint() == same.fingerprint()


def test_held_out_samples_are_given_on() -> None:
    kept = numbered(3, "kept")
    data = ArrayDataset("train", "real", torch.zeros(2, 1), held_out=kept)

    assert data.held_out() is kept
    assert kept.held_out() is None


@pytest.mark.parametrize(
    ("arrays", "complaint"),
    [
        ({"samples": torch.zeros(2, 1, 4, 4)}, "uint8 .N, C, H, W. or float32"),
        ({"samples": torch.zeros(2, 3, dtype=torch.uint8)}, "2 dimensions"),
        ({"samples": torch.zeros(2, 3), "labels": torch.zeros(3)}, "differ in length"),
        ({"samples": torch.zeros(2, 3), "factors": torch.zeros(2, 2)}, "2 columns of factors"),
        (
            {"samples": torch.zeros(2, 3), "labels": torch.tensor([0, 2]), "classes": "ab"},
            "labels of odd go from 0 to 2, but 2 are named",
        ),
        (
            {
                "samples": torch.zeros(2, 3),
                "factors": torch.tensor([[0.0, 1.0], [5.0, -1.0]]),
                "descriptions": [
                    Factor("size", "continuous"),
                    Factor("shape", "discrete", ("a", "b")),
                ],
            },
            "indices of 'shape' in odd go from -1 to 1, but 2 are named",
        ),
        (
            {
                "samples": torch.zeros(3, 3),
                "factors": torch.tensor([[0.0], [torch.nan], [-torch.inf]]),
                "descriptions": [Factor("size", "continuous")],
            },
            "2 values of 'size' in odd are not finite",
        ),
    ],
)
def test_arrays_that_do_not_fit_are_refused(arrays: dict[str, Any], complaint: str) -> None:
    with pytest.raises(ValueError, match=complaint):
        ArrayDataset("odd", "real", **arrays)


def test_arrays_move_to_a_device_and_keep_the_rest() -> None:
    data = numbered(4)

    placed = data.to(torch.device("meta"))

    assert placed.batch(torch.tensor([0, 1])).samples.device.type == "meta"
    assert placed.name == data.name
    assert data.batch(torch.tensor([0])).samples.device.type == "cpu"


@pytest.mark.parametrize(("limit", "moves"), [(batches_module.RESIDENT_BYTES, 1), (0, 0)])
def test_only_sets_that_fit_move_to_the_device(
    monkeypatch: pytest.MonkeyPatch, limit: int, moves: int
) -> None:
    asked: list[torch.device] = []

    class Watched(ArrayDataset):
        def to(self, device: torch.device) -> ArrayDataset:
            asked.append(device)
            return super().to(device)

    monkeypatch.setattr(batches_module, "RESIDENT_BYTES", limit)
    data = Watched("points", "synthetic", torch.zeros(4, 2))

    batches = Batches(data, 2, seed=0, device=torch.device("meta"))

    assert [batches.at(step).samples.device.type for step in range(5)] == ["meta"] * 5
    assert len(asked) == moves


class Noise(Augment):
    """Adds a number drawn for each row."""

    def apply(self, samples: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        return samples + torch.rand(len(samples), 1, generator=rng)


class Doubling(Augment):
    def apply(self, samples: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
        return samples * 2


def test_augments_change_a_batch_by_seed_and_step_alone() -> None:
    wandering = Batches(numbered(10), 4, seed=3, augments={"noise": Noise()})
    plain = Batches(numbered(10), 4, seed=3)

    for step in (5, 0, 5):
        alone = Batches(numbered(10), 4, seed=3, augments={"noise": Noise()}).at(step).samples
        assert torch.equal(wandering.at(step).samples, alone)
        added = alone - plain.at(step).samples
        assert added.unique().numel() == 4
        other = Batches(numbered(10), 4, seed=3, augments={"other": Noise()}).at(step).samples
        assert not torch.equal(other, alone)


def test_augments_draw_anew_at_every_step() -> None:
    noisy = Batches(numbered(10), 4, seed=3, augments={"noise": Noise()})
    plain = Batches(numbered(10), 4, seed=3)

    first, second = (noisy.at(step).samples - plain.at(step).samples for step in (0, 1))

    assert not torch.allclose(first, second, atol=1e-3)


def test_augments_are_applied_in_their_order() -> None:
    both = {"noise": Noise(), "twice": Doubling()}

    first, second = (
        Batches(numbered(10), 4, 0, augments=dict(tables)).at(0).samples
        for tables in (both.items(), reversed(both.items()))
    )

    plain = Batches(numbered(10), 4, 0).at(0).samples
    assert torch.allclose(first - 2 * plain, 2 * (second - 2 * plain))


def test_an_augment_must_keep_shape_and_type() -> None:
    class Halving(Augment):
        def apply(self, samples: torch.Tensor, rng: torch.Generator) -> torch.Tensor:
            return samples[: len(samples) // 2]

    with pytest.raises(PluginError, match=r"augment 'half' made .* it must keep both"):
        Batches(numbered(10), 4, 0, augments={"half": Halving()}).at(0)


def test_a_known_fingerprint_is_not_computed_again() -> None:
    data = ArrayDataset("alpha", "real", torch.zeros(2, 3), fingerprint="known")

    assert data.fingerprint() == "known"


def test_a_fixed_set_renders_nothing() -> None:
    fixed = ArrayDataset("alpha", "real", torch.zeros(2, 3))
    made = rendering()

    assert (fixed.can_render, made.can_render) == (False, True)
    assert made.render(torch.ones(1, 3)).tolist() == [[2, 2, 2]]
    with pytest.raises(ValueError, match="alpha is a fixed set"):
        fixed.render(torch.ones(1, 3))


@pytest.mark.parametrize(
    ("row", "complaint"),
    [
        ([-1, 0, 0], "alpha: shape is -1; it can be an index from 0 to 1"),
        ([2, 0, 0], "shape is 2"),
        ([0.5, 0, 0], "shape is 0.5"),
        ([float("nan"), 0, 0], "shape is nan"),
        ([0, -1.1, 0], "alpha: size is -1.1; it can be anything from -1 to 3.3"),
        ([0, 3.4, 0], "size is 3.4"),
        ([0, float("nan"), 0], "size is nan"),
        ([0, 0, float("inf")], "alpha: angle is inf; it can be any angle in rad"),
    ],
)
def test_what_a_factor_cannot_be_is_not_rendered(row: list[float], complaint: str) -> None:
    good = [1.0, 0.0, 0.0]

    with pytest.raises(ValueError, match=complaint):
        rendering().render(torch.tensor([good, row]))


@pytest.mark.parametrize(
    "table",
    [torch.zeros(3), torch.zeros(1, 2), torch.zeros(1, 4), torch.zeros(1, 1, 3)],
    ids=lambda table: str(tuple(table.shape)),
)
def test_a_table_of_another_shape_is_not_rendered(table: Tensor) -> None:
    with pytest.raises(ValueError, match=r"alpha renders a table of 3 real factors, \(N, 3\), not"):
        rendering().render(table)


def test_a_table_of_complex_numbers_is_not_rendered() -> None:
    with pytest.raises(ValueError, match=r"not torch.complex64 \(1, 3\)"):
        rendering().render(torch.zeros(1, 3, dtype=torch.complex64))


@pytest.mark.parametrize("dtype", [torch.int64, torch.bool, torch.float16, torch.float64])
def test_a_table_may_be_of_any_real_type_and_empty(dtype: torch.dtype) -> None:
    assert rendering().render(torch.ones(0, 3, dtype=dtype)).shape == (0, 3)
    assert len(rendering().render(torch.ones(2, 3, dtype=dtype))) == 2


def test_the_ends_of_a_range_are_rendered_and_any_angle() -> None:
    table = torch.tensor([[0, 3.3, -100], [1, -1, 100]])

    assert torch.equal(rendering().render(table), 2 * table)


class PretendedCopies:
    """Stands for copies to a card: leaves arrays where they are, and notes what it is asked."""

    made: ClassVar[list[PretendedCopies]] = []

    def __init__(self, device: torch.device) -> None:
        self.sent: list[list[Any]] = []
        self.received: list[list[Any]] = []
        self.made.append(self)

    def send(self, arrays: Any) -> list[Any]:
        self.sent.append(list(arrays))
        return self.sent[-1]

    def receive(self, arrays: list[Any]) -> None:
        self.received.append(arrays)


def test_what_does_not_fit_on_a_card_is_copied_there_one_step_ahead(monkeypatch):
    monkeypatch.setattr(batches_module, "Copies", PretendedCopies)
    monkeypatch.setattr(batches_module, "RESIDENT_BYTES", 0)
    data = ArrayDataset("numbers", "synthetic", torch.arange(20.0).reshape(10, 2))
    plain = Batches(data, 4, 0)

    away = Batches(data, 4, 0, torch.device("cuda"))
    found = [away.at(step).samples for step in (0, 1, 2, 7, 8)]

    (copies,) = PretendedCopies.made
    for step, samples in zip((0, 1, 2, 7, 8), found, strict=True):
        assert torch.equal(samples, plain.at(step).samples)
    assert all(any(own is one for one in copies.sent) for own in copies.received)
    assert len(copies.received) == 5
    assert len(copies.sent) == 7  # one for each step and the one after it, 0 to 3 and 7 to 9
