"""What a launcher says of a process."""

from __future__ import annotations

import pytest

from gan_toolkit.errors import UsageError
from gan_toolkit.launcher import Place, cores, place_of

FULL = {"RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4"}


def test_without_a_launcher_a_process_is_alone():
    assert place_of({}) == Place(0, 1, 0, 1)
    assert place_of({"WORLD_SIZE": "8"}) == Place()


def test_the_only_process_of_a_launcher_is_alone():
    assert place_of(FULL | {"RANK": "0", "WORLD_SIZE": "1"}) == Place()


def test_a_process_has_a_place_in_all_and_on_its_machine():
    assert place_of(FULL) == Place(index=5, count=8, local_index=1, local_count=4)


@pytest.mark.parametrize("change", [{"RANK": "8"}, {"LOCAL_RANK": "4"}, {"WORLD_SIZE": "many"}])
def test_a_place_that_cannot_be_is_refused_with_what_was_found(change):
    found = FULL | change

    with pytest.raises(
        UsageError, match="is no place among processes; start them with torchrun"
    ) as e:
        place_of(found)
    ((name, value),) = change.items()
    assert f"{name}={value!r}" in str(e.value)


def test_cores_are_those_this_process_may_use_or_all_of_them(monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 2}, raising=False)
    assert cores() == 2

    monkeypatch.delattr("os.sched_getaffinity")
    monkeypatch.setattr("os.cpu_count", lambda: 6)
    assert cores() == 6
    monkeypatch.setattr("os.cpu_count", lambda: None)
    assert cores() == 1
