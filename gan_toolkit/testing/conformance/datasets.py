"""What every `Dataset` and every `Augment` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import math
from abc import abstractmethod
from unittest import SkipTest

import torch
from torch import Tensor

from gan_toolkit.interfaces import Augment, Batch, Dataset, Factor
from gan_toolkit.testing.conformance.base import Conformance, drawing_nothing, rng_of

SOURCES = ("real", "meshes", "synthetic")


class DatasetConformance(Conformance):
    """What every `Dataset` promises."""

    @abstractmethod
    def make(self) -> Dataset:
        """Return the data set to check, opened anew at every call."""

    def test_it_says_what_it_is(self) -> None:
        data = self.make()

        assert len(data) > 0
        assert len(data.name.splitlines()) == 1, "its name stands in titles: one line"
        assert data.source in SOURCES, f"its source is {data.source!r}; one of {SOURCES}"
        assert all(type(size) is int and size > 0 for size in data.sample_shape)

    def test_samples_are_bytes_of_images_or_numbers_of_points(self) -> None:
        data = self.make()

        samples = data.batch(_first(data)).samples

        image = len(data.sample_shape) == 3
        assert image or len(data.sample_shape) == 1
        assert samples.shape == (len(_first(data)), *data.sample_shape)
        assert samples.dtype == (torch.uint8 if image else torch.float32)
        assert samples.float().isfinite().all()

    def test_a_sample_is_the_same_whoever_asks(self) -> None:
        """Alone, twice in a batch, in any order, and when the data set is opened again."""
        data, order = self.make(), _first(self.make())
        whole = data.batch(order)

        with drawing_nothing():
            backwards, again = data.batch(order.flip(0)), self.make().batch(order)
            alone = data.batch(order[:1].repeat(2))

        for name in Batch._fields:
            rows = getattr(whole, name)
            if rows is not None:
                assert torch.equal(getattr(backwards, name).flip(0), rows), name
                assert torch.equal(getattr(again, name), rows), name
                assert torch.equal(getattr(alone, name), rows[[0, 0]]), name

    def test_a_batch_is_the_callers_own(self) -> None:
        data = self.make()
        order = _first(data)
        before = data.batch(order).samples.clone()

        data.batch(order).samples.zero_()

        assert torch.equal(data.batch(order).samples, before), "writing into a batch wrote into it"

    def test_labels_match_their_classes(self) -> None:
        data = self.make()
        labels = data.batch(_first(data)).labels
        if labels is None:
            assert not data.classes, "it names classes, and gives no labels"
            raise SkipTest("it has no labels")

        assert labels.dtype == torch.int64
        assert labels.shape == (len(_first(data)),)
        assert labels.min() >= 0
        assert not data.classes or labels.max() < len(data.classes)

    def test_factors_match_their_description(self) -> None:
        data = self.make()
        factors = data.batch(_first(data)).factors
        if factors is None:
            assert not data.factors, "it describes factors, and gives none"
            raise SkipTest("it has no factors")

        assert factors.dtype == torch.float32
        assert factors.shape == (len(_first(data)), len(data.factors))
        assert len({factor.name for factor in data.factors}) == len(data.factors)
        for factor, column in zip(data.factors, factors.unbind(dim=1), strict=True):
            assert _fits(factor, column), f"{factor.name}: {column.tolist()[:3]} … do not fit it"

    def test_the_fingerprint_is_that_of_the_contents(self) -> None:
        data = self.make()

        found = data.fingerprint()

        assert found and found.isprintable()  # noqa: PT018 - an empty one is printable
        assert found == data.fingerprint() == self.make().fingerprint(), "it changes"

    def test_what_is_held_out_is_like_it_and_another(self) -> None:
        data = self.make()
        held_out = data.held_out()
        if held_out is None:
            raise SkipTest("it holds nothing out")

        assert held_out.sample_shape == data.sample_shape
        assert held_out.classes == data.classes
        assert _described(held_out) == _described(data)
        assert held_out.fingerprint() != data.fingerprint(), "it holds out what it trains on"

    def test_it_renders_what_it_says(self) -> None:
        data = self.make()
        batch = data.batch(_first(data))
        if not data.can_render:
            refusal = _refusal(data, torch.zeros(1, len(data.factors)))
            assert refusal, "it renders, and can_render is false"
            raise SkipTest("it can't render")
        assert batch.factors is not None, "it can render, and knows no factors"

        with drawing_nothing():
            once, again = data.render(batch.factors), data.render(batch.factors)

        assert once.shape == batch.samples.shape
        assert once.dtype == batch.samples.dtype
        assert torch.equal(once, again)
        assert data.render(batch.factors[:0]).shape == (0, *data.sample_shape)
        assert _refusal(data, batch.factors[:, :-1]), "it takes a table that lacks a factor"
        assert _refusal(data, batch.factors * math.nan), "it takes factors that are no numbers"


class AugmentConformance(Conformance):
    """What every `Augment` promises."""

    sample_shape: tuple[int, ...] = (3, 16, 16)

    @abstractmethod
    def make(self) -> Augment:
        """Return the augment to check, for samples of `sample_shape`."""

    def test_it_gives_samples_like_those_it_takes(self) -> None:
        for count in (1, 16):
            given = self._samples(count)

            changed = self.make().apply(given, rng_of())

            assert changed.shape == given.shape
            assert changed.dtype == given.dtype
            assert changed.isfinite().all()
            assert given.ndim != 4 or changed.abs().max() <= 1, "images leave [-1, 1]"

    def test_it_follows_the_generator_it_is_given(self) -> None:
        augment, given = self.make(), self._samples(16)

        with drawing_nothing():
            once, again, other = (augment.apply(given, rng_of(seed)) for seed in (1, 1, 2))

        assert torch.equal(once, again)
        assert not torch.equal(once, other)

    def test_it_leaves_the_given_samples_as_they_are(self) -> None:
        given = self._samples(16)
        before = given.clone()

        changed = self.make().apply(given, rng_of())
        assert torch.equal(given, before), "it writes into the samples it is given"
        changed.zero_()

        assert torch.equal(given, before), "what it returns is a view of what it was given"

    def _samples(self, count: int) -> Tensor:
        """Return grey levels as a data set of images would give them, or points."""
        if len(self.sample_shape) == 1:
            return torch.randn(count, *self.sample_shape, generator=rng_of())
        grey = torch.randint(256, (count, *self.sample_shape), generator=rng_of())
        return grey / 127.5 - 1


def _described(data: Dataset) -> list[Factor | str]:
    """Return its factors; of a nuisance, whose values may be others, the name alone."""
    return [factor if factor.scored else factor.name for factor in data.factors]


def _first(data: Dataset) -> Tensor:
    return torch.arange(min(len(data), 8))


def _fits(factor: Factor, column: Tensor) -> bool:
    if not column.isfinite().all():
        return False
    if factor.kind == "discrete":
        whole = torch.equal(column, column.round())
        return whole and bool((column >= 0).all() and (column < len(factor.values)).all())
    reach = 1e-5 * max(abs(factor.low), abs(factor.high), 1.0)
    within = (column >= factor.low - reach).all() and (column <= factor.high + reach).all()
    return factor.kind == "circular" or bool(within)


def _refusal(data: Dataset, factors: Tensor) -> str:
    try:
        data.render(factors)
    except ValueError as error:
        return str(error)
    return ""
