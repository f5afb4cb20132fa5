"""Checkpoints that survive kill -9, power cuts and full disks, and prove that they are whole.

A checkpoint is a folder: one safetensors file for each group of tensors, the facts as JSON, and a
manifest with a hash of each. It is written under a temporary name, synced, and renamed; older ones
are removed only after that. The newest is the highest sequence number in a manifest of this run,
never a time stamp, and there is no pointer file that could be wrong.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from gan_toolkit import __version__, files, strict_json
from gan_toolkit.errors import StorageError
from gan_toolkit.files import PIN, is_link, storage_errors
from gan_toolkit.snapshot import Snapshot
from gan_toolkit.tensorfile import NOTE, read_header, safe_name

FORMAT = 1
MANIFEST = "MANIFEST.json"
FACTS = "state.json"
DIVERGED = "diverged"
_FOLDER = re.compile(r"(\d{6,18})-step\d{8,18}")
_OWN_KEYS = {"format", "run", "sequence", "step", "versions", "files"}
_LARGEST_JSON = 64 * 2**20


@dataclass(frozen=True)
class Checkpoint:
    """A committed checkpoint whose manifest could be read."""

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def step(self) -> int:
        """Steps the engine had done."""
        return int(self.manifest["step"])

    @property
    def sequence(self) -> int:
        """Its place among the checkpoints of the run."""
        return int(self.manifest["sequence"])

    def verify(self) -> None:
        """Raise StorageError, naming the file, unless every file is the one that was written."""
        for name, facts in self.manifest["files"].items():
            with files.open_regular(self.folder / name) as handle:
                self._check_size(name, facts, os.fstat(handle).st_size)
                digest = hashlib.sha256()
                with storage_errors(self.folder / name, doing="read"):
                    while part := os.read(handle, 1 << 20):
                        digest.update(part)
            self._check_hash(name, facts, digest.hexdigest())

    def load(self) -> Snapshot:
        """Read everything back, checking again; StorageError names the file at fault."""
        tensors = {}
        for name in self.manifest["files"]:
            if name != FACTS:
                tensors[name.removesuffix(".safetensors")] = self._tensors(name)
        try:
            return Snapshot(tensors, strict_json.parse_object(self._content(FACTS)))
        except ValueError as error:
            raise StorageError(f"{self.folder / FACTS} is damaged: {error}") from None

    def _tensors(self, name: str) -> dict[str, Tensor]:
        path = self.folder / name
        header = read_header(path)
        if len(header.tensors) != self.manifest["files"][name]["tensors"]:
            raise StorageError(f"{path} is damaged: it holds {len(header.tensors):,} tensors")
        try:
            return safetensors.torch.load(self._content(name))
        except (safetensors.SafetensorError, ValueError, KeyError) as error:
            raise StorageError(f"{path} is damaged: {error}") from None

    def _content(self, name: str) -> bytes:
        facts = self.manifest["files"][name]
        content = files.read_bytes(self.folder / name, limit=facts["bytes"])
        self._check_size(name, facts, len(content))
        self._check_hash(name, facts, hashlib.sha256(content).hexdigest())
        return content

    def _check_size(self, name: str, facts: Mapping[str, Any], size: int) -> None:
        if size != facts["bytes"]:
            self._refuse(name, f"{size:,} bytes, {facts['bytes']:,} were written")

    def _check_hash(self, name: str, facts: Mapping[str, Any], digest: str) -> None:
        if digest != facts["sha256"]:
            self._refuse(name, "its contents are not those that were written")

    def _refuse(self, name: str, reason: str) -> None:
        """Say what is wrong; a file that belongs to another step says so itself."""
        if name != FACTS:
            step = _step_in(self.folder / name)
            if step not in (None, self.step):
                reason = f"it belongs to step {step}, this checkpoint is step {self.step}"
        raise StorageError(files.printable(f"{self.folder / name} is damaged: {reason}"))


class CheckpointStore:
    """The checkpoints of one run. Only the holder of the run's lock may save or clean."""

    def __init__(self, folder: Path, run_id: str, keep: int = 2) -> None:
        if keep < 1:
            raise ValueError(f"at least one checkpoint must be kept; found keep={keep}")
        self.folder = folder
        self.run_id = run_id
        self.keep = keep
        self._cleaned = False

    def save(self, snapshot: Snapshot, *, step: int, extra: Mapping[str, Any]) -> Path:
        """Commit a checkpoint and return its folder; remove older ones only after that.

        `extra` goes into the manifest beside our own keys. Raises StorageError; the checkpoints
        that were there are still there, and nothing half-written stays.
        """
        self.clean()
        sequence = self._next_sequence()
        final = self.folder / f"{sequence:06d}-step{step:08d}"
        self._commit(final, snapshot, sequence, step, extra)
        self._retire()
        return final

    def save_diverged(self, snapshot: Snapshot, *, step: int, extra: Mapping[str, Any]) -> Path:
        """Keep a state that went wrong, for a look at it, and return its folder.

        It has the form of a checkpoint and is none: nothing finds it, and the next such state takes
        its place. Raises StorageError.
        """
        self.clean()
        for old in self.folder.glob(f"{DIVERGED}-*"):
            self._remove(old)
        final = self.folder / f"{DIVERGED}-{step:08d}"
        self._commit(final, snapshot, 0, step, extra)
        return final

    def require_room(self, size: int) -> None:
        """Raise StorageError unless the disk takes all that will lie here, `size` bytes each.

        That is one more than are kept: the oldest goes when the newest is committed.
        """
        self.clean()
        missing = max(self.keep + 1 - len(self.all([])), 1)
        with storage_errors(self.folder):
            free = shutil.disk_usage(self.folder).free
        if free < missing * size:
            raise StorageError(
                f"{self.folder}: {missing} checkpoints of {size:,} bytes don't fit into {free:,} "
                "free; make room, or keep fewer: run.keep_checkpoints"
            )

    def all(self, notes: list[str]) -> list[Checkpoint]:
        """Return the checkpoints of this run, oldest first; note whatever can't be one."""
        found = []
        for folder in self._folders():
            try:
                checkpoint = Checkpoint(folder, _read_manifest(folder))
            except StorageError as error:
                notes.append(str(error))
                continue
            if checkpoint.manifest["run"] == self.run_id:
                found.append(checkpoint)
            else:
                notes.append(f"{folder} belongs to another run")
        return sorted(found, key=lambda checkpoint: checkpoint.sequence)

    def newest(self, notes: list[str]) -> Checkpoint | None:
        """Return the newest checkpoint that is whole; note each damaged file passed over."""
        for checkpoint in reversed(self.all(notes)):
            try:
                checkpoint.verify()
            except StorageError as error:
                notes.append(str(error))
            else:
                return checkpoint
        return None

    def clean(self) -> list[str]:
        """Make the folder if need be, and remove what dead processes left; once for each store."""
        if self._cleaned:
            return []
        self._refuse_link()
        files.make_folders(self.folder)
        self._cleaned = True
        return files.remove_stale(self.folder)

    def _commit(
        self, final: Path, snapshot: Snapshot, sequence: int, step: int, extra: Mapping[str, Any]
    ) -> None:
        with files.temporary(self.folder) as unfinished, storage_errors(final):
            files.disk.make_folder(unfinished)
            written = self._write(unfinished, snapshot, step)
            manifest = self._manifest(written, sequence, step, extra)
            text = strict_json.dump(manifest, indent=1) + "\n"
            files.write_new(unfinished / MANIFEST, text.encode())
            files.disk.sync_folder(unfinished)
            files.disk.rename(unfinished, final)
            files.disk.sync_folder(self.folder)

    def _write(self, folder: Path, snapshot: Snapshot, step: int) -> dict[str, Any]:
        note = {NOTE: strict_json.dump({"step": step})}
        written = {}
        for group, tensors in snapshot.tensors.items():
            content = safetensors.torch.save(separate(tensors), metadata=note)
            name = f"{group}.safetensors"
            files.write_new(folder / name, content)
            written[name] = {**_facts_of(content), "tensors": len(tensors)}
        content = strict_json.dump(snapshot.facts).encode()
        files.write_new(folder / FACTS, content)
        return written | {FACTS: _facts_of(content)}

    def _manifest(
        self, written: Mapping[str, Any], sequence: int, step: int, extra: Mapping[str, Any]
    ) -> dict[str, Any]:
        if taken := _OWN_KEYS & extra.keys():
            raise ValueError(f"the manifest writes {', '.join(sorted(taken))} itself")
        return {
            "format": FORMAT,
            "run": self.run_id,
            "sequence": sequence,
            "step": step,
            "versions": {"gan-toolkit": __version__, "torch": torch.__version__},
            **extra,
            "files": dict(written),
        }

    def _next_sequence(self) -> int:
        """Count on from the highest number in any name or manifest, damaged ones included."""
        names = (_FOLDER.fullmatch(folder.name) for folder in self._folders())
        numbers = [int(match[1]) for match in names if match]
        return max([0, *numbers, *(found.sequence for found in self.all([]))]) + 1

    def _retire(self) -> None:
        """Remove all but the newest."""
        ours = [found for found in self.all([]) if not (found.folder / PIN).exists()]
        for old in ours[: -self.keep]:
            self._remove(old.folder)

    def _remove(self, folder: Path) -> None:
        """Remove a folder; it is renamed first, so that none is ever half gone."""
        with storage_errors(folder), files.temporary(self.folder) as doomed:
            files.disk.rename(folder, doomed)
            files.remove_tree(doomed)

    def _folders(self) -> list[Path]:
        self._refuse_link()
        if not self.folder.is_dir():
            return []
        with storage_errors(self.folder, doing="read"):
            inside = sorted(self.folder.iterdir())
        return [p for p in inside if _FOLDER.fullmatch(p.name) and p.is_dir() and not is_link(p)]

    def _refuse_link(self) -> None:
        if is_link(self.folder):
            raise StorageError(f"{self.folder} is a link, and checkpoints are not kept behind one")


def separate(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return tensors on the CPU that share no memory: each range of a file has one owner."""
    seen: set[int] = set()
    apart = {}
    for name, tensor in tensors.items():
        own = tensor.detach().cpu().contiguous()
        place = own.untyped_storage().data_ptr()
        if place in seen:
            own = own.clone()
        seen.add(place)
        apart[name] = own
    return apart


def _facts_of(content: bytes) -> dict[str, Any]:
    return {"bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def _step_in(path: Path) -> Any:
    """Return the step a tensor file says it belongs to; None when it can't be read."""
    try:
        return strict_json.parse_object(read_header(path).note).get("step")
    except (StorageError, ValueError):
        return None


def _read_manifest(folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    content = files.read_bytes(path, limit=_LARGEST_JSON)
    try:
        manifest = strict_json.parse_object(content)
        _check_manifest(manifest)
    except ValueError as error:
        raise StorageError(files.printable(f"{path} is damaged: {error}")) from None
    return manifest


def _check_manifest(manifest: Mapping[str, Any]) -> None:
    """Raise ValueError unless every key that we rely on is there and of its kind."""
    if not _count(manifest.get("format")):
        raise ValueError("no format")
    if manifest["format"] != FORMAT:
        raise ValueError(f"format {manifest['format']}; this gan-toolkit reads {FORMAT}")
    for key in ("sequence", "step"):
        if not _count(manifest.get(key)):
            raise ValueError(f"{key!r} is not a count")
    if not isinstance(manifest.get("run"), str):
        raise ValueError("'run' is not text")
    listed = manifest.get("files")
    if not isinstance(listed, dict) or FACTS not in listed:
        raise ValueError(f"it doesn't list {FACTS}")
    for name, facts in listed.items():
        _check_listed(name, facts)


def _check_listed(name: str, facts: Any) -> None:
    group = re.fullmatch(r"([a-z_]+)\.safetensors", name)
    if name != FACTS and not (group and safe_name(name)):
        raise ValueError(f"it lists a file named {name!r:.80}")
    counts = ("bytes",) if name == FACTS else ("bytes", "tensors")
    sound = isinstance(facts, dict) and all(_count(facts.get(key)) for key in counts)
    if not sound or not isinstance(facts.get("sha256"), str):
        raise ValueError(f"its entry for {name} is not sound")


def _count(value: Any) -> bool:
    return type(value) is int and value >= 0
