"""One file over HTTP, going on where a former attempt stopped.

A file that has changed at its address since is never spliced on (RFC 9110, 13.1.5).
"""

from __future__ import annotations

import http.client
import os
import re
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import IO, Any
from urllib import request
from urllib.error import HTTPError, URLError
from urllib.parse import urlsplit

from gan_toolkit import __version__, files
from gan_toolkit.errors import PluginError
from gan_toolkit.fetching.parts import Part, Tell, Version, require_space
from gan_toolkit.fetching.wanted import NotGot, Wanted

TIMEOUT = 30.0
"""Seconds without a byte after which a server is given up."""
_CHUNK = 1 << 18
_SCHEMES = ("http", "https")
_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")
_HANDLERS = (
    *(request.ProxyHandler, request.UnknownHandler, request.HTTPHandler, request.HTTPSHandler),
    *(request.HTTPDefaultErrorHandler, request.HTTPErrorProcessor),
)
"""Those of `urlopen`, less the ones for files and for schemes that nobody here needs."""


def download(wanted: Wanted, tell: Tell, timeout: float = TIMEOUT) -> None:
    """Get one file from its address, and put it in place if it is what was wanted.

    Raises NotGot with the reason; what has come by then is kept, unless it is something else.
    """
    url = wanted.origin
    if urlsplit(url).scheme not in _SCHEMES:
        raise PluginError(f"{url!r} is no address: one starts with http:// or https://")
    part = Part(wanted.place)
    files.make_folders(wanted.place.parent)
    try:
        if not _has_all(part, url):
            with _network_errors(url, timeout):
                _receive(wanted, part, tell, timeout)
        if difference := wanted.difference(part.path):
            raise _SomethingElse(f"what came from {url} {difference}; it was thrown away")
    except _SomethingElse:
        part.remove()
        raise
    part.finish()


def _has_all(part: Part, url: str) -> bool:
    """Return whether a process was stopped after the last byte, before the file had its name."""
    noted = part.version
    return noted.url == url and 0 < noted.size == part.length


def _receive(wanted: Wanted, part: Part, tell: Tell, timeout: float) -> None:
    answer, done = _asked(wanted.origin, part, timeout)
    with answer:
        version = _version(wanted.origin, answer, done)
        _require_size(wanted, version.size)
        require_space(part.path.parent, (version.size or wanted.size) - done)
        handle = part.begin(version, done)
        try:
            _write_all(answer, handle, done, version.size, wanted, tell)
            with files.storage_errors(part.path):
                files.disk.sync(part.path, handle)
        finally:
            os.close(handle)


def _require_size(wanted: Wanted, size: int) -> None:
    """Refuse what announces itself as something else, before it comes."""
    if size > wanted.most or (wanted.size and size and size != wanted.size):
        most = "" if wanted.size else "at most "
        raise NotGot(
            f"{wanted.origin} has {size:,} bytes, expected {most}{wanted.most:,}: it is another "
            "file now"
        )


def _write_all(
    answer: http.client.HTTPResponse, handle: int, done: int, size: int, wanted: Wanted, tell: Tell
) -> None:
    """Append what comes, up to the size that was announced, or to the end if none was."""
    while not size or done < size:
        block = answer.read1(min(_CHUNK, size - done) if size else _CHUNK)
        if not block:
            break
        done += len(block)
        if done > wanted.most:
            most = f"{wanted.most:,} bytes it can have"
            raise _SomethingElse(f"{wanted.origin} sends more than the {most}; it was thrown away")
        with files.storage_errors(wanted.place, needed=len(block)):
            files.disk.write(wanted.place, handle, block)
        tell(wanted.path, done, size or wanted.size)
    if done < size:
        raise NotGot(f"{wanted.origin}: the connection ended after {done:,} of {size:,} bytes")


# --- asking ----------------------------------------------------------------------------------


def _asked(url: str, part: Part, timeout: float) -> tuple[http.client.HTTPResponse, int]:
    """Ask for what is lacking; return the answer, and how many bytes of the part it follows on."""
    noted, length = part.version, part.length
    if length and noted.validator and noted.url == url:
        with suppress(_OutOfRange):
            rest = {"Range": f"bytes={length}-", "If-Range": noted.validator}
            answer = _open(url, timeout, rest)
            if answer.status == http.client.OK:
                return answer, 0
            if _follows_on(answer, noted, length):
                return answer, length
            answer.close()
    answer = _open(url, timeout, {})
    if answer.status != http.client.OK:
        with answer:
            raise NotGot(f"{url}: the server answered {answer.status} {answer.reason}")
    return answer, 0


class _SomethingElse(NotGot):
    """What came is not what was wanted: nothing of it is kept."""


class _OutOfRange(Exception):
    """The server has no such part of the file."""


def _open(url: str, timeout: float, headers: dict[str, str]) -> http.client.HTTPResponse:
    opener = request.OpenerDirector()
    for handler in (*_HANDLERS, _Redirects):
        opener.add_handler(handler())
    # As it is there: what is packed on the way has other sums and can't be gone on with.
    own = {"User-Agent": f"gan-toolkit/{__version__}", "Accept-Encoding": "identity"}
    try:
        answer: http.client.HTTPResponse = opener.open(
            request.Request(url, headers={**own, **headers}), timeout=timeout
        )
    except HTTPError as error:
        if error.code != http.client.REQUESTED_RANGE_NOT_SATISFIABLE or "Range" not in headers:
            raise
        error.close()
        raise _OutOfRange from error
    return answer


class _Redirects(request.HTTPRedirectHandler):
    """Follows to other addresses of the same kind only."""

    def redirect_request(
        self, req: request.Request, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str
    ) -> request.Request | None:
        """Return the next request."""
        if urlsplit(newurl).scheme not in _SCHEMES:
            raise HTTPError(newurl, code, f"{msg} - it leads to {newurl}", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _version(url: str, answer: http.client.HTTPResponse, done: int) -> Version:
    """Return which file an answer is from; `done` bytes of it are not in the answer."""
    tag = answer.headers.get("ETag", "")
    weak = tag.startswith("W/")  # of files that mean the same, byte by byte or not
    validator = tag if tag and not weak else answer.headers.get("Last-Modified", "")
    return Version(url, validator, done + answer.length if answer.length is not None else 0)


def _follows_on(answer: http.client.HTTPResponse, noted: Version, length: int) -> bool:
    """Return whether an answer is the rest of a file, also from a server that minds no If-Range."""
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    if answer.status != http.client.PARTIAL_CONTENT or not found or int(found[1]) != length:
        return False
    now = _version(noted.url, answer, length)
    same_size = not (now.size and noted.size) or now.size == noted.size
    return same_size and now.validator == noted.validator


# --- errors ----------------------------------------------------------------------------------


@contextmanager
def _network_errors(url: str, timeout: float) -> Iterator[None]:
    try:
        yield
    except (OSError, http.client.HTTPException, UnicodeError) as error:
        if isinstance(error, HTTPError):
            error.close()
        raise NotGot(f"{url}: {_cause(error, timeout)}") from error


def _cause(error: BaseException, timeout: float) -> str:
    if isinstance(error, HTTPError):
        return f"the server answered {error.code} {error.reason}"
    if isinstance(error, URLError) and isinstance(error.reason, BaseException):
        return _cause(error.reason, timeout)
    if isinstance(error, TimeoutError):
        return f"nothing came for {timeout:g} seconds"
    if isinstance(error, socket.gaierror):
        return f"its host can't be found ({error.strerror}); this machine may be offline"
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection ({error.reason or error})"
    return getattr(error, "strerror", None) or str(error) or type(error).__name__
