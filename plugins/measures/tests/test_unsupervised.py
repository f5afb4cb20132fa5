"""Values 45 to 48 of the reference: scores without labels, and choosing among runs."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gantk_measures.models import model_centrality, udr, udr_pair
from gantk_measures.unsupervised import (
    mean_pairwise_information,
    pairwise_information,
    total_correlation,
    wasserstein,
)


@pytest.mark.parametrize(
    ("covariance", "shared", "distance"),
    [
        pytest.param([[1, 0.6], [0.6, 1]], 0.223144, 0.205267, id="45"),
        pytest.param([[1, 0], [0, 1]], 0, 0, id="46: independent"),
        pytest.param([[1, 0], [0, 0]], 0, 0, id="46: a dead code is dropped"),
    ],
)
def test_normal_codes_by_hand(
    covariance: list[list[float]], shared: float, distance: float
) -> None:
    matrix = np.array(covariance, dtype=float)

    assert total_correlation(matrix) == pytest.approx(shared, abs=1e-6)
    assert wasserstein(matrix) == pytest.approx(distance, abs=1e-6)


def test_scale_does_not_change_what_is_shared() -> None:
    covariance = np.array([[1, 6e-6], [6e-6, 1e-10]])

    assert total_correlation(covariance) == pytest.approx(0.223144, abs=1e-6)


def test_distance_of_codes_of_unequal_size_is_real() -> None:
    """2 tr S - 2 tr (S D)^1/2; the eigenvalues of S D are those of 2 x 2 by hand."""
    covariance = np.array([[4, 1], [1, 1]], dtype=float)
    trace, determinant = 17, 12
    roots = [(trace + sign * math.sqrt(trace**2 - 4 * determinant)) / 2 for sign in (1, -1)]

    assert wasserstein(covariance) == pytest.approx(10 - 2 * sum(map(math.sqrt, roots)))


def test_a_linear_function_of_other_codes_shares_without_end() -> None:
    assert total_correlation(np.ones((2, 2))) == math.inf


def test_pairwise_information_is_the_mean_over_pairs() -> None:
    first, second = (part.ravel() for part in np.indices((4, 4)))

    three = pairwise_information([first, second, first])

    assert three[0, 2] == three[2, 0] == pytest.approx(math.log(4))
    assert three[0, 1] == pytest.approx(0, abs=1e-12)
    assert np.isnan(np.diag(three)).all()
    assert mean_pairwise_information(three) == pytest.approx(math.log(4) / 3)
    assert mean_pairwise_information(pairwise_information([first])) == 0


@pytest.mark.parametrize(
    ("similarity", "expected"),
    [
        pytest.param([[1, 0], [0, 1]], 1.0, id="47: the same codes"),
        pytest.param([[1, 1], [1, 1]], 0.5, id="47: all alike"),
        pytest.param([[0.8, 0.2], [0, 0.5]], 0.574286, id="47"),
    ],
)
def test_udr_of_two_runs_by_hand(similarity: list[list[float]], expected: float) -> None:
    assert udr_pair(np.array(similarity, dtype=float)) == pytest.approx(expected, abs=1e-6)


def test_udr_is_the_median_over_the_other_runs() -> None:
    pairs = np.array(
        [[9, 0.1, 0.2, 0.9], [0.1, 9, 0.3, 0.4], [0.2, 0.3, 9, 0.5], [0.9, 0.4, 0.5, 9]]
    )

    assert udr(pairs) == pytest.approx([0.2, 0.3, 0.3, 0.5])


def test_48_model_centrality_by_hand() -> None:
    agreement = np.array([[9, 0.9, 0.8], [0.7, 9, 0.6], [0.6, 0.4, 9]])

    scores = model_centrality(agreement)

    assert scores == pytest.approx([0.75, 0.65, 0.60])
    assert scores.argmax() == 0
    assert agreement[0, 0] == 9
