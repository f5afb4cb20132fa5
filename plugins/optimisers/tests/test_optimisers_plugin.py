from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from gan_toolkit import Options
from gan_toolkit.testing.conformance import PluginConformance
from gantk_optimisers.options import (
    AdamOptions,
    EmaOptions,
    RampOptions,
    RmspropOptions,
    SgdOptions,
)


class TestConformance(PluginConformance):
    def module(self) -> str:
        return "gantk_optimisers"


def test_a_ramp_is_written_from_to() -> None:
    options = RampOptions.model_validate({"from": 1.0, "to": 0.0, "over": 10})

    assert options.from_ == 1.0
    assert options.model_dump(by_alias=True) == {"from": 1.0, "to": 0.0, "over": 10, "start": 0}


@pytest.mark.parametrize(
    ("model", "wrong"),
    [
        (AdamOptions, {"lr": 0.0}),
        (AdamOptions, {"betas": [0.5]}),
        (AdamOptions, {"betas": [0.5, 1.0]}),
        (SgdOptions, {"momentum": -0.1}),
        (RmspropOptions, {"eps": 0.0}),
        (EmaOptions, {"decay": 1.0}),
        (RampOptions, {"from": 0.0, "to": 1.0, "over": 0}),
    ],
)
def test_values_out_of_bounds_are_refused(model: type[Options], wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        model.model_validate(wrong)
