"""Supports of small planted sets. Real points lie on the line unless a test says otherwise."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from gantk_measures.neighbours import Manifold, overlap

TEN = torch.arange(10.0, dtype=torch.float64)[:, None]


def means(real: Tensor, generated: Tensor, neighbours: int = 5) -> dict[str, float]:
    found = overlap(real, generated, neighbours)
    return {name: float(values.mean()) for name, values in found._asdict().items()}


def points(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)[:, None]


def clusters(count: int, seed: int, *centres: float) -> Tensor:
    """Draw as many points in the plane about each centre, which lie on a diagonal."""
    rng = torch.Generator().manual_seed(seed)
    drawn = [torch.randn(count, 2, generator=rng).double() + centre for centre in centres]
    return torch.cat(drawn)


def test_manifold_by_hand() -> None:
    """On 0, 1, …, 9 the fifth neighbour of 0 is 5 away, that of 9 as well."""
    manifold = Manifold(torch.arange(10.0)[:, None])

    inside = manifold.inside(torch.tensor([[-4.9], [-5.1], [13.9], [14.1], [4.5], [float("nan")]]))

    assert inside.tolist() == [True, False, True, False, True, False]


def test_balls_are_counted_by_hand() -> None:
    """With k = 1 the balls of 0, 1, 3 reach 1, 1, 2: [-1, 1], [0, 2], [1, 5]."""
    held = Manifold(points(0, 1, 3), 1).holds(points(0.5, 1, 4.5, 6))

    assert held.balls.tolist() == [2, 3, 1, 0]
    assert held.reached.tolist() == [True, True, True]
    assert Manifold(points(0, 1, 3), 1).holds(points(4)).reached.tolist() == [False, False, True]


def test_four_numbers_by_hand() -> None:
    """Generated 0.5, 6 with k = 1: each reaches 5.5, so that 0, 1, 3 all lie within."""
    found = means(points(0, 1, 3), points(0.5, 6), neighbours=1)

    assert found == {"precision": 0.5, "recall": 1.0, "density": 1.0, "coverage": 2 / 3}


def test_a_copy_of_the_real_samples_is_perfect() -> None:
    """Density of a copy is above 1: each sample lies in its own ball besides."""
    found = means(TEN, TEN, neighbours=1)

    assert [found[name] for name in ("precision", "recall", "coverage")] == [1, 1, 1]
    assert found["density"] == pytest.approx(28 / 10)


def test_sets_far_apart_share_nothing() -> None:
    assert set(means(TEN, TEN + 100).values()) == {0.0}


@pytest.mark.parametrize(
    ("real_count", "generated_count", "neighbours"), [(20, 30, 3), (25, 25, 5)]
)
def test_two_samples_of_one_distribution_come_to_what_the_paper_says(
    real_count: int, generated_count: int, neighbours: int
) -> None:
    """Whatever the distribution; four standard errors of 400 draws are about 0.03."""
    rng = torch.Generator().manual_seed(0)
    found = []
    for _ in range(400):
        drawn = torch.randn(real_count + generated_count, 2, generator=rng, dtype=torch.float64)
        found.append(means(drawn[:real_count], drawn[real_count:], neighbours))

    missed = math.prod(
        (real_count - i) / (real_count + generated_count - i) for i in range(1, neighbours + 1)
    )
    coverage = torch.tensor([each["coverage"] for each in found])
    density = torch.tensor([each["density"] for each in found])
    for values, expected in ((coverage, 1 - missed), (density, 1.0)):
        assert abs(values.mean() - expected) < 4 * values.std() / math.sqrt(len(values))


def test_a_dropped_mode_is_missed_by_recall_and_coverage_alone() -> None:
    real, generated = clusters(200, 0, 0, 20), clusters(400, 1, 0)

    found = means(real, generated)

    assert found["precision"] > 0.9
    assert found["density"] > 0.9
    assert 0.4 < found["recall"] <= 0.5
    assert 0.4 < found["coverage"] <= 0.5


def test_one_real_outlier_makes_precision_blind_but_not_density() -> None:
    """The ball of the outlier reaches the cluster and holds all that lies between."""
    real = torch.cat([clusters(200, 0, 0), torch.full((1, 2), 30.0, dtype=torch.float64)])
    between = clusters(200, 1, 15)

    found = means(real, between)

    assert found["precision"] == 1
    assert found["density"] == pytest.approx(1 / 5)
    assert found["coverage"] == pytest.approx(1 / 201)


def test_one_generated_outlier_makes_recall_blind_but_not_coverage() -> None:
    real = clusters(200, 0, 15)
    generated = torch.cat([clusters(200, 1, 0), torch.full((1, 2), 30.0, dtype=torch.float64)])

    found = means(real, generated)

    assert found["recall"] == 1
    assert found["coverage"] < 0.05


def test_order_does_not_matter() -> None:
    real, generated = clusters(300, 0, 0, 5), clusters(400, 1, 0, 4)
    rng = torch.Generator().manual_seed(2)
    mixed = [part[torch.randperm(len(part), generator=rng)] for part in (real, generated)]

    assert means(*mixed) == pytest.approx(means(real, generated), abs=1e-12)


def test_more_rows_than_are_held_at_once_change_nothing() -> None:
    real, generated = clusters(700, 0, 0), clusters(600, 1, 0)

    distances = torch.cdist(real, generated)
    radii = torch.cdist(real, real).sort(dim=1).values[:, 5]

    found = means(real, generated)
    assert found["coverage"] == float((distances <= radii[:, None]).any(dim=1).double().mean())
    assert found["density"] == pytest.approx(int((distances <= radii[:, None]).sum()) / 3_000)
