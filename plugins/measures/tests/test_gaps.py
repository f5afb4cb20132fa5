"""Values 13 to 27, 34, 35 and 37 of the reference: codes and matrices worked out by hand."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from gantk_measures import gaps
from gantk_measures.mutual import plug_in_bias, shared
from gantk_measures.statistics import Numbers
from gantk_measures.variables import Variable

F0, F1 = (part.ravel().repeat(100).astype(float) for part in np.indices((4, 4)))
NOTHING = np.zeros(1_600)
Y = np.repeat(np.arange(10.0), 200)


def category(values: Numbers) -> Variable:
    return Variable("", "discrete", values)


def number(values: Numbers) -> Variable:
    return Variable("", "continuous", values)


def mig(codes: list[Variable], factors: list[Variable], binning: str = "width") -> float:
    found = shared(
        [code.levels(20, binning) for code in codes],  # type: ignore[arg-type]
        [factor.levels() for factor in factors],
    )
    return float(gaps.mig(found.information, found.factors).mean())


GRID = [category(F0), category(F1)]


@pytest.mark.parametrize("make", [category, number])
@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param([F0, F1], 1.0, id="13"),
        pytest.param([F0, F1, F0, F1], 0.0, id="14: duplicates"),
        pytest.param([NOTHING, NOTHING], 0.0, id="15: dead"),
        pytest.param([F0, F0 // 2, F1], 0.75, id="16"),
        pytest.param([F0 + 4 * F1, NOTHING], 1.0, id="17: the blind spot"),
        pytest.param([F0 // 2, F1], 0.75, id="18: over H of the factor, not of the code"),
    ],
)
def test_mig_by_hand(
    codes: list[Numbers], expected: float, make: Callable[[Numbers], Variable]
) -> None:
    assert mig([make(code) for code in codes], GRID) == pytest.approx(expected, abs=1e-9)


def test_19_mig_of_a_code_that_is_wider_than_its_factor() -> None:
    """Four values spread over 20 bins each keep their own five; a few samples cross an edge."""
    noisy = F0 + np.random.default_rng(0).uniform(-0.5, 0.5, size=1_600)

    assert mig([number(noisy), number(F1)], GRID) == pytest.approx(1, abs=0.02)


def test_20_softmax_columns_hide_a_perfect_category() -> None:
    columns = [category((y == Y).astype(float)) for y in range(10)]
    factor = [category(Y)]
    held = shared([column.levels() for column in columns], [Y.astype(int)]).information

    assert held == pytest.approx(np.full((10, 1), 0.325083), abs=1e-6)
    assert mig(columns, factor) == pytest.approx(0, abs=1e-9)
    assert mig([category(Y), category(Y * 0)], factor) == pytest.approx(1)


def test_20_noise_beside_a_perfect_category_costs_its_bias() -> None:
    noise = np.random.default_rng(0).normal(size=2_000)

    assert mig([category(Y), number(noise)], [category(Y)]) == pytest.approx(0.98, abs=0.005)


@pytest.mark.parametrize(
    ("categories", "binned"),
    [
        pytest.param(20, 1.0, id="21: 20"),
        pytest.param(21, 0.978317, id="21: 21"),
        pytest.param(30, 0.864137, id="21: 30"),
    ],
)
def test_categories_are_never_binned(categories: int, binned: float) -> None:
    """A histogram of 20 bins merges them."""
    values = np.repeat(np.arange(float(categories)), 100)
    factor, dead = [category(values)], category(values * 0)

    assert mig([category(values), dead], factor) == pytest.approx(1)
    assert mig([number(values), dead], factor) == pytest.approx(binned, abs=1e-6)


def test_22_an_outlier_empties_bins_of_equal_width_only() -> None:
    far = np.concatenate([[1e4], Y[1:]])
    factor, dead = [category(Y)], category(Y * 0)

    assert mig([category(far), dead], factor) == pytest.approx(1)
    assert mig([number(far), dead], factor, "quantile") == pytest.approx(1, abs=0.002)
    assert mig([number(far), dead], factor) == pytest.approx(0.0005, abs=5e-5)


def test_23_float_factors_are_binned() -> None:
    values = np.random.default_rng(0).uniform(size=2_000)
    dead = category(values * 0)

    assert mig([number(values), dead], [number(values)]) == pytest.approx(1)
    assert category(values).levels().max() == 1_999
    assert mig([number(values), dead], [category(values)]) == pytest.approx(0.393549, abs=0.002)


@pytest.mark.parametrize(
    ("count", "expected", "measured"),
    [
        pytest.param(2_000, 0.0502, 0.047, id="24: 2,000"),
        pytest.param(10_000, 0.0100, 0.009, id="24: 10,000"),
    ],
)
def test_independent_codes_read_the_plug_in_bias(
    count: int, expected: float, measured: float
) -> None:
    """The formula is for counts that are not small; here it is good to a tenth."""
    rng = np.random.default_rng(0)
    code, factor = number(rng.normal(size=count)).levels(), rng.integers(40, size=count)
    found, mended = shared([code], [factor]), shared([code], [factor], corrected=True)

    assert plug_in_bias(20, 40, count) / math.log(40) == pytest.approx(expected, abs=5e-5)
    assert found.information / found.factors == pytest.approx(measured, rel=0.15)
    assert mended.information.item() < 0.4 * found.information.item()


@pytest.mark.parametrize(
    ("codes", "factors", "expected"),
    [
        pytest.param([F0, F1], [F0, F1], [1, 1], id="25: perfect"),
        pytest.param([F1], [F0], [0], id="25: the other factor"),
        pytest.param([F0, F1, F0], [F0, F1], [0.5, 1], id="a second code has it too"),
        pytest.param([F0 + 4 * F1], [F0, F1], [2 / 3, 2 / 3], id="the code has more"),
    ],
)
def test_jemmig_by_hand(
    codes: list[Numbers], factors: list[Numbers], expected: list[float]
) -> None:
    found = shared([c.astype(int) for c in codes], [f.astype(int) for f in factors])
    sizes = np.array([len(np.unique(code)) for code in codes])

    assert gaps.jemmig(*found, sizes) == pytest.approx(expected, abs=1e-9)


def of_codes(codes: list[Numbers]) -> tuple[Numbers, Numbers]:
    found = shared([category(code).levels() for code in codes], [each.levels() for each in GRID])
    return found.information, found.factors


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param([F0 + 4 * F1, F0], 0.5, id="26: one code has both factors"),
        pytest.param([F0, F1], 1.0, id="26: perfect"),
    ],
)
def test_mig_sup_by_hand(codes: list[Numbers], expected: float) -> None:
    assert gaps.mig_sup(*of_codes(codes)).mean() == pytest.approx(expected)


@pytest.mark.parametrize(
    ("codes", "expected"),
    [
        pytest.param([F0, F1], 1.0, id="27: perfect"),
        pytest.param([F0 + 4 * F1], 0.0, id="27: one code has both factors"),
        pytest.param([F0, F0 // 2, F1], 1.0, id="27: a coarse copy is forgiven"),
    ],
)
def test_dcimig_by_hand(codes: list[Numbers], expected: float) -> None:
    assert gaps.dcimig(*of_codes(codes)) == pytest.approx(expected, abs=1e-9)


ON_TWO_OF_TEN = np.array([[1.0, 1, 0, 0, 0, 0, 0, 0, 0, 0]])


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        pytest.param(np.array([[1, 0.5], [0, 1]]), [0.75, 1], id="34: mean .875"),
        pytest.param(np.eye(5), [1] * 5, id="34: identity"),
        pytest.param(ON_TWO_OF_TEN, [8 / 9], id="34: two of ten"),
        pytest.param(np.array([[1.0, 0], [0, 1], [0, 0]]), [1, 1, math.nan], id="35: dead"),
        pytest.param(of_codes([F0 + 4 * F1])[0], [0], id="35: both factors"),
    ],
)
def test_modularity_by_hand(information: Numbers, expected: list[float]) -> None:
    assert gaps.modularity(information) == pytest.approx(expected, abs=1e-9, nan_ok=True)


def test_37_infom_and_infoc_by_hand() -> None:
    """The reference has sources as rows; here codes are."""
    normalised = np.array([[1, 0.5], [0, 0.5]]).T

    assert gaps.infom(normalised) == pytest.approx(0.5)
    assert gaps.infoc(normalised) == pytest.approx(2 / 3)


def test_a_code_that_informs_of_nothing_does_not_count() -> None:
    normalised = np.array([[1, 0], [0, 1], [0, 0]], dtype=float)

    assert gaps.infom(normalised) == 1
    assert gaps.infoc(normalised) == 1


def test_one_factor_or_one_code_has_no_concentration() -> None:
    assert math.isnan(gaps.infom(np.array([[1.0], [0.5]])))
    assert math.isnan(gaps.infoc(np.array([[1.0, 0.5]])))
    assert math.isnan(gaps.infom(np.zeros((2, 2))))
    assert math.isnan(gaps.infoc(np.zeros((2, 2))))
