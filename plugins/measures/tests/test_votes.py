"""Values 38 to 43 of the reference: FactorVAE and BetaVAE on a grid of two factors."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from gantk_measures.statistics import Numbers
from gantk_measures.variables import Variable
from gantk_measures.votes import BETA_VAE, FACTOR_VAE, Groups, Votes, beta_vae, factor_vae

F0, F1 = (part.ravel().repeat(100).astype(float) for part in np.indices((4, 4)))
NOTHING = np.zeros(1_600)
FACTORS = [Variable("first", "discrete", F0), Variable("second", "discrete", F1)]
FEW = {"votes": 1_500, "checks": 1_000}


def numbers(codes: list[Numbers]) -> list[Variable]:
    return [Variable(f"c{i}", "continuous", code) for i, code in enumerate(codes)]


def score(codes: list[Variable], protocol: str = "gantk", kind: str = "factor") -> Votes:
    if kind == "factor":
        chosen, function = FACTOR_VAE[protocol], factor_vae  # type: ignore[index]
    else:
        chosen, function = BETA_VAE[protocol], beta_vae  # type: ignore[index]
    chosen = replace(chosen, **FEW) if chosen.checks else chosen
    return function(codes, Groups(FACTORS, chosen.images), chosen, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("codes", "expected", "tolerance", "dead"),
    [
        pytest.param([F0, F1], 1.0, 0, (), id="38"),
        pytest.param([F0 + F1, F0 - F1], 0.5, 0.04, (), id="39: rotated, chance"),
        pytest.param([F0, F1, NOTHING], 1.0, 0, ("c2",), id="40: dead code"),
        pytest.param([0.01 * F0, 0.01 * F1], 1.0, 0, (), id="41: small codes"),
        pytest.param([NOTHING, NOTHING], 0.0, 0, ("c0", "c1"), id="42: all dead"),
        pytest.param([F0, NOTHING], 0.5, 0.04, ("c1",), id="42: one factor is missing"),
    ],
)
def test_factor_vae_by_hand(
    codes: list[Numbers], expected: float, tolerance: float, dead: tuple[str, ...]
) -> None:
    found = score(numbers(codes))

    assert found.value == pytest.approx(expected, abs=tolerance)
    assert found.chance == pytest.approx(0.5, abs=0.04)
    assert found.dead == dead
    assert len(found.right) == FEW["checks"]


def test_a_code_of_noise_gets_no_vote() -> None:
    noise = np.random.default_rng(1).normal(size=1_600)

    assert score(numbers([F0, noise, F1])).value == 1


def test_variance_within_is_held_against_that_over_all() -> None:
    """The noise of a wide code is more than all of a narrow one."""
    rng = np.random.default_rng(1)
    narrow, wide = (factor + 0.3 * rng.normal(size=1_600) for factor in (F0, F1))

    assert score(numbers([narrow, 100 * wide])).value == 1


def test_other_protocols_keep_their_faults() -> None:
    """40 and 41: a dead code takes every vote, an absolute threshold prunes what is small."""
    with_dead = score(numbers([F0, F1, NOTHING]), "infogan-cr")
    small = score(numbers([0.01 * F0, 0.01 * F1]), "dlib")

    assert with_dead.value == pytest.approx(0.5)
    assert small.value == 0
    assert small.dead == ("c0", "c1")


def test_factors_in_turn_are_asked_equally_often() -> None:
    found = score(numbers([F0, F1]), "infogan-cr")

    assert len(found.right) == 500
    assert found.chance == 0.5
    assert found.above_chance == 1


@pytest.mark.parametrize(
    "codes",
    [
        pytest.param([F0, F1], id="43: perfect"),
        pytest.param([F0, NOTHING], id="43: the known defect, a factor is missing"),
        pytest.param([0.001 * F0, 0.001 * F1], id="43: small codes"),
    ],
)
def test_beta_vae_by_hand(codes: list[Numbers]) -> None:
    assert score(numbers(codes), kind="beta").value == pytest.approx(1, abs=0.005)


def test_43_beta_vae_of_small_codes_without_standardising() -> None:
    found = score(numbers([0.001 * F0, 0.001 * F1]), "dlib", kind="beta")

    assert found.value == pytest.approx(0.53, abs=0.06)


def test_beta_vae_without_a_live_code_is_never_right() -> None:
    assert score(numbers([NOTHING]), kind="beta").value == 0


@pytest.mark.parametrize("kind", ["factor", "beta"])
def test_categories_and_directions_vote_too(kind: str) -> None:
    """Directions lie across the seam, and categories are in no order."""
    shuffled = np.array([2.0, 0, 3, 1])[F0.astype(int)]
    turned = np.pi + F1 * np.pi / 2
    codes = [Variable("shape", "discrete", shuffled), Variable("turn", "circular", turned)]

    assert score(codes, kind=kind).value == pytest.approx(1, abs=0.005)


def test_values_with_too_few_samples_are_never_held() -> None:
    rare = Variable("size", "discrete", np.array([0.0] * 70 + [1.0] * 5))
    groups = Groups([rare], 64)

    anchors = groups.anchors(0, (500,), np.random.default_rng(0))

    assert groups.rare == {"size": 1}
    assert anchors.max() < 70
    with pytest.raises(ValueError, match="no value of the factor 'size' has the 80 samples"):
        Groups([rare], 80)


def test_partners_share_the_value_and_are_drawn_from_all_that_do() -> None:
    groups, rng = Groups(FACTORS, 64), np.random.default_rng(0)
    rows = groups.anchors(1, (5_000,), rng)

    partners = groups.partners(1, rows, rng)

    assert np.array_equal(F1[rows], F1[partners])
    assert len(np.unique(F0[partners])) == 4
    assert len(np.unique(partners)) > 1_400
