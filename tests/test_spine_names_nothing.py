"""The core composes components and knows none: no method, network or data set has a name in it."""

from __future__ import annotations

import functools
import re
from pathlib import Path

import pytest

import gan_toolkit
from gan_toolkit.plugins import load_plugins

CORE = Path(gan_toolkit.__file__).parent
WORDS = (
    "infogan mutual_information mutualinformation categorical uniform gaussian von.mises "
    "kmnist emnist cifar(?:10|100)? webdataset huggingface "
    "dcgan paper_ mnist chairs faces celeba svhn strokes non_saturating hinge minimax "
    "r1 wasserstein sample_grid clustering hungarian rooms dsprites mpi3d shapes3d "
    "smallnorb cars3d cifar10 cifar100 kmnist huggingface webdataset colour_heads house_numbers "
    "sprites stacked_digits"
)
PATTERN = re.compile(
    "|".join(rf"(?<![a-z]){word}(?![a-z])" for word in WORDS.split()), re.IGNORECASE
)
OF_OTHERS = ("suggest_categorical",)
"""Words of libraries that the core calls."""
FILES = sorted(CORE.rglob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(CORE)))
def test_the_core_names_no_method_network_or_data_set(path):
    found = [
        f"{number}: {line.strip()}"
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if PATTERN.search(
            functools.reduce(lambda text, word: text.replace(word, ""), OF_OTHERS, line)
        )
    ]

    assert found == []


def test_the_words_are_those_of_the_plugins():
    """A component whose name the pattern would miss makes the check above weaker than it looks."""
    kinds = ("latent", "generator", "critic", "objective", "regulariser", "dataset")
    components = [c for c in load_plugins(environ={}).registry.all() if c.kind in kinds]
    plain_words = {"mlp", "ring", "grid", "image_folder", "arrays", "digits", "circular"}

    missed = {c.name for c in components if not PATTERN.search(c.name)}

    assert components
    assert missed <= plain_words | {c.name for c in components if c.name.startswith("paper_")}
