"""A search space is read as strictly as a recipe: every fault at once, with its line."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from gan_toolkit.errors import RecipeError, UsageError
from gan_toolkit.plugins import PluginHost, load_plugins
from gan_toolkit.sweep.plan import Plan, Slot, changes, slots_of_search, slots_of_seeds
from gan_toolkit.sweep.space import Dimension, Search, Space, check_search, read_search, settings

Write = Callable[[str], Path]
HEAD = 'target = "a/b"\ndirection = "maximise"\n'


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    monkeypatch.chdir(tmp_path)

    def written(text: str) -> Path:
        path = tmp_path / "space.toml"
        path.write_text(text)
        return path

    return written


@pytest.fixture(scope="module")
def host() -> PluginHost:
    return load_plugins(environ={})


def space_of(write: Write, text: str) -> Space:
    return read_search(write(HEAD + text)).space


def refused(write: Write, text: str) -> str:
    with pytest.raises(RecipeError) as error:
        read_search(write(text))
    return str(error.value)


def test_all_faults_come_at_once_with_their_lines(write: Write) -> None:
    told = refused(
        write,
        """\
target = "bound/mode"
direction = "maximize"
trgt = 1

[search.a]
low = 10
high = 1.0

[search.b]
low = 0
high = 1
step = 0.3

[search.c]
values = [1, 1]

[search.d]
low = 1

[search.e]
low = 0
high = 1
log = true

[search.f]
values = [1]
low = 0

[search.g]
low = 1
high = 9
step = 1
log = true

[search.h]
low = 1
high = 2
step = -1

[prune]
by = 3
pruner = "medan"
""",
    )

    assert told == (
        'space.toml:2: direction: "maximize" does not fit; "maximise" or "minimise"; '
        "did you mean 'maximise'?\n"
        "space.toml:3: trgt: unknown key; did you mean 'target'?\n"
        "space.toml:5: search.a: low = 10 is not below high = 1.0\n"
        "space.toml:9: search.b: steps of 0.3 from 0 miss high = 1; high = 0.9\n"
        "space.toml:14: search.c: 1 stands twice in values; each once\n"
        "space.toml:17: search.d: says no values; low and high, or values = […]\n"
        "space.toml:20: search.e: low = 0 has no ratios; above 0 with log = true\n"
        "space.toml:25: search.f: values stand alone; without low, high, step and log\n"
        "space.toml:29: search.g: step and log exclude each other; one of them\n"
        "space.toml:35: search.h: step = -1 leads nowhere; above 0\n"
        "space.toml:41: prune.by: 3 is not a text; a text\n"
        'space.toml:42: prune.pruner: "medan" does not fit; "median" or "halving"; '
        "did you mean 'median'?\n"
        "12 errors in space.toml"
    )


def test_a_grid_needs_points(write: Write) -> None:
    told = refused(write, HEAD + 'sampler = "grid"\n[search.a]\nlow = 0\nhigh = 1\n')

    assert "a has no grid; values = […], or a step between the bounds" in told


def test_what_is_no_toml_is_refused_with_its_line(write: Write) -> None:
    assert refused(write, "target =\n").startswith("space.toml:1")


def test_steps_are_counted_in_decimals() -> None:
    tenths = Dimension(low=0.1, high=0.5, step=0.1).choices()

    assert tenths == [0.1, 0.2, 0.3, 0.4, 0.5]
    assert Dimension(low=2, high=6, step=2).choices() == [2, 4, 6]
    assert Dimension(low=2, high=6).choices() is None


def test_a_point_becomes_settings_of_a_recipe() -> None:
    dimensions = {
        "run.batch_size": Dimension(low=1, high=9),
        "a.lr": Dimension(low=1e-5, high=1.0, log=True),
        "a.hidden": Dimension(values=[[8, 8], [16]]),
    }

    found = settings(dimensions, {"run.batch_size": 3, "a.lr": 2e-5, "a.hidden": "[8, 8]"})

    assert found == {"run.batch_size": "3", "a.lr": "2e-05", "a.hidden": "[8, 8]"}


# --- against a recipe ------------------------------------------------------------------------


def check(search: Search, host: PluginHost) -> str:
    with pytest.raises(RecipeError) as error:
        check_search(search, "infogan_ring", host)
    return str(error.value)


def test_keys_and_values_are_checked_against_the_recipe(write: Write, host: PluginHost) -> None:
    search = read_search(
        write(
            HEAD
            + """
[search."regularisers.information.wieght"]
low = 0.1
high = 1.0

[search."run.batch_size"]
low = 0
high = 100

[search."generator.hidden"]
values = [[8], "wide"]

[search.generator]
values = [1]

[search."run..steps"]
values = [1]
"""
        )
    )

    assert check(search, host) == (
        "space.toml:4: search.\"regularisers.information.wieght\": there is no 'wieght'; "
        "did you mean 'weight'?\n"
        'space.toml:9: search."run.batch_size".low: 0 is too small; '
        "an integer of at least 1 and at most 65536\n"
        'space.toml:13: search."generator.hidden".values: "wide" is not an array; '
        "an array of integers of at least 1 and at most 65536, at least 1 of them\n"
        "space.toml:15: search.generator: is a table; a key in it\n"
        'space.toml:18: search."run..steps": is not a key; dotted names such as run.steps\n'
        "5 errors in space.toml"
    )


def test_a_space_that_fits_passes(write: Write, host: PluginHost) -> None:
    search = read_search(
        write(HEAD + '[search."optimisers.generator.lr"]\nlow = 1e-4\nhigh = 1e-2\nlog = true\n')
    )

    check_search(search, "infogan_ring", host)


# --- slots -----------------------------------------------------------------------------------


def test_a_slot_for_each_seed_names_its_run() -> None:
    assert [slot.run_names("s") for slot in slots_of_seeds([3, 7])] == [
        [("s-3", 3)],
        [("s-7", 7)],
    ]


def test_a_point_with_seeds_is_one_slot_of_several_runs(write: Write) -> None:
    space = space_of(write, "[search.a]\nlow = 0\nhigh = 1\n")

    one, two = slots_of_search(space, 2, [0, 5])

    assert one.run_names("s") == [("s-0000-seed-0", 0), ("s-0000-seed-5", 5)]
    assert two.name == "0001"
    assert slots_of_search(space, 1, [])[0].run_names("s") == [("s-0000", None)]


def test_a_grid_is_the_product_of_its_values(write: Write) -> None:
    space = space_of(
        write,
        'sampler = "grid"\n[search.a]\nvalues = [1, true]\n'
        "[search.b]\nlow = 0.5\nhigh = 1.0\nstep = 0.5\n",
    )

    assert [slot.params for slot in slots_of_search(space, None, [])] == [
        {"a": "1", "b": 0.5},
        {"a": "1", "b": 1.0},
        {"a": "true", "b": 0.5},
        {"a": "true", "b": 1.0},
    ]


def test_the_number_of_trials_must_fit_the_sampler(write: Write) -> None:
    free = space_of(write, "[search.a]\nlow = 0\nhigh = 1\n")
    grid = space_of(write, 'sampler = "grid"\n[search.a]\nvalues = [1]\n')
    values = ", ".join(map(str, range(400)))
    huge = space_of(
        write,
        f'sampler = "grid"\n[search.a]\nvalues = [{values}]\n[search.b]\nvalues = [{values}]\n',
    )

    with pytest.raises(UsageError, match="goes on for ever; say --trials"):
        slots_of_search(free, None, [])
    with pytest.raises(UsageError, match="as many trials as points"):
        slots_of_search(grid, 3, [])
    with pytest.raises(UsageError, match="160,000 points; at most 100,000"):
        slots_of_search(huge, None, [])


def test_plans_differ_by_recipe_and_space_not_by_machine_or_size(write: Write) -> None:
    space = space_of(write, "[search.a]\nlow = 0\nhigh = 1\n")
    other = space_of(write, "[search.a]\nlow = 0\nhigh = 2\n")

    def facts(space: Space, count: int, **run: object) -> dict[str, object]:
        slots = [Slot(f"{n:04d}", (1, 2)) for n in range(count)]
        return Plan("s", {"run": {"steps": 5, **run}}, slots, space).facts()

    then = facts(space, 2, device="cpu")

    assert changes(then, facts(space, 9, device="cuda")) == []
    assert changes(then, facts(other, 2, steps=6, device="cpu")) == [
        "run.steps was 5, is 6",
        "search.search.a.high was 1, is 2",
    ]
    assert changes(then, facts(space, 2)) == []
    assert 'search.target was absent, is "a/b"' in changes(Plan("s", {}, [Slot("0")]).facts(), then)
