from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from gan_toolkit.sweep.ledger import Ledger
from gan_toolkit.sweep.plan import Plan, slots_of_search, slots_of_seeds
from gan_toolkit.sweep.space import Space
from gan_toolkit.sweep.storage import knowingly, open_storage, url_of

RECIPE = {"run": {"steps": 6, "seed": 0}}


class Desk:
    """Makes plans, and opens the ledger of a sweep as one worker more."""

    def __init__(self, folder: Path, empty: Path) -> None:
        self.folder = folder
        self._empty = empty
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
        path = self.folder / name
        if path.parent.exists() and not path.exists():
            shutil.copy(self._empty, path)  # making the tables takes half a second
        made = Ledger(url_of(path), plan, **more)
        self._opened.append(made)
        return made

    def close(self) -> None:
        for one in self._opened:
            one.close()


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database with tables and nothing in them."""
    path = tmp_path_factory.mktemp("database") / "empty.db"
    with knowingly():
        storage = open_storage(url_of(path), 10, 60)
    storage.remove_session()
    storage.engine.dispose()
    return path


@pytest.fixture
def desk(tmp_path: Path, empty: Path) -> Iterator[Desk]:
    made = Desk(tmp_path, empty)
    yield made
    made.close()
