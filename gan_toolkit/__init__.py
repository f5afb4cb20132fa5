"""gan-toolkit: generators whose latent codes mean something, composed from plugins.

The public names load on first use, so that importing the package does not import torch.
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "gan_toolkit.errors": (
        "DataError DeviceError ExitCode GantkError GuardError MissingFilesError "
        "MissingPackageError PluginError RecipeError ResumeError StorageError UsageError "
        "did_you_mean nearest"
    ),
    "gan_toolkit.interfaces": (
        "Augment Averaging Bank Batch Comparison Critic Dataset Effort Exporter Factor Generator "
        "Grid Judgement Latent Measure Objective Panel Pass Picture Player Regulariser Schedule "
        "Score Tracker View device_of"
    ),
    "gan_toolkit.matrices": "Matrix matrices_of",
    "gan_toolkit.scores": "newest_scores",
    "gan_toolkit.recipe.options": "Options RecipePath Reference Scheduled",
    "gan_toolkit.recipe": "Override Recipe load_recipe",
    "gan_toolkit.registry": "Registry",
    "gan_toolkit.plugins": "SkipPlugin hookimpl load_plugins",
    "gan_toolkit.folders": "cache_folder data_folder",
    "gan_toolkit.preparation": "Prepared RowWriter prepared",
    "gan_toolkit.sources": "Download Package Source SourceFile",
    "gan_toolkit.latents": "LatentSpace",
    "gan_toolkit.batches": "ArrayDataset Batches",
    "gan_toolkit.schedules": "Constant Cosine Linear",
    "gan_toolkit.averaging": "ExponentialAverage",
    "gan_toolkit.device": "Device choose_device",
    "gan_toolkit.engine": "Engine Term",
    "gan_toolkit.players": "Optimiser",
    "gan_toolkit.assemble": "Parts",
    "gan_toolkit.model": "Model load to_images to_uint8",
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names.split()}

__all__ = sorted([*_HOME_OF, "__version__"])


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module 'gan_toolkit' has no attribute {name!r}")
    value = getattr(importlib.import_module(home), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return __all__
