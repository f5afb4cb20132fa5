"""The folder of a run: who owns it, what lies where, and where its journal is.

No file in it holds an absolute path (but the command line as typed), so that a folder can be moved
or copied and still works. The run's id is ours and plain; its name is only data.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import secrets
import shlex
import socket
import sys
import tomllib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from importlib import metadata
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
from PIL.PngImagePlugin import PngInfo

from gan_toolkit import files, strict_json
from gan_toolkit.errors import StorageError, UsageError, did_you_mean
from gan_toolkit.files import storage_errors
from gan_toolkit.journal import RESOLVED, Journal, append
from gan_toolkit.scores import Record, checked, merge
from gan_toolkit.tensorfile import safe_name

if TYPE_CHECKING:  # listing runs must not load torch
    from gan_toolkit.interfaces import Picture

FORMAT = 1
RUN = "run.json"
RECIPE = "recipe.toml"
ORIGINS = "recipe.origins.json"
_LARGEST_RUN = 16 * 2**20
_NONE: Mapping[str, str] = {}
_SAVED = re.compile(r"\d{6,18}-step\d{8,18}")


class RunFolder:
    """One run on the disk. Reading needs no lock; only the holder of `lock` may write."""

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.run_json = facts
        self.metrics = Journal(folder / "metrics.jsonl")

    @classmethod
    def create(
        cls,
        parent: Path,
        recipe_name: str,
        *,
        name: str | None = None,
        texts: Mapping[str, str] = _NONE,
        now: datetime | None = None,
    ) -> RunFolder:
        """Make `parent/recipe/<UTC time>-<id>`, or `parent/recipe/name`; never reuse one.

        `texts` are its first files, by name: it appears with all of them, or not at all. Raises
        StorageError when it exists or can't be written, UsageError for a name that can't be a
        folder's.
        """
        shelf = parent / folder_name(recipe_name, "recipe")
        own = None if name is None else folder_name(name, "run")
        files.make_folders(shelf)
        files.remove_stale(shelf)
        when = now or datetime.now(UTC)
        with files.temporary(shelf) as place:
            with storage_errors(shelf):
                files.disk.make_folder(place)
            run = cls(place, {"format": FORMAT})
            for file, text in texts.items():
                run.write_text(file, text)
            while True:
                run_id = secrets.token_hex(4)
                folder = shelf / (own or f"{when:%Y%m%d-%H%M%S}-{run_id}")
                run.update(
                    id=run_id,
                    name=folder.name,
                    recipe=recipe_name,
                    status="created",
                    created=when.isoformat(timespec="seconds"),
                )
                if _claim(place, folder):
                    return cls(folder, run.run_json)
                if own is not None:
                    raise StorageError(
                        f"run folder {folder} exists; choose another --name, or resume it with: "
                        f"gantk resume {shlex.quote(str(folder))}"
                    )

    @classmethod
    def open(cls, path: Path) -> RunFolder:
        """Read a run that exists; UsageError, with the nearest name, when it is none."""
        if not (path / RUN).exists():
            if path.exists():
                raise UsageError(_not_a_run(path))
            siblings = [run.parent.name for run in path.parent.glob(f"[!.]*/{RUN}")]
            raise UsageError(f"{path} does not exist{did_you_mean(path.name, siblings)}")
        try:
            facts = strict_json.parse_object(files.read_bytes(path / RUN, _LARGEST_RUN))
        except ValueError as error:
            raise StorageError(f"{path / RUN} is damaged: {error}") from None
        if not isinstance(facts.get("id"), str):
            raise StorageError(f"{path / RUN} is damaged: it names no run id")
        if facts.get("format") != FORMAT:
            raise StorageError(f"{path} is of format {facts.get('format')!r:.20}; we read {FORMAT}")
        return cls(path, facts)

    # --- where things are -------------------------------------------------------------------

    @property
    def id(self) -> str:
        """Short, ASCII, ours; it stays when the folder is renamed."""
        return str(self.run_json["id"])

    @property
    def recipe(self) -> Path:
        """The recipe as it was given."""
        return self.folder / RECIPE

    @property
    def resolved(self) -> Path:
        """The recipe with every value."""
        return self.folder / RESOLVED

    @property
    def origins(self) -> Path:
        """Where each value of the resolved recipe comes from."""
        return self.folder / ORIGINS

    @property
    def environment(self) -> Path:
        """What was installed."""
        return self.folder / "environment.txt"

    @property
    def log_file(self) -> Path:
        """Prose and tracebacks."""
        return self.folder / "log.txt"

    @property
    def samples(self) -> Path:
        """Pictures of samples."""
        return self.folder / "samples"

    @property
    def traversals(self) -> Path:
        """Pictures of traversals, a folder for each latent."""
        return self.folder / "traversals"

    @property
    def evaluations(self) -> Path:
        """What was measured, a file for each evaluation."""
        return self.folder / "evaluations"

    @property
    def checkpoints(self) -> Path:
        """Where the checkpoint store lies."""
        return self.folder / "checkpoints"

    @property
    def model(self) -> Path:
        """The shareable model file."""
        return self.folder / "model.safetensors"

    @property
    def report(self) -> Path:
        """The report."""
        return self.folder / "report.html"

    def tables(self) -> dict[str, Any]:
        """Return the resolved recipe as it is written; no plugin is asked."""
        try:
            return tomllib.loads(files.read_bytes(self.resolved, _LARGEST_RUN).decode())
        except ValueError as error:
            raise StorageError(f"{self.resolved} is damaged: {error}") from None

    def scores(self, step: int | None = None) -> tuple[int, list[dict[str, Any]]]:
        """Return the step and the scores of the newest evaluation, or of that at `step`.

        Step 0 and no scores when there is none. Raises StorageError when the file is damaged.
        """
        there = self.evaluations.glob("step-*.json")
        found = {int(path.stem[5:]): path for path in there if path.stem[5:].isdecimal()}
        step = max(found, default=0) if step is None else step
        if step not in found:
            return step, []
        try:
            facts = strict_json.parse_object(files.read_bytes(found[step], _LARGEST_RUN))
            return step, checked(facts.get("scores"))
        except ValueError as error:
            raise StorageError(f"{found[step]} is damaged: {error}") from None

    def saved_step(self) -> int:
        """Return the last step a checkpoint was made of, 0 without one; none is opened.

        A run that was stopped has saved steps that its journal has no record of.
        """
        names = (path.name for path in self.checkpoints.glob("*-step*"))
        return max((int(n.rpartition("-step")[2]) for n in names if _SAVED.fullmatch(n)), default=0)

    # --- writing ----------------------------------------------------------------------------

    def add_scores(self, step: int, scores: Sequence[Record]) -> tuple[Path, int]:
        """Write what was measured at `step` to what is there; return how many it replaced.

        A score that was found in the same way before gives way to the new one.
        """
        _, before = self.scores(step)
        merged, replaced = merge(before, scores)
        return self.write_json(f"evaluations/step-{step:08d}.json", {"scores": merged}), replaced

    def update(self, **facts: Any) -> None:
        """Add to `run.json`, or change it; on the disk it is whole at every instant."""
        self.run_json |= facts
        self.write_json(RUN, self.run_json)

    def write_json(self, name: str, value: Any) -> Path:
        """Write JSON to the file `name` below the folder, whole or not at all."""
        return self.write_text(name, strict_json.dump(value, indent=1) + "\n")

    def write_text(self, name: str, text: str) -> Path:
        """Write text to the file `name` below the folder, whole or not at all."""
        return self._write(name, text.encode("utf-8", "backslashreplace"))

    def write_environment(self, torch: str, extra: Iterable[str] = ()) -> Path:
        """List Python, torch, the system and every installed distribution."""
        found = {(d.metadata["Name"] or "?", d.version or "?") for d in metadata.distributions()}
        lines = [
            f"Python {sys.version.split()[0]} ({platform.python_implementation()})",
            f"torch {torch}",
            f"system {platform.platform()}",
            *extra,
            "",
            *sorted((f"{name}=={version}" for name, version in found), key=str.lower),
        ]
        text = "\n".join(files.printable(line) for line in lines)
        return self.write_text(self.environment.name, text + "\n")

    def write_origins(self, places: Mapping[str, str], written: Mapping[str, str]) -> None:
        """Say where each value of the recipe comes from; of files only their names are kept.

        `written` holds the values that were read from the environment, as references.
        """
        self.write_text(self.origins.name, origins(places, written))

    def read_origins(self) -> tuple[dict[str, str], dict[str, str]]:
        """Return what `write_origins` took: nothing when the file is not there, or damaged."""
        content: Mapping[str, Any] = {}
        with suppress(StorageError, ValueError):
            content = strict_json.parse_object(files.read_bytes(self.origins, _LARGEST_RUN))
        places, written = content.get("places"), content.get("written")
        return _texts(places), _texts(written)

    def log(self, text: str) -> None:
        """Append to `log.txt`, line by line, without control characters."""
        lines = "".join(files.printable(line) + "\n" for line in text.splitlines() or [""])
        append(self.log_file, lines.encode("utf-8"))

    def save_picture(self, picture: Picture, step: int) -> Path:
        """Write `<folder>/step-<step>.png`, the caption in its description, and return where.

        Its film, if it has one, lies beside it as a `.gif`.
        """
        content, info = BytesIO(), PngInfo()
        place = f"{picture.folder}/step-{step:08d}"
        if picture.caption:
            info.add_itxt("Description", files.printable(picture.caption))
        if picture.frames:
            self._write(f"{place}.gif", _film(picture))
        picture.image.save(content, "PNG", pnginfo=info)
        return self._write(f"{place}.png", content.getvalue())

    def _write(self, name: str, content: bytes) -> Path:
        parts = name.split("/")
        if not all(map(safe_name, parts)):
            raise ValueError(f"{name!r} is not a place inside a run folder")
        path = self.folder.joinpath(*parts)
        for above in path.parents[: len(parts) - 1]:
            if files.is_link(above):
                raise StorageError(f"{above} is a link, and nothing is written behind one")
        if len(parts) > 1:
            files.make_folders(path.parent)
        files.write_atomic(path, content)
        return path

    # --- ownership --------------------------------------------------------------------------

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Own the run: StorageError names whoever owns it already.

        The system drops the lock of a process that died, so a run is never locked for ever.
        """
        lock = filelock.FileLock(self.folder / "run.lock")
        if files.is_link(self.folder / "run.lock"):
            raise StorageError(f"{self.folder / 'run.lock'} is a link; remove it")
        with storage_errors(self.folder / "run.lock"):
            try:
                lock.acquire(timeout=0)
            except filelock.Timeout:
                raise StorageError(self._held()) from None
            except NotImplementedError:
                raise StorageError(f"{self.folder}: this file system can't lock files") from None
        try:
            self._own()
            yield
        finally:
            with suppress(OSError):  # the lock is what counts; the record only informs
                files.disk.remove(self.folder / "run.owner.json")
            lock.release()

    def seems_held(self) -> bool:
        """Return whether its last owner seems to be at work: asked without touching the lock."""
        owner = self._owner()
        process = owner.get("pid")
        if not owner or owner.get("host") != socket.gethostname() or not isinstance(process, int):
            return bool(owner)
        return process == os.getpid() or files.is_alive(process)

    def _own(self) -> None:
        """Say who we are and remove what the last owner left unfinished."""
        for folder, _, _ in os.walk(self.folder):
            files.remove_stale(Path(folder))
        now = datetime.now(UTC).isoformat(timespec="seconds")
        owner = {"host": socket.gethostname(), "pid": os.getpid(), "since": now}
        self.write_json("run.owner.json", owner)

    def _held(self) -> str:
        owner = self._owner()
        who = "another process"
        if owner:
            who = f"process {owner.get('pid')} on {owner.get('host')} since {owner.get('since')}"
        return files.printable(f"run {self.folder.name} is in use by {who}; wait for it or stop it")

    def _owner(self) -> Mapping[str, Any]:
        """Return what the last owner left of itself; nothing when it ended in order."""
        with suppress(StorageError, ValueError):
            content = files.read_bytes(self.folder / "run.owner.json", 1 << 16)
            return strict_json.parse_object(content)
        return {}


def find_run(text: str, parent: Path) -> RunFolder:
    """Return the run that `text` means: a path, or the beginning of a name or id below `parent`.

    Raises UsageError when there is none, with the nearest, or more than one.
    """
    if os.path.exists(Path(text) / RUN):  # noqa: PTH110 - any text is a question, a long one too
        return RunFolder.open(Path(text))
    known = sorted(
        run.parent for run in (*parent.glob(f"[!.]*/{RUN}"), *parent.glob(f"*/[!.]*/{RUN}"))
    )
    spoken = {folder: _spoken(folder, parent) for folder in known}
    exact = [folder for folder in known if text in spoken[folder]]
    found = exact or [f for f in known if text and any(n.startswith(text) for n in spoken[f])]
    if len(found) == 1:
        return RunFolder.open(found[0])
    if found:
        names = ", ".join(folder.relative_to(parent).as_posix() for folder in found[:10])
        raise UsageError(f"{text!r} means {len(found)} runs: {names}")
    if text and os.path.lexists(text):
        raise UsageError(_not_a_run(Path(text)))
    if text.endswith(".safetensors"):
        near = did_you_mean(text, map(str, Path(text).parent.glob("*.safetensors")))
        raise UsageError(f"there is no file {text}{near}")
    near = did_you_mean(text, {name for names in spoken.values() for name in names})
    listed = "; gantk runs list shows those there are"
    raise UsageError(f"no run in {parent} is called {text!r}{near or listed}")


def _not_a_run(path: Path) -> str:
    """Say why something that exists is no run, and which runs are in it."""
    if not path.is_dir():
        return f"{path} is not a folder; a run is one, with {RUN} in it"
    runs = [str(run.parent) for run in sorted(path.glob(f"[!.]*/{RUN}"))]
    inside = f"; the runs in it: {', '.join(runs[:10])}" if runs else ""
    return f"{path} has no {RUN}: it is not a run's folder{inside}"


def _spoken(folder: Path, parent: Path) -> tuple[str, ...]:
    """Return what a run may be called: its folder's name, with its recipe, and its id."""
    name = folder.name
    return name, folder.relative_to(parent).as_posix(), name.rpartition("-")[2]


def origins(places: Mapping[str, str], written: Mapping[str, str]) -> str:
    """Return the text of what `RunFolder.write_origins` writes."""
    short = {path: re.sub(r"^.*[/\\]", "", place) for path, place in places.items()}
    return strict_json.dump({"places": short, "written": dict(written)}, indent=1) + "\n"


def _film(picture: Picture) -> bytes:
    content, (first, *rest) = BytesIO(), picture.frames
    first.save(
        content,
        "GIF",
        save_all=True,
        append_images=rest,
        duration=picture.milliseconds,
        loop=0,  # without end
    )
    return content.getvalue()


def _texts(value: object) -> dict[str, str]:
    return {key: str(text) for key, text in value.items()} if isinstance(value, dict) else {}


def _claim(place: Path, folder: Path) -> bool:
    """Rename a folder that is not empty; only one of many who ask for a name at once gets it."""
    if os.path.lexists(folder):
        return False
    with storage_errors(folder):
        try:
            files.disk.rename(place, folder)
        except OSError as error:
            if error.errno in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):  # since we looked
                return False
            raise
        files.disk.sync_folder(folder.parent)
    return True


def folder_name(text: str, what: str) -> str:
    """Return `text`; UsageError when a folder can't be called that."""
    if not safe_name(text) or text.endswith("."):
        allowed = "letters, numbers, '_', '-' and '.', at most 100"
        raise UsageError(f"a {what} can't be called {files.printable(text)[:100]!r}; use {allowed}")
    return text
