from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.linalg import sqrtm

from gantk_measures.distances import (
    frechet,
    kernel_distance,
    kernel_distances,
    normals_apart,
)
from gantk_measures.statistics import Numbers

SQUARE = np.array([[-1.0, -1], [-1, 1], [1, -1], [1, 1]])
"""Mean 0; each coordinate has the variance 4 / 3; nothing is shared."""


def draw(count: int, width: int, seed: int) -> Numbers:
    return np.random.default_rng(seed).normal(size=(count, width))


def test_a_shift_costs_its_squared_length() -> None:
    assert frechet(SQUARE, SQUARE + np.array([3, 4])) == pytest.approx(25)


def test_diagonal_covariances_cost_the_squared_difference_of_deviations() -> None:
    """(1 - 3)^2 + (2 - 5)^2 = 13, times the variance of the square's coordinates."""
    assert frechet(SQUARE * np.array([1, 2]), SQUARE * np.array([3, 5])) == pytest.approx(
        13 * 4 / 3
    )


def test_one_feature_will_do() -> None:
    """Variances 2 / 1 and 8 / 1, means 0 and 3: 9 + (√2 - √8)^2 = 11."""
    assert frechet(np.array([[-1.0], [1]]), np.array([[1.0], [5]])) == pytest.approx(11)


def test_equal_sets_are_at_distance_0() -> None:
    samples = draw(50, 8, 0)

    assert frechet(samples, samples[::-1]) == pytest.approx(0, abs=1e-9)


def test_covariances_that_do_not_commute_agree_with_the_root_of_the_product() -> None:
    first, second = (
        np.cov(draw(30, 5, seed) @ draw(5, 5, seed + 9), rowvar=False) for seed in (1, 2)
    )

    found = normals_apart(first, second)

    root = sqrtm(first @ second)
    assert found == pytest.approx(float(np.trace(first + second - 2 * root.real)))
    assert found == pytest.approx(normals_apart(second, first))


def test_fewer_samples_than_features_are_no_obstacle() -> None:
    few = draw(10, 40, 0)

    assert frechet(few, few) == pytest.approx(0, abs=1e-6)
    assert np.isfinite(frechet(few, draw(10, 40, 1)))


def test_frechet_distance_of_one_distribution_falls_as_sets_grow() -> None:
    """That is why it is compared at equal sizes only."""
    found = [frechet(draw(count, 16, 0), draw(count, 16, 1)) for count in (50, 200, 800, 3_200)]

    assert found == sorted(found, reverse=True)
    assert found[0] > 10 * found[-1] > 0


def test_kernel_distance_by_hand() -> None:
    """k = (xy + 1)^3 on {0, 1} and {2, 3}: 1 + 343 - 2 (1 + 1 + 27 + 64) / 4."""
    found = kernel_distance(np.array([[0.0], [1]]), np.array([[2.0], [3]]))

    assert found == pytest.approx(297.5)


def test_kernel_divides_by_the_number_of_features() -> None:
    """Of (1, 1) and (1, 1) the product is 2, over 2 features 1: (1 + 1)^3 throughout."""
    ones = np.ones((2, 2))

    assert kernel_distance(ones, np.zeros((2, 2))) == pytest.approx(8 + 1 - 2)


def test_kernel_distance_is_unbiased() -> None:
    """The mean over all draws of two and two of {-1, 2} is exactly 0; some are negative."""
    draws = [np.array(values)[:, None] for values in itertools.product((-1.0, 2.0), repeat=2)]

    found = [kernel_distance(first, second) for first in draws for second in draws]

    assert np.mean(found) == pytest.approx(0, abs=1e-12)
    assert min(found) < 0


def test_blocks_share_no_sample() -> None:
    real, generated = draw(20, 3, 0), draw(20, 3, 1)

    found = kernel_distances(real, generated, blocks=2)

    parts = slice(10), slice(10, None)
    assert found.tolist() == [kernel_distance(real[part], generated[part]) for part in parts]


def test_order_does_not_matter() -> None:
    real, generated = draw(60, 4, 0), 2 * draw(60, 4, 1)
    rows = np.random.default_rng(2).permutation(60)

    for distance in (frechet, kernel_distance):
        found = distance(real[rows], generated[rows[::-1]])
        assert found == pytest.approx(distance(real, generated))
