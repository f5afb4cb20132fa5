"""Loading a model file: what it takes, and what it refuses without running or allocating."""

from __future__ import annotations

import dataclasses
import json
import sys
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import safetensors.torch
import torch
from torch import Tensor, nn

from gan_toolkit import files, rebuild
from gan_toolkit.errors import GantkError, PluginError, StorageError
from gan_toolkit.interfaces import (
    Critic,
    Dataset,
    Factor,
    Generator,
    Judgement,
    Latent,
    Pass,
    Regulariser,
)
from gan_toolkit.latents import LatentSpace
from gan_toolkit.model import Model, load, save_model
from gan_toolkit.plugins import PluginHost, PluginRecord
from gan_toolkit.recipe.options import Options
from gan_toolkit.registry import Registry
from gan_toolkit.tensorfile import describe
from gan_toolkit.testing.disks import HastyDisk

HOME = "parts_of_rebuild_tests"


class SizeOptions(Options):
    size: int = 4
    label: str = ""


class CodesOptions(Options):
    codes: list[str]


class Numbers(Latent):
    posterior_width = 1

    def __init__(self, size: int, label: str) -> None:
        if size < 1:
            raise ValueError(f"{size} numbers are too few")
        self.width, self.label = size, label

    def sample(self, count: int, rng: torch.Generator | None) -> Tensor:
        return torch.randn(count, self.width, generator=rng)

    def encode(self, value: Any) -> Tensor:
        return torch.full((self.width,), float(value))

    def estimate(self, raw: Tensor) -> Tensor:
        return raw


class Painter(Generator):
    def __init__(self, size: int, label: str, latent_width: int, data: Dataset) -> None:
        super().__init__()
        self.shape = data.sample_shape
        self.hidden = nn.Linear(latent_width, size)
        self.norm = nn.BatchNorm1d(size)
        self.paint = nn.Linear(size, _numel(self.shape))
        self.register_buffer("scale", torch.tensor(0.5), persistent=False)
        self.shift = torch.tensor(0.25)  # not even a buffer
        self.classes = data.classes
        self.label = label

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        painted = torch.tanh(self.paint(self.norm(self.hidden(latent)))) * self.scale + self.shift
        return painted.reshape(-1, *self.shape)


class Judge(Critic):
    feature_width = 3

    def __init__(self, sample_shape: tuple[int, ...]) -> None:
        super().__init__()
        self.look = nn.Linear(_numel(sample_shape), 3)

    def forward(self, sample: Tensor, condition: Tensor | None = None) -> Judgement:
        features = self.look(sample.flatten(1))
        return Judgement(features.sum(dim=1), features)


class Reader(Regulariser):
    def __init__(self, codes: list[str], latents: LatentSpace, feature_width: int) -> None:
        super().__init__()
        self.codes = [member for code in codes for member in latents.group(code)]
        self.head = nn.Linear(feature_width, len(self.codes))

    def critic_term(self, seen: Pass) -> Tensor | None:
        return None

    def infer(self, sample: Tensor, judgement: Judgement) -> dict[str, Tensor]:
        raw = self.head(judgement.features)
        return {code: raw[:, i : i + 1] for i, code in enumerate(self.codes)}


def _numel(shape: tuple[int, ...]) -> int:
    return int(torch.Size(shape).numel())


RECIPE: dict[str, Any] = {
    "format": 1,
    "name": "alpha",
    "run": {"steps": 5, "batch_size": 2},
    "data": {"use": "nobody_has_this@3"},
    "latents": {"noise": {"use": "numbers@1", "size": 3}, "code": {"use": "numbers@1", "count": 2}},
    "generator": {"use": "painter@1", "size": 6, "label": "$${env:HOME}"},
    "critic": {"use": "judge@1"},
    "objective": {"use": "nobody_has_this@1"},
    "regularisers": {"reading": {"use": "reader@1", "codes": ["code"], "weight": 0.5}},
    "panels": {"p": {"use": "nobody_has_this@1"}},
}
FACTS = {"data": {"name": "d", "shape": [1, 2, 2], "classes": ["a", "b"]}, "card": "hello"}


@pytest.fixture(autouse=True)
def _parts(monkeypatch: pytest.MonkeyPatch) -> None:
    home = ModuleType(HOME)
    for part in (Numbers, Painter, Judge, Reader):
        setattr(home, part.__name__, part)
    monkeypatch.setitem(sys.modules, HOME, home)
    monkeypatch.setattr(files, "disk", HastyDisk())


def host(*without: str) -> PluginHost:
    registry = Registry()
    for kind, name, part, options in (
        ("latent", "numbers", "Numbers", {"options": SizeOptions}),
        ("generator", "painter", "Painter", {"options": SizeOptions}),
        ("critic", "judge", "Judge", {}),
        ("regulariser", "reader", "Reader", {"options": CodesOptions}),
    ):
        if name not in without:
            registry.add(kind, name, build=f"{HOME}:{part}", **options)
    return PluginHost(registry=registry)


@pytest.fixture
def made() -> Model:
    torch.manual_seed(3)
    space = LatentSpace(
        {"noise": Numbers(3, ""), "code": [Numbers(4, ""), Numbers(4, "")]},
    )
    shape = (1, 2, 2)
    data = type("Data", (), {"sample_shape": shape, "classes": ("a", "b")})()
    generator = Painter(6, "", space.width, data)
    generator(torch.randn(9, space.width))  # moves the statistics
    return Model(space, generator, Judge(shape), {"reading": Reader(["code"], space, 3)}, FACTS)


@pytest.fixture
def path(tmp_path: Path, made: Model) -> Path:
    path = tmp_path / "model.safetensors"
    write(path, made)
    return path


def write(path: Path, made: Model, recipe: Any = RECIPE, facts: Any = FACTS) -> None:
    save_model(
        path,
        recipe=recipe,
        generator=made.generator,
        critic=made.critic,
        regularisers=made.regularisers,
        facts=facts,
    )


def changed(*keys: str, to: Any) -> dict[str, Any]:
    """Return the recipe with one value changed."""
    recipe = json.loads(json.dumps(RECIPE))
    table = recipe
    for key in keys[:-1]:
        table = table[key]
    table[keys[-1]] = to
    return recipe


# --- what it takes -------------------------------------------------------------------------


def test_a_loaded_model_does_what_the_saved_one_did(path, made):
    loaded = load(path, host())

    samples = made.sample(5, seed=2, codes={"code.1": 0.5})
    assert loaded.sample(5, seed=2, codes={"code.1": 0.5}).equal(samples)
    read, expected = loaded.infer(samples), made.infer(samples)
    assert read.keys() == expected.keys() == {"code.0", "code.1"}
    assert all(read[code].equal(expected[code]) for code in read)
    assert loaded.card == "hello"
    assert loaded.recipe == describe(path)["recipe"]
    assert loaded.skipped == ()
    assert loaded.generator.classes == ("a", "b")
    assert loaded.generator.label == "${env:HOME}"  # an escaped text, not a reference


def test_the_folder_of_a_run_stands_for_its_model(path, made):
    assert load(path.parent, host()).sample(2).equal(made.sample(2))
    assert load(str(path), host()).sample(2).equal(made.sample(2))


def test_saving_a_loaded_model_gives_the_same_bytes(path, tmp_path):
    write(tmp_path / "again.safetensors", load(path, host()))

    assert (tmp_path / "again.safetensors").read_bytes() == path.read_bytes()


def test_loading_draws_from_no_global_generator(path):
    before = torch.get_rng_state()
    load(path, host())

    assert torch.get_rng_state().equal(before)


@pytest.mark.parametrize(
    ("without", "skipped"),
    [
        (("reader",), ("regularisers.reading",)),
        (("judge",), ("critic", "regularisers.reading")),
        (("judge", "reader"), ("critic", "regularisers.reading")),
    ],
)
def test_without_the_plugins_that_read_it_still_samples_and_says_so(path, made, without, skipped):
    loaded = load(path, host(*without))

    assert loaded.sample(3, seed=1).equal(made.sample(3, seed=1))
    assert loaded.skipped == skipped
    with pytest.raises(GantkError, match=f"left out: {', '.join(skipped)}"):
        loaded.infer(loaded.sample(2))


@pytest.mark.parametrize(
    ("missing", "named"),
    [("numbers", "needs the latent 'numbers@1'"), ("painter", "needs the generator 'painter@1'")],
)
def test_what_sampling_needs_is_named_with_the_suspects(path, missing, named):
    without = host(missing)
    without.records.append(
        PluginRecord("broken", "x", "d", "1", status="failed", reason="ImportError: y")
    )

    with pytest.raises(PluginError, match=f"{named}, which no plugin here offers") as e:
        load(path, without)

    assert "plugin 'broken' failed to load (ImportError: y)" in str(e.value)
    assert str(path) in str(e.value)


def test_who_must_offer_a_part_is_heeded(path, made):
    here = host()
    with here.registry.owned_by("elsewhere"):
        here.registry.add("generator", "other", build=f"{HOME}:Painter", options=SizeOptions)
    write(path, made, changed("generator", "use", to="elsewhere:other@1"))
    loaded = load(path, here)
    write(path, made, changed("generator", "use", to="somebody:other@1"))

    assert loaded.sample(3, seed=1).equal(made.sample(3, seed=1))
    with pytest.raises(PluginError, match="needs the generator 'somebody:other@1', which no"):
        load(path, here)


def test_a_newer_version_is_needed_by_number(path, made):
    write(path, made, changed("generator", "use", to="painter@2"))

    with pytest.raises(PluginError, match="needs the generator 'painter@2'"):
        load(path, host())


# --- what it refuses -----------------------------------------------------------------------

HOSTILE_NAMES = [
    "os.system", "os:system", "builtins.eval", "../evil", "./evil.py", "/tmp/evil.py", "http://x/y",
    "painter@-1", "painter@x", "painter ", "PAINTER", "p\u0430inter", "painter\0", "", "__import__",
    "a" * 10_000, "${env:HOME}", ["painter"], {"_target_": "os.system"}, 3, None, True,
]  # fmt: skip


@pytest.mark.parametrize("use", HOSTILE_NAMES, ids=lambda use: repr(use)[:20])
@pytest.mark.parametrize(
    "place", [("generator",), ("latents", "noise"), ("critic",), ("regularisers", "reading")]
)
def test_a_name_nobody_registered_is_refused_and_nothing_is_imported(path, made, place, use):
    write(path, made, changed(*place, "use", to=use))
    here = host()
    load_once(path.with_name("warm.safetensors"), made, here)
    before = set(sys.modules)

    outcome = text_of(lambda: load(path, here).skipped)

    assert outcome.isprintable()
    assert len(outcome) < 1000
    assert ".".join(place) in outcome or "environment variable HOME" in outcome
    assert set(sys.modules) == before


def text_of(act: Callable[[], object]) -> str:
    """Return what `act` returns, as text, or the text of its StorageError or PluginError."""
    try:
        return str(act())
    except (StorageError, PluginError) as error:
        return str(error)


BAD_RECIPES = {
    "latents a list": changed("latents", to=[]),
    "no latents": changed("latents", to={}),
    "latent not a table": changed("latents", "noise", to=3),
    "latent with a path for a name": changed("latents", to={"../x": RECIPE["latents"]["noise"]}),
    "no generator": {key: value for key, value in RECIPE.items() if key != "generator"},
    "unknown option": changed("generator", "code", to="x"),
    "option of the wrong type": changed("generator", "size", to="big"),
    "option the builder refuses": changed("latents", "noise", "size", to=0),
    "asks for the environment": changed("generator", "label", to="${env:HOME}"),
    "regularisers a text": changed("regularisers", to="x"),
    "codes of nobody": changed("regularisers", "reading", "codes", to=["none"]),
    "another size": changed("generator", "size", to=7),
    "a terabyte": changed("generator", "size", to=2**38),
    "more than any memory": changed("generator", "size", to=2**62),
    "a million million latents": changed("latents", "code", "count", to=10**12),
}


@pytest.mark.parametrize("name", BAD_RECIPES)
def test_a_recipe_that_does_not_fit_is_refused_in_one_line_without_taking_memory(path, made, name):
    write(path, made, BAD_RECIPES[name])
    here = host()
    load_once(path.with_name("warm.safetensors"), made, here)
    tracemalloc.start()
    start = time.perf_counter()

    with pytest.raises(StorageError) as e:
        load(path, here)

    assert time.perf_counter() - start < 1
    assert tracemalloc.get_traced_memory()[1] < 20_000_000
    tracemalloc.stop()
    assert str(path) in str(e.value)
    assert str(e.value).isprintable()


def load_once(path: Path, made: Model, here: PluginHost) -> None:
    """Load a good file, so that what torch imports on first use is not counted."""
    write(path, made)
    load(path, here)


def test_shapes_that_differ_are_named(path, made):
    write(path, made, changed("generator", "size", to=7))

    with pytest.raises(StorageError, match=r"generator\.hidden\.bias is 6 F32 in the file, 7 F32"):
        load(path, host())


def rewritten(path: Path, change: Any) -> None:
    """Change the tensors of a model file and keep its note."""
    with safetensors.safe_open(path, "pt") as file:
        note = file.metadata()
    tensors = safetensors.torch.load_file(path)
    change(tensors)
    path.write_bytes(safetensors.torch.save(tensors, metadata=note))


@pytest.mark.parametrize(
    ("change", "cause"),
    [
        (lambda t: t.pop("generator.paint.bias"), r"generator\.paint\.bias is missing"),
        (lambda t: t.pop("critic.look.bias"), r"critic\.look\.bias is missing"),
        (lambda t: t.update({"x.y": torch.zeros(1)}), r"'x\.y' belongs to no part"),
        (
            lambda t: t.update({"generator.norm.weight": torch.zeros(6).double()}),
            r"generator\.norm\.weight is 6 F64 in the file, 6 F32 in its recipe",
        ),
        (lambda t: t.clear(), r"is missing.*and \d+ more"),
    ],
)
def test_tensors_that_are_not_the_ones_due_are_refused_and_named(path, change, cause):
    rewritten(path, change)

    with pytest.raises(StorageError, match=cause):
        load(path, host())


def test_a_pickle_renamed_runs_nothing(tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(b"cposix\nsystem\n(S'touch " + bytes(tmp_path / "marker") + b"'\ntR.")

    with pytest.raises(StorageError, match="not a safetensors file"):
        load(path, host())
    assert not (tmp_path / "marker").exists()


def test_a_truncated_file_is_refused(path):
    path.write_bytes(path.read_bytes()[:-1])

    with pytest.raises(StorageError, match="its tensors take"):
        load(path, host())


def test_a_missing_file_is_a_storage_error(tmp_path):
    with pytest.raises(StorageError, match="No such file"):
        load(tmp_path / "none.safetensors", host())


def test_a_data_set_is_described_to_builders_as_it_was() -> None:
    factors = (Factor("back", "discrete", ("low", "high")), Factor("angle", "circular", high=6.28))
    written = [dataclasses.asdict(factor) for factor in factors]
    facts = {"name": "n", "shape": [1, 8, 8], "classes": ["a", "b"], "factors": written}

    data = rebuild._DescribedData(json.loads(json.dumps(facts)))

    assert data.factors == factors
    assert (data.classes, data.sample_shape) == (("a", "b"), (1, 8, 8))


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("generator.paint.bias", torch.nan, r"generator\.paint\.bias is not finite"),
        ("critic.look.weight", -torch.inf, r"critic\.look\.weight is not finite"),
        ("generator.norm.running_var", torch.nan, r"generator\.norm\.running_var holds NaN"),
        ("generator.norm.running_var", torch.inf, ""),
    ],
)
def test_weights_of_which_every_sample_would_be_nan_are_refused(path, name, value, cause):
    rewritten(path, lambda tensors: tensors[name].fill_(value))

    if cause:
        with pytest.raises(StorageError, match=cause):
            load(path, host())
    else:
        load(path, host())
