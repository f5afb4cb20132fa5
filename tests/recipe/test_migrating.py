"""What was written for an older toolkit loads for ever, and can be brought up to date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field

from gan_toolkit.errors import PluginError, RecipeError
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe import check_variants, migrating
from gan_toolkit.recipe.migrating import migrate
from gan_toolkit.recipe.options import NoOptions, Options
from gan_toolkit.recipe.reading import read_file

ZOO = Path(__file__).parent / "zoo"
Migrate = Callable[[str], str]


class DialOptions(Options):
    """Of version 2: `steps` and `marks` were renamed, `half = true` became `span = 0.5`."""

    places: Annotated[int, Field(ge=1)]
    span: float = 1.0
    ticks: int | None = None


def dial_2(old: dict[str, Any]) -> dict[str, Any]:
    new = {"places": old["steps"]}
    marks = {"ticks": old["marks"]} if old.get("marks") else {}
    return new | marks | ({"span": 0.5} if old.get("half") else {})


@pytest.fixture
def host(host: PluginHost) -> PluginHost:
    with host.registry.owned_by("infogan"):
        host.registry.add(
            *("latent", "dial"),
            options=DialOptions,
            build="nowhere:Dial",
            version=2,
            aliases=("knob",),
            migrate={1: dial_2},
        )
        host.registry.add("tracker", "deaf", build="nowhere:Deaf", version=3, options=NoOptions)
    return host


@pytest.fixture
def migrated(host: PluginHost, tmp_path: Path) -> Migrate:
    """Return a text brought up to date."""

    def of(text: str) -> str:
        path = tmp_path / "old.toml"
        path.write_text(text, encoding="utf-8")
        return migrate(read_file(path), host).text

    return of


@pytest.mark.parametrize("path", sorted(ZOO.glob("*.toml")), ids=lambda path: path.stem)
def test_the_zoo_loads_and_means_the_same_when_it_is_migrated(
    path: Path, host: PluginHost, migrated: Migrate, tmp_path: Path
) -> None:
    before = check_variants(path, host)
    text = migrated(path.read_text(encoding="utf-8"))
    (tmp_path / "new.toml").write_text(text, encoding="utf-8")
    after = check_variants(tmp_path / "new.toml", host)

    assert after == before
    assert not any(recipe.notes for recipe in after)
    assert migrated(text) == text


def test_every_format_there_was_is_in_the_zoo() -> None:
    formats = {int(path.stem.split("-")[1]) for path in ZOO.glob("format-*.toml")}

    assert formats == {*range(1, migrating.FORMAT + 1)}


def test_comments_stay_beside_what_they_are_about(migrated: Migrate) -> None:
    old = (ZOO / "component-1.toml").read_text(encoding="utf-8")

    new = migrated(old)

    changes = [
        ('"infogan:knob@1"', '"infogan:dial@2"'),
        ("steps = 12  ", "places = 12  "),
        ("half = true  ", "span = 0.5  "),
        ('"knob" ', '"dial" '),
        ("steps = 60", "places = 60"),
        ("half = false", "span = 1.0"),
        ('use = "dial@1"\nsteps = 3', 'use = "dial@2"\nplaces = 3'),
    ]
    for before, after in changes:
        assert before in old
        assert after in new, new
    assert [line.partition("#")[2] for line in new.splitlines() if "#" in line] == [
        line.partition("#")[2] for line in old.splitlines() if "#" in line
    ]


HEAD = "format = 1\nname = 'a'\n"


def test_keys_that_come_are_added_and_keys_that_go_take_their_line(migrated: Migrate) -> None:
    text = (
        HEAD
        + "[latents.a]\nuse = 'dial@1' # use\nsteps = 3\nmarks = 0 # gone\n\n[run]\nsteps = 1\n"
    )
    inline = HEAD + "latents.a = {use = 'dial@1', half = true, marks = 4, steps = 3} # all\n"

    assert migrated(text) == (
        HEAD + '[latents.a]\nuse = "dial@2" # use\nplaces = 3\n\n[run]\nsteps = 1\n'
    )
    assert migrated(inline) == (
        HEAD + 'latents.a = {use = "dial@2", span = 0.5, ticks = 4, places = 3} # all\n'
    )


def test_tables_out_of_order_and_in_pieces(migrated: Migrate) -> None:
    text = HEAD + (
        "[latents.a]\nuse = 'dial@1'\nsteps = 3\n[generator]\nuse = 'dcgan'\n"
        "[latents.b]\nuse = 'knob'\nplaces = 3\n"
        "[trackers.d]\nuse = 'jsonl@1'\n[run]\nsteps = 2\n[trackers.d.title]\na = nan\n"
    )

    new = migrated(text)

    assert '[latents.a]\nuse = "dial@2"\nplaces = 3\n[generator]' in new
    assert '[latents.b]\nuse = "dial"\nplaces = 3\n' in new
    assert "a = nan" in new


def test_what_is_merely_wrong_is_left_as_it_is(migrated: Migrate) -> None:
    text = (
        "format = 'one'\nvariants = 3\ndata = 'no table'\n[latents]\na = 1\nb = {}\n"
        "[latents.c]\nuse = 3\n[latents.d]\nuse = 'nobody@1'\n[latents.e]\nuse = 'dial@x'\n"
    )

    assert migrated(text) == text
    assert migrated("format = 0\n[variants]\na = 3\n") == "format = 0\n[variants]\na = 3\n"


@pytest.mark.parametrize(
    ("text", "message", "code"),
    [
        ("format = 7", "old.toml:1: format: format 7 is newer than 1; a newer gan-toolkit", 2),
        (
            "[latents.a]\nuse = 'dial@3'",
            "old.toml:2: latents.a.use: needs dial version 3, installed is 2",
            3,
        ),
        (
            "[trackers.a]\nuse = 'deaf@2'",
            "old.toml:2: trackers.a.use: needs deaf version 2, installed is 3, which can't read it",
            3,
        ),
        (
            "[latents.a]\nuse = 'dial@1'\nsteps = 1\nmarks = 2\n[variants.b.latents.a]\nmarks = 0",
            "old.toml:5: variants.b.latents.a: 'ticks' would have to go, and no value says so; "
            "write the table whole",
            2,
        ),
    ],
)
def test_what_can_not_be_migrated(migrated: Migrate, text: str, message: str, code: int) -> None:
    with pytest.raises(RecipeError) as caught:
        migrated(text)

    assert str(caught.value).startswith(message)
    assert caught.value.exit_code == code


def test_a_step_that_fails_is_its_plugins_fault(migrated: Migrate) -> None:
    with pytest.raises(
        PluginError, match=r"plugin 'infogan': latent 'dial' can't migrate version 1 \(KeyError"
    ):
        migrated("[latents.a]\nuse = 'dial@1'\n")


def test_a_child_is_migrated_over_its_parent(
    host: PluginHost, migrated: Migrate, tmp_path: Path
) -> None:
    parent = "[latents.a]\nuse = 'dial@1'\nsteps = 3\nhalf = true\n"
    (tmp_path / "parent.toml").write_text(parent)
    child = 'extends = "parent.toml"\n[latents.a]\nsteps = 5 # more\n'
    path = tmp_path / "child.toml"
    path.write_text(child)

    text, notes = migrate(read_file(path), host)

    assert text == 'extends = "parent.toml"\n[latents.a]\nplaces = 5 # more\n'
    assert len(notes) == 1
    assert notes[0].endswith(
        "child.toml:2: latents.a: brought up to date with the table it changes"
    )


def test_a_format_of_old_is_stepped_up(migrated: Migrate, monkeypatch: pytest.MonkeyPatch) -> None:
    def step(top: dict[str, Any]) -> dict[str, Any]:
        return {("name" if key == "title" else key): value for key, value in top.items()}

    monkeypatch.setattr(migrating, "FORMAT", 2)
    monkeypatch.setitem(migrating.FORMATS, 1, step)

    assert migrated("format = 1 # first\ntitle = 'a' # called\n\n[run]\nsteps = 3\n") == (
        "format = 2 # first\nname = 'a' # called\n\n[run]\nsteps = 3\n"
    )
