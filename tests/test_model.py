from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from gan_toolkit import files, model, tensorfile
from gan_toolkit.errors import StorageError, UsageError
from gan_toolkit.interfaces import Critic, Generator, Grid, Judgement, Latent, Pass, Regulariser
from gan_toolkit.latents import LatentSpace
from gan_toolkit.model import Model, save_model, to_images, to_uint8
from gan_toolkit.tensorfile import change_facts, describe
from gan_toolkit.testing.disks import FailingDisk, HastyDisk


class Noise(Latent):
    """Standard normal numbers nobody can set."""

    def __init__(self, width: int) -> None:
        self.width = width

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randn(count, self.width, generator=rng)


class Shade(Latent):
    """One number in [-1, 1]."""

    width = 1
    posterior_width = 2

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.rand(count, 1, generator=rng) * 2 - 1

    def encode(self, value: Any) -> Tensor:
        if not -1 <= value <= 1:
            raise ValueError(f"a shade lies in [-1, 1]; found {value}")
        return torch.tensor([float(value)])

    def grid(self, count: int) -> Grid:
        values = torch.linspace(-1, 1, count)[:, None]
        return Grid(values, [f"{value:.1f}" for value in values[:, 0]], [True] * count)

    def estimate(self, raw: Tensor) -> Tensor:
        return raw[:, :1]


class Painter(Generator):
    """Paints 1x4x4 pictures; its mode shows in the result."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(width)
        self.paint = nn.Linear(width, 16)
        self.drop = nn.Dropout(0.5)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return torch.tanh(self.drop(self.paint(self.norm(latent)))).reshape(-1, 1, 4, 4)


class Judge(Critic):
    """Judges by the mean."""

    feature_width = 3

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Linear(16, 3)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        features = self.look(sample.flatten(1))
        return Judgement(features.mean(dim=1), features)


class Reader(Regulariser):
    """Recovers shades."""

    def __init__(self, codes: tuple[str, ...] = ("shade.0", "shade.1")) -> None:
        super().__init__()
        self.codes = codes
        self.head = nn.Linear(3, 2)

    def critic_term(self, seen: Pass) -> Tensor | None:
        return None

    def infer(self, sample: Tensor, judgement: Judgement) -> dict[str, Tensor]:
        return {name: self.head(judgement.features) for name in self.codes}


FACTS = {"data": {"name": "squares", "shape": [1, 4, 4]}, "card": "# A model", "rate": 0.1}
RECIPE = {"format": 1, "name": "alpha", "run": {"seed": 1}}


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())
    torch.manual_seed(5)


@pytest.fixture
def space() -> LatentSpace:
    return LatentSpace({"noise": Noise(5), "shade": [Shade(), Shade()], "tint": Shade()})


@pytest.fixture
def made(space: LatentSpace) -> Model:
    return Model(space, Painter(space.width), Judge(), {"reading": Reader()}, FACTS)


# --- sampling ------------------------------------------------------------------------------


def test_the_same_seed_gives_the_same_samples_and_another_seed_others(made):
    assert made.sample(4, seed=3).equal(made.sample(4, seed=3))
    assert not made.sample(4, seed=3).equal(made.sample(4, seed=4))


def test_samples_are_pictures_in_range_on_the_cpu_without_gradient(made):
    samples = made.sample(3)

    assert samples.shape == (3, 1, 4, 4)
    assert samples.abs().max() <= 1
    assert not samples.requires_grad
    assert not samples.is_inference()  # they may be fed to somebody's own training
    assert not any(parameter.requires_grad for parameter in made.generator.parameters())


def test_sampling_draws_from_no_global_generator(made):
    before = torch.get_rng_state()
    made.sample(3)

    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize("batch", [1, 7, 256])
def test_the_size_of_a_batch_does_not_show(made, monkeypatch, batch):
    whole = made.sample(20, seed=1)
    monkeypatch.setattr(model, "BATCH", batch)

    assert torch.allclose(made.sample(20, seed=1), whole, atol=1e-6)


def test_codes_are_set_by_name_and_the_rest_stays(made, monkeypatch):
    seen: list[Tensor] = []
    monkeypatch.setattr(made, "generate", lambda latent: seen.append(latent) or latent)

    made.sample(3, seed=2)
    made.sample(3, seed=2, tint=0.5)
    made.sample(3, seed=2, codes={"shade.1": -1.0}, tint=0.5)
    made.sample(3, seed=2, shade=[0.0, 1.0])

    free, tinted, both, listed = seen
    assert tinted[:, 7].tolist() == [0.5] * 3
    assert tinted[:, :7].equal(free[:, :7])
    assert both[:, 6:].tolist() == [[-1.0, 0.5]] * 3
    assert listed[:, 5:7].tolist() == [[0.0, 1.0]] * 3


def test_an_unknown_code_is_told_with_the_nearest(made):
    with pytest.raises(ValueError, match=r"no latent is named 'tnt'.*did you mean 'tint'"):
        made.sample(2, tnt=0.1)
    with pytest.raises(ValueError, match=r"a shade lies in \[-1, 1\]; found 3"):
        made.sample(2, tint=3)
    with pytest.raises(ValueError, match="at least one sample"):
        made.sample(0)


# --- traversing ----------------------------------------------------------------------------


def test_a_traversal_varies_one_code_across_and_the_noise_down(made, monkeypatch):
    seen: list[Tensor] = []
    monkeypatch.setattr(made, "generate", lambda latent: seen.append(latent) or latent)

    samples, grid = made.traverse("shade.0", rows=3, columns=5, seed=2)

    latent = seen[0].reshape(3, 5, -1)
    assert samples.shape == (3, 5, 8)
    assert grid.labels == ["-1.0", "-0.5", "0.0", "0.5", "1.0"]
    assert latent[:, :, 5].tolist() == [[-1.0, -0.5, 0.0, 0.5, 1.0]] * 3
    others = [column for column in range(8) if column != 5]
    assert latent[:, :, others].equal(latent[:, :1, others].expand(3, 5, 7))
    assert len(latent[:, 0, 0].unique()) == 3


def test_a_traversal_is_of_pictures(made):
    samples, _ = made.traverse("tint", rows=2, columns=3)

    assert samples.shape == (2, 3, 1, 4, 4)
    assert not samples[0, 0].equal(samples[0, 1])


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        ("shade", "'shade' is 2 latents; choose shade.0, shade.1"),
        ("noise", "'noise' can't be traversed"),
        ("tent", "did you mean 'tint'"),
    ],
)
def test_what_can_not_be_traversed_is_told(made, code, cause):
    with pytest.raises(ValueError, match=cause):
        made.traverse(code)


# --- reading -------------------------------------------------------------------------------


def test_codes_are_read_from_samples_in_batches(made, monkeypatch):
    samples = made.sample(9)
    whole = made.infer(samples)
    monkeypatch.setattr(model, "BATCH", 4)

    assert {name: value.shape for name, value in whole.items()} == {
        "shade.0": (9, 1),
        "shade.1": (9, 1),
    }
    assert torch.allclose(made.infer(samples)["shade.0"], whole["shade.0"], atol=1e-6)


def test_a_model_without_critic_head_or_code_says_so(space):
    generator, samples = Painter(space.width), torch.zeros(2, 1, 4, 4)

    with pytest.raises(UsageError, match=r"it has no critic and head; left out: alpha$"):
        Model(space, generator, skipped=("alpha",)).infer(samples)
    with pytest.raises(UsageError, match=r"it has no critic and head$"):
        Model(space, generator, Judge()).infer(samples)
    with pytest.raises(UsageError, match="none of its terms recovers one"):
        Model(space, generator, Judge(), {"r": Reader(())}).infer(samples)


def test_codes_are_those_named_or_recovered_or_else_possible(space, made):
    generator = Painter(space.width)

    assert made.codes == ("shade.0", "shade.1")
    assert Model(space, generator).codes == ("shade.0", "shade.1", "tint")
    assert Model(space, generator, facts={"codes": {"tint": {"low": -1}, "x": 0}}).codes == (
        "tint",
    )
    assert Model(space, generator, facts={"codes": 3}).codes == ("shade.0", "shade.1", "tint")


def test_the_card_comes_from_the_facts(space, made):
    assert made.card == "# A model"
    assert Model(space, Painter(space.width)).card == ""


# --- the file ------------------------------------------------------------------------------


def save(path: Path, made: Model, **changes: Any) -> Path:
    arguments: dict[str, Any] = {
        "recipe": RECIPE,
        "generator": made.generator,
        "critic": made.critic,
        "regularisers": made.regularisers,
        "facts": FACTS,
    }
    save_model(path, **{**arguments, **changes})
    return path


def test_two_saves_are_byte_identical(tmp_path, made):
    one = save(tmp_path / "a.safetensors", made)
    other = save(tmp_path / "b.safetensors", made)

    assert one.read_bytes() == other.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.safetensors", "b.safetensors"]


def test_the_file_holds_all_parts_under_their_names(tmp_path, made):
    path = save(tmp_path / "m.safetensors", made)

    loaded = safetensors.torch.load_file(path)
    expected = {f"generator.{name}" for name in made.generator.state_dict()}
    expected |= {"critic.look.weight", "critic.look.bias"}
    expected |= {"regularisers.reading.head.weight", "regularisers.reading.head.bias"}
    assert loaded.keys() == expected
    assert loaded["critic.look.weight"].equal(made.critic.look.weight)
    with safetensors.safe_open(path, "pt") as file:
        assert list(file.metadata()) == ["gantk"]
    described = describe(path)
    assert described["recipe"] == RECIPE
    assert described["facts"] == FACTS


def test_tied_weights_are_stored_for_each_owner(tmp_path, made):
    made.generator.twin = made.generator.paint

    path = save(tmp_path / "m.safetensors", made)

    loaded = safetensors.torch.load_file(path)
    assert loaded["generator.twin.weight"].equal(loaded["generator.paint.weight"])


@pytest.mark.parametrize(
    ("facts", "cause"),
    [
        ({}, r"data\.shape"),
        ({**FACTS, "score": math.nan}, r"facts\.score: nan is not finite"),
        ({**FACTS, "x": object()}, r"facts\.x: a object is not JSON"),
    ],
)
def test_facts_that_can_not_be_kept_are_refused(tmp_path, made, facts, cause):
    with pytest.raises(ValueError, match=cause):
        save(tmp_path / "m.safetensors", made, facts=facts)
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_leaves_the_old_file(tmp_path, made, monkeypatch):
    path = save(tmp_path / "m.safetensors", made)
    before = path.read_bytes()
    monkeypatch.setattr(files, "disk", FailingDisk(1))

    with pytest.raises(StorageError, match="disk full"):
        save(path, made, facts={**FACTS, "card": "another"})

    assert path.read_bytes() == before


# --- pictures ------------------------------------------------------------------------------


def test_bytes_are_the_nearest_and_never_wrap_around():
    samples = torch.tensor([-1.0, 1.0, 0.0, -1.5, 1.5, -1 + 1.4 / 127.5, -1 + 1.6 / 127.5])

    assert to_uint8(samples).tolist() == [0, 255, 128, 0, 255, 1, 2]


def test_bytes_turned_into_samples_come_back():
    every = torch.arange(256)

    assert to_uint8(every / 127.5 - 1).equal(every.to(torch.uint8))


@pytest.mark.parametrize(("channels", "mode"), [(1, "L"), (3, "RGB")])
def test_pictures_show_the_samples(channels, mode):
    samples = torch.rand(2, channels, 4, 6) * 2 - 1

    pictures = to_images(samples)

    assert [(picture.mode, picture.size) for picture in pictures] == [(mode, (6, 4))] * 2
    expected = to_uint8(samples)[1].permute(1, 2, 0).squeeze(2).numpy()
    assert np.array_equal(np.asarray(pictures[1]), expected)


@pytest.mark.parametrize("shape", [(5, 2), (2, 4, 8, 8), (1, 8, 8)])
def test_what_is_no_picture_is_told(shape):
    with pytest.raises(ValueError, match="found samples of shape"):
        to_images(torch.zeros(shape))


@pytest.mark.parametrize("length", range(8))
def test_changed_facts_give_the_file_that_would_have_been_saved(tmp_path, made, length):
    """Of every length, as headers are filled up with spaces."""
    path = save(tmp_path / "m.safetensors", made, facts={**FACTS, "scores": []})
    scores = [{"measure": "m" * length, "name": "µ", "value": 0.1 + 0.2}]

    change_facts(path, {"scores": scores})

    due = save(tmp_path / "due.safetensors", made, facts={**FACTS, "scores": scores})
    assert path.read_bytes() == due.read_bytes()
    assert describe(path)["facts"]["scores"] == scores


@pytest.mark.parametrize("fault", ["full disk", "too long"])
def test_facts_that_can_not_be_changed_leave_the_old_file(tmp_path, made, monkeypatch, fault):
    path = save(tmp_path / "m.safetensors", made)
    before = path.read_bytes()
    if fault == "full disk":
        monkeypatch.setattr(files, "disk", FailingDisk(1))
    else:
        monkeypatch.setattr(tensorfile, "LARGEST_HEADER", len(before[8:]) // 2 * 2)

    with pytest.raises(StorageError, match=r"disk full|would take .* bytes, the limit is"):
        change_facts(path, {"scores": ["x" * len(before)]})

    assert path.read_bytes() == before
