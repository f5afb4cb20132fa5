"""The bound, its sign and its gradients. A game of one linear generator and a two-layer critic."""

from __future__ import annotations

import math
from typing import Any, Literal

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Distribution, Independent, Normal, OneHotCategorical

from gan_toolkit import Latent, LatentSpace, Pass, Player, Regulariser, device_of
from gan_toolkit.testing.conformance import RegulariserConformance, TinyCritic, TinyGenerator
from gantk_infogan.mutual_information import MutualInformation, bound

SHAPE = (6,)
Head = Literal["shared", "hidden", "separate"]
HEADS: tuple[Head, ...] = ("shared", "hidden", "separate")


class Noise(Latent):
    width = 3

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randn(count, 3, device=device_of(rng), generator=rng)


class Choice(Latent):
    """One of five: given as a row, read by a softmax."""

    width = posterior_width = 5
    discrete = True

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.eye(5)[torch.randint(5, (count,), generator=rng)]

    def posterior(self, raw: Tensor) -> Distribution:
        return OneHotCategorical(logits=raw, validate_args=False)

    def entropy(self) -> float:
        return math.log(5)


class Slider(Latent):
    """A number on [-1, 1] with a fixed spread."""

    width = posterior_width = 1

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return 2 * torch.rand(count, 1, generator=rng) - 1

    def posterior(self, raw: Tensor) -> Distribution:
        return Independent(Normal(raw, 0.3, validate_args=False), 1, validate_args=False)

    def entropy(self) -> float:
        return math.log(2)


def space() -> LatentSpace:
    return LatentSpace({"noise": Noise(), "style": [Choice(), Choice()], "turn": Slider()})


def make(**options: Any) -> MutualInformation:
    options.setdefault("codes", ["style", "turn"])
    return MutualInformation(
        latents=options.pop("latents", space()),
        sample_shape=SHAPE,
        feature_width=TinyCritic.feature_width,
        new_critic=lambda: TinyCritic(SHAPE),
        **options,
    )


class Game:
    """Two players, a term, and what one phase shows it."""

    def __init__(self, term: MutualInformation, latents: LatentSpace | None = None) -> None:
        self.space = latents or space()
        self.term = term
        self.generator = TinyGenerator(self.space.width, SHAPE)
        self.critic = TinyCritic(SHAPE)

    def look(self, phase: Player, count: int = 16, seed: int = 0) -> Pass:
        return Pass(
            phase,
            0,
            generator=self.generator,
            critic=self.critic,
            space=self.space,
            latent=self.space.sample(count, torch.Generator().manual_seed(seed)),
            real=torch.randn(count, *SHAPE),
        )

    def value(self, phase: Player, seed: int = 0) -> tuple[Tensor | None, Pass]:
        seen = self.look(phase, seed=seed)
        if phase == "critic":
            return self.term.critic_term(seen), seen
        return self.term.generator_term(seen), seen

    def reaches(self, phase: Player) -> dict[str, bool]:
        """Return which parts get a gradient that is not zero."""
        value, _ = self.value(phase)
        assert value is not None
        parts: dict[str, nn.Module] = {
            "generator": self.generator,
            "trunk": self.critic.trunk,
            "score": self.critic.score,
            "head": self.term.heads,
        }
        found = {}
        for name, part in parts.items():
            gradients = torch.autograd.grad(
                value, list(part.parameters()), retain_graph=True, allow_unused=True
            )
            found[name] = any(g is not None and bool(g.any()) for g in gradients)
        return found


# --- contract ------------------------------------------------------------------------------


class TestConformanceOfShared(RegulariserConformance):
    sample_shape = SHAPE
    head: Head = "shared"

    def space(self) -> LatentSpace:
        return space()

    def make(self) -> Regulariser:
        return make(head=self.head)


class TestConformanceOfHidden(TestConformanceOfShared):
    head = "hidden"


class TestConformanceOfSeparate(TestConformanceOfShared):
    head = "separate"


class TestConformanceOfBaseline(TestConformanceOfShared):
    def make(self) -> Regulariser:
        return make(updates="critic", detach=True)


class TestConformanceTrainedByTheGenerator(TestConformanceOfShared):
    def make(self) -> Regulariser:
        return make(updates="generator", trained_by="generator", head="separate")


# --- the bound -----------------------------------------------------------------------------


def test_a_head_that_says_nothing_is_worth_0_nats() -> None:
    """log 5 + mean log(1/5): without H(c) it would be -1.609."""
    game = Game(make(codes=["style"]))
    nn.init.zeros_(game.term.heads.get_parameter("outputs.style-0.weight"))

    _, seen = game.value("generator")

    assert seen.logged["style.0"].item() == pytest.approx(0, abs=1e-6)


def test_a_head_that_is_always_right_is_worth_the_entropy() -> None:
    rows = torch.eye(5)

    assert bound(Choice(), 100 * rows, rows).item() == pytest.approx(math.log(5), abs=1e-6)


def test_a_number_read_to_its_spread_by_hand() -> None:
    """log 2 - log(0.3 sqrt(2 pi e)) = 0.478181 nats at a residual of 0.3."""
    code = torch.linspace(-1, 1, 9)[:, None]

    assert bound(Slider(), code + 0.3, code).item() == pytest.approx(0.478181, abs=1e-5)


def test_the_term_is_minus_the_weighted_sum_of_the_logged_bounds() -> None:
    game = Game(make(weights={"style": 2.0, "style.1": 3.0, "turn": 0.5}))

    value, seen = game.value("critic")

    logged = seen.logged
    assert set(logged) == {"style.0", "style.1", "turn", "total"}
    bounds = [logged[code] for code in ("style.0", "style.1", "turn")]
    assert value is not None
    torch.testing.assert_close(value, -(2 * bounds[0] + 3 * bounds[1] + 0.5 * bounds[2]))
    torch.testing.assert_close(logged["total"], bounds[0] + bounds[1] + bounds[2])


@pytest.mark.parametrize("codes", [["style.1"], ["turn"]])
def test_each_kind_of_code_is_logged_alone(codes: list[str]) -> None:
    _, seen = Game(make(codes=codes)).value("generator")

    assert set(seen.logged) == set(codes)


def play(head: Head, updates: str) -> float:
    """Return how often a linear reader of fresh samples finds the code, after 150 steps.

    The code hardly shows in the samples at first: the reader is right one time in four.
    """
    torch.manual_seed(0)
    latents = LatentSpace({"noise": Noise(), "style": Choice()})
    game = Game(make(latents=latents, codes=["style"], head=head, updates=updates), latents)
    game.generator.layer.weight.data *= torch.tensor([1.0] * 3 + [0.02] * 5)
    movers: dict[Player, torch.optim.Adam] = {
        "critic": torch.optim.Adam([*game.critic.parameters(), *game.term.parameters()], 0.05),
        "generator": torch.optim.Adam(game.generator.parameters(), 0.05),
    }
    for step in range(150):
        for phase, mover in movers.items():
            value, _ = game.value(phase, seed=step)
            if value is not None:
                mover.zero_grad()
                value.backward()
                mover.step()

    latent = latents.sample(500, torch.Generator().manual_seed(1000))
    with torch.no_grad():
        samples, style = game.generator(latent), latents.split(latent)["style"]
    fit = torch.linalg.lstsq(samples[:250], style[:250]).solution
    found = (samples[250:] @ fit).argmax(dim=1)
    return (found == style[250:].argmax(dim=1)).float().mean().item()


@pytest.mark.parametrize("head", HEADS)
def test_following_the_term_makes_codes_readable(head: Head) -> None:
    """Judged by the samples: over 8 seeds at least 0.99; the generator's sign flipped, 0.6."""
    assert play(head, updates="both") > 0.9


def test_without_the_reward_the_codes_stay_hidden() -> None:
    """Over 8 seeds at most 0.28."""
    assert play("shared", updates="critic") < 0.5


def test_cross_entropy_goes_to_0_on_samples_that_show_the_code() -> None:
    """A softmax or sigmoid before the likelihood would stop at 0.9 nats of 5 categories."""
    torch.manual_seed(0)
    term = make(codes=["style.0"])
    rows = torch.eye(5).repeat(8, 1)
    features = torch.cat([3 * rows, torch.zeros(40, 2)], dim=1)
    mover = torch.optim.Adam(term.parameters(), 0.1)

    for _ in range(200):
        loss = -bound(Choice(), term.heads(features)["style.0"], rows)
        mover.zero_grad()
        loss.backward()
        mover.step()

    assert math.log(5) + loss.item() < 0.01


# --- who learns from it --------------------------------------------------------------------


def test_critics_phase_trains_head_and_trunk_but_no_score_and_no_generator() -> None:
    reached = Game(make()).reaches("critic")

    assert reached == {"generator": False, "trunk": True, "score": False, "head": True}


def test_generators_phase_reaches_the_generator_through_head_and_trunk() -> None:
    reached = Game(make()).reaches("generator")

    assert reached == {"generator": True, "trunk": True, "score": False, "head": True}


def test_detach_keeps_the_trunk_out_of_the_critics_phase_only() -> None:
    game = Game(make(detach=True))

    assert game.reaches("critic") == {
        "generator": False,
        "trunk": False,
        "score": False,
        "head": True,
    }
    assert game.reaches("generator")["generator"]


def test_a_separate_head_leaves_the_critic_alone() -> None:
    reached = Game(make(head="separate")).reaches("generator")

    assert reached == {"generator": True, "trunk": False, "score": False, "head": True}


def test_separate_trunk_owns_no_parameter_that_only_makes_a_score() -> None:
    term = make(head="separate")

    frozen = {name for name, p in term.named_parameters() if not p.requires_grad}

    assert frozen == {"trunk.score.weight", "trunk.score.bias"}
    assert term.trunk is not None
    assert term.trunk.training


@pytest.mark.parametrize(
    ("updates", "trained_by", "critic", "generator"),
    [
        ("both", "critic", True, True),
        ("critic", "critic", True, False),
        ("generator", "generator", False, True),
        ("both", "generator", True, True),
    ],
)
def test_updates_says_whose_loss_has_the_term(
    updates: str, trained_by: str, critic: bool, generator: bool
) -> None:
    game = Game(make(updates=updates, trained_by=trained_by))

    assert game.term.trained_by == trained_by
    assert (game.value("critic")[0] is not None) is critic
    assert (game.value("generator")[0] is not None) is generator


def test_another_code_changes_no_gradient_of_the_first() -> None:
    torch.manual_seed(0)
    alone, both = Game(make(codes=["turn"])), Game(make(codes=["turn", "style"]))
    both.generator, both.critic = alone.generator, alone.critic
    both.term.heads.outputs["turn"].load_state_dict(alone.term.heads.outputs["turn"].state_dict())

    slopes = []
    for game in (alone, both):
        value, _ = game.value("critic")
        assert value is not None
        slopes.append(
            torch.autograd.grad(value, list(game.term.heads.outputs["turn"].parameters()))
        )

    torch.testing.assert_close(slopes[0], slopes[1])


def test_disturbing_a_head_leaves_the_score_alone() -> None:
    game = Game(make())
    before = game.look("generator").on_fake.score

    for parameter in game.term.parameters():
        nn.init.normal_(parameter)

    assert torch.equal(before, game.look("generator").on_fake.score)


@pytest.mark.parametrize("head", HEADS)
def test_heads_work_on_a_single_sample(head: Head) -> None:
    term = make(head=head).eval()
    seen = Game(term).look("generator", count=1)

    raw = term.infer(seen.fake, seen.on_fake)

    assert {code: tuple(value.shape) for code, value in raw.items()} == {
        "style.0": (1, 5),
        "style.1": (1, 5),
        "turn": (1, 1),
    }


@pytest.mark.parametrize("head", HEADS)
def test_bounds_are_float32_under_autocast(head: Head) -> None:
    game = Game(make(head=head))

    with torch.autocast("cpu", dtype=torch.bfloat16):
        value, seen = game.value("generator")

    assert value is not None
    assert value.dtype == torch.float32
    assert all(bound.dtype == torch.float32 for bound in seen.logged.values())


# --- a stranger's latent -------------------------------------------------------------------


class Waiting(Latent):
    """A time until something happens, Exponential(1); the head guesses its rate."""

    width = posterior_width = 1

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        even = torch.rand(count, 1, device=device_of(rng), generator=rng)
        return -torch.log1p(-even)

    def posterior(self, raw: Tensor) -> Distribution:
        exponential = torch.distributions.Exponential(raw.exp(), validate_args=False)
        return Independent(exponential, 1, validate_args=False)

    def entropy(self) -> float:
        return 1.0


@pytest.mark.parametrize("head", HEADS)
def test_a_new_latent_needs_no_change_here(head: Head) -> None:
    latents = LatentSpace({"noise": Noise(), "wait": Waiting()})
    game = Game(make(latents=latents, codes=["wait"], head=head), latents)

    reached = game.reaches("generator")
    _, seen = game.value("critic")

    assert reached["generator"]
    assert reached["head"]
    assert abs(seen.logged["wait"].item()) < 0.5


# --- refusals ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"codes": []}, "codes is empty"),
        ({"codes": ["stile"]}, "did you mean 'style'"),
        ({"codes": ["noise"]}, "code 'noise' can't be recovered: Noise has no posterior"),
        ({"codes": ["style", "style.1"]}, "'style.1' is named twice"),
        ({"codes": ["turn"], "weights": {"style": 1.0}}, "'style.0' is not one of codes"),
        ({"updates": "generator"}, 'would never be trained.*trained_by = "generator"'),
        ({"updates": "critic", "trained_by": "generator"}, "would never be trained"),
        ({"detach": True, "head": "separate"}, "shares nothing"),
        ({"detach": True, "updates": "generator", "trained_by": "generator"}, "no effect"),
        ({"detach": True, "trained_by": "generator"}, "would train nothing"),
        ({"head": "separate", "trained_by": "generator"}, 'write updates = "generator"'),
        ({"jitter": {"tone": 0.5}}, 'jitter has no effect with head = "shared"'),
        ({"head": "separate", "jitter": {"tone": 0.5}}, "jitter changes images"),
    ],
)
def test_choices_that_do_nothing_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        make(**options)
