"""How Optuna proposes points, and which runs it would stop."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import optuna
from optuna.trial import Trial

from gan_toolkit.recipe.writing import in_line
from gan_toolkit.sweep.space import Dimension, Space

DIRECTIONS: dict[str, Literal["maximize", "minimize"]] = {
    "maximise": "maximize",
    "minimise": "minimize",
}


def suggest(trial: Trial, key: str, dimension: Dimension) -> Any:
    """Draw a value, or take that of the plan; a listed value is drawn as its TOML."""
    if dimension.values is not None:
        return trial.suggest_categorical(key, [in_line(value) for value in dimension.values])
    low, high, step = dimension.low, dimension.high, dimension.step
    assert low is not None, "bounds were checked"
    assert high is not None, "bounds were checked"
    if dimension.is_whole:
        whole = int(step or 1)
        return trial.suggest_int(key, int(low), int(high), step=whole, log=dimension.log)
    part = None if step is None else float(step)
    return trial.suggest_float(key, float(low), float(high), step=part, log=dimension.log)


def sampler_of(space: Space, slot: int) -> optuna.samplers.BaseSampler:
    """Return what draws the point of one slot: another stream for each seed and slot."""
    seed = int(np.random.SeedSequence((space.seed, slot)).generate_state(1)[0])
    if space.sampler == "tpe":
        # What other workers are at counts as bad, so that not all go for one place.
        return optuna.samplers.TPESampler(seed=seed, constant_liar=True)
    return optuna.samplers.RandomSampler(seed=seed)


def pruner_of(space: Space | None) -> optuna.pruners.BasePruner:
    """Return what says of a run that it fell behind."""
    if space is None or space.prune is None:
        return optuna.pruners.NopPruner()
    prune = space.prune
    if prune.pruner == "median":
        return optuna.pruners.MedianPruner(prune.trials, n_warmup_steps=prune.after)
    return optuna.pruners.SuccessiveHalvingPruner(min_resource=prune.after)
