"""Generators that do with their codes what is known, judged by what comes out."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Hashable
from dataclasses import asdict
from typing import Any

import pytest
import torch
from torch import Tensor

from gan_toolkit import ArrayDataset, Factor, Latent, LatentSpace, Score
from gan_toolkit.testing.views import Level, MemoryView, Turn
from gantk_measures import effort
from gantk_measures.controllability import Controllability

Make = Callable[[Any, dict[str, Tensor]], tuple[Tensor, Tensor, Tensor]]
CODES = ["turn", "level", "shape"]
GAPS = ["mig", "dcimig", "mig_sup", "jemmig"]
DCI = ["disentanglement", "completeness", "informativeness"]
LEAKS = ["leak/angle", "leak/width", "leak/dot"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A hundred trees take seconds each time, a hundred resamples half a second."""
    monkeypatch.setitem(effort.TREES, "default", 10)
    monkeypatch.setattr("gantk_measures.statistics.RESAMPLES", 10)


@pytest.fixture
def scores_of(world: Any, memory: dict[Hashable, Any]) -> Callable[..., dict[str, Score]]:
    """Return what measures a generator, given as a function of latents (N, W)."""

    def scores(generate: Callable[[Tensor], Tensor], **options: Any) -> dict[str, Score]:
        asked = {"factors": [], "codes": CODES, "samples": 2_000} | options
        measure = Controllability(world.space, world.data, real=2_000, steps=200, **asked)
        view = MemoryView(world.space, world.data, generate, memory=memory)
        return {score.name: score for score in measure.measure(view)}

    return scores


@pytest.fixture
def obedient(world: Any, scores_of: Any, memory: dict[Hashable, Any]) -> dict[str, Score]:
    """The scores of a generator that renders what its codes say, measured once for all tests."""
    if "obedient" not in memory:
        memory["obedient"] = scores_of(world.obedient)
    found: dict[str, Score] = memory["obedient"]
    return found


def rendering(world: Any, angle: Any, width: Any) -> Callable[[Tensor], Tensor]:
    """Return a generator whose angle and width are functions of numbers by latent."""

    def generate(latent: Tensor) -> Tensor:
        codes = world.space.split(latent)
        turn = torch.atan2(codes["turn"][:, 1], codes["turn"][:, 0])
        given = {"turn": turn, "level": codes["level"][:, 0], "noise": codes["noise"][:, 0]}
        return world.render(angle(**given), width(**given), codes["shape"][:, 1])

    return generate


def test_an_obedient_generator_gets_what_the_true_factors_would(world: Any, scores_of: Any) -> None:
    scores = scores_of(world.obedient)

    assert list(scores) == ["precision", *GAPS, *DCI, *LEAKS]
    for name in GAPS + DCI:
        assert not scores[name].void
        assert scores[name].value == pytest.approx(scores[name].reference, abs=0.03)
        assert 0.7 < scores[name].value < 1
    assert scores["mig"].details["best"] == {"angle": "turn", "width": "level", "dot": "shape"}
    nmi = scores["mig"].matrices["nmi"]
    of_turn = dict(zip(nmi.columns, nmi.values[nmi.rows.index("turn")], strict=True))
    assert of_turn["angle"] > 0.75
    assert of_turn["width"] < 0.02
    json.dumps([asdict(score) for score in scores.values()], allow_nan=False)


def test_it_does_not_matter_which_code_sets_which_factor(
    world: Any, scores_of: Any, obedient: dict[str, Score]
) -> None:
    swapped = rendering(
        world,
        angle=lambda level, **_: level * math.pi,
        width=lambda turn, **_: turn / math.pi + 1.5,
    )

    found = scores_of(swapped)

    assert found["mig"].details["best"] == {"angle": "level", "width": "turn", "dot": "shape"}
    for name in GAPS + DCI:
        assert found[name].value == pytest.approx(obedient[name].value, abs=0.02)


def test_a_deaf_generator_gets_what_chance_does(world: Any, scores_of: Any) -> None:
    scores = scores_of(world.deaf)

    for name in GAPS:
        assert scores[name].chance > 0
        assert scores[name].value == pytest.approx(scores[name].chance, abs=0.01)
    assert scores["disentanglement"].value < 0.05
    assert scores["informativeness"].value < scores["informativeness"].chance


def test_a_factor_that_is_half_noise_is_half_controlled_and_half_leaked(
    world: Any, scores_of: Any
) -> None:
    """The sum of two even numbers: each explains half its variance, and 1/2 nat of it.

    Its entropy in 20 bins is 1/2 - log(1 / 10) = 2.80 nats, so that each has a share of 0.18, from
    which bins take a little.
    """
    blend = rendering(
        world,
        angle=lambda turn, **_: turn,
        width=lambda level, noise, **_: (level + noise) / 2 + 1.5,
    )

    alone, both = scores_of(blend), scores_of(blend, codes=[*CODES, "noise"])

    assert alone["leak/width"].value == pytest.approx(0.5, abs=0.06)
    assert alone["leak/angle"].value < 0.05
    assert 0.13 < alone["mig"].details["gaps"]["width"] < 0.18
    assert both["mig"].details["gaps"]["width"] < 0.02
    assert both["informativeness"].value > 0.97
    assert both["completeness"].value < 0.9
    assert "leak/width" not in both


def test_a_code_that_sets_two_factors_shows_beside_mig(
    world: Any, scores_of: Any, obedient: dict[str, Score]
) -> None:
    """MIG can't see it. Of three codes one is about two factors, and one about none."""
    merged = rendering(
        world,
        angle=lambda level, **_: level * math.pi,
        width=lambda level, **_: level + 1.5,
    )

    found = scores_of(merged)

    assert found["mig"].value == pytest.approx(obedient["mig"].value, abs=0.03)
    assert found["mig_sup"].value < 0.45
    assert found["dcimig"].value < 0.35
    assert found["disentanglement"].value < 0.6


def test_a_factor_that_only_the_noise_sets_is_a_leak(world: Any, scores_of: Any) -> None:
    leaky = rendering(world, angle=lambda turn, **_: turn, width=lambda noise, **_: noise + 1.5)

    scores = scores_of(leaky)

    assert scores["leak/width"].value > 0.95
    assert scores["leak/width"].chance == 0
    assert scores["leak/dot"].value == pytest.approx(scores["leak/dot"].chance, abs=0.06)
    assert scores["mig"].details["gaps"]["width"] < 0.02


def test_a_bend_of_the_noise_is_a_leak_too(world: Any, scores_of: Any) -> None:
    """A linear model finds nothing of an even function."""
    bent = rendering(
        world, angle=lambda turn, **_: turn, width=lambda noise, **_: 2 * noise.abs() + 0.5
    )

    leak = scores_of(bent)["leak/width"]

    assert leak.value > 0.9
    assert leak.details["linear"] < 0.05


class Coin(Latent):
    """Discrete noise that knows nothing but how it is drawn."""

    width, discrete = 2, True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.eye(2)[torch.randint(2, (count,), generator=rng)]


def test_noise_may_be_a_choice_that_can_only_be_drawn(
    world: Any, memory: dict[Hashable, Any]
) -> None:
    space = LatentSpace({"turn": Turn(), "level": Level(), "coin": Coin()})

    def generate(latent: Tensor) -> Tensor:
        codes = space.split(latent)
        angle = torch.atan2(codes["turn"][:, 1], codes["turn"][:, 0])
        return world.render(angle, codes["level"][:, 0] + 1.5, codes["coin"][:, 1])

    view = MemoryView(space, world.data, generate, memory=memory)
    measure = Controllability(
        space, world.data, [], ["turn", "level"], samples=2_000, real=2_000, steps=200
    )
    scores = {score.name: score for score in measure.measure(view)}

    assert scores["leak/dot"].value > 0.95
    assert scores["leak/width"].value < 0.05


def checkerboards(latent: Tensor) -> Tensor:
    """Checkerboards whose contrast follows a code: a probe reads something off them."""
    place = torch.arange(16)
    board = ((place[:, None] + place) % 2 * 2 - 1).float()
    return latent[:, :1, None, None] * board


def test_checkerboards_are_void_and_keep_their_values(scores_of: Any) -> None:
    scores = scores_of(checkerboards)

    assert scores["precision"].value < 0.01
    assert {*scores} > {*GAPS, *DCI}
    for score in scores.values():
        assert "not data-like" in score.void
    assert scores["mig"].value > 0.02


def test_one_factor_that_the_probe_reads_badly_voids_the_aggregates(
    world: Any, scores_of: Any
) -> None:
    """The probe reads dots without an error, angles and widths not quite."""
    scores = scores_of(world.obedient, reliable=0.9999)

    for name in GAPS + DCI:
        assert scores[name].void.startswith("the probe reads angle (")
        assert scores[name].void.endswith('leave out with factors = ["dot"]')
        assert scores[name].value > 0.7
    assert "the probe reads the factor" in scores["leak/width"].void
    assert not scores["leak/dot"].void


def test_details_print_the_error_of_the_probe(obedient: dict[str, Score]) -> None:
    probe = obedient["mig"].details["probe"]

    assert probe["angle"]["median_error_degrees"] < 6
    assert probe["width"]["r2"] > 0.9
    assert probe["dot"]["accuracy"] > 0.95


def test_a_factor_that_samples_never_vary_in_is_named(world: Any, scores_of: Any) -> None:
    def bare(latent: Tensor) -> Tensor:
        codes = world.space.split(latent)
        turn = torch.atan2(codes["turn"][:, 1], codes["turn"][:, 0])
        return world.render(turn, codes["level"][:, 0] + 1.5, torch.zeros(len(latent)))

    scores = scores_of(bare)

    assert scores["mig"].void == "constant in these samples: dot; leave it out"
    assert scores["mig"].value > 0.7


def test_collapse_is_void(world: Any, scores_of: Any) -> None:
    def collapsed(latent: Tensor) -> Tensor:
        one = world.render(torch.tensor([1.0]), torch.tensor([1.5]), torch.tensor([0.0]))
        return one.expand(len(latent), -1, -1, -1)

    scores = scores_of(collapsed)

    assert not scores["precision"].void
    assert scores["mig"].void == "no factor varies: angle, width, dot"


def test_samples_that_are_not_finite_are_counted(world: Any, scores_of: Any) -> None:
    def broken(latent: Tensor) -> Tensor:
        samples = world.obedient(latent).clone()
        samples[:3, 0, 0, 0] = math.nan
        return samples

    (score,) = scores_of(broken).values()

    assert score.void == "3 of 2000 samples are not finite"


def test_nothing_to_compare(world: Any, scores_of: Any) -> None:
    plain = ArrayDataset("plain", "real", torch.zeros(10, 1, 16, 16, dtype=torch.uint8))
    view = MemoryView(world.space, plain, world.obedient)

    (score,) = Controllability(world.space, plain, [], CODES).measure(view)

    assert score.void == "the data set 'plain' has no known factors to score"
    (score,) = scores_of(world.obedient, codes=[]).values()
    assert score.void == "no code is inferred; name some in `codes`"


def test_unknown_names_are_refused(world: Any) -> None:
    with pytest.raises(ValueError, match=r"no factor 'angel'.*did you mean 'angle'"):
        Controllability(world.space, world.data, ["angel"], [])
    with pytest.raises(ValueError, match=r"no latent is named 'tern'.*did you mean 'turn'"):
        Controllability(world.space, world.data, [], ["tern"])


def test_factors_that_go_together_lower_the_reference(world: Any) -> None:
    """Of points (a, a) with two factors of one value no code can be about one of them only."""
    both = torch.rand(600, 1, generator=torch.Generator().manual_seed(0)).repeat(1, 2)
    kinds = [Factor("a", "continuous"), Factor("b", "continuous")]
    data = ArrayDataset("line", "synthetic", both, factors=both, descriptions=kinds)
    measure = Controllability(
        world.space, data, [], ["level", "noise"], samples=300, real=600, steps=60
    )

    def generate(latent: Tensor) -> Tensor:
        return (world.space.split(latent)["level"] + 1) / 2 * torch.ones(1, 2)

    scores = {s.name: s for s in measure.measure(MemoryView(world.space, data, generate))}

    assert scores["mig"].reference < 0.1
    assert scores["mig"].ceiling == 1.0
    assert scores["mig"].value > 0.5


def test_measuring_twice_gives_the_same_numbers_and_leaves_torch_alone(
    world: Any, scores_of: Any, obedient: dict[str, Score]
) -> None:
    state = torch.random.get_rng_state()

    with torch.inference_mode():
        assert scores_of(world.obedient) == obedient

    assert torch.equal(torch.random.get_rng_state(), state)
