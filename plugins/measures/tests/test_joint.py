from __future__ import annotations

import math

import numpy as np
import pytest

from gantk_measures.joint import as_read, confusion, found, joint, mode_counts, perfect

LEVELS = {"colour": 2, "digit": 3}
VALUES = {"colour": np.array([0, 1, 1, 0]), "digit": np.array([2, 0, 2, 2])}


def test_modes_are_numbered_with_the_first_factor_counting_most() -> None:
    assert joint(VALUES, LEVELS).tolist() == [2, 3, 5, 2]
    assert mode_counts(VALUES, LEVELS).tolist() == [0, 0, 2, 1, 0, 1]


def test_confusion_by_hand() -> None:
    """Of three 0s one is read as 1; a value that never occurs is read as it is."""
    truth, read = np.array([0, 0, 0, 2]), np.array([0, 1, 0, 2])

    assert confusion(truth, read, 3).tolist() == [[2 / 3, 1 / 3, 0], [0, 1, 0], [0, 0, 1]]


def test_misreadings_of_two_factors_multiply() -> None:
    """All is mode (0, 2); the colour errs with 0.1, the digit with 0.2 towards 1."""
    shares = np.array([0, 0, 1, 0, 0, 0.0])
    colour = np.array([[0.9, 0.1], [0, 1]])
    digit = np.array([[1, 0, 0], [0, 1, 0], [0, 0.2, 0.8]])

    assert as_read(shares, [colour, digit]) == pytest.approx([0, 0.18, 0.72, 0, 0.02, 0.08])


def test_what_counts_come_to_by_hand() -> None:
    """Half in each of two of four equal modes: KL = log 2, H = log 2 + 1 / 2N."""
    counts, shares = np.array([50.0, 50, 0, 0]), np.full(4, 0.25)

    covered, kl, entropy = found(counts, shares)

    assert covered == 2
    assert kl == pytest.approx(math.log(2))
    assert entropy == pytest.approx(math.log(2) + 1 / 200)


def test_a_mode_that_the_data_has_not_is_not_covered_and_infinitely_far() -> None:
    covered, kl, _ = found(np.array([1.0, 1, 0]), np.array([0.5, 0, 0.5]))

    assert (covered, kl) == (1, math.inf)


def test_a_perfect_generator_meets_what_chance_allows() -> None:
    """M modes in n draws: M (1 - (1 - 1/M)^n) covered, and KL of about (M - 1) / 2n."""
    shares = np.full(100, 0.01)

    few = perfect(shares, shares, 200, np.random.default_rng(0))
    many = perfect(shares, shares, 10_000, np.random.default_rng(0))

    assert few.covered == pytest.approx(100 * (1 - 0.99**200), abs=1.5)
    assert many.covered == 100
    assert many.kl == pytest.approx(99 / 20_000, rel=0.2)
    assert many.entropy == pytest.approx(math.log(100), abs=1e-3)
