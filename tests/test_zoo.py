"""A model file of every format there was loads for ever, and gives the samples it gave."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import gan_toolkit
from gan_toolkit.tensorfile import FORMAT, describe

ZOO = Path(__file__).parent / "zoo"
FILES = sorted(ZOO.glob("model-*.safetensors"))
CODES = {"mode.0": 2, "mode.1": 7}
GAVE = {1: [[0.69449115, 0.50129175], [0.61503994, 0.46305192], [0.63924968, 0.44096819]]}
"""By format: three samples of seed 5 with these codes."""


def test_every_format_there_was_is_in_the_zoo() -> None:
    assert [describe(path)["format"] for path in FILES] == [*range(1, FORMAT + 1)]
    assert all(path.stat().st_size < 20_000 for path in FILES)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_model_of_old_draws_and_reads_as_ever(path: Path) -> None:
    model = gan_toolkit.load(path)

    samples = model.sample(3, seed=5, codes=CODES)

    torch.testing.assert_close(samples, torch.tensor(GAVE[describe(path)["format"]]))
    assert model.skipped == ()
    assert model.codes == ("mode.0", "mode.1")
    assert [read.flatten().tolist() for read in model.infer(samples).values()] == [[4] * 3, [3] * 3]
