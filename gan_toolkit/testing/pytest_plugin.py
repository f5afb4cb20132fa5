"""Fixtures for tests of plugins. pytest loads this in every environment that has the toolkit.

So it is light: neither torch nor the host is imported before a fixture is used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from gan_toolkit.batches import ArrayDataset
    from gan_toolkit.engine import Engine
    from gan_toolkit.plugins import PluginHost


@pytest.fixture
def gantk_host() -> PluginHost:
    """A host that has discovered nothing: add plugins by hand."""
    from gan_toolkit.plugins import PluginHost

    return PluginHost()


@pytest.fixture
def tiny_images() -> ArrayDataset:
    """Grey images of 16x16 with labels and three known factors, some of them held out."""
    from gan_toolkit.testing.conformance.scene import blob_images

    return blob_images()


@pytest.fixture
def tiny_engine() -> Engine:
    """A whole game of tiny parts on points in the plane, ready for its first step."""
    from gan_toolkit.testing.parts import tiny_engine

    return tiny_engine()
