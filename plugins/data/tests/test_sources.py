from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import gantk_data
from gan_toolkit import Registry
from gantk_data.sources import SOURCES
from gantk_data.sources.downloads import IDX_NAMES

CELEBA_TEXTS = ["celeba/list_eval_partition.txt", "celeba/list_attr_celeba.txt"]


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


@pytest.mark.parametrize(
    ("name", "files", "held"),
    [
        ("mnist", [f"MNIST/raw/{name}.gz" for name in IDX_NAMES], "yes"),
        ("mnist", ["MNIST/raw/train-images-idx3-ubyte"], "in part"),
        ("emnist", ["EMNIST/raw/gzip.zip"], "yes"),
        ("emnist", ["EMNIST/raw/emnist-letters-train-images-idx3-ubyte"], "in part"),
        ("cifar10", ["cifar-10-binary.tar.gz"], "yes"),
        ("cifar10", ["cifar-10-batches-bin/test_batch.bin"], "in part"),
        ("cifar100", ["cifar-100-binary/train.bin", "cifar-100-binary/test.bin"], "yes"),
        ("svhn", ["SVHN/train_32x32.mat", "SVHN/test_32x32.mat"], "yes"),
        ("celeba", ["celeba/img_align_celeba/000001.jpg", *CELEBA_TEXTS], "yes"),
        ("celeba", ["celeba/img_align_celeba.zip", *CELEBA_TEXTS], "yes"),
        ("celeba", ["celeba/img_align_celeba.zip"], "in part"),
        ("rendered_chairs", ["rendered_chairs.tar"], "yes"),
        ("rendered_chairs", ["rendered_chairs/a/renders/x.png"], "yes"),
        ("rendered_chairs", ["a/renders/x.png"], "yes"),
        ("mpi3d", ["mpi3d/mpi3d_real.npz"], "yes"),
        ("cars3d", ["data/cars/list.txt"], "yes"),
        ("dcign_faces", ["th_AZ_VARIED/FT_training/batch1"], "yes"),
        ("dcign_faces", ["dcign_faces/dcign_facedataset_monovariant.zip"], "yes"),
    ],
)
def test_a_whole_copy_in_any_layout_is_here(
    tmp_path: Path, name: str, files: list[str], held: str
) -> None:
    for file in files:
        (tmp_path / file).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / file).touch()

    assert SOURCES[name].held(tmp_path) == held
