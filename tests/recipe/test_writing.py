from __future__ import annotations

import tomllib
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import Recipe, load_recipe
from gan_toolkit.recipe.difference import difference
from gan_toolkit.recipe.writing import toml

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = TEXT.filter(lambda text: "{env:" not in text)
ODD = st.sampled_from(["${env:X}", "$${env:X}", "$$", '"""', "\x7f", "\x00", "\r\n", "a\\", "🪑"])
NUMBER = st.floats(allow_nan=False, allow_infinity=False)
POSITIVE = st.floats(min_value=1e-300, max_value=1e300)


@st.composite
def mappings(draw: st.DrawFn) -> dict[str, Any]:
    ramp = {"use": "linear", "over": draw(st.integers(1, 10**20)), "from": draw(NUMBER)}
    return {
        "format": 1,
        "name": draw(st.text("ab\n\"'é🪑", min_size=1)),
        "summary": draw(PLAIN | ODD),
        "run": {"steps": draw(st.integers(1, 10**9)), "batch_size": 4},
        "data": {"use": "chairs", **draw(st.sampled_from([{}, {"root": "a/../b"}]))},
        "latents": {
            "noise": {"use": "gaussian"},
            "style": {
                "use": "uniform",
                "count": draw(st.integers(1, 5)),
                "spread": draw(st.just("learned") | POSITIVE),
            },
        },
        "generator": {"use": draw(st.sampled_from(["dcgan", "resnet"]))},
        "critic": {"use": "dcgan"},
        "objective": {"use": "non_saturating"},
        "regularisers": {
            "w": {
                "use": "weighted",
                "weight": draw(st.just(ramp) | NUMBER),
                "weights": {"noise": draw(NUMBER), "style.0": 1},
                "head": {"layers": draw(st.lists(st.integers(1, 9), max_size=3))},
                "enabled": draw(st.booleans()),
            }
        },
        "optimisers": {
            "generator": {"use": "adam", "lr": draw(st.just(ramp) | POSITIVE)},
            "critic": {"use": "adam", "betas": [draw(NUMBER), 1]},
        },
        "trackers": {
            "board": {"use": "jsonl", "token": "${env:TOKEN}", "title": draw(PLAIN | ODD)}
        },
    }


def _load(source: Any, host: PluginHost) -> Recipe:
    return load_recipe(source, host, environ={"X": "${env:Y} $${env:Z}", "TOKEN": "hush"})


@given(mapping=mappings())
@settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_resolving_twice_changes_nothing(
    mapping: dict[str, Any], host: PluginHost, tmp_path: Path
) -> None:
    recipe = _load(mapping, host)
    written = recipe.to_toml()
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir(exist_ok=True)
    (elsewhere / "resolved.toml").write_text(written, encoding="utf-8", newline="")

    again = _load(elsewhere / "resolved.toml", host)

    assert again == recipe
    assert again.to_toml() == written
    assert again.digest() == recipe.digest()
    assert tomllib.loads(written) == recipe.to_dict()
    assert difference(recipe.to_dict(), again.to_dict()) == []


def test_defaults_are_written_and_components_pinned(host: PluginHost) -> None:
    written = _load(example(), host).to_toml()

    assert '[latents.noise]\nuse = "gaussian@1"\nwidth = 1\n' in written
    assert "critic_steps = 1\n" in written


def test_the_digest_is_of_what_is_asked_for(host: PluginHost) -> None:
    one = _load(example(), host)
    other = _load({**example(), "summary": "other"}, host)

    assert len(one.digest()) == 64
    assert one.digest() == _load(example(), host).digest()
    assert one.digest() != other.digest()
    assert one != other


def example() -> dict[str, Any]:
    optimiser = {"use": "adam"}
    return {
        "format": 1,
        "name": "a",
        "run": {"steps": 1, "batch_size": 1},
        "data": {"use": "chairs"},
        "latents": {"noise": {"use": "gaussian"}},
        "generator": {"use": "dcgan"},
        "critic": {"use": "dcgan"},
        "objective": {"use": "non_saturating"},
        "optimisers": {"generator": optimiser, "critic": optimiser},
    }


LEAF = TEXT | NUMBER | st.integers() | st.booleans() | st.lists(TEXT | st.integers(), max_size=3)
INLINE = st.recursive(LEAF, lambda inner: st.dictionaries(TEXT, inner, max_size=3), max_leaves=6)


SECTION = st.dictionaries(TEXT, st.dictionaries(TEXT, INLINE, max_size=2), max_size=2)


@given(st.dictionaries(TEXT, INLINE | SECTION, max_size=3))
@settings(max_examples=100, deadline=None)
def test_any_table_reads_back(table: dict[str, Any]) -> None:
    """Scalars must come before tables, as they do in a recipe."""
    ordered = dict(sorted(table.items(), key=lambda item: isinstance(item[1], dict)))

    assert tomllib.loads(toml(ordered)) == ordered


@pytest.mark.parametrize(
    ("a", "b", "changes"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": 2}, [("a", 1, 2)]),
        ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
        ({"a": [True]}, {"a": [1]}, [("a", [True], [1])]),
        ({"a": {"b": 1, "c": 2}}, {"a": {"c": 3}}, [("a.b", 1, None), ("a.c", 2, 3)]),
        ({}, {"a": {"b c": 1}}, [("a", None, {"b c": 1})]),
        ({"a": {"b c": 1}}, {"a": 5}, [("a", {"b c": 1}, 5)]),
        ({"a": {"b c": 1}}, {"a": {"b c": 2}}, [('a."b c"', 1, 2)]),
    ],
)
def test_difference(a: dict[str, Any], b: dict[str, Any], changes: list[Any]) -> None:
    assert [tuple(change) for change in difference(a, b)] == changes


@given(st.text())
@settings(max_examples=200, deadline=None)
def test_what_is_written_has_nothing_that_a_terminal_obeys(text: str) -> None:
    written = toml({"x": {text: text, "deep": [{"a": text}]}})

    assert tomllib.loads(written) == {"x": {text: text, "deep": [{"a": text}]}}
    assert not any(unicodedata.category(c)[0] == "C" for c in written.replace("\n", ""))
