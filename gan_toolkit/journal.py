"""The journal of a run: records that only grow in number, until a resume cuts them."""

from __future__ import annotations

import hashlib
import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from gan_toolkit import files, strict_json
from gan_toolkit.errors import ResumeError, StorageError
from gan_toolkit.files import storage_errors

RESOLVED = "recipe.resolved.toml"
"""The recipe with every value, beside the journal."""
_TAIL = 1 << 20
"""Bytes, more than a record takes."""


class Journal:
    """Records, a line of JSON each; the file only grows, and a resume cuts it.

    A last line that a crash left unfinished never counts.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._length: int | None = None
        self._digest = hashlib.sha256()

    def append(self, record: Mapping[str, Any]) -> None:
        """Write one record; ValueError names a value that is not JSON, NaN included."""
        line = strict_json.dump(dict(record)).encode() + b"\n"
        length = self._open()
        try:
            append(self.path, line)
        except StorageError:
            # Part of the line may be there: the next append must not be glued to it.
            self._length = None
            raise
        self._length = length + len(line)
        self._digest.update(line)

    def sync(self) -> tuple[int, str]:
        """Make all records durable; return their bytes and SHA-256, for a manifest."""
        length = self._open()
        with storage_errors(self.path):
            handle = files.disk.open_to_change(self.path)
            try:
                files.disk.sync(self.path, handle)
            finally:
                os.close(handle)
            files.disk.sync_folder(self.path.parent)
        return length, self._digest.hexdigest()

    def cut(self, length: int, sha256: str | None = None) -> Path | None:
        """Go back to the first `length` bytes; keep the rest beside it and return where.

        Raises ResumeError when the journal is shorter, or its beginning is not the one that
        `sha256` was taken of.
        """
        content = self._content()
        if len(content) < length:
            found = f"{len(content):,} bytes, the checkpoint saw {length:,}"
            raise ResumeError(f"{self.path} is shorter than it was: {found}; {self._remedy()}")
        if sha256 is not None and hashlib.sha256(content[:length]).hexdigest() != sha256:
            raise ResumeError(
                f"{self.path} is not the journal that the checkpoint saw; {self._remedy()}"
            )
        kept = self._keep(content[length:]) if len(content) > length else None
        self._cut_to(length)
        return kept

    def read(self) -> list[dict[str, Any]]:
        """Return all records; StorageError names a damaged line that is not the last."""
        content = self._content()
        lines = content.splitlines()
        records = []
        for number, line in enumerate(lines, 1):
            try:
                records.append(strict_json.parse_object(line))
            except ValueError as error:
                if number == len(lines):
                    break
                raise StorageError(
                    f"{self.path}:{number} is damaged: {error}; {self._remedy()}"
                ) from None
        # Complete or not, a line without its end was never committed.
        return records if content.endswith(b"\n") else records[: len(lines) - 1]

    def last(self) -> dict[str, Any] | None:
        """Return the last whole record, the others unread; None when there is none to be read."""
        if not self.path.exists():
            return None
        with files.open_regular(self.path) as handle:
            size = min(os.fstat(handle).st_size, _TAIL)
            os.lseek(handle, -size, os.SEEK_END)
            lines = files.read_exactly(self.path, handle, size).rpartition(b"\n")[0]
        try:
            return strict_json.parse_object(lines.rpartition(b"\n")[2])
        except ValueError:
            return None

    def _remedy(self) -> str:
        """Say what helps a run whose journal is damaged; its checkpoints are whole."""
        recipe = shlex.quote(str(self.path.with_name(RESOLVED)))
        return f"put the journal back, or start a new run: gantk run {recipe}"

    def _content(self) -> bytes:
        if not self.path.exists():
            return b""
        return files.read_bytes(self.path, limit=1 << 40)

    def _open(self) -> int:
        """Return the bytes of whole lines; the first time, drop a line that a crash left torn."""
        if self._length is None:
            content = self._content()
            whole = content.rfind(b"\n") + 1
            if whole < len(content):
                self._cut_to(whole)
            self._length = whole
            self._digest = hashlib.sha256(content[:whole])
        return self._length

    def _cut_to(self, length: int) -> None:
        with storage_errors(self.path):
            handle = files.disk.open_to_change(self.path)
            try:
                files.disk.cut(self.path, handle, length)
                files.disk.sync(self.path, handle)
            finally:
                os.close(handle)
        self._length = None

    def _keep(self, tail: bytes) -> Path:
        for number in range(1, 1_000_000):
            kept = self.path.with_name(f"{self.path.stem}.discarded-{number}.jsonl")
            if not os.path.lexists(kept):
                break
        files.write_atomic(kept, tail)
        return kept


def append(path: Path, data: bytes) -> None:
    """Write `data` at the end of a file, made if need be."""
    with storage_errors(path, needed=len(data)):
        handle = files.disk.open_to_change(path)
        try:
            files.disk.write(path, handle, data)
        finally:
            os.close(handle)
