"""A choice of the real files, where there are some, or a world, where there are none."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any, Literal, Protocol

from gan_toolkit import Dataset, MissingFilesError, Options, PluginError

Source = Literal["auto", "real", "synthetic"]
_log = logging.getLogger("gantk")


class Sibling(Protocol):
    """Builds another registered data set."""

    def __call__(self, use: str, **options: Any) -> Dataset:
        """Raise MissingFilesError without its files, PluginError when nobody offers it."""


def choose(
    source: str,
    real: Callable[[], Dataset],
    made: Callable[[], Dataset],
    name: str,
    usual: Options,
    own: Mapping[str, Any],
) -> Dataset:
    """Return the real set, or the one made here, which is called `name`.

    With "auto" the latter stands in where files are missing, and says so. Files that are there but
    damaged are an error, not a reason to do without them. `own` are the options that concern the
    latter only: those that are not as `usual` are named when they have no effect.
    """
    if source == "synthetic":
        return made()
    try:
        chosen = real()
    except (MissingFilesError, PluginError) as error:
        if source == "real":
            raise
        _log.info("%s: using %s, made here", getattr(error, "what", error), name)
        return made()
    unused = [key for key, value in own.items() if value != getattr(usual, key)]
    if unused:
        _log.info("%s is used: %s have no effect on it", chosen.name, ", ".join(unused))
    return chosen
