"""The archive of a package, got by the client that a person's machine has for its index."""

from __future__ import annotations

import hashlib
import logging
import re
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from gan_toolkit.errors import PluginError
from gan_toolkit.fetching.wanted import NotGot
from gan_toolkit.files import printable
from gan_toolkit.sources import Package

_SAID = 300
"""Characters that are repeated of what a client complains of."""
_log = logging.getLogger("gantk")


@dataclass(frozen=True)
class Client:
    """How one index is asked for an archive, into the folder the client is started in.

    No code of a package runs: npm is told to run no scripts, and pip to take wheels only, because
    it would build a source archive to learn what it is.
    """

    programs: tuple[str, ...]
    """The client, and what else is needed to read the archive."""
    arguments: tuple[str, ...]
    suffix: str
    names: re.Pattern[str]
    """Names of packages: what looks like an option, a path or an address is none."""
    remedy: str

    def command(self, package: Package) -> list[str]:
        """Return the words of the command; PluginError if name or version are none."""
        fine = self.names.fullmatch(package.name) and _VERSION.fullmatch(package.version)
        if not fine:
            raise PluginError(
                f"the source of a data set names the {package.kind} package {package.name!r} of "
                f"version {package.version!r}, which can't be one"
            )
        facts = {"name": package.name, "version": package.version}
        return [self.programs[0], *(word.format_map(facts) for word in self.arguments)]

    @property
    def lacking(self) -> list[str]:
        """The programs that are not on this machine."""
        return [program for program in self.programs if shutil.which(program) is None]


_VERSION = re.compile(r"[0-9A-Za-z][0-9A-Za-z.+~:_-]*")
CLIENTS = {
    "npm": Client(
        ("npm",),
        ("pack", "--ignore-scripts", "--loglevel=error", "{name}@{version}"),
        ".tgz",
        re.compile(r"(@[a-z0-9][\w.-]*/)?[a-z0-9][\w.-]*"),
        "npm comes with Node.js",
    ),
    "pypi": Client(
        ("pip",),
        (
            *("download", "--quiet", "--no-input", "--disable-pip-version-check"),
            *("--no-deps", "--only-binary=:all:", "{name}=={version}"),
        ),
        ".whl",
        re.compile(r"[0-9A-Za-z][\w.-]*"),
        "pip comes with Python: python -m ensurepip",
    ),
    "debian": Client(
        ("apt-get", "dpkg-deb"),
        ("download", "--quiet", "{name}={version}"),
        ".deb",
        re.compile(r"[a-z0-9][a-z0-9.+-]+"),
        "Debian and Ubuntu have apt-get and dpkg-deb",
    ),
}
"""By kind of package."""


def choose(packages: Sequence[Package]) -> Package:
    """Return the first package whose client is here; NotGot says what is lacking."""
    lacks = []
    for package in packages:
        client = CLIENTS[package.kind]
        if not client.lacking:
            return package
        lacks.append(
            f"the {package.kind} package {package.name} needs {' and '.join(client.lacking)}, "
            f"which this machine lacks ({client.remedy})"
        )
    raise NotGot("; ".join(lacks))


def get_archive(package: Package, folder: Path) -> Path:
    """Let the client put the archive of a package into `folder`, an empty one; return its path.

    Raises NotGot with what the client says.
    """
    client = CLIENTS[package.kind]
    words = client.command(package)
    program = shutil.which(words[0])
    if program is None:
        raise NotGot(f"{words[0]} is not on this machine ({client.remedy})")
    shown = shlex.join(words)
    _log.info("running %s", shown)
    done = subprocess.run(
        [program, *words[1:]],
        cwd=folder,
        stdin=subprocess.DEVNULL,  # nobody is asked anything
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        said = printable(done.stderr.strip() or done.stdout.strip())[:_SAID].strip()
        raise NotGot(f"`{shown}` failed with exit code {done.returncode}: {said}")
    found = [path for path in folder.iterdir() if path.suffix == client.suffix and path.is_file()]
    if len(found) != 1:
        raise NotGot(f"`{shown}` left {len(found)} files that end in {client.suffix}, expected one")
    return found[0]


def unlike(archive: Path, package: Package) -> str:
    """Return in what an archive is not the one that is known, both values, or nothing."""
    with archive.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    if found == package.sha256:
        return ""
    return f"{archive.name} has sha256 {found}, expected {package.sha256}"
