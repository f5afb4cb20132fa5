"""What an exporter writes is there whole or not at all, and nothing that is there is lost."""

from __future__ import annotations

import random
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
import torch
from pydantic import Field

from gan_toolkit import __version__, files
from gan_toolkit.errors import PluginError, RecipeError, StorageError, UsageError
from gan_toolkit.exporting import Exported, choose_exporter, export_model
from gan_toolkit.interfaces import Exporter
from gan_toolkit.latents import LatentSpace
from gan_toolkit.model import Model
from gan_toolkit.plugins import PluginHost
from gan_toolkit.recipe.options import Options, RecipePath
from gan_toolkit.strict_json import parse_object
from gan_toolkit.testing.conformance import model_of_images
from gan_toolkit.testing.disks import FailingDisk, HastyDisk


class TextOptions(Options):
    text: str = "it"
    """What is written."""
    times: Annotated[int, Field(ge=1)] = 1
    """How often."""
    place: RecipePath | None = None
    """Where something lies."""


class Text(Exporter):
    suffix = ".txt"

    def __init__(
        self, latents: LatentSpace, text: str, times: int, place: str | None = None
    ) -> None:
        if text in latents:
            raise ValueError(f"text = {text!r}: the name of a latent")
        self.text = text * times

    def export(self, model: Model, target: Path) -> None:
        assert not target.exists()
        target.write_text(self.text)


class Folder(Exporter):
    def export(self, model: Model, target: Path) -> None:
        assert target.is_dir()
        assert not list(target.iterdir())
        (target / "inner").mkdir()
        (target / "inner" / "a.txt").write_text("a")


class Draws(Text):
    def export(self, model: Model, target: Path) -> None:
        target.write_text(f"{torch.rand(1)} {random.random()}")


def file_that(act: Callable[[Path], Any]) -> type[Exporter]:
    """Return an exporter of a file that does this with its target."""

    class Faulty(Exporter):
        suffix = ".txt"

        def export(self, model: Model, target: Path) -> None:
            act(target)

    return Faulty


def folder_that(act: Callable[[Path], Any]) -> type[Exporter]:
    faulty = file_that(act)
    faulty.suffix = ""
    return faulty


def raising(error: BaseException) -> Callable[[Path], Any]:
    def act(target: Path) -> None:
        (target / "half" if target.is_dir() else target).write_text("half")
        raise error

    return act


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(files, "disk", HastyDisk())


@pytest.fixture
def host() -> PluginHost:
    host = PluginHost()
    host.registry.offer("exporter", "text", Text, options=TextOptions)
    host.registry.offer("exporter", "folder", Folder)
    return host


def export(
    host: PluginHost, name: str, *settings: str, to: str | None = None, force: bool = False
) -> Exported:
    target = None if to is None else Path(to)
    chosen = choose_exporter(name, settings, host)
    return export_model(model_of_images(), chosen, target, force=force)


def here() -> list[str]:
    return sorted(path.as_posix() for path in Path().rglob("*"))


# --- what is written -------------------------------------------------------------------------


def test_a_file_is_written_under_the_name_of_the_recipe(host: PluginHost) -> None:
    written = export(host, "text", 'text="abc"', "times=2")

    assert written == Exported(
        Path("tiny.txt"), {"use": "text@1", "text": "abc", "times": 2}, files=1, bytes=6
    )
    assert here() == ["tiny.txt"]
    assert Path("tiny.txt").read_text() == "abcabc"


def test_a_folder_gets_a_note_of_what_it_is(host: PluginHost) -> None:
    written = export(host, "folder")

    note = Path("tiny-folder/export.json").read_text()
    assert (written.path, written.files, written.bytes) == (Path("tiny-folder"), 2, 1 + len(note))
    assert here() == [
        "tiny-folder", "tiny-folder/export.json", "tiny-folder/inner", "tiny-folder/inner/a.txt",
    ]  # fmt: skip
    assert parse_object(note) == {
        "format": 1,
        "gan-toolkit": __version__,
        "exporter": {"use": "folder@1"},
        "model": {
            "recipe": "tiny",
            "steps": 30,
            "data": {"name": "nothing", "source": "synthetic", "fingerprint": None},
        },
    }


@pytest.mark.parametrize("name", ["", "../up", "a b", "con"])
def test_a_recipe_whose_name_is_no_name_of_a_file_gives_none(host: PluginHost, name: str) -> None:
    model = model_of_images()
    model.recipe = {"name": name}

    assert export_model(model, choose_exporter("text", [], host)).path == Path("model.txt")


def test_a_folder_of_its_own_is_named_after_the_exporter_alone(host: PluginHost) -> None:
    owner = host.registry.get("exporter", "folder").plugin

    assert export(host, f"{owner}:folder@1").path == Path("tiny-folder")


@pytest.mark.parametrize("text", ['use="text"', " use = 'text'"])
def test_a_setting_does_not_change_which_exporter_it_is(host: PluginHost, text: str) -> None:
    with pytest.raises(UsageError, match="--set use: which exporter it is, --to says"):
        choose_exporter("folder", [text], host)


def test_folders_that_are_missing_are_made(host: PluginHost) -> None:
    written = export(host, "text", to="a/b/c.TXT")

    assert written.path == Path("a/b/c.TXT")
    assert here() == ["a", "a/b", "a/b/c.TXT"]


def test_paths_of_this_machine_are_not_told(host: PluginHost) -> None:
    assert "place" not in export(host, "text", 'place="there"').exporter


def test_what_an_exporter_draws_changes_nothing(host: PluginHost) -> None:
    host.registry.offer("exporter", "draws", Draws, options=TextOptions)
    before = (torch.get_rng_state(), random.getstate())

    export(host, "draws")

    assert torch.equal(before[0], torch.get_rng_state())
    assert before[1] == random.getstate()


# --- what is there ---------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["text", "folder"])
def test_what_is_there_stays_unless_told_otherwise(host: PluginHost, name: str) -> None:
    first = export(host, name)
    (first.path if first.path.is_file() else first.path / "inner" / "a.txt").write_text("old")

    with pytest.raises(UsageError, match="exists; choose another --out, or --force to replace it"):
        export(host, name)
    assert "old" in [path.read_text() for path in Path().rglob("*.txt")]

    export(host, name, force=True)
    assert "old" not in [path.read_text() for path in Path().rglob("*.txt")]
    assert not list(Path().glob(".tmp*"))


def test_an_empty_folder_may_be_replaced(host: PluginHost) -> None:
    Path("mine").mkdir()

    assert export(host, "folder", to="mine", force=True).files == 2


def make_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("mine")


def make_link(path: Path) -> None:
    """Make a link to a folder that an export may have written: the link is not what it wrote."""
    make_folder(path.with_name("other"))
    Path("other/export.json").touch()
    path.symlink_to("other")


@pytest.mark.parametrize("there", [make_folder, make_link, Path.touch])
def test_a_folder_that_no_export_wrote_is_never_replaced(
    host: PluginHost, there: Callable[[Path], None]
) -> None:
    there(Path("mine"))
    before = here()

    with pytest.raises(UsageError, match="mine is no folder that an export wrote"):
        export(host, "folder", to="mine", force=True)

    assert here() == before


def test_a_folder_is_never_replaced_by_a_file(host: PluginHost) -> None:
    make_folder(Path("mine.txt"))

    with pytest.raises(UsageError, match=r"mine\.txt is no regular file"):
        export(host, "text", to="mine.txt", force=True)

    assert Path("mine.txt/thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    ("target", "better"), [("it.png", "it.txt"), ("a/it", "a/it.txt"), (".", "model.txt")]
)
def test_a_name_that_ends_otherwise_is_refused(host: PluginHost, target: str, better: str) -> None:
    with pytest.raises(UsageError, match=rf"text writes a file that ends in \.txt; .* {better}$"):
        export(host, "text", to=target)


# --- what fails ------------------------------------------------------------------------------


BUG = ZeroDivisionError("a bug\nof two lines")


@pytest.mark.parametrize(
    ("faulty", "text"),
    [
        (file_that(raising(BUG)), "failed: ZeroDivisionError: a bug$"),
        (folder_that(raising(BUG)), "failed: ZeroDivisionError: a bug$"),
        (file_that(raising(SystemExit(3))), "failed: SystemExit: 3$"),
        (file_that(lambda target: None), "left no file$"),
        (file_that(Path.mkdir), "left no file$"),
        (file_that(lambda target: target.symlink_to(sys.executable)), "left no file$"),
        (folder_that(lambda target: None), "wrote nothing$"),
        (folder_that(Path.rmdir), "left no folder$"),
        (folder_that(lambda target: (target / "export.json").touch()), "wrote export.json, which"),
        (
            file_that(lambda target: [target.touch(), target.with_name("b.data").touch()]),
            "wrote b.data beside what it was told to write$",
        ),
    ],
)
def test_a_fault_leaves_nothing(host: PluginHost, faulty: type[Exporter], text: str) -> None:
    host.registry.offer("exporter", "faulty", faulty)

    with pytest.raises(PluginError, match=f"exporter 'faulty' of plugin 'here' {text}"):
        export(host, "faulty", to="a/b.txt")

    assert here() == []


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (UsageError("points only"), "^--to faulty: points only$"),
        (StorageError("no room"), "^no room$"),
        (KeyboardInterrupt(), "^$"),
    ],
)
def test_what_a_user_can_act_on_is_handed_on(
    host: PluginHost, error: BaseException, text: str
) -> None:
    host.registry.offer("exporter", "faulty", file_that(raising(error)))

    with pytest.raises(type(error), match=text):
        export(host, "faulty", to="a.txt")

    assert here() == []


def test_a_disk_that_fails_leaves_the_old_folder_or_the_new_one(
    host: PluginHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    export(host, "folder")
    Path("tiny-folder/inner/a.txt").write_text("old")
    before, count = here(), 0

    while True:
        disk = FailingDisk(count)
        monkeypatch.setattr(files, "disk", disk)
        try:
            export(host, "folder", force=True)
        except StorageError:
            monkeypatch.setattr(files, "disk", HastyDisk())
            assert [path for path in here() if not path.startswith(".tmp")] == before
            assert Path("tiny-folder/inner/a.txt").read_text() in ("old", "a")
            count += 1
        else:
            break

    assert count >= 6


# --- what is asked ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "settings", "text"),
    [
        ("txt", [], "--to: no exporter is named 'txt'; known: folder, text; did you mean 'text'?"),
        ("text", ["tims=2"], "--set #1: tims: unknown key; did you mean 'times'?"),
        ("text", ["times=0"], "--set #1: times: 0 is too small; an integer of at least 1"),
        ("text", ["times"], "--set #1: times: has no value; times=VALUE"),
        (
            "text",
            ["times=1", "text=abc"],
            "--set #2: text: abc is not a TOML value; a number, or a text in quotes: "
            "text='\"abc\"'",
        ),
        ("folder", ["text=1"], "--set #1: text: unknown key; known: use"),
        ("text", ['text="coin"'], "--to text: text = 'coin': the name of a latent"),
    ],
)
def test_a_mistake_is_told_in_the_words_of_the_command(
    host: PluginHost, name: str, settings: list[str], text: str
) -> None:
    with pytest.raises(RecipeError) as caught:
        export(host, name, *settings)

    assert str(caught.value) == text


def test_what_is_no_exporter_is_refused(host: PluginHost) -> None:
    host.registry.offer("exporter", "list", list)

    with pytest.raises(PluginError, match="exporter 'list' of plugin 'here' built a list, not a"):
        export(host, "list")
