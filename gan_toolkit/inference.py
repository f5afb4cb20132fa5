"""Reading codes back from samples, with every term that can."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from gan_toolkit.interfaces import Judgement, Regulariser


def read_codes(
    regularisers: Mapping[str, Regulariser], samples: Tensor, judgement: Judgement
) -> dict[str, Tensor]:
    """Return the raw outputs by code for samples (B, ...) and the critic's judgement of them.

    Raises ValueError when two terms recover one code: it would have two meanings.
    """
    raw: dict[str, Tensor] = {}
    reader_of: dict[str, str] = {}
    for name, regulariser in regularisers.items():
        for code, outputs in regulariser.infer(samples, judgement).items():
            if code in raw:
                raise ValueError(
                    f"regularisers {reader_of[code]!r} and {name!r} both recover {code!r}; "
                    "let one of them leave it out"
                )
            raw[code], reader_of[code] = outputs, name
    return raw
