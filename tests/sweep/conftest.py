from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.sweep.ledger import Ledger
from gan_toolkit.sweep.plan import Plan, slots_of_search, slots_of_seeds
from gan_toolkit.sweep.space import Space
from gan_toolkit.sweep.storage import url_of

RECIPE = {"run": {"steps": 6, "seed": 0}}


class Desk:
    """Makes plans, and opens the ledger of a sweep as one worker more."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._opened: list[Ledger] = []

    def seeds(self, count: int) -> Plan:
        return Plan("s", RECIPE, slots_of_seeds(range(count)))

    def search(self, trials: int | None, seeds: tuple[int, ...] = (), **more: Any) -> Plan:
        whole = {
            "target": "m/code",
            "direction": "maximise",
            "sampler": "random",
            "search": {"run.batch_size": {"low": 1, "high": 1000}},
        }
        space = Space.model_validate(whole | more)
        return Plan("s", RECIPE, slots_of_search(space, trials, seeds), space)

    def open(self, plan: Plan, name: str = "sweep.db", **more: Any) -> Ledger:
        made = Ledger(url_of(self.folder / name), plan, **more)
        self._opened.append(made)
        return made

    def close(self) -> None:
        for one in self._opened:
            one.close()


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path)
    yield made
    made.close()
