"""Where data and prepared data live on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_folder() -> Path:
    """Return the folder of real data sets: `GANTK_DATA`, else `data` in the current folder."""
    return Path(os.environ.get("GANTK_DATA") or "data")


def cache_folder() -> Path:
    """Return the folder of prepared data: `GANTK_CACHE`, else the user's cache folder."""
    return Path(os.environ.get("GANTK_CACHE") or platformdirs.user_cache_path("gantk"))
