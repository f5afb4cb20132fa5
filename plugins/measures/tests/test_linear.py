"""Values 32, 33 and 36 of the reference, and what linear models can't read."""

from __future__ import annotations

import math

import numpy as np
import pytest

from gantk_measures.linear import explicitness, infoe, predicts, r_squared, sap
from gantk_measures.robustness import interventional_robustness
from gantk_measures.statistics import Numbers
from gantk_measures.variables import Kind, Variable, one_hot, standardised

F0, F1 = (part.ravel().repeat(100).astype(float) for part in np.indices((4, 4)))
Y = np.repeat(np.arange(10), 200)


@pytest.fixture
def rows() -> np.ndarray:
    return np.random.default_rng(0).permutation(2_000)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param([F0, F0 + F1], 0.5, id="32: one code mixes both"),
        pytest.param([F0, F1], 1.0, id="32: perfect"),
    ],
)
def test_sap_by_hand(codes: list[Numbers], expected: float) -> None:
    variables = [Variable("", "continuous", code) for code in codes]
    factors = [Variable("", "discrete", factor) for factor in (F0, F1)]

    assert sap(variables, factors).mean() == pytest.approx(expected)


def test_sap_of_a_category_in_any_order() -> None:
    permuted = Variable("", "discrete", np.array([2.0, 0, 3, 1])[F0.astype(int)])

    gap = sap([permuted, Variable("", "continuous", F1)], [Variable("", "discrete", F0)])

    assert gap == pytest.approx([1])


@pytest.mark.parametrize(
    ("codes", "expected", "pairs"),
    [
        pytest.param([F0, F1], 1.0, [[1, 0], [0, 1]], id="33: perfect"),
        pytest.param([F0 + F1], 0.5, [[0.5, 0.5]], id="33: a deviation of 1.5 of 3"),
    ],
)
def test_interventional_robustness_by_hand(
    codes: list[Numbers], expected: float, pairs: list[list[float]]
) -> None:
    factors = [F0.astype(int), F1.astype(int)]

    found = interventional_robustness([code[:, None] for code in codes], factors, quantile=1.0)

    assert found.value == pytest.approx(expected)
    assert found.by_pair == pytest.approx(np.array(pairs), abs=1e-9)


def test_a_dead_code_has_no_weight_in_robustness() -> None:
    codes = [F0[:, None], np.zeros((1_600, 1))]

    assert interventional_robustness(codes, [F0.astype(int)]).value == pytest.approx(1)
    assert interventional_robustness(codes[1:], [F0.astype(int)]).value == 0


def codes_of_y() -> Numbers:
    other = np.random.default_rng(1).integers(5, size=2_000).astype(float)
    return np.stack([standardised(Y.astype(float)), standardised(other)], axis=1)


def test_36_explicitness_of_a_code_in_order(rows: np.ndarray) -> None:
    found = explicitness(codes_of_y(), Y, rows[:1_300], rows[1_300:])

    assert found.value == pytest.approx(1, abs=1e-6)
    assert found.missing == ()


def test_36_classes_missing_from_a_part_are_named(rows: np.ndarray) -> None:
    train, test = rows[:1_300], rows[1_300:]

    found = explicitness(codes_of_y(), Y, train[Y[train] != 3], test[Y[test] != 7])

    assert found.missing == (3, 7)
    assert found.value > 0.9


def test_explicitness_of_noise_is_a_half(rows: np.ndarray) -> None:
    noise = np.random.default_rng(2).normal(size=(2_000, 2))

    two = explicitness(noise, Y // 5, rows[:1_300], rows[1_300:])

    assert two.value == pytest.approx(0.5, abs=0.05)
    assert math.isnan(explicitness(noise, Y * 0, rows[:1_300], rows[1_300:]).value)


def test_infoe_of_a_perfect_code_of_noise_and_of_a_number(rows: np.ndarray) -> None:
    train, test = rows[:1_300], rows[1_300:]
    label, number = Variable("", "discrete", Y * 1.0), Variable("", "continuous", Y * 1.0)
    noise = np.random.default_rng(2).normal(size=(2_000, 2))

    assert infoe(one_hot(Y), label, train, test) == pytest.approx(1, abs=0.01)
    assert infoe(noise, label, train, test) == pytest.approx(0, abs=0.03)
    assert infoe(codes_of_y(), number, train, test) == pytest.approx(1)
    assert infoe(noise, number, train, test) == pytest.approx(0, abs=0.03)


def test_infoe_weighs_every_value_the_same(rows: np.ndarray) -> None:
    """A code that names the commonest of three values, and no other, is worth a part of log 3."""
    values = (np.arange(2_000) % 10 > 7).astype(float) + (np.arange(2_000) % 10 > 8)
    code = one_hot((values == 0).astype(int))

    found = infoe(code, Variable("", "discrete", values), rows[:1_300], rows[1_300:])

    assert found == pytest.approx(1 - 2 / 3 * math.log(2) / math.log(3), abs=0.02)


def test_infoe_of_noise_is_nothing_however_uneven_the_values_are(rows: np.ndarray) -> None:
    values = (np.arange(2_000) % 10 > 7).astype(float)
    noise = np.random.default_rng(2).normal(size=(2_000, 1))

    found = infoe(noise, Variable("", "discrete", values), rows[:1_300], rows[1_300:])

    assert found == pytest.approx(0, abs=0.03)


def test_infoe_is_asked_of_samples_the_model_has_not_seen(rows: np.ndarray) -> None:
    """Twenty columns of noise explain a third of sixty samples, and mislead about others."""
    noise = np.random.default_rng(2).normal(size=(2_000, 20))

    found = infoe(noise, Variable("", "continuous", Y * 1.0), rows[:60], rows[60:])

    assert found < 0


def test_infoe_asks_for_known_values_only(rows: np.ndarray) -> None:
    train, test = rows[:1_300], rows[1_300:]

    found = infoe(one_hot(Y), Variable("", "discrete", Y * 1.0), train[Y[train] != 3], test)

    assert found == pytest.approx(1, abs=0.01)


def test_r_squared_by_hand() -> None:
    """Half the variance of f0 + f1 is that of f0."""
    assert r_squared(F0[:, None], (F0 + F1)[:, None]) == pytest.approx(0.5)


def test_a_linear_model_predicts_what_is_a_sum_and_no_more() -> None:
    rng = np.random.default_rng(0)
    columns = rng.normal(size=(600, 20))
    train, test = np.arange(400), np.arange(400, 600)
    summed = columns.sum(axis=1)

    def found(kind: Kind, values: np.ndarray) -> float:
        return predicts(columns, Variable("", kind, values), train, test)

    assert found("continuous", summed) == pytest.approx(1)
    assert found("continuous", columns[:, 0] ** 2) < 0.05
    assert found("circular", np.where(summed > 0, np.pi, 0)) > 0.5
    assert found("discrete", (summed > 0).astype(float)) > 0.95


def test_a_linear_model_of_one_category_predicts_that_one() -> None:
    only = np.array([2.0] * 6 + [2.0, 1.0])

    found = predicts(
        np.zeros((8, 1)), Variable("", "discrete", only), np.arange(6), np.arange(6, 8)
    )

    assert found == 0.5
