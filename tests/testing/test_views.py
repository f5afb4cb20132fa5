"""The small latents that views in memory are filled with take values as a latent does."""

from __future__ import annotations

import math
from typing import Any

import pytest

from gan_toolkit import Latent
from gan_toolkit.testing.views import Choice, Level, Turn


@pytest.mark.parametrize("value", [None, "1", True, math.nan, [1]])
@pytest.mark.parametrize("latent", [Choice(3), Level(), Turn()])
def test_what_is_no_value_is_refused(latent: Latent, value: Any) -> None:
    with pytest.raises(ValueError, match=r"is no (choice|number)"):
        latent.encode(value)


@pytest.mark.parametrize("value", [-1, 3, 1.0])
def test_an_index_beyond_the_last_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"is no choice; 0 to 2"):
        Choice(3).encode(value)
