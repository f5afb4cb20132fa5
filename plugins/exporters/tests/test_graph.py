"""The ONNX file makes the samples of the model, in a program that knows nothing of us."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from gan_toolkit import Generator, LatentSpace, MissingPackageError, Model, PluginError
from gan_toolkit.testing.conformance import TinyNoise, model_of_images
from gantk_exporters.graph import Onnx

onnx = pytest.importorskip("onnx")
pytest.importorskip("onnxscript")
FEW = 1e-5
"""How far a sample in [-1, 1] may be off: float32 in another order."""


class Convolutions(Generator):
    """What the networks of images are made of, and an eval mode that differs from training."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Linear(5, 8 * 4 * 4)
        self.norm = nn.BatchNorm2d(8)
        self.last = nn.ConvTranspose2d(8, 1, 4, stride=2, padding=1)

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        hidden = self.first(latent).reshape(-1, 8, 4, 4)
        return self.last(self.norm(hidden).relu()).tanh()


class Frozen(Generator):
    """Tracing takes its `len` for a constant."""

    def forward(self, latent: Tensor, condition: Tensor | None = None) -> Tensor:
        return latent.reshape(len(latent), 5, 1).tanh().flatten(1)


@pytest.fixture(scope="module")
def model() -> Model:
    torch_state = torch.get_rng_state()
    torch.manual_seed(0)
    generator = Convolutions()
    with torch.no_grad():
        generator.train()(torch.randn(64, 5))  # so that the norm has something to remember
    torch.set_rng_state(torch_state)
    return Model(LatentSpace({"noise": TinyNoise(5)}), generator)


@pytest.fixture(scope="module")
def written(model: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("onnx") / "it.onnx"
    Onnx().export(model, target)
    return target


@pytest.mark.parametrize("count", [1, 2, 7])
def test_onnxruntime_makes_the_same_samples_at_any_batch_size(
    written: Path, model: Model, count: int
) -> None:
    runtime = pytest.importorskip("onnxruntime")
    session = runtime.InferenceSession(written, providers=["CPUExecutionProvider"])
    latent = model.latents.sample(count, torch.Generator().manual_seed(1))

    (found,) = session.run(["samples"], {"latent": latent.numpy()})

    due = model.generate(latent).numpy()
    assert found.shape == due.shape == (count, 1, 8, 8)
    assert np.abs(found - due).max() < FEW


def test_it_names_its_ends_and_leaves_the_batch_open(written: Path) -> None:
    graph = onnx.load(written).graph

    ends = {
        one.name: [side.dim_param or side.dim_value for side in one.type.tensor_type.shape.dim]
        for one in (*graph.input, *graph.output)
    }
    assert ends == {"latent": ["batch", 5], "samples": ["batch", 1, 8, 8]}


def test_it_says_what_goes_in_and_what_comes_out(tmp_path: Path) -> None:
    model, target = model_of_images(), tmp_path / "it.onnx"

    Onnx(check=False).export(model, target)

    (entry,) = onnx.load(target).metadata_props
    note = json.loads(entry.value)
    assert entry.key == "gan-toolkit"
    assert note["input"] == {"name": "latent", "width": 6}
    assert note["output"] == {"name": "samples", "shape": [1, 8, 8], "range": [-1, 1]}
    assert note["recipe"] == "tiny"
    assert note["latents"]["coin"]["values"][1]["row"] == [0.0, 1.0]


def test_it_tells_nothing_of_this_machine(written: Path) -> None:
    content = written.read_bytes()

    for place in (sys.prefix, str(Path(__file__).parent), str(written.parent), "site-packages"):
        assert place.encode() not in content


@pytest.mark.parametrize("opset", [18, 23])
def test_the_opset_is_the_one_that_is_asked_for(tmp_path: Path, opset: int) -> None:
    Onnx(opset=opset).export(model_of_images(), tmp_path / "it.onnx")

    (used,) = onnx.load(tmp_path / "it.onnx").opset_import
    assert used.version == opset


@pytest.mark.parametrize("without", ["onnxruntime", "nothing"])
def test_a_file_that_makes_other_samples_is_refused(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    monkeypatch.setitem(sys.modules, without, None)
    own = Onnx._traced

    def spoilt(self: Onnx, model: Model) -> Any:
        proto = own(self, model)
        bias = next(one for one in proto.graph.initializer if one.name == "last.bias")
        bias.raw_data = np.full(1, 0.01, np.float32).tobytes()
        return proto

    monkeypatch.setattr(Onnx, "_traced", spoilt)

    with pytest.raises(PluginError, match="the file makes other samples than the model"):
        Onnx().export(model, tmp_path / "it.onnx")
    assert not list(tmp_path.iterdir())
    Onnx(check=False).export(model, tmp_path / "it.onnx")
    assert (tmp_path / "it.onnx").exists()


@pytest.mark.parametrize("without", ["onnxruntime", "nothing"])
def test_a_batch_size_that_tracing_froze_is_noticed(
    tmp_path: Path, model: Model, monkeypatch: pytest.MonkeyPatch, without: str
) -> None:
    monkeypatch.setitem(sys.modules, without, None)
    frozen = Model(model.latents, Frozen())

    with pytest.raises(PluginError, match=r"the file fails: .* such as len\(latent\)"):
        Onnx().export(frozen, tmp_path / "it.onnx")


@pytest.mark.parametrize("package", ["onnx", "onnxscript"])
def test_without_its_packages_the_extra_is_named(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    monkeypatch.setitem(sys.modules, package, None)

    with pytest.raises(
        MissingPackageError, match=rf"{package}, .*pip install 'gan-toolkit\[onnx\]"
    ):
        Onnx()
