"""A component is built of its options and the facts it names; what goes wrong names its table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from gan_toolkit.building import Builder, BuilderError
from gan_toolkit.errors import DataError, PluginError, RecipeError
from gan_toolkit.interfaces import Schedule
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Chosen, load_tables
from gan_toolkit.recipe.options import Options, Scheduled
from gan_toolkit.schedules import Constant


class SizeOptions(Options):
    size: Scheduled = 2.0
    """How large."""


def chosen(build: Callable[..., Any], **options: Any) -> Chosen:
    host = PluginHost()
    host.registry.offer("exporter", "it", build, options=SizeOptions)
    host.registry.offer("schedule", "held", lambda: Constant(7.0))
    table = {"exporters": {"one": {"use": "it", **options}}}
    found: Chosen = load_tables(table, host, ["exporters"])["exporters"]["one"]
    return found


def test_a_builder_is_given_its_options_and_the_facts_it_names() -> None:
    def build(size: float, name: str) -> str:
        return f"{name} {size}"

    facts = {"name": "a", "other": 3}

    assert Builder().build(chosen(build, size=3.0), facts, str) == "a 3.0"


def test_a_schedule_in_place_of_a_number_is_built() -> None:
    def build(size: Schedule) -> float:
        return size.at(0)

    assert Builder().build(chosen(build, size={"use": "held"}), {}, float) == 7


def test_an_option_that_bears_the_name_of_a_fact_is_refused() -> None:
    with pytest.raises(PluginError, match="exporter 'it' of plugin 'here' has an option 'size'"):
        Builder().build(chosen(lambda size: size), {"size": 3}, float)


def test_what_a_builder_makes_has_its_type() -> None:
    with pytest.raises(PluginError, match="exporter 'it' of plugin 'here' built a float, not a st"):
        Builder().build(chosen(lambda size: size), {}, str)


@pytest.mark.parametrize(
    ("raised", "error", "text"),
    [
        (ValueError("too large"), RecipeError, "there: exporters.one: too large"),
        (DataError("no files"), DataError, "no files"),
        (
            KeyError("x"),
            BuilderError,
            "exporters.one: exporter 'it' of plugin 'here' raised KeyError: 'x'",
        ),
        (SystemExit(), BuilderError, "exporters.one: exporter 'it' of plugin 'here' called exit"),
    ],
)
def test_what_a_builder_raises_names_its_table(
    raised: BaseException, error: type[Exception], text: str
) -> None:
    def build(size: float) -> None:
        raise raised

    with pytest.raises(error) as caught:
        Builder(source="there").build(chosen(build), {}, object)

    assert str(caught.value) == text


def test_a_place_that_is_known_wins() -> None:
    def build(size: float) -> None:
        raise ValueError("too large")

    builder = Builder({"exporters.one": "a.toml:3"}, "there")

    with pytest.raises(RecipeError, match=r"^a\.toml:3: exporters\.one: too large$"):
        builder.build(chosen(build), {}, object)
