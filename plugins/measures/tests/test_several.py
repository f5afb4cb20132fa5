"""Runs scored by each other: two that agree, up to names and order, and one that does not."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from torch import Tensor

from gan_toolkit import ArrayDataset, Comparison, LatentSpace, Score, View
from gan_toolkit.testing.views import Choice, Level, MemoryView
from gantk_measures.association import associations, basis, coefficients
from gantk_measures.centrality import ModelCentrality
from gantk_measures.options import UdrOptions
from gantk_measures.real import RealCodes
from gantk_measures.udr import Udr, informative
from gantk_measures.variables import Variable

KINDS = 4
STEPS = torch.linspace(-1, 1, 5)
# Every combination of two numbers and a category once: nothing is shared by chance.
POINTS = torch.tensor(
    [[float(a), float(b), c] for a, b, c in itertools.product(STEPS, STEPS, range(KINDS))]
)
DATA = ArrayDataset("grid", "synthetic", POINTS)
SPACE = LatentSpace({"a": Level(), "b": Level(), "kind": Choice(KINDS), "noise": Level()})
CODES = ("a", "b", "kind")

Infer = Callable[[Tensor], dict[str, Tensor]]


def number(values: Tensor, noise: float = 0.1) -> Tensor:
    return torch.stack([values, torch.full_like(values, math.log(noise))], dim=1)


def category(index: Tensor, order: Sequence[int] = range(KINDS)) -> Tensor:
    return 20 * torch.nn.functional.one_hot(torch.tensor(order)[index.long()], KINDS).float()


def plain(points: Tensor) -> dict[str, Tensor]:
    a, b, kind = points.T
    return {"a": number(a), "b": number(b), "kind": category(kind)}


def renamed(points: Tensor) -> dict[str, Tensor]:
    """The same codes under other names, one upside down, one bent, the categories in disorder."""
    a, b, kind = points.T
    return {"a": number(-b), "b": number(a**3), "kind": category(kind, (2, 0, 3, 1))}


def at_random(points: Tensor) -> dict[str, Tensor]:
    rng = torch.Generator().manual_seed(5)
    a, b, kind = torch.rand(3, len(points), generator=rng) * 2 - 1
    return {"a": number(a), "b": number(b), "kind": category((kind + 1) * KINDS / 2)}


def make(latent: Tensor, order: Sequence[int] = (0, 1)) -> Tensor:
    codes = SPACE.split(latent)
    numbers = torch.cat([codes["a"], codes["b"]], dim=1)[:, list(order)]
    return torch.cat([numbers, codes["kind"].argmax(dim=1, keepdim=True).float()], dim=1)


def deaf(latent: Tensor) -> Tensor:
    return make(SPACE.sample(len(latent), torch.Generator().manual_seed(9)))


def view(infer: Infer | None, codes: Sequence[str] = CODES, generate: object = make) -> View:
    return MemoryView(SPACE, DATA, generate, infer, inferable=codes if infer else ())  # type: ignore[arg-type]


def only(scores: Sequence[Sequence[Score]]) -> list[Score]:
    """Return the one score of each run."""
    return [score for (score,) in scores]


THREE = [
    view(plain),
    view(renamed, generate=partial(make, order=(1, 0))),
    view(at_random, generate=deaf),
]
CENTRAL = ModelCentrality(samples=2_000, votes=200)


@pytest.mark.parametrize("comparison", [Udr(), CENTRAL], ids=["udr", "centrality"])
def test_the_run_at_random_is_singled_out(comparison: Comparison) -> None:
    first, second, odd = only(comparison.compare(THREE))

    assert min(first.value, second.value) > odd.value + 0.2
    assert not any(score.void for score in (first, second, odd))
    for score in (first, second, odd):
        assert score.chance is not None
        assert score.ceiling == 1.0 >= score.value >= 0


@pytest.mark.parametrize("comparison", [Udr(), CENTRAL], ids=["udr", "centrality"])
def test_the_same_runs_get_the_same_numbers_and_no_generator_is_touched(
    comparison: Comparison,
) -> None:
    before = torch.get_rng_state()

    once, twice = (only(comparison.compare(THREE)) for _ in range(2))

    assert once == twice
    assert torch.equal(torch.get_rng_state(), before)


@pytest.mark.parametrize("comparison", [Udr(), CENTRAL], ids=["udr", "centrality"])
def test_a_run_that_reads_nothing_has_no_say(comparison: Comparison) -> None:
    alone = only(comparison.compare(THREE))

    *rest, silent = only(comparison.compare([*THREE, view(None)]))

    assert [score.value for score in rest] == [score.value for score in alone]
    assert silent.void == "no code is inferred"
    assert math.isnan(silent.value)


@pytest.mark.parametrize("comparison", [Udr(), CENTRAL], ids=["udr", "centrality"])
def test_of_two_that_are_left_none_is_scored(comparison: Comparison) -> None:
    *rest, silent = only(comparison.compare([view(plain), view(renamed), view(None)]))

    assert {score.void for score in rest} == {
        "only 2 of 3 runs can be compared; at least 3",
    }
    assert silent.void == "no code is inferred"


# --- UDR -------------------------------------------------------------------------------------


def test_codes_under_other_names_and_in_another_order_agree_fully() -> None:
    first, second, odd = only(Udr().compare(THREE))

    assert first.details["with"]["run 2"] == pytest.approx(1.0)
    assert second.details["with"]["run 1"] == pytest.approx(1.0)
    assert odd.value == pytest.approx(
        (odd.details["with"]["run 1"] + odd.details["with"]["run 2"]) / 2
    )


def test_categories_that_are_renamed_agree_fully() -> None:
    readers = [plain, renamed, lambda points: {"kind": category(3 - points[:, 2])}]

    scores = only(Udr().compare([view(reader, ["kind"]) for reader in readers]))

    assert [score.value for score in scores] == pytest.approx([1.0] * 3)


def with_a_still_hand(points: Tensor) -> dict[str, Tensor]:
    """`b` moves a little, and its reader knows that it means nothing."""
    jitter = torch.sin(1_000 * torch.arange(len(points)))
    return {**plain(points), "b": number(0.01 * jitter, noise=0.5)}


def test_what_a_code_says_of_a_sample_by_hand() -> None:
    """Means of variance 1/2, as that of the noise: log 2 / 2; four sure categories: log 4."""

    def infer(points: Tensor) -> dict[str, Tensor]:
        return plain(points) | {"a": number(points[:, 0], noise=math.sqrt(0.5))}

    view = MemoryView(SPACE, DATA, lambda latent: latent, infer, inferable=CODES)

    said = informative(view, RealCodes(SPACE, [], None).read(view))

    assert said["a"] == pytest.approx(math.log(2) / 2, rel=1e-5)
    assert said["kind"] == pytest.approx(math.log(4), rel=1e-5)


def test_a_code_that_says_nothing_is_left_out_and_named() -> None:
    views = [view(plain, ["a", "kind"]), view(renamed, ["b", "kind"]), view(with_a_still_hand)]

    score = only(Udr().compare(views))[2]
    kept = only(Udr(alive=0).compare(views))[2]

    assert score.details["dead"] == ["b"]
    assert score.details["live"] == ["a", "kind"]
    assert score.value == pytest.approx(1.0)
    assert kept.value < 0.9
    assert kept.details["dead"] == []


def test_a_category_that_is_always_as_unsure_is_left_out() -> None:
    def unsure(points: Tensor) -> dict[str, Tensor]:
        return {**plain(points), "kind": category(points[:, 2]) / 1_000}

    score = only(Udr().compare([*THREE[:2], view(unsure)]))[2]

    assert score.details["dead"] == ["kind"]


def test_a_run_whose_codes_are_all_dead_is_void() -> None:
    def unsure(points: Tensor) -> dict[str, Tensor]:
        return {"a": number(points[:, 0] / 10, noise=5.0)}

    *_, dead = only(Udr().compare([*THREE, view(unsure, ["a"])]))

    assert dead.void == "no code says 0.01 nats of a real sample"


def test_a_perfect_match_by_lasso_loses_the_penalty() -> None:
    scores = only(Udr(similarity="lasso", alpha=0.1).compare([view(plain)] * 3))

    assert [score.value for score in scores] == pytest.approx([0.9] * 3, abs=1e-6)
    assert [score.chance for score in scores] == pytest.approx([0.0] * 3, abs=0.3)


def test_a_penalty_without_a_model_is_refused() -> None:
    with pytest.raises(ValidationError, match="alpha has no effect"):
        UdrOptions(alpha=0.2)
    assert UdrOptions(alpha=0.2, similarity="lasso").alpha == 0.2


# --- association -----------------------------------------------------------------------------


def variable(kind: str, values: Sequence[float]) -> Variable:
    return Variable("v", kind, np.array(values, dtype=np.float64))  # type: ignore[arg-type]


def associated(one: Variable, other: Variable) -> float:
    return float(associations([basis(one)], [basis(other)])[0, 0])


def test_numbers_are_associated_by_their_ranks() -> None:
    one, other = variable("continuous", [1, 2, 3, 4]), variable("continuous", [1, 100, 50, 1e6])

    assert associated(one, other) == pytest.approx(0.8)  # 1 - 6 * (1 + 1) / (4 * 15)


def test_categories_are_associated_by_cramers_v() -> None:
    one, other = variable("discrete", [0, 0, 0, 1]), variable("discrete", [0, 0, 1, 1])

    assert associated(one, other) == pytest.approx(math.sqrt(1 / 3))  # (2*1 - 1*0)^2 / (3*1*2*2)


def test_a_number_and_a_category_are_associated_by_the_correlation_ratio() -> None:
    one = variable("continuous", [1, 2, 3, 4, 50, 60])
    other = variable("discrete", [0, 0, 1, 1, 2, 2])

    assert associated(one, other) == pytest.approx(math.sqrt(16 / 17.5))  # sums of squared ranks


def test_directions_agree_under_any_rotation_and_mirror() -> None:
    angles = np.linspace(-math.pi, math.pi, 40, endpoint=False)
    turned = (1 - angles + math.pi) % math.tau - math.pi

    pair = variable("circular", angles.tolist()), variable("circular", turned.tolist())

    assert associated(*pair) == pytest.approx(1.0)


def test_a_sparse_model_takes_from_each_code_what_it_needs() -> None:
    rows = [variable("continuous", POINTS[:, place].tolist()) for place in (0, 1)]
    mixed = variable("continuous", (POINTS[:, 0] + POINTS[:, 1]).tolist())

    found = coefficients(rows, [rows[1], mixed], alpha=0.1)

    half = 1 / math.sqrt(2) - 0.1
    assert found == pytest.approx(np.array([[0, half], [0.9, half]]), abs=1e-4)


# --- ModelCentrality -------------------------------------------------------------------------


def test_a_score_is_the_mean_of_both_directions() -> None:
    first, second, odd = only(CENTRAL.compare(THREE))

    for score in (first, second, odd):
        both = [*score.details["reads"].values(), *score.details["is_read"].values()]
        assert len(both) == 4
        assert score.value == pytest.approx(sum(both) / 4)
        assert score.low is not None
        assert score.high is not None
        assert score.low <= score.value <= score.high
    assert first.details["reads"]["run 2"] == first.details["is_read"]["run 2"] == 1.0
    assert first.details["reads"]["run 3"] == odd.details["is_read"]["run 1"] < 0.7


def test_a_run_that_reads_well_and_shows_nothing_is_half_way() -> None:
    deaf_reader = view(plain, generate=deaf)

    score = only(CENTRAL.compare([view(plain), view(plain), deaf_reader]))[2]

    assert score.details["reads"] == {"run 1": 1.0, "run 2": 1.0}
    assert max(score.details["is_read"].values()) < 0.6
    assert score.low is not None
    assert score.high is not None
    assert score.low <= score.value <= score.high < 0.85


def test_with_one_code_every_vote_is_right_and_says_nothing() -> None:
    scores = only(CENTRAL.compare([view(plain, ["a"])] * 3))

    assert {score.void for score in scores} == {"with one code every vote is right"}


def test_samples_that_can_not_be_held_are_said() -> None:
    scores = only(ModelCentrality(samples=100).compare([view(plain)] * 3))

    assert all("has the 64 samples of a vote; more samples" in score.void for score in scores)
