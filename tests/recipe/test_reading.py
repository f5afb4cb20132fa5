from __future__ import annotations

import io
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from gan_toolkit.errors import RecipeError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import load_recipe
from gan_toolkit.recipe.reading import read_bytes, read_mapping

HERE = Path("/here")


def refused(raw: bytes) -> str:
    with pytest.raises(RecipeError) as caught:
        read_bytes(raw, "bad.toml", HERE)
    return str(caught.value)


BOMBS = {
    "large": (b"#" * (1 << 20) + b"\n", "bad.toml: too large for a recipe; at most 1048576 bytes"),
    "nested": (
        b"\na = " + b"[" * 100_000,
        "bad.toml:2: nested too deeply; at most 64 brackets",
    ),
    "braces": (b"a = " + b"{a=" * 65, "bad.toml:1: nested too deeply; at most 64 brackets"),
    "parts": (
        b".".join([b"a"] * 20_000) + b" = 1",
        "bad.toml:1: a key of too many parts; at most 32",
    ),
    "header": (
        b"\n[" + b". 'a' ".join([b"a"] * 33) + b"]",
        "bad.toml:2: a key of too many parts; at most 32",
    ),
    "digits": (
        b"a = " + b"1" * 5000,
        "bad.toml:1: a number or key is too long; at most 4000 characters",
    ),
    "items": (
        b"a = [" + b"1,\n" * 300_000,
        "bad.toml:33333: too long; at most 100000 words and signs",
    ),
    "keys": (
        b"".join(b"a%d = 1\n" % i for i in range(50_000)),
        "bad.toml:4097: too many keys; at most 4096",
    ),
    "dotted braces": (
        b"a = " + (b"{" + b".".join([b"a"] * 30) + b" = ") * 60 + b"1" + b"}" * 60,
        "bad.toml:1: nested too deeply; at most 64 levels",
    ),
}


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_once(name: str) -> None:
    raw, text = BOMBS[name]
    started = time.perf_counter()

    assert refused(raw) == text
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("piece", [b'"""\n\\', b"'''\n", b'"\\', b"a='", b"[", b'""""', b"\\\n"])
def test_unterminated_texts_take_linear_time(piece: bytes) -> None:
    started = time.perf_counter()

    refused(piece * (500_000 // len(piece)))

    assert time.perf_counter() - started < 2


def test_brackets_in_texts_and_comments_are_no_depth() -> None:
    raw = b"a = '" + b"[" * 100 + b"' # " + b"{" * 100

    assert read_bytes(raw, "good.toml", HERE).table == {"a": "[" * 100}


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("x = 'é'".encode("latin-1"), "bad.toml:1: not UTF-8; save the file as UTF-8"),
        ("a = 1\nx = 'é'".encode("utf-16"), "bad.toml:1: not UTF-8; save the file as UTF-8"),
        (b"a = 1\nb = '\xff'", "bad.toml:2: not UTF-8; save the file as UTF-8"),
        ("name = “x”".encode(), "bad.toml:1:8: not TOML: Invalid value"),
        (b"a = 1\nb = ", "bad.toml:2: not TOML: Invalid value"),
        (b"a\0 = 1", "bad.toml:1:2: not TOML: Expected '=' after a key in a key/value pair"),
    ],
)
def test_what_is_not_a_recipe(raw: bytes, text: str) -> None:
    assert refused(raw) == text


def test_mark_and_line_ends_make_no_difference() -> None:
    raw = b'a = 1\r\n[b]\r\nc = "x"\r\n'

    plain = read_bytes(raw.replace(b"\r", b""), "x", HERE)
    marked = read_bytes(b"\xef\xbb\xbf" + raw, "x", HERE)

    assert marked.table == plain.table == {"a": 1, "b": {"c": "x"}}
    assert marked.place(("b", "c")) == plain.place(("b", "c")) == ("x:3", 3)


def _outcome(read: Callable[[], object]) -> str:
    """Return the name of what was read, or the one error; anything else gets out."""
    try:
        return type(read()).__name__
    except RecipeError as error:
        return str(error)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_random_bytes_give_a_document_or_one_error(raw: bytes) -> None:
    assert _outcome(lambda: read_bytes(raw, "x.toml", HERE)).startswith(("Document", "x.toml:"))


TOML = st.lists(
    st.sampled_from(
        [*"[]{}'=.,\n#\\ a1\x00é-\r", '"', '"""', "'''", "nan", "true", "1e9", "1979-05-27"]
    ),
    max_size=60,
).map("".join)


@given(TOML)
@settings(max_examples=300, deadline=None)
def test_almost_toml_gives_a_document_or_one_error(text: str) -> None:
    outcome = _outcome(lambda: read_bytes(text.encode(), "x.toml", HERE))

    assert outcome.startswith(("Document", "x.toml:"))


@given(data=st.data())
@settings(
    max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_damaged_recipe_loads_or_is_refused(
    data: st.DataObject, host: PluginHost, write: Callable[..., str], tmp_path: Path
) -> None:
    raw = bytearray((tmp_path / write()).read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(raw) - 1))
        end = place + data.draw(st.integers(0, 12))
        raw[place:end] = data.draw(TOML).encode() if data.draw(st.booleans()) else b""
        raw = raw or bytearray(b" ")
    (tmp_path / "run.toml").write_bytes(raw)

    outcome = _outcome(lambda: load_recipe("run.toml", host, environ={}))

    assert outcome.startswith(("Recipe", "run.toml:"))


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
TOP = st.sampled_from(["format", "name", "run", "data", "latents", "variants", "optimisers", "x"])


@given(mapping=st.dictionaries(TOP | st.text(max_size=3), VALUES))
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_a_random_mapping_is_refused_by_one_error(
    mapping: dict[str, object], host: PluginHost
) -> None:
    with pytest.raises(RecipeError):
        load_recipe(mapping, host, environ={})


def test_problems_of_a_mapping_have_no_place(host: PluginHost) -> None:
    with pytest.raises(RecipeError) as caught:
        load_recipe({"format": 1, "name": "x", "run": {"steps": 0}}, host)

    assert "run.steps: 0 is too small; an integer of at least 1" in str(caught.value)


@pytest.mark.parametrize("value", [None, {1: 2}, {"a": object()}, ["\ud800"], {"\ud800": 1}])
def test_a_mapping_holds_what_toml_holds(value: object) -> None:
    with pytest.raises(RecipeError, match=r"^a"):
        read_mapping({"a": value})


def test_a_circular_mapping_is_refused() -> None:
    circle: dict[str, object] = {}
    circle["again"] = circle

    with pytest.raises(RecipeError, match="nested too deeply"):
        read_mapping(circle)


def test_standard_input(
    host: PluginHost, write: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raw = (tmp_path / write("[wrong]\n")).read_bytes()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(raw)))

    with pytest.raises(RecipeError, match=r"^<stdin>:3: wrong: unknown key"):
        load_recipe("-", host)


def test_a_folder_is_not_a_recipe(host: PluginHost, tmp_path: Path) -> None:
    (tmp_path / "base.toml").mkdir()
    (tmp_path / "run.toml").write_text("extends = 'base.toml'")

    with pytest.raises(RecipeError, match=r"^run.toml:1: extends: there is no file"):
        load_recipe("run.toml", host)
