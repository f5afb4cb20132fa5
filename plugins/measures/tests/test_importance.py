"""Values 28 to 31 of the reference."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gantk_measures.importance import (
    Fitted,
    Regressor,
    completeness,
    disentanglement,
    fit,
    sum_blocks,
)
from gantk_measures.statistics import Numbers
from gantk_measures.variables import Variable, one_hot


@pytest.mark.parametrize(
    ("importance", "d", "c"),
    [
        pytest.param([[0.75, 0.25], [0.25, 0.75]], 0.188722, 0.188722, id="28"),
        pytest.param([[1, 0], [1, 0], [0, 1]], 1, 0.579380, id="29: weighted by use"),
        pytest.param([[1, 0], [0, 1]], 1, 1, id="30: diagonal"),
        pytest.param([[0, 0], [0, 0]], 0, 0, id="30: nothing"),
        pytest.param([[1, 0], [0, 1], [0, 0]], 1, 1, id="30: dead code last"),
        pytest.param([[0, 0], [1, 0], [0, 1]], 1, 1, id="30: dead code first"),
    ],
)
def test_by_hand(importance: list[list[float]], d: float, c: float) -> None:
    matrix = np.array(importance, dtype=float)

    assert disentanglement(matrix) == pytest.approx(d, abs=1e-6)
    assert completeness(matrix) == pytest.approx(c, abs=1e-6)


def test_31_columns_of_one_category_are_summed() -> None:
    columns = np.concatenate([np.full((10, 1), 0.1), np.zeros((1, 1))])

    assert completeness(columns[:10]) == pytest.approx(0, abs=1e-9)
    assert completeness(sum_blocks(columns, [10, 1])) == pytest.approx(1)


def test_one_factor_or_one_code_says_nothing() -> None:
    assert math.isnan(disentanglement(np.ones((3, 1))))
    assert math.isnan(completeness(np.ones((1, 3))))


def mixed(count: int) -> list[Variable]:
    rng = np.random.default_rng(0)
    return [
        Variable("shape", "discrete", rng.integers(3, size=count).astype(float)),
        Variable("size", "continuous", rng.uniform(size=count)),
        Variable("turn", "circular", rng.uniform(-math.pi, math.pi, size=count)),
    ]


@pytest.mark.parametrize("regressor", ["gradient_boosting", "extra_trees"])
def test_each_kind_of_factor_is_found_in_its_code(regressor: Regressor) -> None:
    factors = mixed(450)
    shape, size, turn = factors
    codes: list[Variable] = [
        Variable("a", "discrete", shape.values, one_hot(shape.levels())),
        Variable("b", "continuous", size.values * 3),
        Variable("c", "circular", -turn.values),
    ]

    found = fit(codes, factors, regressor, np.arange(300), np.arange(300, 450), seed=0, trees=100)

    assert found.importance.argmax(axis=0).tolist() == [0, 1, 2]
    assert found.importance.sum(axis=0) == pytest.approx([1, 1, 1])
    assert found.quality.min() > 0.95
    assert disentanglement(found.importance) > 0.8
    assert found.chance[0] == pytest.approx(1 / 3, abs=0.1)
    assert found.chance[1:].tolist() == [0, 0]


def test_a_factor_that_no_code_knows_has_importances_and_no_skill() -> None:
    """Trees know the samples they were fitted to by heart; it is the others that count."""
    rng = np.random.default_rng(0)
    size, luck = mixed(450)[1], Variable("luck", "continuous", rng.normal(size=450))
    coin = Variable("coin", "discrete", rng.integers(2, size=450).astype(float))
    train, test = np.arange(300), np.arange(300, 450)

    found = fit([size], [size, luck, coin], "extra_trees", train, test, seed=0, trees=100)

    assert found.importance.tolist() == [[1, 1, 1]]
    assert found.quality[1] < 0.1
    assert found.quality[2] == pytest.approx(0.5, abs=0.1)
    assert found.skill == pytest.approx([1, 0, 0], abs=0.15)
    assert found.skill.min() >= 0


@pytest.mark.parametrize("regressor", ["gradient_boosting", "extra_trees"])
def test_a_factor_with_one_value_among_the_rows_of_the_fit_uses_no_code(
    regressor: Regressor,
) -> None:
    size, rare = mixed(450)[1], Variable("rare", "discrete", (np.arange(450) == 449) * 1.0)

    found = fit([size], [rare], regressor, np.arange(300), np.arange(300, 450), seed=0, trees=100)

    assert found.importance.tolist() == [[0]]
    assert found.quality == found.chance == pytest.approx([149 / 150])


def test_skill_is_how_far_quality_is_from_chance_to_1() -> None:
    quality: Numbers = np.array([0.75, 0.2, 1.0])

    assert Fitted(np.eye(3), quality, np.array([0.5, 0.5, 1.0])).skill.tolist() == [0.5, 0, 0]
