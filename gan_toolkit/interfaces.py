"""What a plugin implements, and the one record that a training phase shows it.

Shapes, here and everywhere: B batch, W width of the generator's input, F critic features.
Images are (B, C, H, W) in [-1, 1]; points are (B, D). Information is in nats.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeVar

import torch
from torch import Tensor, nn
from torch.distributions import Distribution
from torch.nn.modules.batchnorm import _BatchNorm

from gan_toolkit.matrices import Matrix

if TYPE_CHECKING:
    from pathlib import Path

    from PIL.Image import Image

    from gan_toolkit.latents import LatentSpace
    from gan_toolkit.model import Model

Player = Literal["critic", "generator"]
"""Who moves: a phase is named after the player whose parameters it updates."""

Made = TypeVar("Made")

Effort = Literal["fast", "default", "full"]
"""How much an evaluation may spend: a look, the usual, or what goes into a table."""


def device_of(rng: torch.Generator | None) -> torch.device | None:
    """Return the device `rng` draws on; None (torch's default device) when there is no `rng`."""
    return rng.device if rng is not None else None


# --- latents -------------------------------------------------------------------------------


class Grid(NamedTuple):
    """The values one latent takes in a traversal, a column of the picture each."""

    values: Tensor
    """(n, width), as `Latent.sample` would give them."""
    labels: list[str]
    """What to write over each column."""
    trained: list[bool]
    """Whether the value lies in the range the generator was trained on."""


class Latent(ABC):
    """One named part of the generator's input: noise, or a code somebody recovers.

    Only `sample` is required, and enough for noise. A code to be recovered also has a posterior
    and an entropy; a code to be set by hand or traversed has `encode` and `grid`.
    """

    width: int
    """Columns it takes in the generator's input."""
    posterior_width: int = 0
    """Raw outputs a network must give to describe q(code | x); 0: the latent can't be inferred."""
    discrete: bool = False
    """Whether `entropy` is that of a discrete variable, so that a share of it means something."""
    circular: bool = False
    """Whether its columns are (cos, sin) of angles, pair by pair, which is how measures read it."""

    @abstractmethod
    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        """Draw `count` values, (count, width), on the device of `rng`."""

    def encode(self, value: Any) -> Tensor:
        """Turn a human's value (3, 0.5, [0.1, 0.2]) into (width,); ValueError if it can't be."""
        raise NotImplementedError(f"{type(self).__name__} can't be set by hand")

    def grid(self, count: int) -> Grid:
        """Return the values of a traversal of about `count` columns, in order."""
        raise NotImplementedError(f"{type(self).__name__} can't be traversed")

    def between(self, first: Tensor, last: Tensor, shares: Tensor) -> Tensor:
        """Return values on the way from `first` to `last`, (B, width) each, as (B, n, width).

        `shares` of the way go from 0 to 1: (n,), the same for all, or (B, n). The way is a straight
        line, which stays in an interval, and of angles the shorter arc; a latent whose prior has
        another shape overrides this. Of a discrete latent there is no way from one value to
        another: it stays at `first`.
        """
        if self.discrete:
            return first[:, None].expand(-1, shares.shape[-1], -1)
        share = shares[..., None].to(first)
        if self.circular:
            return _along_arcs(first[:, None], last[:, None], share)
        return torch.lerp(first[:, None], last[:, None], share)

    def posterior(self, raw: Tensor) -> Distribution:
        """Read raw outputs (B, posterior_width) as a distribution over (B, width).

        Its `log_prob` takes what `sample` gives and returns (B,), in nats, with respect to the
        same base measure as `entropy`.
        """
        raise NotImplementedError(f"{type(self).__name__} can't be inferred")

    def estimate(self, raw: Tensor) -> Tensor:
        """Return what measures read of raw outputs (B, posterior_width): (B, k).

        The index of the likeliest category, the mean of a number, the direction of an angle in
        radians.
        """
        raise NotImplementedError(f"{type(self).__name__} can't be inferred")

    def entropy(self) -> float:
        """Return H(code) in nats."""
        raise NotImplementedError(f"{type(self).__name__} has no entropy")

    def bins(self, value: Tensor, count: int) -> Tensor:
        """Return (B, k) integers: which of `count` equally probable bins of the prior.

        `value` is (B, width) as `sample` gives it. A category is its own bin whatever `count`,
        and however probable.
        """
        raise NotImplementedError(f"{type(self).__name__} can't be binned")


def _along_arcs(first: Tensor, last: Tensor, share: Tensor) -> Tensor:
    """Turn (cos, sin) pairs (B, 1, 2A) towards the last by shares (…, n, 1) of the shorter arc."""
    (x, y), (u, v) = (pairs.unflatten(-1, (-1, 2)).unbind(dim=-1) for pairs in (first, last))
    angle = torch.atan2(x * v - y * u, x * u + y * v) * share
    cos, sin = angle.cos(), angle.sin()
    return torch.stack([cos * x - sin * y, cos * y + sin * x], dim=-1).flatten(-2)


# --- networks and the game -----------------------------------------------------------------


class Generator(nn.Module, ABC):
    """Turns latents (B, W) into samples: images (B, C, H, W) in [-1, 1], or points (B, D)."""

    channels_last: bool = False
    """Whether the weights of its convolutions may lie in channels-last order, which is faster on
    most machines. Maps then lie so too: `flatten` and `reshape` take them, `view` may not."""

    @abstractmethod
    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        """Return one sample per row of `latent`."""


class Judgement(NamedTuple):
    """What a critic says of a batch."""

    score: Tensor
    """(B,), unbounded: larger means more real."""
    features: Tensor
    """(B, F): the last layer that other heads may share."""


class Critic(nn.Module, ABC):
    """Judges samples. Other networks may read its features."""

    feature_width: int
    channels_last: bool = False
    """As of a `Generator`."""
    separable: bool = False
    """Whether the samples of a batch meet in its batch norms only, and a call changes nothing but
    their running statistics. Real and fake samples are then judged in one call, each normalised by
    its own batch, which is the same and faster. Not so with spectral norm, which takes a step of
    its power iteration at each call."""

    @abstractmethod
    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        """Return score and features of each sample."""


class Objective(ABC):
    """The two losses of the game. Both see both scores: relativistic games need them."""

    needs_real_for_generator: bool = False
    """Whether `generator_loss` reads the real scores; None is passed otherwise."""

    @abstractmethod
    def critic_loss(self, real_score: Tensor, fake_score: Tensor) -> Tensor:
        """Return the scalar the critic minimises; scores are (B,)."""

    @abstractmethod
    def generator_loss(self, real_score: Tensor | None, fake_score: Tensor) -> Tensor:
        """Return the scalar the generator minimises; scores are (B,)."""


class Pass:
    """One phase of one step: what every term of that phase sees.

    Each forward is made once, on first use, and shared by the objective and all regularisers. In
    the critic's phase the fakes carry no gradient to the generator. Real and fake samples are each
    normalised by their own batch, also where a `separable` critic judges both in one call; `norms`,
    the critic's batch norms, remember the fakes only, because heads that read features are trained
    on fakes.
    """

    def __init__(
        self,
        phase: Player,
        step: int,
        *,
        generator: nn.Module,
        critic: nn.Module,
        space: LatentSpace,
        latent: Tensor,
        real: Tensor | None = None,
        condition: Tensor | None = None,
        input_grad: bool = False,
        norms: Sequence[_BatchNorm] = (),
        separable: bool = False,
        rng: Callable[[str], torch.Generator] | None = None,
    ) -> None:
        self.phase: Player = phase
        self.step = step
        self.latent = latent
        self.latents: Mapping[str, Tensor] = space.split(latent)
        self.condition = condition
        self.logged: dict[str, Tensor] = {}
        self.speaker = ""
        self._generator = generator
        self._critic = critic
        self._input_grad = input_grad
        self._norms = norms
        # A gradient of its own for each costs less where each has a call of its own.
        self._in_one_call = separable and phase == "critic" and not input_grad
        self._rng = rng
        self._real = real
        self._fake: Tensor | None = None
        self._on_real: Judgement | None = None
        self._on_fake: Judgement | None = None

    @property
    def real(self) -> Tensor:
        """The real samples of this phase; they need a gradient if a term asked for it."""
        if self._real is None:
            raise RuntimeError(f"the {self.phase} phase has no real samples")
        if self._input_grad and not self._real.requires_grad:
            self._real = self._real.detach().requires_grad_()
        return self._real

    @property
    def fake(self) -> Tensor:
        """The generated samples of `latent`."""
        if self._fake is None:
            if self.phase == "critic":
                with torch.no_grad():
                    fake = self._generator(self.latent, self.condition)
                self._fake = fake.requires_grad_() if self._input_grad else fake
            else:
                self._fake = self._generator(self.latent, self.condition)
        return self._fake

    @property
    def on_real(self) -> Judgement:
        """The critic's judgement of `real`."""
        if self._on_real is None and self._in_one_call:
            self._on_real, self._on_fake = self._judge_both()
        elif self._on_real is None:
            with _held(self._norms):
                self._on_real = self._judge(self.real)
        return self._on_real

    @property
    def on_fake(self) -> Judgement:
        """The critic's judgement of `fake`."""
        if self._on_fake is None and self._in_one_call:
            self._on_real, self._on_fake = self._judge_both()
        elif self._on_fake is None:
            self._on_fake = self._judge(self.fake)
        return self._on_fake

    def rng(self, purpose: str) -> torch.Generator | None:
        """Return a generator on the device of the samples, for the term that is being computed.

        It depends on the run's seed, the place in training, the term and `purpose` only, so that
        what a term draws survives a resume. Of several ranks each draws numbers of its own. In a
        rehearsal it is None, torch's own.
        """
        return None if self._rng is None else self._rng(f"{self.speaker}/{purpose}")

    def log(self, name: str, value: Tensor) -> None:
        """Note a scalar as `<term>/<name>`, after the term that is being computed."""
        self.logged[f"{self.speaker}/{name}" if self.speaker else name] = value.detach()

    def _judge(self, sample: Tensor) -> Judgement:
        score, features = self._critic(sample, self.condition)
        return Judgement(score.float(), features)

    def _judge_both(self) -> tuple[Judgement, Judgement]:
        count = len(self.real)
        both = torch.cat([self.real, self.fake])
        conditions = None if self.condition is None else torch.cat([self.condition] * 2)
        with _apart(self._norms, count):
            score, features = self._critic(both, conditions)
        real, fake = zip(score.float().split(count), features.split(count), strict=True)
        return Judgement(*real), Judgement(*fake)


@contextmanager
def _held(norms: Sequence[_BatchNorm]) -> Iterator[None]:
    """Let batch norms normalise by the batch and remember nothing of it."""
    tracking = [norm.track_running_stats for norm in norms]
    for norm in norms:
        norm.track_running_stats = False
    try:
        yield
    finally:
        for norm, tracks in zip(norms, tracking, strict=True):
            norm.track_running_stats = tracks


@contextmanager
def _apart(norms: Sequence[_BatchNorm], count: int) -> Iterator[None]:
    """Let batch norms normalise the first `count` rows by themselves, and remember the rest only.

    Put on the modules themselves: a hook could not take the place of what they compute.
    """

    def forward(norm: _BatchNorm, rows: Tensor) -> Tensor:
        plain = type(norm).forward
        real, fake = rows.split(count)
        with _held([norm]):
            normalised = plain(norm, real)
        return torch.cat([normalised, plain(norm, fake)])

    for norm in norms:
        vars(norm)["forward"] = partial(forward, norm)
    try:
        yield
    finally:
        for norm in norms:
            del vars(norm)["forward"]


class Regulariser(nn.Module):
    """A term added to either player's loss, without its weight.

    Weight, interval, start, stop and schedule belong to the recipe; the engine applies them. Own
    parameters (a head) are stepped by the optimiser of the player named in `trained_by`. A
    subclass overrides at least one of the two terms.
    """

    trained_by: Player = "critic"
    needs_input_grad: bool = False
    """Whether the critic's phase must give `real` and `fake` a gradient of their own."""

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        own, base = vars(Regulariser), Regulariser
        if all(getattr(cls, term) is own[term] for term in ("critic_term", "generator_term")):
            raise TypeError(
                f"{cls.__name__} overrides neither critic_term nor generator_term of "
                f"{base.__name__}: it would do nothing"
            )

    def critic_term(self, seen: Pass) -> Tensor | None:
        """Return the scalar added to the critic's loss, or None."""

    def generator_term(self, seen: Pass) -> Tensor | None:
        """Return the scalar added to the generator's loss, or None."""

    def infer(self, sample: Tensor, judgement: Judgement) -> dict[str, Tensor]:
        """Return, for each code this term can recover, the raw outputs `Latent.posterior` reads."""
        return {}

    def param_groups(self) -> list[tuple[float, list[nn.Parameter]]]:
        """Return its parameters in groups, each with a factor on its player's learning rate."""
        return [(1.0, list(self.parameters()))]

    def gains(self) -> Mapping[str, float]:
        """Return what training must raise, by the name it is logged under, and by how much.

        A run says so when a tenth of it is over and such a value has not risen by that.
        """
        return {}

    def measures(self) -> Mapping[str, Measure]:
        """Return measures that come with this term, by name."""
        return {}

    def panels(self) -> Mapping[str, Panel]:
        """Return panels that come with this term, by name."""
        return {}

    def state(self) -> dict[str, Any]:
        """Return what must survive beside parameters and buffers: JSON values only."""
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Take back what `state` returned."""
        if state:
            raise ValueError(f"{type(self).__name__} keeps no state, yet was given {sorted(state)}")


# --- data ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Factor:
    """One known property of a data set's samples."""

    name: str
    kind: Literal["discrete", "continuous", "circular"]
    values: tuple[str, ...] = ()
    """Names of the values of a discrete factor, in the order of their indices."""
    low: float = 0.0
    high: float = 1.0
    unit: str = ""
    scored: bool = True
    """False for a nuisance: known, but no measure asks for it."""


class Batch(NamedTuple):
    """Some samples of a data set, row by row."""

    samples: Tensor
    """uint8 (B, C, H, W) in 0..255, or float32 (B, D)."""
    labels: Tensor | None = None
    """int64 (B,)."""
    factors: Tensor | None = None
    """float32 (B, K); circular factors in radians, discrete ones as indices."""


class Dataset(ABC):
    """Samples by index. Sample i is always the same, whoever asks and in whatever order."""

    name: str
    """The name shown in titles and records; it says the source if that is not the real set."""
    source: str
    """"real", "meshes" or "synthetic"."""
    sample_shape: tuple[int, ...]
    classes: tuple[str, ...] = ()
    """Names of the labels 0, 1, …; empty when there are none."""
    factors: tuple[Factor, ...] = ()
    notice: str = ""
    """Licence and attribution."""

    @abstractmethod
    def __len__(self) -> int:
        """Return the number of samples."""

    @abstractmethod
    def batch(self, indices: Tensor) -> Batch:
        """Return the samples at `indices`, (B,) int64 on the CPU."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return a hash of the contents; two sets of equal fingerprint are interchangeable."""

    def held_out(self) -> Dataset | None:
        """Return samples that training never sees, described alike, or None."""
        return None

    can_render: bool = False
    """Whether `render` makes the sample of any factors one asks for."""

    def render(self, factors: Tensor) -> Tensor:
        """Return the samples of factors (N, K), as `batch` would give them, on their device.

        N may be 0. Raises ValueError unless `can_render`, and for a table of another shape or of
        complex numbers, or a value that its factor can't have: one that is not finite, an index
        without a value, a number outside of `low` to `high` (an angle may be any).
        """
        raise ValueError(f"{self.name} is a fixed set: it can't render factors one asks for")


class Augment(ABC):
    """Changes real samples on their way to the critic, by chance."""

    @abstractmethod
    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        """Return samples like the ones given, (B, C, H, W) in [-1, 1] or (B, D).

        `rng` is a CPU generator of this step and augment alone: draw from nothing else, and leave
        the given samples as they are.
        """


# --- what watches --------------------------------------------------------------------------


class Bank(NamedTuple):
    """Generated samples and the latents they were made from."""

    latent: Tensor
    samples: Tensor


class View(ABC):
    """What measures and panels may see between two steps.

    Networks are in eval mode, the generator is the averaged one, and every draw comes from
    generators of its own: looking never changes training.
    """

    step: int
    seed: int
    space: LatentSpace
    data: Dataset
    history: Sequence[Mapping[str, Any]]
    """The records of `metrics.jsonl` so far."""
    effort: Effort = "default"
    """How much a measure may spend where its options say nothing; options win."""

    @property
    @abstractmethod
    def inferable(self) -> tuple[str, ...]:
        """Names of the codes that some regulariser recovers."""

    @property
    @abstractmethod
    def title(self) -> str:
        """Recipe, step and data source in one line, for figure titles."""

    @abstractmethod
    def rng(self, purpose: str) -> torch.Generator:
        """Return a fresh CPU generator: the same for the same seed and purpose."""

    @abstractmethod
    def bank(self, count: int) -> Bank:
        """Return `count` fresh samples and their latents, on the CPU; all measures share them."""

    @abstractmethod
    def generate(self, latent: Tensor) -> Tensor:
        """Return the samples of `latent` (B, W), on the CPU."""

    @abstractmethod
    def infer(self, samples: Tensor) -> dict[str, Tensor]:
        """Return raw outputs (B, posterior_width) for every inferable code, on the CPU."""

    @abstractmethod
    def real(self, count: int, *, held_out: bool = False) -> Batch:
        """Return `count` real samples (at most all), drawn without replacement, in [-1, 1]."""

    def untrained(self) -> View | None:
        """Return a view of the same parts before training, where they can be made anew, or None.

        What it finds is what the networks give by their shape alone. During training there is none.
        """
        return None

    def read_real(self, count: int, *, held_out: bool = False) -> tuple[Batch, dict[str, Tensor]]:
        """Return `real(count)` and what `infer` makes of it.

        Ask here rather than for each apart: measures that look at the same samples share one
        reading of them.
        """
        batch = self.real(count, held_out=held_out)
        return batch, self.infer(batch.samples)

    def remember(self, key: Hashable, make: Callable[[], Made]) -> Made:
        """Return what `make` makes: made once for whoever asks by the same key, where kept.

        For slow work on the data alone, such as a network that learns to read it: what is made
        must follow from the data, the seed and the key, never from what is being measured.
        """
        return make()


@dataclass(frozen=True)
class Score:
    """One number a measure found, with what one must know to compare it."""

    name: str
    value: float
    count: int
    """Samples it was estimated from."""
    estimator: str
    unit: str = ""
    low: float | None = None
    high: float | None = None
    """Ends of the interval, when one was estimated."""
    chance: float | None = None
    """What something that knows nothing would get."""
    ceiling: float | None = None
    """The most the value can be, whoever is measured."""
    reference: float | None = None
    """What a perfect generator would get, where that is neither the most nor the least: such as
    what real samples it has not seen get in its place."""
    void: str = ""
    """Why the value must not be used; empty when it may."""
    details: Mapping[str, Any] = field(default_factory=dict)
    split: str = ""
    """Which real samples it was estimated from, "training" or "held-out"; empty: none, or both."""
    protocol: str = ""
    """The published way it was taken, where there are several."""
    anchors: Mapping[str, float] = field(default_factory=dict)
    """The same number for something known, such as `untrained` networks; `chance` is its own."""
    warnings: Sequence[str] = ()
    """What to know before believing it, a line each; it may be used all the same."""
    headline: str = ""
    """What it is called in the one line that sums up an evaluation; empty: it isn't in it."""
    matrices: Mapping[str, Matrix] = field(default_factory=dict)
    """What it was made from, for whoever draws it; no two of one measure share a name."""


class Measure(ABC):
    """Finds numbers about a generator and its codes."""

    @abstractmethod
    def measure(self, view: View) -> list[Score]:
        """Return its scores."""


class Comparison(ABC):
    """Scores several trained models by each other, where nobody knows what is right."""

    least: int = 2
    """Fewest models among which its scores mean something."""

    @abstractmethod
    def compare(self, views: Sequence[View]) -> Sequence[Sequence[Score]]:
        """Return the scores of each model, in the order of `views`.

        The views share data and seed, so that `real` gives all of them the same samples; their
        latent spaces may differ, and equal names in them need not mean the same. The first score
        is the one to choose by: the larger, the better. A model that can't be compared gets the
        same names with the reason in `void`.
        """


@dataclass(frozen=True)
class Picture:
    """One image for the run folder: it becomes `<folder>/step-<step>.png`."""

    folder: str
    image: Image
    caption: str = ""
    frames: Sequence[Image] = ()
    """Of a film, which becomes a looping `.gif` beside it; `image` is what stands still for it."""
    milliseconds: int = 120
    """How long each frame stays."""


class Panel(ABC):
    """Draws pictures of the state of a run."""

    @abstractmethod
    def draw(self, view: View) -> list[Picture]:
        """Return its pictures."""


class Tracker(ABC):
    """Is told what happens in a run. It may fail; the run goes on."""

    def start(self, facts: Mapping[str, Any]) -> None:
        """Learn of the run: its id, folder, name and resolved recipe."""

    @abstractmethod
    def log(self, record: Mapping[str, Any]) -> None:
        """Take one record of `metrics.jsonl`."""

    def picture(self, picture: Picture, step: int) -> None:
        """Take one picture."""

    def close(self) -> None:
        """Let go of everything; called whatever happened."""


# --- what leaves the toolkit ---------------------------------------------------------------


class Exporter(ABC):
    """Writes a trained model, or what it makes, in a form that other programs read."""

    suffix: str = ""
    """How the name of the file it writes ends, such as ".onnx"; empty: it writes a folder."""
    reproducible: bool = True
    """Whether the same model and options always give the same bytes."""

    @abstractmethod
    def export(self, model: Model, target: Path) -> None:
        """Write `model` to `target`: a file that is not there yet, or a folder that is empty.

        It lies in a temporary place and is moved where the user wants it once this returns, so
        that nothing half-written is ever seen there. Nothing else may be written. The model is on
        the CPU, in eval mode, and to be left as it is; every draw comes from generators of its own.
        Raises UsageError for a model that has no such form, with what would do instead.
        """


# --- what moves the players ----------------------------------------------------------------


class Schedule(ABC):
    """A number that changes with progress."""

    @abstractmethod
    def at(self, step: int) -> float:
        """Return its value at `step` (0 is the first)."""


class Averaging(ABC):
    """Keeps an averaged copy of a generator, which is the one that is shown and shared."""

    @abstractmethod
    def attach(self, generator: nn.Module) -> None:
        """Start from the weights of `generator`."""

    @abstractmethod
    def update(self, step: int) -> None:
        """Take in the generator's weights after `step`."""

    @property
    @abstractmethod
    def module(self) -> nn.Module:
        """The averaged generator."""
