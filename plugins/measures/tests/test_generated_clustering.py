"""Generators of points near corners, whose labels a classifier finds easily."""

from __future__ import annotations

import json
import math
from collections.abc import Hashable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.generated_clustering import GeneratedClustering, mean_entropy

CORNERS = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0]])
CLASSES = ("ape", "bee", "cat")
SPACE = LatentSpace({"shape": Choice(3), "level": Level(), "noise": Level(), "wide": Choice(4)})
MEMORY: dict[Hashable, Any] = {}
NAMES = ["error", "error_majority", "nmi", "ari", "ami", "ent"]


def near(corner: Tensor, seed: int = 0) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return CORNERS[corner] + 0.1 * torch.randn(len(corner), 2, generator=rng)


def data_of(labels: Tensor, points: Tensor | None = None) -> ArrayDataset:
    points = near(labels) if points is None else points
    return ArrayDataset("corners", "synthetic", points, labels, classes=CLASSES)


DATA = data_of(torch.arange(900) % 3)


def scores_of(
    to: Sequence[int],
    *,
    code: str = "shape",
    noisy: float = 0.0,
    data: ArrayDataset = DATA,
    scale: float = 1.0,
) -> dict[str, Score]:
    """Put category g at corner `to[g]`, a share `noisy` of the samples at the next one instead."""

    def generate(latent: Tensor) -> Tensor:
        parts = SPACE.split(latent)
        corner = torch.tensor(to)[parts[code].argmax(dim=1)]
        moved = (parts["noise"][:, 0] + 1) / 2 < noisy
        return near((corner + moved) % 3, seed=1) * scale

    view = MemoryView(SPACE, data, generate, memory=MEMORY)
    measure = GeneratedClustering(SPACE, [code], samples=200, real=900, steps=60)
    return {score.name: score for score in measure.measure(view)}


def test_ent_by_hand() -> None:
    """One label each: 0. All alike: log K. Row entropies 0 and log 2, column entropies alike."""
    assert mean_entropy(np.eye(4) * 7) == 0
    assert mean_entropy(np.ones((10, 10))) == pytest.approx(math.log(10))
    assert mean_entropy(np.array([[2.0, 2, 0], [0, 0, 4]])) == pytest.approx(math.log(2) / 4)


def test_categories_in_any_order_are_the_labels() -> None:
    scores = scores_of([2, 0, 1])

    assert list(scores) == ["precision", *(f"shape/{name}" for name in NAMES)]
    assert not any(score.void for score in scores.values())
    assert scores["shape/error"].value < 0.01
    assert scores["shape/nmi"].value > 0.97
    assert scores["shape/ent"].value < 0.03
    assert scores["shape/error"].details["mapping"] == {"0": "cat", "1": "ape", "2": "bee"}
    assert scores["shape/error"].count == 600
    json.dumps([asdict(score) for score in scores.values()], allow_nan=False)


def test_samples_of_another_label_cost_their_share() -> None:
    """Every row and column of the table is (1/4, 3/4): an entropy of 0.5623 nats."""
    scores = scores_of([0, 1, 2], noisy=0.25)

    assert scores["shape/error"].value == pytest.approx(0.25, abs=0.05)
    assert scores["shape/ent"].value == pytest.approx(0.5623, abs=0.05)
    assert scores["shape/error"].low < scores["shape/error"].value < scores["shape/error"].high
    table = np.array(scores["shape/error"].details["table"])
    np.testing.assert_array_equal(table.sum(axis=1), 200)


def test_a_code_that_is_ignored_gets_what_chance_does() -> None:
    """Corners are drawn by another code."""
    aside = scores_of([0, 1, 2, 0], code="wide")

    def generate(latent: Tensor) -> Tensor:
        return near((SPACE.split(latent)["noise"][:, 0] * 1.5 + 1.5).long().clamp(max=2), seed=1)

    view = MemoryView(SPACE, DATA, generate, memory=MEMORY)
    measure = GeneratedClustering(SPACE, ["shape"], samples=200, real=900, steps=60)
    scores = {score.name: score for score in measure.measure(view)}

    for name in NAMES:
        assert scores[f"shape/{name}"].value == pytest.approx(
            scores[f"shape/{name}"].chance, abs=0.06
        )
    assert scores["shape/ent"].value == pytest.approx(math.log(3), abs=0.03)
    assert aside["wide/error"].value == pytest.approx(0.25, abs=0.01)
    assert aside["wide/error_majority"].value < 0.01


def test_a_label_that_no_category_makes_is_missed_by_nothing_but_the_error() -> None:
    """Two categories are one corner: a third of samples has no label of its own."""
    scores = scores_of([0, 1, 1])

    assert scores["shape/error"].value == pytest.approx(1 / 3, abs=0.01)
    assert scores["shape/error_majority"].value < 0.01
    assert scores["shape/ent"].value == pytest.approx(math.log(2) / 4, abs=0.03)


def test_samples_that_are_not_data_like_are_void() -> None:
    scores = scores_of([0, 1, 2], scale=4.0)

    assert "not data-like" in scores["shape/error"].void
    assert scores["shape/error"].value < 0.01


def test_a_classifier_that_learned_nothing_voids_all() -> None:
    labels = torch.randint(3, (900,), generator=torch.Generator().manual_seed(3))
    scores = scores_of([0, 1, 2], data=data_of(labels, DATA.batch(torch.arange(900)).samples))

    assert scores["shape/error"].void.startswith("the probe reads label (0.")
    assert scores["shape/error"].details["classifier"]["accuracy"] < 0.6
    assert not scores["precision"].void


def test_samples_that_are_not_finite_are_void() -> None:
    scores = scores_of([0, 1, 2], scale=math.nan)

    assert scores["shape/error"].void
    assert math.isnan(scores["shape/error"].value)


def test_nothing_to_name() -> None:
    plain = ArrayDataset("plain", "synthetic", CORNERS)
    view = MemoryView(SPACE, plain, lambda latent: latent, inferable=("level",))

    (score,) = GeneratedClustering(SPACE, []).measure(view)
    assert score.void == "no discrete code is inferred; name some in `codes`"
    (score,) = GeneratedClustering(SPACE, ["shape"]).measure(view)
    assert score.void == "the data set 'plain' has no labels"


def test_numbers_are_refused() -> None:
    with pytest.raises(ValueError, match="not discrete, so that no label can be matched: level"):
        GeneratedClustering(SPACE, ["shape", "level"])
