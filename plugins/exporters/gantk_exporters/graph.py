"""The generator as an ONNX file."""

from __future__ import annotations

import importlib
import json
import logging
import warnings
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch

from gan_toolkit import Exporter, MissingPackageError, Model, PluginError
from gantk_exporters.columns import latent_facts, model_facts

INPUT, OUTPUT = "latent", "samples"
NOTE = "gan-toolkit"
"""The metadata key; its value is JSON."""
TOLERANCE = 1e-4
"""How far a sample may be off, beside 1 and times its own size: float32 in another order."""


TRACED = 2
"""The batch size of tracing: one of 1 would be taken for a constant."""
_MISTRACED = (
    "at another batch size than it was traced with the file {}: the generator does something that "
    "can't be traced, such as len(latent) for latent.shape[0]; check = false writes it all the same"
)


class Onnx(Exporter):
    """Writes one graph: `latent` (B, W) in, `samples` (B, …) out, both float32, B as you like.

    The metadata says what to put into the columns of `latent`. Names of files, of modules and
    lines of code that torch notes for every operator are left out.
    """

    suffix = ".onnx"

    def __init__(self, opset: int = 18, check: bool = True) -> None:
        self.opset, self.check = opset, check
        self.onnx = _needed("onnx")
        _needed("onnxscript")

    def export(self, model: Model, target: Path) -> None:
        """Write the file; PluginError when it makes other samples than the model."""
        proto = self._traced(model)
        _forget_sources(proto)
        self.onnx.helper.set_model_props(proto, {NOTE: json.dumps(_note(model))})
        if self.check:
            self._compare(proto, model)
        target.write_bytes(proto.SerializeToString(deterministic=True))

    def _traced(self, model: Model) -> Any:
        example = torch.zeros(TRACED, model.latents.width)
        with _quiet():
            program = torch.onnx.export(
                model.generator,
                (example,),
                input_names=[INPUT],
                output_names=[OUTPUT],
                dynamic_shapes=({0: torch.export.Dim("batch")},),
                opset_version=self.opset,
                dynamo=True,
                external_data=False,
                verbose=False,
            )
        assert program is not None, "None is what the older exporter returns"
        return program.model_proto

    def _compare(self, proto: Any, model: Model) -> None:
        """Run the graph at another batch size than that of tracing; PluginError if it differs."""
        self.onnx.checker.check_model(proto, full_check=True)
        latent = model.latents.sample(TRACED + 1, torch.Generator().manual_seed(0))
        due = model.generate(latent).numpy()
        try:
            (found,) = _runner(proto).run(None, {INPUT: latent.numpy()})
        except Exception as error:  # whatever a graph of wrong shapes makes a runner raise
            raise PluginError(f"{_MISTRACED.format('fails')} ({error})") from error
        if found.shape != due.shape or not np.allclose(found, due, TOLERANCE, TOLERANCE):
            raise PluginError(_MISTRACED.format("makes other samples than the model"))


def _note(model: Model) -> dict[str, Any]:
    """Say what goes into the graph and what comes out; images are in [-1, 1]."""
    shape = list(model.sample(1).shape[1:])
    return {
        **model_facts(model),
        "input": {"name": INPUT, "width": model.latents.width},
        "latents": latent_facts(model, values=True),
        "output": {"name": OUTPUT, "shape": shape, "range": [-1, 1] if len(shape) == 3 else None},
    }


def _needed(package: str) -> Any:
    try:
        # Not imported above: it comes with an extra, and the other exporters do without it.
        return importlib.import_module(package)
    except ImportError as error:
        raise MissingPackageError(
            f"onnx writes with the package {package}, which is not installed: "
            "pip install 'gan-toolkit[onnx]'"
        ) from error


def _runner(proto: Any) -> Any:
    """Return what runs a graph: onnxruntime where it is, or onnx's own evaluator.

    Of a network of 64x64 images they take 1 s and 16 s.
    """
    try:
        runtime = importlib.import_module("onnxruntime")
    except ImportError:
        return importlib.import_module("onnx.reference").ReferenceEvaluator(proto)
    options = runtime.SessionOptions()
    options.log_severity_level = 4  # what is wrong is raised, too
    return runtime.InferenceSession(proto.SerializeToString(), options)


def _forget_sources(proto: Any) -> None:
    graph = proto.graph
    parts: tuple[Iterable[Any], ...] = (
        [proto, graph], graph.node, graph.value_info, graph.input, graph.output, graph.initializer
    )  # fmt: skip
    for part in parts:
        for one in part:
            del one.metadata_props[:]
            one.doc_string = ""


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep to itself what torch says of its own state: operators it lacks, names it will change."""
    logger = logging.getLogger("torch.onnx")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.setLevel(level)
