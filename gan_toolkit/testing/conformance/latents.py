"""What every `Latent` promises."""

# ruff: noqa: D102 - the name of a check says what it checks

from __future__ import annotations

import math
from abc import abstractmethod
from functools import partial
from unittest import SkipTest

import torch
from torch import Tensor

from gan_toolkit.interfaces import Grid, Latent
from gan_toolkit.testing.conformance.base import Conformance, able, drawing_nothing, rng_of

MANY = 20_000
"""Samples that stand for the prior."""


class LatentConformance(Conformance):
    """What every `Latent` promises. Checks of an ability it does not have are skipped."""

    @abstractmethod
    def make(self) -> Latent:
        """Return the latent to check."""

    def support(self) -> tuple[Tensor, float]:
        """Return values (N, width) all over the posterior's support, and the weight of each.

        Sums of densities times the weight are integrals, with respect to the measure that
        `entropy` is stated in. Here: every value of a discrete latent, or a fine line for a
        number. Override it, with `coordinate`, where one number takes several columns.
        """
        latent = self.make()
        sample = latent.sample(MANY, rng_of())
        if latent.discrete:
            return sample.unique(dim=0), 1.0
        if latent.width != 1:
            raise SkipTest("what its density is integrated over is not known: override `support`")
        middle, reach = (sample.max() + sample.min()) / 2, 20 * (sample.max() - sample.min())
        line = torch.linspace(-1, 1, 200_001, dtype=torch.float64) * reach + middle
        return line[:, None].float(), float(2 * reach / 200_000)

    def coordinate(self, value: Tensor) -> Tensor:
        """Return the number (B,) behind values (B, width) of a latent that is not discrete."""
        if value.shape[1] != 1:
            raise SkipTest("which number its columns stand for is not known: override `coordinate`")
        return value[:, 0]

    def test_sample_gives_rows_of_its_width(self) -> None:
        latent = self.make()

        for count in (1, 7):
            sample = latent.sample(count, rng_of())
            assert sample.shape == (count, latent.width)
            assert sample.dtype == torch.float32
            assert sample.isfinite().all()

    def test_sample_follows_the_generator_it_is_given(self) -> None:
        latent = self.make()

        with drawing_nothing():
            once, again, other = (latent.sample(64, rng_of(seed)) for seed in (1, 1, 2))

        assert torch.equal(once, again)
        assert not torch.equal(once, other)

    def test_sample_works_without_a_generator_on_the_default_device(self) -> None:
        latent = self.make()

        with torch.device("meta"):
            assert latent.sample(2, None).device.type == "meta"

    def test_it_is_made_and_describes_itself_where_tensors_have_no_values(self) -> None:
        """A run is rehearsed on the `meta` device: a latent keeps numbers, not tensors."""
        with torch.device("meta"):
            latent = self.make()
            if latent.posterior_width:
                assert math.isfinite(latent.entropy())

    def test_posterior_scores_what_sample_gives(self) -> None:
        latent = _recoverable(self.make())
        raw = torch.randn(5, latent.posterior_width, generator=rng_of(1))
        sample = latent.sample(5, rng_of())

        posterior = latent.posterior(raw)
        alone = latent.posterior(raw[:1]).log_prob(sample[:1])

        assert posterior.batch_shape == (5,)
        assert posterior.event_shape == (latent.width,)
        assert posterior.log_prob(sample).shape == (5,)
        torch.testing.assert_close(alone, posterior.log_prob(sample)[:1])

    def test_posterior_has_finite_gradients(self) -> None:
        latent = _recoverable(self.make())

        for size in (0.0, 1.0, 30.0):
            raw = size * torch.randn(16, latent.posterior_width, generator=rng_of(1))
            raw.requires_grad_()
            density = latent.posterior(raw).log_prob(latent.sample(16, rng_of()))
            (slope,) = torch.autograd.grad(density.sum(), raw)

            assert density.isfinite().all()
            assert slope.isfinite().all()
            assert slope.any() or size > 1, "nothing can be learned from here"

    def test_posterior_never_reads_a_value_back(self) -> None:
        """A value read by Python makes the device wait in every step; a `meta` tensor has none."""
        latent = _recoverable(self.make())

        with torch.device("meta"):
            raw = torch.zeros(2, latent.posterior_width)
            assert latent.posterior(raw).log_prob(latent.sample(2, None)).shape == (2,)

    def test_the_density_of_a_posterior_integrates_to_one(self) -> None:
        latent = _recoverable(self.make())
        values, weight = self.support()

        for raw in torch.randn(4, 1, latent.posterior_width, generator=rng_of(1)):
            total = weight * float(_log_prob(latent, raw, values).double().exp().sum())
            assert abs(total - 1) < 0.01, f"it integrates to {total:.3f}"

    def test_entropy_is_that_of_what_sample_draws(self) -> None:
        """Within the error of an estimate from samples."""
        latent = _recoverable(self.make())
        sample = latent.sample(MANY, rng_of())

        found = _plug_in(sample) if latent.discrete else _spacings(self.coordinate(sample))

        assert abs(found - latent.entropy()) < 0.05, (
            f"it says {latent.entropy():.3f} nats, its samples say {found:.3f}"
        )

    def test_a_posterior_that_has_seen_nothing_gains_nothing(self) -> None:
        """H + E[log q] <= 0 for the best constant q: entropy and density use one measure."""
        latent = _recoverable(self.make())
        sample = latent.sample(4096, rng_of())
        raw = torch.zeros(1, latent.posterior_width, requires_grad=True)
        optimiser = torch.optim.Adam([raw], lr=0.1)

        for _ in range(100):
            optimiser.zero_grad()
            bound = latent.entropy() + _log_prob(latent, raw, sample).mean()
            (-bound).backward()
            optimiser.step()

        assert bound.item() <= 0.02

    def test_estimate_reads_one_row_per_sample(self) -> None:
        latent = _recoverable(self.make())
        raw = torch.randn(5, latent.posterior_width, generator=rng_of(1))

        estimate = latent.estimate(raw)

        assert estimate.ndim == 2
        assert estimate.shape[0] == 5

    def test_estimate_names_the_likeliest_value(self) -> None:
        latent = _recoverable(self.make())
        if not latent.discrete:
            raise SkipTest("it is not discrete")
        values, _ = self.support()
        raw = torch.randn(16, latent.posterior_width, generator=rng_of(1))

        best = torch.stack([_log_prob(latent, one[None], values).argmax() for one in raw])
        named = able(lambda: latent.bins(values[best], len(values)))

        assert torch.equal(named.long(), latent.estimate(raw).long())

    def test_a_circular_latent_gives_points_of_the_circle(self) -> None:
        """Measures read each pair of its columns as (cos, sin), and its estimate as radians."""
        latent = self.make()
        if not latent.circular:
            raise SkipTest("it is not circular")
        assert not latent.discrete

        pairs = latent.sample(16, rng_of()).unflatten(1, (-1, 2))
        torch.testing.assert_close(pairs.square().sum(dim=2), torch.ones(16, latent.width // 2))

        raw = torch.randn(16, _recoverable(latent).posterior_width, generator=rng_of(1))
        angles = latent.estimate(raw)
        assert angles.shape == (16, latent.width // 2)
        assert (angles.abs() <= math.pi + 1e-6).all()

    def test_entropy_is_a_finite_number(self) -> None:
        latent = _recoverable(self.make())

        assert isinstance(latent.entropy(), float)
        assert math.isfinite(latent.entropy())
        assert latent.entropy() > 0 or not latent.discrete

    def test_grid_gives_what_sample_would(self) -> None:
        latent = self.make()

        grid = _traversed(latent)

        assert grid.values.shape == (len(grid.labels), latent.width)
        assert grid.values.dtype == torch.float32
        assert len(grid.labels) == len(set(grid.labels)) == len(grid.trained)
        assert any(grid.trained)

    def test_encode_takes_what_grid_writes_over_a_column(self) -> None:
        latent = self.make()
        grid = _traversed(latent)
        try:
            said = [int(text) if latent.discrete else float(text) for text in grid.labels]
        except ValueError as error:
            raise SkipTest("its labels are words") from error

        values = torch.stack([able(partial(latent.encode, one)) for one in said])

        assert (values - grid.values).abs().max() <= 0.02 * (1 + grid.values.abs().max())

    def test_between_goes_from_one_value_to_the_other(self) -> None:
        """A discrete latent stays where it is: nothing lies between two of its values."""
        latent = self.make()
        first, last = latent.sample(6, rng_of(1)), latent.sample(6, rng_of(2))

        way = latent.between(first, last, torch.linspace(0, 1, 5))

        assert way.shape == (6, 5, latent.width)
        assert way.isfinite().all()
        torch.testing.assert_close(way[:, 0], first, atol=1e-5, rtol=0.0)
        torch.testing.assert_close(
            way[:, -1], first if latent.discrete else last, atol=1e-5, rtol=0.0
        )

    def test_between_takes_shares_of_its_own_for_each_pair(self) -> None:
        latent = self.make()
        first, last = latent.sample(3, rng_of(1)), latent.sample(3, rng_of(2))
        shares = torch.rand(3, 2, generator=rng_of(3))

        way = latent.between(first, last, shares)

        alone = [
            latent.between(first[[row]], last[[row]], shares[row]) for row in range(len(shares))
        ]
        torch.testing.assert_close(way, torch.cat(alone), atol=1e-5, rtol=0.0)

    def test_encode_refuses_nonsense_in_one_line(self) -> None:
        latent = self.make()

        for value in ("much", None, True, math.nan, math.inf, [0.5] * 99):
            refusal = able(partial(_refusal, latent, value))
            assert len(refusal.splitlines()) == 1, f"{value!r} was refused with {refusal!r}"

    def test_bins_are_equally_probable(self) -> None:
        """Those of a discrete latent are its values, as probable as its entropy says they are."""
        latent = self.make()
        sample = latent.sample(8000, rng_of())

        bins = able(lambda: latent.bins(sample, 5))

        assert bins.ndim == 2
        assert not bins.is_floating_point()
        if latent.discrete and not _says_all_are_alike(latent, bins):
            found, said = _plug_in(bins), latent.entropy()
            assert abs(found - said) < 0.05, (
                f"its bins have {found:.3f} nats, its entropy is {said:.3f}"
            )
            return
        for column in bins.unbind(dim=1):
            shares = torch.bincount(column) / len(sample)
            deviation = math.sqrt(1 / len(shares) / len(sample))
            assert (shares - 1 / len(shares)).abs().max() < 5 * deviation
            assert latent.discrete or len(shares) == 5


def _says_all_are_alike(latent: Latent, bins: Tensor) -> bool:
    """Return whether a discrete latent claims the entropy of values of one chance, or none."""
    most = sum(math.log(len(column.unique())) for column in bins.unbind(dim=1))
    try:
        return math.isclose(latent.entropy(), most, abs_tol=1e-4)
    except NotImplementedError:
        return True


def _recoverable(latent: Latent) -> Latent:
    if latent.posterior_width == 0:
        raise SkipTest("nobody recovers this latent")
    return latent


def _traversed(latent: Latent) -> Grid:
    try:
        return able(lambda: latent.grid(7))
    except ValueError as error:
        raise SkipTest(f"it can't be traversed: {error}") from error


def _refusal(latent: Latent, value: object) -> str:
    """Return what the latent says against `value`; nothing when it takes it."""
    try:
        latent.encode(value)
    except ValueError as error:
        return str(error)
    return ""


def _log_prob(latent: Latent, raw: Tensor, sample: Tensor) -> Tensor:
    density = latent.posterior(raw.expand(len(sample), -1)).log_prob(sample)
    assert isinstance(density, Tensor)
    return density


def _plug_in(sample: Tensor) -> float:
    """Return the entropy of the shares of the rows, with the first correction of its bias."""
    counts = sample.unique(dim=0, return_counts=True)[1].double()
    shares = counts / counts.sum()
    return float(-(shares * shares.log()).sum() + (len(counts) - 1) / (2 * len(sample)))


def _spacings(value: Tensor) -> float:
    """Return the entropy of numbers from the gaps between them: Vasicek 1976, without its bias.

    -E[log p] with p(x) = m / ((n + 1) gap) over gaps of m neighbours; E[log of a gap] is off by
    log m - digamma(m).
    """
    ordered = value.double().sort().values
    count, m = len(ordered), math.isqrt(len(ordered))
    gaps = (ordered[m:] - ordered[:-m]).clamp(min=1e-12)
    bias = math.log(m) - float(torch.digamma(torch.tensor(float(m))))
    return float((gaps * (count + 1) / m).log().mean()) + bias
