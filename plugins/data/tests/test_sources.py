from __future__ import annotations

import subprocess
import sys

import pytest

import gantk_data
from gan_toolkit import Registry
from gantk_data.sources import SOURCES


@pytest.fixture
def registry() -> Registry:
    registry = Registry()
    gantk_data.gantk_register(registry)
    return registry


def test_every_reader_tells_about_itself(registry: Registry) -> None:
    names = registry.names("dataset")

    assert names == sorted(SOURCES)
    for name in names:
        source = registry.get("dataset", name).source
        assert source is not None
        text = source.about()
        assert SOURCES[name].title in text
        assert "licence:" in text
        assert all(len(line) <= 100 for line in text.splitlines())


def test_every_reader_can_be_loaded(registry: Registry) -> None:
    for component in registry.all("dataset"):
        assert component.load().__name__ == component.name
        assert component.summary


def test_about_names_files_sizes_sums_folders_and_commands() -> None:
    text = SOURCES["mnist"].about()

    for fact in (
        "t10k-labels-idx1-ubyte, 10,008 bytes, md5 27ae3e4e09519cfbb04c329615203637",
        "<root>/MNIST/raw, then <root>",
        "gantk data fetch mnist",
    ):
        assert fact in text


def test_registering_loads_neither_torch_nor_pixels() -> None:
    code = (
        "import sys, gantk_data; "
        "print(sorted({'torch', 'numpy', 'PIL', 'sklearn'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"
