"""Readers for which the answer is known, through each measure of codes on real data.

A sample shows its factors: a shape of four, two numbers a and b. Codes: `shape`, `level`, `other`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.nn.functional import one_hot

from gan_toolkit import ArrayDataset, Factor, LatentSpace, Matrix, Measure, Score
from gan_toolkit.testing.views import Choice, Level, MemoryView, Turn
from gantk_measures import effort
from gantk_measures.classic import Classic
from gantk_measures.dci import Dci
from gantk_measures.factor_vae import FactorVae
from gantk_measures.independence import Independence
from gantk_measures.infomec import Infomec
from gantk_measures.mig import Mig

Read = Callable[[Tensor], dict[str, Tensor]]
COUNT = 1_200
FACTORS = (
    Factor("shape", "discrete", values=("ape", "bee", "cat", "dog")),
    Factor("a", "continuous"),
    Factor("b", "continuous"),
)


class Angle(Turn):
    """A direction that can be read."""

    posterior_width = 2

    def estimate(self, raw: Tensor) -> Tensor:
        return torch.atan2(raw[:, 1:], raw[:, :1])


SPACE = LatentSpace({"shape": Choice(4), "level": Level(), "other": Level(), "angle": Angle()})


def draw(seed: int, count: int = COUNT) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    shape = torch.randint(4, (count,), generator=rng).float()
    return torch.cat([shape[:, None], torch.rand(count, 2, generator=rng)], dim=1)


def data_of(factors: Tensor, *, held_out: bool = True, kinds: Any = FACTORS) -> ArrayDataset:
    own = ArrayDataset("shapes", "synthetic", factors, factors=factors, descriptions=kinds)
    if not held_out:
        return own
    other = torch.zeros(3, factors.shape[1])
    return ArrayDataset(
        "shapes", "synthetic", other, factors=other, descriptions=kinds, held_out=own
    )


DATA = data_of(draw(0))


def category(index: Tensor) -> Tensor:
    return one_hot(index.long(), 4).float() * 20


def number(mean: Tensor) -> Tensor:
    return torch.stack([mean, torch.full_like(mean, -2)], dim=1)


def noise(samples: Tensor, seed: int) -> Tensor:
    return torch.randn(len(samples), generator=torch.Generator().manual_seed(seed))


def perfect(samples: Tensor) -> dict[str, Tensor]:
    shape, a, b = samples.T
    return {"shape": category(shape), "level": number(a), "other": number(1 - b)}


def permuted(samples: Tensor) -> dict[str, Tensor]:
    shape = torch.tensor([2, 0, 3, 1])[samples[:, 0].long()]
    return perfect(samples) | {"shape": category(shape)}


def noisy(samples: Tensor) -> dict[str, Tensor]:
    shape, a, b = samples.T
    moved = (shape + (noise(samples, 0) > 0.5)) % 4
    return {
        "shape": category(moved),
        "level": number(a + 0.2 * noise(samples, 1)),
        "other": number(b + 0.2 * noise(samples, 2)),
    }


def dead(samples: Tensor) -> dict[str, Tensor]:
    return perfect(samples) | {"other": number(torch.full((len(samples),), 0.7))}


def outlier(samples: Tensor) -> dict[str, Tensor]:
    far = samples[:, 1].clone()
    far[0] = 1e4
    return perfect(samples) | {"level": number(far)}


def duplicated(samples: Tensor) -> dict[str, Tensor]:
    return perfect(samples) | {"other": number(samples[:, 1] * 3)}


def rotated(samples: Tensor) -> dict[str, Tensor]:
    _, a, b = samples.T
    return perfect(samples) | {"level": number(a + b), "other": number(a - b)}


def ignorant(samples: Tensor) -> dict[str, Tensor]:
    return perfect(torch.stack([noise(samples, n) for n in (1, 2, 3)], dim=1).abs().clamp(max=3))


@pytest.fixture(autouse=True)
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred take seconds each time."""
    monkeypatch.setitem(effort.TREES, "default", 15)


MAKE: dict[str, Callable[..., Measure]] = {
    "mig": Mig,
    "dci": lambda *given: Dci(*given, regressor="extra_trees"),
    "factor_vae": lambda *given: FactorVae(*given, bins=5),
    "infomec": lambda *given: Infomec(*given, bins=8),
    "classic": lambda *given: Classic(*given, bins=5),
}


def view_of(read: Read, data: ArrayDataset = DATA, inferable: Any = None) -> MemoryView:
    codes = ("shape", "level", "other") if inferable is None else inferable
    return MemoryView(SPACE, data, lambda latent: latent, read, inferable=codes)


def named(scores: list[Score]) -> dict[str, Score]:
    return {score.name: score for score in scores}


_DONE: dict[tuple[str, Read], dict[str, Score]] = {}


def scores_of(measure: str, read: Read) -> dict[str, Score]:
    """Measure once for all tests."""
    if (measure, read) not in _DONE:
        made = MAKE[measure](SPACE, DATA, ["a", "b", "shape"], ["shape", "level", "other"])
        _DONE[measure, read] = named(made.measure(view_of(read)))
    return _DONE[measure, read]


@pytest.mark.parametrize("read", [perfect, permuted])
@pytest.mark.parametrize("measure", list(MAKE))
def test_a_perfect_reader_in_any_order_of_categories_gets_everything(
    measure: str, read: Read
) -> None:
    for name, score in scores_of(measure, read).items():
        least = {"sap": 0.9, "explicitness": 0.95, "irs": 0.6, "infoe": 0.95}.get(name, 0.93)
        assert least < score.value <= 1.000001, name
        assert not score.void
        assert score.ceiling == 1


@pytest.mark.parametrize("measure", list(MAKE))
def test_every_score_says_how_it_was_found_and_can_be_written_down(measure: str) -> None:
    for score in scores_of(measure, perfect).values():
        assert f"q(c|x) on {COUNT} real held-out samples" in score.estimator
        assert score.count == COUNT
        json.dumps(asdict(score), allow_nan=False)


def test_order_of_categories_changes_nothing_at_all() -> None:
    for name, score in scores_of("mig", permuted).items():
        assert score.value == pytest.approx(scores_of("mig", perfect)[name].value)


HEADLINES = [
    ("mig", "mig"),
    ("mig", "dcimig"),
    ("mig", "mig_sup"),
    ("mig", "jemmig"),
    ("dci", "disentanglement"),
    ("dci", "completeness"),
    ("dci", "informativeness"),
    ("factor_vae", "accuracy"),
    ("infomec", "infom"),
    ("infomec", "infoc"),
    ("infomec", "infoe"),
    ("classic", "beta_vae"),
    ("classic", "sap"),
    ("classic", "modularity"),
    ("classic", "explicitness"),
    ("classic", "irs"),
]


@pytest.mark.parametrize(("measure", "name"), HEADLINES)
def test_noise_costs_and_ignorance_gets_what_chance_does(measure: str, name: str) -> None:
    by_reader = [scores_of(measure, read)[name] for read in (ignorant, noisy, perfect)]
    values = [score.value for score in by_reader]

    # Some don't fall with noise: it makes a code neither less modular nor a vote less right.
    assert values[1] <= values[2] + 0.01
    if name not in ("infom", "infoc", "modularity"):  # ratios of what is left of chance
        assert values[0] < values[1]
    if by_reader[0].chance is not None and measure != "infomec":
        assert values[0] < by_reader[0].chance + 0.12


@pytest.mark.parametrize("name", ["mig", "dcimig", "mig_sup", "jemmig"])
def test_chance_of_the_gaps_is_what_an_ignorant_reader_gets(name: str) -> None:
    score = scores_of("mig", ignorant)[name]

    assert score.chance is not None
    assert score.chance > 0
    assert score.value == pytest.approx(score.chance, abs=0.015)


def test_intervals_hold_the_value() -> None:
    for name in ("mig", "dcimig", "mig_sup", "jemmig"):
        score = scores_of("mig", noisy)[name]
        assert score.low is not None
        assert score.high is not None
        assert score.low < score.value < score.high


@pytest.mark.parametrize("measure", list(MAKE))
def test_a_dead_code_is_listed_and_costs_only_its_factor(measure: str) -> None:
    first, *_ = scores_of(measure, dead).values()

    assert first.details["dead"] == ["other"]
    assert math.isfinite(first.value)
    assert not first.void


def test_a_dead_code_beside_others_changes_nothing() -> None:
    """The factor b is not asked for."""
    asked = (SPACE, DATA, ["a", "shape"])
    with_it = Mig(*asked, ["shape", "level", "other"]).measure(view_of(dead))
    without = Mig(*asked, ["shape", "level"]).measure(view_of(dead))

    assert [score.value for score in with_it] == [score.value for score in without]


def test_an_outlier_hides_a_code_from_equal_widths_only() -> None:
    by_width = Mig(SPACE, DATA, [], [], binning="width").measure(view_of(outlier))[0]
    by_frequency = Mig(SPACE, DATA, [], [], binning="quantile").measure(view_of(outlier))[0]

    assert by_width.value < 0.7
    assert by_width.details["gaps"]["a"] < 0.05
    assert by_frequency.value > 0.9
    assert "bins of equal frequency" in by_frequency.estimator


def test_a_duplicate_closes_the_gap_and_leaves_each_code_about_one_factor() -> None:
    found = scores_of("mig", duplicated)

    assert found["mig"].details["gaps"]["a"] == pytest.approx(0, abs=0.01)
    assert found["mig_sup"].value > 0.95
    assert scores_of("dci", duplicated)["completeness"].value < 0.85
    assert scores_of("dci", duplicated)["disentanglement"].value < 1
    assert scores_of("infomec", duplicated)["infom"].value > 0.9
    assert scores_of("infomec", duplicated)["infoc"].value < 0.8
    assert scores_of("classic", duplicated)["sap"].details["gaps"]["a"] < 0.01


def test_importances_of_a_factor_that_nobody_knows_can_be_weighed_out() -> None:
    score = scores_of("dci", dead)["disentanglement"]

    assert score.details["informativeness"]["b"] < 0.2
    assert score.details["weighted"]["disentanglement"] > score.value + 0.1


def test_infoe_reads_the_category_that_is_named_not_the_doubts() -> None:
    """It names one of two halves; which of the two values it is shows in the probabilities."""

    def read(samples: Tensor) -> dict[str, Tensor]:
        shape = samples[:, 0].long()
        return {"shape": category(shape // 2 * 2) + one_hot(shape, 4) * 3}

    view = view_of(read, inferable=("shape",))
    infoe = named(Infomec(SPACE, DATA, ["shape"], ["shape"]).measure(view))["infoe"]

    assert infoe.value == pytest.approx(0.5, abs=0.02)


def test_rotation_hides_factors_that_are_all_there() -> None:
    gaps = scores_of("mig", rotated)["mig"].details["gaps"]

    assert gaps["a"] < 0.05
    assert gaps["shape"] > 0.95
    assert scores_of("dci", rotated)["informativeness"].value > 0.85
    assert scores_of("dci", rotated)["disentanglement"].value < 0.7
    assert scores_of("factor_vae", rotated)["accuracy"].value < 0.8
    assert scores_of("infomec", rotated)["infoe"].value > 0.9
    assert scores_of("infomec", rotated)["infom"].value < 0.8
    assert scores_of("classic", rotated)["beta_vae"].value < 0.9
    assert scores_of("classic", rotated)["modularity"].value == pytest.approx(2 / 3, abs=0.04)


def share(matrix: Matrix, code: str, factor: str) -> float:
    return matrix.values[list(matrix.rows).index(code)][list(matrix.columns).index(factor)]


def test_models_and_neighbours_fill_the_same_matrix() -> None:
    importance = scores_of("dci", perfect)["disentanglement"].matrices["importance"]
    nmi = scores_of("infomec", perfect)["infom"].matrices["nmi"]

    assert importance.style == "hinton"
    assert np.sum(importance.values, axis=0) == pytest.approx(np.ones(3))
    assert share(importance, "level", "a") > 0.9
    assert share(nmi, "level", "a") > 0.9 > 0.1 > share(nmi, "level", "b")


def test_what_two_codes_share_stands_in_both_places() -> None:
    score = named(Independence(SPACE, []).measure(view_of(duplicated)))["pairwise"]
    matrix = score.matrices["pairwise"]

    assert matrix.rows == matrix.columns
    pairs = np.array(matrix.values)[np.triu_indices(len(matrix.rows), 1)]
    assert pairs.mean() == pytest.approx(score.value)


def test_the_heat_map_names_codes_and_factors_and_is_corrected() -> None:
    nmi = scores_of("mig", perfect)["mig"].matrices["nmi"]

    assert share(nmi, "shape", "shape") == pytest.approx(1)
    assert share(nmi, "level", "a") > 0.95
    assert share(nmi, "level", "b") < 0.03
    assert scores_of("mig", perfect)["mig"].details["best"] == {
        "a": "level",
        "b": "other",
        "shape": "shape",
    }
    assert scores_of("mig", perfect)["mig"].details["binned"] == ["level", "other", "a", "b"]


def test_measuring_twice_gives_the_same_numbers_and_leaves_torch_alone() -> None:
    state = torch.random.get_rng_state()
    for measure, make in MAKE.items():
        again = make(SPACE, DATA, ["a", "b", "shape"], ["shape", "level", "other"])
        assert named(again.measure(view_of(noisy))) == scores_of(measure, noisy)

    assert torch.equal(torch.random.get_rng_state(), state)


# --- directions ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def turned() -> MemoryView:
    """An angle that is read 170 degrees off, and a number beside it."""
    factors = torch.stack([draw(5)[:, 1] * math.tau, draw(5)[:, 2]], dim=1)
    kinds = (Factor("turn", "circular"), Factor("a", "continuous"))

    def read(samples: Tensor) -> dict[str, Tensor]:
        off = samples[:, 0] + 2.967
        return {"angle": torch.stack([off.cos(), off.sin()], 1), "level": number(samples[:, 1])}

    data = data_of(factors, kinds=kinds)
    return MemoryView(SPACE, data, lambda latent: latent, read, inferable=("angle", "level"))


@pytest.mark.parametrize("measure", list(MAKE))
def test_a_direction_is_read_across_the_seam(measure: str, turned: MemoryView) -> None:
    made = MAKE[measure](SPACE, turned.data, [], ["angle", "level"])

    for score in made.measure(turned):
        least = {"mig": 0.75, "dcimig": 0.75, "mig_sup": 0.75, "jemmig": 0.75, "irs": 0.6}
        assert score.value > least.get(score.name, 0.9), score.name


# --- nothing to measure ----------------------------------------------------------------------


@pytest.mark.parametrize("measure", list(MAKE))
def test_data_without_factors_is_void(measure: str) -> None:
    data = ArrayDataset("plain", "real", draw(0))

    (score,) = MAKE[measure](SPACE, data, [], []).measure(view_of(perfect, data))

    assert score.void == "the data set 'plain' has no known factors to score"


@pytest.mark.parametrize("measure", list(MAKE))
def test_a_constant_factor_voids_what_keeps_its_value(measure: str) -> None:
    factors = draw(0)
    factors[:, 2] = 0.5
    data = data_of(factors, held_out=False)

    scores = MAKE[measure](SPACE, data, [], ["shape", "level"]).measure(view_of(perfect, data))

    assert {s.void for s in scores} == {"constant in these samples: b; leave it out"}
    assert scores[0].value > 0.9
    assert "real training samples" in scores[0].estimator


def test_no_factor_varies() -> None:
    data = data_of(torch.ones(200, 3))

    (score,) = Mig(SPACE, data, [], []).measure(view_of(perfect, data))

    assert score.void == "no factor varies: shape, a, b"


def test_no_code_is_inferred_or_not_the_one_asked_for() -> None:
    (none,) = Mig(SPACE, DATA, [], []).measure(view_of(perfect, inferable=()))
    (other,) = Mig(SPACE, DATA, [], ["angle"]).measure(view_of(perfect))

    assert none.void == "no code is inferred"
    assert other.void == "not inferred: angle"


def test_no_code_varies() -> None:
    (score,) = Mig(SPACE, DATA, [], ["other"]).measure(view_of(dead))

    assert score.void == "no code varies over real samples: other"


def test_what_is_not_finite_is_counted_and_named() -> None:
    def read(samples: Tensor) -> dict[str, Tensor]:
        raw = perfect(samples)
        raw["shape"][:3, 2] = float("nan")
        return raw

    (score,) = Mig(SPACE, DATA, [], []).measure(view_of(read))

    assert score.void == f"what is read of shape is not finite for 3 of {COUNT}"


@pytest.mark.parametrize("measure", list(MAKE))
def test_a_handful_of_samples_is_refused(measure: str) -> None:
    data = data_of(draw(0, 99))

    (score,) = MAKE[measure](SPACE, data, [], []).measure(view_of(perfect, data))

    assert score.void == "only 99 real samples; at least 100"


def test_too_few_samples_for_a_vote() -> None:
    data = data_of(draw(0, 200))

    (score,) = FactorVae(SPACE, data, ["a"], []).measure(view_of(perfect, data))

    assert score.void.startswith("no value of the factor 'a' has the 64 samples of a vote")


def test_one_factor_or_one_code_is_no_evidence() -> None:
    dci = named(MAKE["dci"](SPACE, DATA, ["a"], ["level"]).measure(view_of(perfect)))
    infomec = named(Infomec(SPACE, DATA, ["a"], ["level"]).measure(view_of(perfect)))
    (accuracy, _) = FactorVae(SPACE, DATA, ["shape"], ["shape"]).measure(view_of(perfect))
    classic = named(Classic(SPACE, DATA, ["shape"], ["shape"]).measure(view_of(perfect)))

    assert dci["disentanglement"].void == "with one factor every code is about it"
    assert dci["completeness"].void == "with one code every factor is in it"
    assert not dci["informativeness"].void
    assert infomec["infom"].void.startswith("needs two factors")
    assert infomec["infoe"].value > 0.95
    assert accuracy.void == classic["beta_vae"].void == "with one factor every vote is right"
    assert accuracy.value == classic["beta_vae"].value == 1
    assert classic["modularity"].void.startswith("needs two factors")
    assert classic["sap"].value == pytest.approx(1)


def test_unknown_names_are_refused() -> None:
    with pytest.raises(ValueError, match=r"no factor 'shap'.*did you mean 'shape'"):
        Mig(SPACE, DATA, ["shap"], [])
    with pytest.raises(ValueError, match=r"no latent is named 'lvel'.*did you mean 'level'"):
        Mig(SPACE, DATA, [], ["lvel"])


def test_protocols_are_named() -> None:
    made = FactorVae(SPACE, DATA, ["a", "shape"], [], bins=5, protocol="infogan-cr")

    accuracy = made.measure(view_of(dead))[0]

    assert "protocol infogan-cr: 100 samples a vote, fitted to 500 votes" in accuracy.estimator
    assert accuracy.value == pytest.approx(0.5)


# --- independence ----------------------------------------------------------------------------


def test_independent_codes_share_nothing_and_copies_everything() -> None:
    pairs, total, distance = Independence(SPACE, []).measure(view_of(perfect))
    copied = named(Independence(SPACE, []).measure(view_of(duplicated)))

    assert pairs.value < 0.2
    assert total.value == pytest.approx(0, abs=0.01)
    assert distance.value == pytest.approx(0, abs=0.01)
    assert copied["total_correlation"].void == "one code is a linear function of others"
    assert copied["pairwise"].value > pairs.value + 0.5
    # S = v [[1, 3], [3, 9]]: 20 v - 2 v sqrt(82) over a trace of 10 v.
    assert copied["wasserstein"].value == pytest.approx(2 - math.sqrt(82) / 5, abs=1e-4)


def test_independence_needs_two_numbers_and_no_factors() -> None:
    data = ArrayDataset("plain", "real", draw(0))

    scores = named(Independence(SPACE, ["shape", "level"]).measure(view_of(perfect, data)))

    assert not scores["pairwise"].void
    assert scores["total_correlation"].void == "needs two numbers that vary"
