from __future__ import annotations

import numpy as np
import pytest

from gantk_measures.variables import Kind, Variable, gini_variance, still


@pytest.mark.parametrize(
    ("index", "expected"),
    [
        pytest.param(np.arange(10), 0.45, id="44: uniform over ten"),
        pytest.param(np.full(10, 3), 0.0, id="44: one category only"),
    ],
)
def test_gini_variance_by_hand(index: np.ndarray, expected: float) -> None:
    assert gini_variance(index) == pytest.approx(expected)


def test_gini_variance_of_each_row() -> None:
    assert gini_variance(np.array([[0, 0], [0, 1]])) == pytest.approx([0, 0.25])


def test_a_direction_has_no_seam() -> None:
    near = Variable("", "circular", np.radians([179.0, -179.0]))

    assert near.spread() == pytest.approx(np.sin(np.radians(1)) ** 2)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("discrete", [0.0, 3.0, 3.0], [1, 0]),
        ("continuous", [0.0, 3.0, 5.0], [3, 2]),
        ("circular", np.radians([170.0, -170.0, 20.0]), np.radians([20.0, 170.0])),
    ],
)
def test_distance_of_pairs(kind: Kind, values: list[float], expected: list[float]) -> None:
    variable = Variable("", kind, np.array(values))

    assert variable.distance(np.array([0, 1]), np.array([1, 2])) == pytest.approx(expected)


def test_constant_codes_are_still_whatever_the_scale_of_others() -> None:
    wave = np.sin(np.arange(100.0))
    variables = [
        Variable("wave", "continuous", wave),
        Variable("small", "continuous", wave * 1e-3),
        Variable("jitter", "continuous", 0.7 + wave * 1e-8),
        Variable("fixed", "discrete", wave * 0 + 4),
        Variable("shape", "discrete", np.arange(100.0) % 2),
        Variable("stuck", "circular", wave * 0 + 3),
    ]

    assert still(variables) == [False, False, True, True, False, True]
    assert still(variables[2:3]) == [True]


def test_columns_of_each_kind() -> None:
    shape = np.array([0.0, 2.0, 2.0])
    chances = np.array([[0.8, 0.1, 0.1], [0, 0, 1], [0.3, 0.3, 0.4]])
    code = Variable("", "discrete", shape, chances)

    assert code.columns() is chances
    assert code.columns(soft=False).tolist() == [[1, 0], [0, 1], [0, 1]]
    assert Variable("", "circular", np.array([0.0])).columns().tolist() == [[1, 0]]
    number = Variable("", "continuous", np.array([10.0, 30.0])).columns()
    assert number.tolist() == [[-1], [1]]
