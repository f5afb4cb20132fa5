"""Files out of packages, got by clients that stand in for npm, pip and apt-get."""

from __future__ import annotations

import hashlib
import io
import stat
import sys
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import pytest

from gan_toolkit import files
from gan_toolkit.errors import DataError, PluginError
from gan_toolkit.fetching import archives, order
from gan_toolkit.sources import Download, Package, Source, SourceFile
from gan_toolkit.testing.disks import HastyDisk

Kind = Literal["npm", "pypi", "debian"]
CONTENT = {"in/a": b"alpha", "in/b": b"beta"}
PLACES = {"in/a": "set/a", "in/b": "set/b"}
SUFFIXES = {"npm": ".tgz", "pypi": ".whl", "debian": ".deb"}

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="the clients are shell scripts")


@pytest.fixture(autouse=True)
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "disk", HastyDisk())


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of programs, the only one: no client of this machine is found."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))
    return folder


def program(folder: Path, name: str, text: str) -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\nPATH=/usr/bin:/bin\n{text}\n")
    path.chmod(0o755)


class Index:
    """An index with one package; its client copies the archive and notes how it was called."""

    def __init__(self, kind: Kind, folder: Path, programs: Path) -> None:
        self.kind, self.root, self.programs = kind, folder / "data", programs
        self.archive = folder / f"archive{SUFFIXES[kind]}"
        self.calls = folder / "calls"
        client = {"npm": "npm", "pypi": "pip", "debian": "apt-get"}[kind]
        program(programs, client, f'echo "$@" > {self.calls}\ncp {self.archive} .')
        if kind == "debian":
            program(programs, "dpkg-deb", 'cat "$2"')  # our packages are plain tars

    def pack(self, content: Mapping[str, bytes]) -> None:
        if self.kind == "pypi":
            with zipfile.ZipFile(self.archive, "w") as zipped:
                for name, data in content.items():
                    zipped.writestr(name, data)
        else:
            names = {name: f"./{name}" if name in CONTENT else name for name in content}
            self.pack_tar([(tarfile.TarInfo(names[n]), data) for n, data in content.items()])

    def pack_tar(self, members: list[tuple[tarfile.TarInfo, bytes]]) -> None:
        mode = "w:gz" if self.kind == "npm" else "w"
        with tarfile.open(self.archive, mode) as tar:
            for member, data in members:
                member.size = member.size or len(data)
                tar.addfile(member, io.BytesIO(data) if data else None)

    def source(self, **changes: Any) -> Source:
        facts: dict[str, Any] = {
            "kind": self.kind,
            "name": "some-data",
            "version": "1.2",
            "sha256": hashlib.sha256(self.archive.read_bytes()).hexdigest(),
            "members": PLACES,
        }
        return source(Package(**{**facts, **changes}))

    def get(self, source: Source | None = None, *, force: bool = False) -> dict[str, bytes]:
        wanted = order(source or self.source(), self.root, "package")
        got = wanted.carry_out(lambda *_: None, force=force)
        return {file.path: file.place.read_bytes() for file in got}

    @property
    def there(self) -> list[str]:
        return sorted(path.name for path in self.root.rglob("*") if not path.name.startswith("."))


def source(*packages: Package, **more: Any) -> Source:
    return Source("some", "Some", "what", "who", "licence", "how", packages=packages, **more)


@pytest.fixture(params=["npm", "pypi", "debian"])
def index(request: pytest.FixtureRequest, tmp_path: Path, programs: Path) -> Index:
    index = Index(request.param, tmp_path, programs)
    index.pack({**CONTENT, "in/code.py": b"raise SystemExit"})
    return index


@pytest.fixture
def npm(tmp_path: Path, programs: Path) -> Index:
    return Index("npm", tmp_path, programs)


GOT = {"set/a": b"alpha", "set/b": b"beta"}


def test_members_are_put_where_they_belong_and_nothing_else(index: Index) -> None:
    assert index.get() == GOT
    assert index.there == ["a", "b", "set"]
    assert not list(index.root.glob(".tmp*"))


def test_clients_are_called_with_the_version_and_run_no_code(index: Index) -> None:
    index.get()

    assert (
        index.calls.read_text().strip()
        == {
            "npm": "pack --ignore-scripts --loglevel=error some-data@1.2",
            "pypi": "download --quiet --no-input --disable-pip-version-check --no-deps "
            "--only-binary=:all: some-data==1.2",
            "debian": "download --quiet some-data=1.2",
        }[index.kind]
    )


def test_what_is_there_is_not_got_again(index: Index) -> None:
    index.get()
    index.calls.unlink()

    assert index.get() == GOT
    assert not index.calls.exists()


def test_only_what_lacks_is_replaced(index: Index) -> None:
    index.get()
    (index.root / "set" / "a").write_bytes(b"mine")
    (index.root / "set" / "b").unlink()

    assert index.get() == {"set/a": b"mine", "set/b": b"beta"}


# --- sums ------------------------------------------------------------------------------------


def test_another_package_is_refused_with_both_sums(index: Index) -> None:
    sha256 = hashlib.sha256(index.archive.read_bytes()).hexdigest()

    with pytest.raises(DataError, match=f"has sha256 {sha256}, expected {'0' * 64}.*--force"):
        index.get(index.source(sha256="0" * 64))

    assert index.there == []


def test_another_package_is_taken_if_one_insists(
    index: Index, caplog: pytest.LogCaptureFixture
) -> None:
    assert index.get(index.source(sha256="0" * 64), force=True) == GOT
    assert "taken all the same" in caplog.text


@pytest.mark.parametrize("force", [True, False])
def test_contents_must_be_right_where_they_are_known(index: Index, force: bool) -> None:
    known = SourceFile("b", 4, "0" * 32)
    facts = vars(index.source()) | {"files": (known,)}

    with pytest.raises(DataError, match=f"member 'in/b' has md5 .*, expected {'0' * 32}"):
        index.get(Source(**facts), force=force)

    assert index.there == ["set"]


# --- archives --------------------------------------------------------------------------------


def test_a_member_that_lacks_is_named(index: Index) -> None:
    index.pack({"in/a": b"alpha"})

    with pytest.raises(DataError, match="has no member in/b"):
        index.get()

    assert index.there == ["set"]


@pytest.mark.parametrize("name", ["../in/a", "in/../../a", "/in/a", "in\\a", "C:/a"])
def test_a_name_that_leads_out_ends_it(index: Index, name: str) -> None:
    index.pack({**CONTENT, name: b"evil"})

    with pytest.raises(DataError, match="leads out of the archive"):
        index.get()

    assert index.there == ["set"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE])
def test_a_tar_s_link_is_no_file(npm: Index, kind: bytes) -> None:
    link = tarfile.TarInfo("in/a")
    link.type, link.linkname = kind, "/etc/passwd"
    npm.pack_tar([(link, b""), (tarfile.TarInfo("in/b"), b"beta")])

    with pytest.raises(DataError, match="member 'in/a' is not a plain file"):
        npm.get()


def test_a_zip_s_link_is_no_file(tmp_path: Path, programs: Path) -> None:
    index = Index("pypi", tmp_path, programs)
    link = zipfile.ZipInfo("in/a")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(index.archive, "w") as zipped:
        zipped.writestr(link, "/etc/passwd")

    with pytest.raises(DataError, match="member 'in/a' is not a plain file"):
        index.get()


def test_a_member_that_claims_too_much_is_not_begun(npm: Index) -> None:
    huge = tarfile.TarInfo("in/a")
    huge.size = 1 << 40
    npm.pack_tar([(huge, b"")])

    with pytest.raises(DataError, match=r"claims 1,099,511,627,776 bytes, at most"):
        npm.get()


def test_a_member_may_not_claim_more_than_is_known_of_it(npm: Index) -> None:
    npm.pack({"in/a": bytes(5000), "in/b": b"beta"})
    facts = vars(npm.source()) | {"files": (SourceFile("a", 5),)}

    with pytest.raises(DataError, match="claims 5,000 bytes, at most"):
        npm.get(Source(**facts))


def test_a_member_occurs_once(npm: Index) -> None:
    npm.pack_tar([(tarfile.TarInfo("in/a"), b"one"), (tarfile.TarInfo("./in/a"), b"two")])

    with pytest.raises(DataError, match="'in/a' occurs twice"):
        npm.get()


@pytest.mark.parametrize("share", [0.0, 0.07, 0.14])
def test_an_archive_that_is_cut_is_told(index: Index, share: float) -> None:
    whole = index.archive.read_bytes()
    index.archive.write_bytes(whole[: int(len(whole) * share)])

    with pytest.raises(DataError, match=r"archive\.\w+ (can't be read|has no member)"):
        index.get()

    assert not (index.root / "set" / "a").exists()


def test_an_encrypted_zip_is_told(tmp_path: Path, programs: Path) -> None:
    index = Index("pypi", tmp_path, programs)
    index.pack(CONTENT)
    whole = bytearray(index.archive.read_bytes())
    for start in (whole.find(b"PK\3\4") + 6, whole.find(b"PK\1\2") + 8):
        whole[start] |= 1
    index.archive.write_bytes(whole)

    with pytest.raises(DataError, match=r"can't be read.*encrypted"):
        index.get()


def test_what_dpkg_deb_complains_of_is_told(tmp_path: Path, programs: Path) -> None:
    index = Index("debian", tmp_path, programs)
    index.pack(CONTENT)
    program(programs, "dpkg-deb", 'cat "$2"; echo "it is not well" >&2; exit 2')

    with pytest.raises(DataError, match=r"dpkg-deb can't read archive\.deb: it is not well"):
        index.get()

    assert index.there == ["set"]


def test_a_full_disk_leaves_no_half(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    class Full(HastyDisk):
        def write(self, path: Path, handle: int, data: bytes) -> None:
            if data == b"beta":
                raise OSError(28, "No space left on device")
            super().write(path, handle, data)

    monkeypatch.setattr(files, "disk", Full())

    with pytest.raises(Exception, match="disk full"):
        index.get()

    assert index.there == ["set"]
    assert not list(index.root.rglob(".tmp*"))


def test_nothing_is_left_of_a_stop(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(archives, "_copy", stop)

    with pytest.raises(KeyboardInterrupt):
        index.get()

    assert index.there == ["set"]
    assert not list(index.root.rglob(".tmp*"))


# --- clients ---------------------------------------------------------------------------------


def test_a_client_that_lacks_is_named_with_what_would_do(index: Index) -> None:
    missing = {"npm": "npm", "pypi": "pip", "debian": "dpkg-deb"}[index.kind]
    there = index.source()
    (index.programs / missing).unlink()

    with pytest.raises(DataError, match=f"needs {missing}, which this machine lacks") as raised:
        index.get(there)
    with pytest.raises(DataError, match="gantk data fetch some --from web"):
        index.get(source(*there.packages, downloads=(Download("a", "http://a"),)))

    assert str(raised.value).endswith(f"put the files by hand below {index.root}")


def test_the_first_package_whose_client_is_here_is_taken(npm: Index) -> None:
    npm.pack(CONTENT)
    there = npm.source().packages[0]
    other = Package("pypi", "other", "1", "", {"x": "set/x"})

    assert npm.get(source(other, there)) == GOT


@pytest.mark.parametrize(
    ("script", "text"),
    [
        (
            "echo 'E: no such version' >&2; exit 100",
            "failed with exit code 100: E: no such version",
        ),
        ("echo out; exit 1", "failed with exit code 1: out"),
        ("exit 0", "left 0 files that end in .tgz, expected one"),
        ("touch a.tgz b.tgz", "left 2 files"),
        ("mkdir a.tgz", "left 0 files"),
    ],
)
def test_what_a_client_says_is_told(npm: Index, script: str, text: str) -> None:
    npm.pack(CONTENT)
    program(npm.programs, "npm", script)

    with pytest.raises(DataError, match=text):
        npm.get()

    assert npm.there == []


@pytest.mark.parametrize(
    ("kind", "name", "version"),
    [
        ("npm", "user/repository", "1"),
        ("npm", "./folder", "1"),
        ("npm", "--version", "1"),
        ("npm", "git+ssh://host/x", "1"),
        ("npm", "a", "1 2"),
        ("pypi", "-r", "1"),
        ("pypi", "a @ http://x", "1"),
        ("debian", "--help", "1"),
        ("debian", "a", "-1"),
        ("npm", "a", ""),
    ],
)
def test_what_can_be_no_package_is_the_plugin_s_fault(
    tmp_path: Path, programs: Path, kind: Kind, name: str, version: str
) -> None:
    index = Index(kind, tmp_path, programs)
    index.pack(CONTENT)

    with pytest.raises(PluginError, match="which can't be one"):
        index.get(index.source(name=name, version=version))

    assert not index.calls.exists()


@pytest.mark.parametrize("name", ["@scope/some-data", "some.data_2"])
def test_names_of_npm(npm: Index, name: str) -> None:
    npm.pack(CONTENT)

    assert npm.get(npm.source(name=name)) == GOT


def test_members_stay_below_the_data_folder(npm: Index) -> None:
    npm.pack(CONTENT)

    with pytest.raises(PluginError, match="stays below it"):
        npm.get(npm.source(members={"in/a": "../a"}))


def test_the_environment_reaches_the_client(npm: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    """Proxies and registries are the user's own."""
    npm.pack(CONTENT)
    monkeypatch.setenv("npm_config_registry", "mine")
    program(npm.programs, "npm", f'test "$npm_config_registry" = mine && cp {npm.archive} .')

    assert npm.get() == GOT
