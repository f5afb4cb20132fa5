from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gan_toolkit import ArrayDataset, LatentSpace, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.clustering import Clustering, cluster_scores, confused, describe
from gantk_measures.statistics import mutual_information

BY_HAND = [
    # Values 51 to 53 of the reference: table, error, majority error, NMI, ARI, AMI.
    ([[8, 2, 0], [0, 6, 4], [0, 8, 2]], 1 / 3, 8 / 30, 0.4285, 0.2887, 0.3830),
    ([[9, 1, 0], [0, 6, 4], [0, 3, 7]], 8 / 30, 8 / 30, 0.5096, 0.4158, None),
    ([[0, 5, 0], [0, 0, 5], [5, 0, 0]], 0, 0, 1, 1, 1),
    ([[5, 5, 5]], 2 / 3, 2 / 3, 0, 0, 0),
]


def pairs(table: list[list[int]]) -> tuple[np.ndarray, np.ndarray]:
    cells = np.array(table)
    rows, columns = np.indices(cells.shape)
    return rows.repeat(cells.ravel()), columns.repeat(cells.ravel())


@pytest.mark.parametrize(("table", "error", "majority", "nmi", "ari", "ami"), BY_HAND)
def test_scores_by_hand(
    table: list[list[int]],
    error: float,
    majority: float,
    nmi: float,
    ari: float,
    ami: float | None,
) -> None:
    found = cluster_scores(*pairs(table))

    assert found["error"] == pytest.approx(error, abs=1e-9)
    assert found["error_majority"] == pytest.approx(majority, abs=1e-9)
    assert found["nmi"] == pytest.approx(nmi, abs=5e-5)
    assert found["ari"] == pytest.approx(ari, abs=5e-5)
    if ami is not None:
        assert found["ami"] == pytest.approx(ami, abs=5e-5)


def test_51_information_by_hand() -> None:
    assert mutual_information(np.array(BY_HAND[0][0]), corrected=False) == pytest.approx(
        0.4517, abs=5e-5
    )


def test_54_random_categories_share_their_bias() -> None:
    """81 / 2N over log 10 is .00176; three standard deviations of a draw are .0009."""
    rng = np.random.default_rng(0)

    found = cluster_scores(rng.integers(10, size=10_000), rng.integers(10, size=10_000))

    assert found["nmi"] == pytest.approx(0.0015, abs=0.0009)
    assert found["ari"] == pytest.approx(0, abs=0.001)
    assert found["ami"] == pytest.approx(0, abs=0.001)


def test_mapping_names_the_labels() -> None:
    details = describe(*pairs(BY_HAND[0][0]), ("ape", "bee", "cat"))

    assert details["mapping"] == {"0": "ape", "1": "cat", "2": "bee"}
    assert details["majority"] == {"0": "ape", "1": "bee", "2": "bee"}
    assert details["table"] == BY_HAND[0][0]


def test_the_confusion_matrix_has_what_agrees_on_its_diagonal() -> None:
    """Category 1 is read for two labels, category 3 for none, and a row sums to 1."""
    found, labels = np.array([2, 2, 0, 1, 1, 1, 1, 0]), np.array([0, 0, 1, 2, 2, 2, 0, 2])

    matrix = confused(np.append(found, 4), np.append(labels, 1), ("ape", "bee"))

    assert matrix.rows == ["2 = ape", "0 = bee", "1 = 2", "3", "4"]
    assert matrix.columns == ["ape", "bee", "2"]
    assert matrix.values[:3] == [[1, 0, 0], [0, 0.5, 0.5], [0.25, 0, 0.75]]
    assert np.isnan(matrix.values[3]).all()
    assert matrix.values[4] == [0, 1, 0]


def scores_of(read: list[int], *, labelled: bool = True, held_out: bool = True) -> dict[str, Score]:
    """Cluster 300 samples that show their label; category `read[label]` is what is read."""
    labels = torch.arange(300) % 3
    data = ArrayDataset(
        "points",
        "synthetic",
        labels[:, None].float(),
        labels if labelled else None,
        classes=("ape", "bee", "cat") if labelled else (),
    )
    outer = ArrayDataset(
        "train", "synthetic", -torch.ones(10, 1), classes=data.classes, held_out=data
    )

    def infer(samples: Tensor) -> dict[str, Tensor]:
        category = torch.tensor(read)[samples[:, 0].long()]
        return {"shape": one_hot(category, 4).float(), "level": torch.zeros(len(samples), 2)}

    space = LatentSpace({"shape": Choice(4), "level": Level()})
    view = MemoryView(
        space,
        outer if held_out else data,
        lambda latent: latent,
        infer,
        inferable=("shape", "level"),
    )
    return {score.name: score for score in Clustering().measure(view)}


def test_reads_held_out_samples_and_only_discrete_codes() -> None:
    scores = scores_of([3, 0, 2])

    names = ("error", "error_majority", "nmi", "ari", "ami")
    assert list(scores) == [f"shape/{name}" for name in names]
    assert scores["shape/error"].value == 0
    assert scores["shape/error"].count == 300
    assert [scores[f"shape/{name}"].ceiling for name in names] == [None, None, 1.0, 1.0, 1.0]
    assert scores["shape/error"].details["mapping"]["3"] == "ape"
    assert scores["shape/error"].matrices["shape/confusion"].rows[:3] == [
        "3 = ape",
        "0 = bee",
        "2 = cat",
    ]
    assert "held-out" in scores["shape/error"].estimator


def test_confused_labels_cost_their_share_and_shuffling_costs_more() -> None:
    score = scores_of([0, 1, 1])["shape/error"]

    assert score.value == pytest.approx(1 / 3)
    assert score.low is not None
    assert score.high is not None
    assert score.chance is not None
    assert score.low < score.value < score.high < score.chance


def test_says_when_only_training_samples_are_there() -> None:
    assert "training" in scores_of([0, 1, 2], held_out=False)["shape/error"].estimator


def test_void_without_labels() -> None:
    assert "no labels" in scores_of([0, 1, 2], labelled=False)["error"].void


@pytest.mark.parametrize("lost", [1, 300])
def test_what_is_not_finite_names_no_category(lost: int) -> None:
    """The largest of NaNs has a place as well; it means nothing."""
    labels = torch.arange(300) % 3
    data = ArrayDataset("points", "synthetic", labels[:, None].float(), labels)

    def infer(samples: Tensor) -> dict[str, Tensor]:
        raw = one_hot(samples[:, 0].long(), 3).float()
        raw[:lost] = torch.nan
        return {"shape": raw, "other": raw.nan_to_num()}

    space = LatentSpace({"shape": Choice(3), "other": Choice(3)})
    view = MemoryView(space, data, torch.clone, infer, inferable=("shape", "other"))
    first, *others = Clustering().measure(view)

    assert first.name == "shape/error"
    assert first.void == f"what is read of shape is not finite for {lost} of 300"
    assert [score.name for score in others][:1] == ["other/error"]
    assert not any(score.void for score in others)
