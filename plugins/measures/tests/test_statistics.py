from __future__ import annotations

import math

import numpy as np
import pytest

from gantk_measures.statistics import (
    between_share,
    bootstrap,
    bootstrap_mean,
    contingency,
    entropy,
    match_majority,
    match_one_to_one,
    mutual_information,
    uncertainty,
)


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(0)


def test_between_share_by_hand() -> None:
    """Bins (0, 2) and (4, 6): within 1, total 5, so that 4 of 5 parts lie between."""
    values = np.array([[0.0], [2.0], [4.0], [6.0]])

    assert between_share(values, np.array([0, 0, 1, 1])) == pytest.approx(0.8)


def test_between_share_of_directions_has_no_seam() -> None:
    angles = np.radians(np.array([359.0, 1.0, 179.0, 181.0]))
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    explained = between_share(units, np.array([0, 0, 1, 1]))

    assert explained == pytest.approx(math.cos(math.radians(1)) ** 2)


def test_between_share_of_half_turned_directions_is_nothing() -> None:
    angles = np.radians(np.array([0.0, 180.0, 90.0, 270.0]))
    units = np.stack([np.cos(angles), np.sin(angles)], axis=1)

    assert between_share(units, np.array([0, 0, 1, 1])) == pytest.approx(0, abs=1e-12)


def test_between_share_is_nan_when_nothing_varies() -> None:
    assert math.isnan(between_share(np.ones((4, 1)), np.array([0, 0, 1, 1])))


def test_weights_count_a_sample_so_many_times() -> None:
    values, bins = np.array([[0.0], [2.0], [5.0]]), np.array([0, 1, 1])
    repeated = between_share(np.array([[0.0], [2.0], [5.0], [5.0]]), np.array([0, 1, 1, 1]))

    assert between_share(values, bins, np.array([1.0, 1.0, 2.0])) == pytest.approx(repeated)


def test_entropy_is_corrected_after_miller_and_madow() -> None:
    assert entropy(np.array([5.0, 5.0, 0.0])) == pytest.approx(math.log(2) + 1 / 20)


def test_uncertainty_is_one_for_a_copy_and_small_for_independent_columns(
    rng: np.random.Generator,
) -> None:
    rows, columns = rng.integers(20, size=5_000), rng.integers(4, size=5_000)

    assert uncertainty(contingency(columns, columns)) == pytest.approx(1, abs=1e-3)
    assert uncertainty(contingency(rows, columns)) < 0.003
    assert math.isnan(uncertainty(contingency(rows, np.zeros_like(rows))))


def test_information_by_hand() -> None:
    """Value 51."""
    table = np.array([[8.0, 2, 0], [0, 6, 4], [0, 8, 2]])

    assert mutual_information(table, corrected=False) == pytest.approx(0.4517, abs=5e-5)


def test_matching_by_hand() -> None:
    """Value 51: a one-to-one map loses to the majority when two categories share a label."""
    table = np.array([[8.0, 2, 0], [0, 6, 4], [0, 8, 2]])

    assert match_one_to_one(table).labels == {0: 0, 1: 2, 2: 1}
    assert match_one_to_one(table).accuracy == pytest.approx(2 / 3)
    assert match_majority(table).labels == {0: 0, 1: 1, 2: 1}
    assert match_majority(table).accuracy == pytest.approx(22 / 30)


def test_bootstrap_of_a_mean_is_as_wide_as_theory_says(rng: np.random.Generator) -> None:
    values = rng.normal(size=10_000)

    low, high = bootstrap_mean(values, rng)

    assert low < values.mean() < high
    assert high - low == pytest.approx(2 * 1.96 / 100, rel=0.3)


def test_bootstrap_interval_lies_around_the_value(rng: np.random.Generator) -> None:
    """Repeats make independent samples look dependent; the interval must not show that."""
    values, bins = rng.normal(size=(500, 1)), rng.integers(20, size=500)
    value = between_share(values, bins)

    low, high = bootstrap(500, lambda weights: between_share(values, bins, weights), value, rng)

    assert low < value < high


def test_resamples_without_an_estimate_do_not_count(rng: np.random.Generator) -> None:
    """One sample of three is rare: in 30 % of the resamples it is missing, and 0 / 0 is left."""
    ends = bootstrap(3, lambda weights: float(np.divide(weights[0], weights[0])), 1.0, rng)

    assert (ends.low, ends.high) == (1.0, 1.0)


def test_without_any_estimate_there_is_no_interval(rng: np.random.Generator) -> None:
    ends = bootstrap(3, lambda _: math.nan, 1.0, rng)

    assert math.isnan(ends.low)
    assert math.isnan(ends.high)
