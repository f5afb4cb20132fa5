"""Faults of the kinds that the toolkit's parts are made of: each fails the check named."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from torch import Tensor, nn
from torch.distributions import Distribution

from gan_toolkit import ArrayDataset, Augment, Batch, ExponentialAverage, Factor, Linear
from gan_toolkit.interfaces import (
    Dataset,
    Exporter,
    Judgement,
    Measure,
    Panel,
    Pass,
    Picture,
    Score,
    Tracker,
    View,
)
from gan_toolkit.model import Model
from gan_toolkit.testing.conformance import (
    AugmentConformance,
    AveragingConformance,
    Conformance,
    CriticConformance,
    DatasetConformance,
    ExporterConformance,
    GeneratorConformance,
    LatentConformance,
    MeasureConformance,
    OptimiserConformance,
    PanelConformance,
    RegulariserConformance,
    ScheduleConformance,
    TinyCode,
    TinyCritic,
    TinyGenerator,
    TrackerConformance,
)
from gan_toolkit.testing.parts import ReadBack
from gan_toolkit.testing.views import Level

FACTORS = (Factor("shape", "discrete", ("round", "square")), Factor("tilt", "continuous"))


# --- latents -------------------------------------------------------------------------------


class LooseDensity(TinyCode):
    """As if the two sides had probabilities that add up to 2."""

    def posterior(self, raw: Tensor) -> Distribution:
        return _Shifted(super().posterior(raw), math.log(2))


class LooseLine(Level):
    def posterior(self, raw: Tensor) -> Distribution:
        return _Shifted(super().posterior(raw), -0.5)


class WrongEntropy(Level):
    def entropy(self) -> float:
        return math.log(4)


class OneWay(Level):
    def between(self, first: Tensor, last: Tensor, shares: Tensor) -> Tensor:
        return super().between(first, last, shares.reshape(-1, shares.shape[-1])[0])


class WrongSides(TinyCode):
    def estimate(self, raw: Tensor) -> Tensor:
        return (raw < 0).long()

    def bins(self, value: Tensor, count: int) -> Tensor:
        return value.long()


class _Shifted(Distribution):
    arg_constraints = {}  # noqa: RUF012 - torch's own way

    def __init__(self, base: Distribution, by: float) -> None:
        self.base, self.by = base, by
        super().__init__(base.batch_shape, base.event_shape, validate_args=False)

    def log_prob(self, value: Tensor) -> Tensor:
        found: Tensor = self.base.log_prob(value) + self.by
        return found


# --- networks and terms --------------------------------------------------------------------


class Forgetful(TinyGenerator):
    """What shifts its samples is in no state dict."""

    def __init__(self) -> None:
        super().__init__(6, (1, 32, 32))
        self.shift = next(_NUMBERS) / 10

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return super().forward(latent + self.shift, condition)


class Unseeded(TinyGenerator):
    def __init__(self) -> None:
        super().__init__(6, (1, 32, 32))
        nn.init.constant_(self.layer.bias, next(_NUMBERS) / 10)


class Overflows(TinyGenerator):
    """Has no room for its images in half precision."""

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        images = super().forward(latent, condition)
        low = torch.is_autocast_enabled("cpu")
        return images * torch.tensor(math.inf if low else 1.0)


class Draws(TinyCritic):
    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        return super().forward(sample + 0 * torch.rand(1), condition)


class MeetsInBatch(TinyCritic):
    """Says that its samples meet in batch norms only, and shows each the mean of all."""

    separable = True

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        return super().forward(sample - sample.mean(dim=0), condition)


class Views(TinyCritic):
    """Says that its maps may lie channels last, and takes them with `view`."""

    channels_last = True

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__(sample_shape)
        self.maps = nn.Conv2d(1, 2, 3)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        maps = self.maps(sample)
        score, features = super().forward(sample, condition)
        return Judgement(score + maps.view(len(maps), -1).sum(dim=1), features)


class Orphan(ReadBack):
    """A parameter that param_groups forgets."""

    def __init__(self) -> None:
        super().__init__("coin")
        self.head = nn.Linear(TinyCritic.feature_width, 1)
        self.orphan = nn.Parameter(torch.zeros(1))

    def param_groups(self) -> list[tuple[float, list[nn.Parameter]]]:
        return [(1.0, list(self.head.parameters()))]


class LosesCount(Orphan):
    """What it has counted enters what it computes, and is lost."""

    def __init__(self) -> None:
        super().__init__()
        del self.orphan

    def state(self) -> dict[str, Any]:
        return {}

    def load_state(self, state: Mapping[str, Any]) -> None:
        pass


class DrawsAtWill(LosesCount):
    def critic_term(self, seen: Pass) -> Tensor:
        return super().critic_term(seen) * (1 + 0 * torch.rand(()))


# --- data ----------------------------------------------------------------------------------


def data(**changes: Any) -> ArrayDataset:
    facts: dict[str, Any] = {
        "samples": torch.arange(12 * 16, dtype=torch.uint8).reshape(12, 1, 4, 4),
        "labels": torch.arange(12) % 2,
        "factors": torch.stack([torch.arange(12) % 2, torch.linspace(0, 1, 12)], dim=1),
        "classes": ("a", "b"),
        "descriptions": FACTORS,
    }
    return ArrayDataset("squares", "synthetic", **(facts | changes))


class Wrapped(Dataset):
    """A good data set in which one thing can be changed."""

    name, source, sample_shape = "squares", "synthetic", (1, 4, 4)
    classes, factors = ("a", "b"), FACTORS

    def __init__(self) -> None:
        self.good = data()

    def __len__(self) -> int:
        return len(self.good)

    def batch(self, indices: Tensor) -> Batch:
        return self.good.batch(indices)

    def fingerprint(self) -> str:
        return self.good.fingerprint()


class ChangingFingerprint(Wrapped):
    def fingerprint(self) -> str:
        return str(next(_NUMBERS))


class Noisy(Wrapped):
    def batch(self, indices: Tensor) -> Batch:
        batch = super().batch(indices)
        noise = torch.randint(0, 9, batch.samples.shape, dtype=torch.uint8)
        return batch._replace(samples=batch.samples + noise)


class Shared(Wrapped):
    def batch(self, indices: Tensor) -> Batch:
        return super().batch(indices)._replace(samples=self.good._samples[: len(indices)])


class Anonymous(Wrapped):
    source = "somewhere"


class WrongClasses(Wrapped):
    classes = ("a",)


class WrongFactors(Wrapped):
    factors = (FACTORS[0], Factor("tilt", "continuous", low=5.0, high=6.0))


class Floats(Wrapped):
    def batch(self, indices: Tensor) -> Batch:
        batch = super().batch(indices)
        return batch._replace(samples=batch.samples.float())


class HoldsOutItself(Wrapped):
    def held_out(self) -> Dataset:
        return self


class RendersAnything(Wrapped):
    can_render = True

    def render(self, factors: Tensor) -> Tensor:
        return torch.zeros(len(factors), 1, 4, 4, dtype=torch.uint8)


class Ignores(Augment):
    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        return (samples * torch.rand(1)).clamp(-1, 1)


class Brightens(Augment):
    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        return samples + torch.rand(1, generator=rng)


class InPlace(Augment):
    def apply(self, samples: Tensor, rng: torch.Generator) -> Tensor:
        return samples.mul_(torch.rand(1, generator=rng))


# --- what moves ----------------------------------------------------------------------------


class Uphill(torch.optim.SGD):
    def __init__(self, groups: Any) -> None:
        super().__init__(groups, maximize=True)


class OwnRate(torch.optim.SGD):
    """Remembers the rate it began with."""

    def step(self, closure: Any = None) -> Any:
        for group in self.param_groups:
            group["lr"] = 1e-2
        return super().step(closure)


class Amnesiac(torch.optim.SGD):
    """Its count of steps is not in its state."""

    count = 0

    def step(self, closure: Any = None) -> Any:
        self.count += 1
        for group in self.param_groups:
            group["lr"] *= 1 + self.count
        return super().step(closure)


class Counts(Linear):
    """Counts how often it is asked."""

    asked = 0

    def at(self, step: int) -> float:
        self.asked += 1
        return float(self.asked)


class RunsAway(Linear):
    def at(self, step: int) -> float:
        return math.inf if step > 10**6 else 1.0


class Alias(ExponentialAverage):
    def attach(self, generator: nn.Module) -> None:
        self._source = self._average = generator.eval()


class Asleep(ExponentialAverage):
    def update(self, step: int) -> None:
        pass


class Shrinks(ExponentialAverage):
    def update(self, step: int) -> None:
        super().update(step)
        for mean in self.module.parameters():
            mean.mul_(0.99)


class Stops(ExponentialAverage):
    def update(self, step: int) -> None:
        super().update(step)
        assert self._source is not None
        self._source.eval()


class CountsUpdates(ExponentialAverage):
    updates = 0

    def update(self, step: int) -> None:
        self.updates += 1
        super().update(10 * self.updates)


class LateStart(ExponentialAverage):
    def attach(self, generator: nn.Module) -> None:
        super().attach(generator)
        for mean in self.module.parameters():
            mean.data.zero_()


# --- what watches --------------------------------------------------------------------------


class Honest(Measure):
    def measure(self, view: View) -> list[Score]:
        bank = view.bank(50)
        return [Score("mean", float(bank.samples.mean()), 50, "mean")]


class Random(Measure):
    def measure(self, view: View) -> list[Score]:
        return [Score("luck", float(torch.rand(())), 50, "torch's global generator")]


class Restless(Measure):
    """Keeps its own generator from call to call."""

    def measure(self, view: View) -> list[Score]:
        return [Score("restless", float(next(_NUMBERS)), 1, "a count")]


class Scribbles(Honest):
    def measure(self, view: View) -> list[Score]:
        view.bank(50).samples.zero_()
        return super().measure(view)


class Wakes(Honest):
    def measure(self, view: View) -> list[Score]:
        view._generate.train()  # type: ignore[attr-defined]
        return super().measure(view)


class Silent(Measure):
    def measure(self, view: View) -> list[Score]:
        return [Score("nothing", math.nan, 50, "none")]


class Twins(Measure):
    def measure(self, view: View) -> list[Score]:
        return [Score("one", 1.0, 50, "none"), Score("one", 2.0, 50, "none")]


class Grey(Panel):
    def draw(self, view: View) -> list[Picture]:
        return [Picture("grey", Image.new("L", (8, 8)), view.title)]


class Huge(Panel):
    def draw(self, view: View) -> list[Picture]:
        return [Picture("huge", Image.new("L", (10_000, 2)))]


class Escapes(Panel):
    def draw(self, view: View) -> list[Picture]:
        return [Picture("../elsewhere", Image.new("L", (8, 8)))]


class Array(Panel):
    def draw(self, view: View) -> list[Picture]:
        return [Picture("array", torch.zeros(3, 8, 8))]  # type: ignore[arg-type]


class Jittery(Panel):
    def draw(self, view: View) -> list[Picture]:
        return [Picture("jittery", Image.new("L", (8, 8), next(_NUMBERS) % 255))]


class Listens(Tracker):
    def log(self, record: Mapping[str, Any]) -> None:
        pass


class WantsNumbers(Tracker):
    def log(self, record: Mapping[str, Any]) -> None:
        sum(value for value in record.values() if not isinstance(value, str | list))


class Grabs(Tracker):
    def log(self, record: Mapping[str, Any]) -> None:
        record.pop("event")  # type: ignore[attr-defined]


class ClosesOnce(Listens):
    def __init__(self) -> None:
        self.open: list[int] = [1]

    def close(self) -> None:
        self.open.pop()


class Numbers(Exporter):
    suffix = ".txt"

    def export(self, model: Model, target: Path) -> None:
        target.write_text(str(model.sample(2).tolist()))


class Heap(Exporter):
    def export(self, model: Model, target: Path) -> None:
        (target / "deep").mkdir()
        (target / "deep" / "numbers.txt").write_text(str(model.sample(2).tolist()))


class Dated(Numbers):
    def export(self, model: Model, target: Path) -> None:
        target.write_text(str(next(_NUMBERS)))


class Undated(Dated):
    reproducible = False


class Spills(Numbers):
    def export(self, model: Model, target: Path) -> None:
        super().export(model, target)
        super().export(model, target.with_name("more.txt"))


class SpillsHere(Numbers):
    def export(self, model: Model, target: Path) -> None:
        super().export(model, target)
        super().export(model, Path("more.txt"))


class Piles(Numbers):
    def export(self, model: Model, target: Path) -> None:
        target.mkdir()
        super().export(model, target / "numbers.txt")


class Blank(Exporter):
    def export(self, model: Model, target: Path) -> None:
        (target / "empty.txt").touch()


class Idle(Exporter):
    def export(self, model: Model, target: Path) -> None:
        pass


class Unnameable(Numbers):
    suffix = "txt"


class DrawsGlobally(Numbers):
    def export(self, model: Model, target: Path) -> None:
        target.write_text(str(torch.rand(1)))


class Trains(Numbers):
    def export(self, model: Model, target: Path) -> None:
        super().export(model, target)
        model.generator.train()


class Prunes(Numbers):
    def export(self, model: Model, target: Path) -> None:
        super().export(model, target)
        for tensor in model.generator.state_dict().values():
            tensor.zero_()


class Learns(Numbers):
    def export(self, model: Model, target: Path) -> None:
        super().export(model, target)
        model.generator.requires_grad_()


_NUMBERS = itertools.count()

sgd = partial(partial, torch.optim.SGD)

GOOD: list[tuple[type[Any], Callable[[], Any]]] = [
    (DatasetConformance, data),
    (DatasetConformance, Wrapped),
    (ScheduleConformance, partial(Linear, 0.0, 1.0, 10)),
    (AveragingConformance, ExponentialAverage),
    (OptimiserConformance, sgd),
    (MeasureConformance, Honest),
    (PanelConformance, Grey),
    (TrackerConformance, Listens),
    (ExporterConformance, Numbers),
    (ExporterConformance, Heap),
    (ExporterConformance, Undated),
]

FAULTS: list[tuple[type[Any], Callable[[], Any], str]] = [
    (LatentConformance, LooseDensity, "the_density_of_a_posterior_integrates_to_one"),
    (LatentConformance, LooseLine, "the_density_of_a_posterior_integrates_to_one"),
    (LatentConformance, WrongEntropy, "entropy_is_that_of_what_sample_draws"),
    (LatentConformance, OneWay, "between_takes_shares_of_its_own_for_each_pair"),
    (LatentConformance, WrongSides, "estimate_names_the_likeliest_value"),
    (GeneratorConformance, Forgetful, "saved_and_loaded_it_makes_the_same_samples"),
    (GeneratorConformance, Unseeded, "the_same_seed_gives_the_same_weights"),
    (GeneratorConformance, partial(Overflows, 6, (1, 32, 32)), "half_precision_stays_finite"),
    (CriticConformance, partial(Draws, (1, 32, 32)), "looking_in_eval_mode_changes_nothing"),
    (
        CriticConformance,
        partial(MeetsInBatch, (1, 32, 32)),
        "real_and_fake_can_be_judged_in_one_call_if_it_says_so",
    ),
    (
        CriticConformance,
        partial(Views, (1, 32, 32)),
        "takes_weights_that_lie_channels_last_if_it_says_so",
    ),
    (RegulariserConformance, Orphan, "every_parameter_has_one_owner"),
    (RegulariserConformance, LosesCount, "saved_and_loaded_it_takes_the_same_next_step"),
    (RegulariserConformance, DrawsAtWill, "what_it_draws_comes_from_the_pass"),
    (DatasetConformance, ChangingFingerprint, "the_fingerprint_is_that_of_the_contents"),
    (DatasetConformance, Noisy, "a_sample_is_the_same_whoever_asks"),
    (DatasetConformance, Shared, "a_batch_is_the_callers_own"),
    (DatasetConformance, Anonymous, "it_says_what_it_is"),
    (DatasetConformance, WrongClasses, "labels_match_their_classes"),
    (DatasetConformance, WrongFactors, "factors_match_their_description"),
    (DatasetConformance, Floats, "samples_are_bytes_of_images_or_numbers_of_points"),
    (DatasetConformance, HoldsOutItself, "what_is_held_out_is_like_it_and_another"),
    (DatasetConformance, RendersAnything, "it_renders_what_it_says"),
    (AugmentConformance, Ignores, "it_follows_the_generator_it_is_given"),
    (AugmentConformance, Brightens, "it_gives_samples_like_those_it_takes"),
    (AugmentConformance, InPlace, "it_leaves_the_given_samples_as_they_are"),
    (OptimiserConformance, partial(partial, Uphill), "it_goes_downhill"),
    (OptimiserConformance, partial(partial, OwnRate), "each_group_has_the_rate_it_is_given"),
    (
        OptimiserConformance,
        partial(partial, Amnesiac),
        "saved_and_loaded_it_takes_the_same_next_step",
    ),
    (ScheduleConformance, partial(Counts, 0.0, 1.0, 10), "it_depends_on_the_step_alone"),
    (ScheduleConformance, partial(RunsAway, 0.0, 1.0, 10), "it_is_a_finite_number_at_every_step"),
    (AveragingConformance, Alias, "it_is_a_copy_that_takes_no_gradient_and_is_shown"),
    (AveragingConformance, Asleep, "it_follows_weights_that_moved"),
    (AveragingConformance, Shrinks, "weights_that_stand_still_are_their_own_average"),
    (AveragingConformance, Stops, "it_leaves_the_generator_alone"),
    (AveragingConformance, CountsUpdates, "all_it_knows_is_in_its_module"),
    (AveragingConformance, LateStart, "it_starts_from_the_weights_it_is_attached_to"),
    (MeasureConformance, Random, "it_draws_no_training_randomness"),
    (MeasureConformance, Restless, "it_finds_the_same_again"),
    (MeasureConformance, Scribbles, "it_leaves_networks_and_samples_alone"),
    (MeasureConformance, Wakes, "it_leaves_networks_and_samples_alone"),
    (MeasureConformance, Silent, "scores_are_numbers_one_can_compare"),
    (MeasureConformance, Twins, "scores_are_numbers_one_can_compare"),
    (PanelConformance, Huge, "pictures_are_images_of_a_size_one_can_look_at"),
    (PanelConformance, Array, "pictures_are_images_of_a_size_one_can_look_at"),
    (PanelConformance, Escapes, "each_picture_has_a_folder_of_its_own_within_the_run"),
    (PanelConformance, Jittery, "it_finds_the_same_again"),
    (TrackerConformance, WantsNumbers, "it_takes_a_whole_run"),
    (TrackerConformance, Grabs, "it_leaves_what_it_is_told_alone"),
    (TrackerConformance, ClosesOnce, "it_can_be_closed_at_any_time"),
    (ExporterConformance, Unnameable, "its_suffix_is_that_of_a_file_or_empty"),
    (ExporterConformance, Spills, "it_writes_its_target_and_nothing_else"),
    (ExporterConformance, SpillsHere, "it_writes_its_target_and_nothing_else"),
    (ExporterConformance, Piles, "it_writes_its_target_and_nothing_else"),
    (ExporterConformance, Blank, "it_writes_its_target_and_nothing_else"),
    (ExporterConformance, Idle, "it_writes_its_target_and_nothing_else"),
    (ExporterConformance, Dated, "the_same_model_gives_the_same_bytes"),
    (ExporterConformance, DrawsGlobally, "it_draws_no_training_randomness"),
    (ExporterConformance, Trains, "it_leaves_the_model_alone"),
    (ExporterConformance, Prunes, "it_leaves_the_model_alone"),
    (ExporterConformance, Learns, "it_leaves_the_model_alone"),
]


def about(contract: type[Any], make: Callable[[], Any]) -> Conformance:
    made: Conformance = type("About", (contract,), {"make": lambda self: make()})()
    return made


@pytest.mark.parametrize(
    ("contract", "make", "check"), FAULTS, ids=[f"{f[0].__name__}-{f[2]}" for f in FAULTS]
)
def test_a_fault_fails_its_check(contract: type[Any], make: Callable[[], Any], check: str) -> None:
    broken = about(contract, make)

    with pytest.raises((AssertionError, ValueError, IndexError)):
        getattr(broken, f"test_{check}")()


GOOD_CHECKS = [
    pytest.param(contract, make, check, id=f"{contract.__name__}-{place}-{check}")
    for place, (contract, make) in enumerate(GOOD)
    for check in dir(contract)
    if check.startswith("test_")
]


@pytest.mark.parametrize(("contract", "make", "check"), GOOD_CHECKS)
def test_a_good_part_passes_every_check(
    contract: type[Any], make: Callable[[], Any], check: str
) -> None:
    getattr(about(contract, make), check)()
