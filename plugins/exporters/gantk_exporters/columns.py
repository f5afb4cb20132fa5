"""The latents of a model as other programs read them: what each column is, and its values.

Shapes: N samples, W width of the generator's input.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gan_toolkit import Latent, LatentSpace, Model

VALUES = 11
"""Values that are listed of a latent that has no number of them of its own."""


def model_facts(model: Model) -> dict[str, Any]:
    """Say, in JSON, what the model is and what it learnt from."""
    data = model.facts.get("data") or {}
    return {
        "recipe": str(model.recipe.get("name", "")),
        "steps": model.facts.get("steps"),
        "trained_on": {key: data.get(key) for key in ("name", "source", "notice")},
    }


def latent_facts(model: Model, *, values: bool = False) -> dict[str, Any]:
    """Say of each latent, in JSON, in which columns (start, stop) it lies and how it is drawn.

    With `values`, what it can be set to as well, each as the row that goes into its columns.
    """
    tables = model.recipe.get("latents") or {}
    facts: dict[str, Any] = {}
    for name, latent in model.latents.items():
        columns = model.latents.columns(name)
        facts[name] = {
            "columns": [columns.start, columns.stop],
            "kind": kind_of(latent),
            "code": name in model.codes,
            "drawn": tables.get(name) or tables.get(name.rpartition(".")[0]) or {},
        }
        if values:
            facts[name]["values"] = _values(latent)
    return facts


def kind_of(latent: Latent) -> str:
    """Return "category", "angle" or "number"."""
    if latent.discrete:
        return "category"
    return "angle" if latent.circular else "number"


def table_of(space: LatentSpace, latent: Tensor) -> tuple[list[str], Tensor]:
    """Return the names and the values (N, K), in double precision, of latents (N, W).

    A category is its index and an angle its radians, in [-pi, pi]; all else is as the generator
    gets it. A latent of several numbers has a column `name[i]` for each.
    """
    names: list[str] = []
    columns = []
    for name, own in space.split(latent.double()).items():
        values = _read(space[name], own)
        width = values.shape[1]
        names += [name] if width == 1 else [f"{name}[{i}]" for i in range(width)]
        columns.append(values)
    return names, torch.cat(columns, dim=1)


def _read(latent: Latent, own: Tensor) -> Tensor:
    if latent.circular:
        cos, sin = own.unflatten(1, (-1, 2)).unbind(dim=2)
        return torch.atan2(sin, cos)
    try:
        return latent.bins(own, 1).double() if latent.discrete else own
    except NotImplementedError:
        return own


def _values(latent: Latent) -> list[dict[str, Any]]:
    try:
        grid = latent.grid(VALUES)
    except (NotImplementedError, ValueError):  # noise, or several numbers in one latent
        return []
    rows = grid.values.tolist()
    return [
        {"label": label, "row": row, "trained": trained}
        for label, row, trained in zip(grid.labels, rows, grid.trained, strict=True)
    ]
