"""A web server on this machine, as good or as bad as a test wants it to be."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Page:
    """What is at one address."""

    body: bytes = b""
    tag: str = '"one"'
    """ETag; empty: none is sent."""
    changed: str = ""
    """Last-Modified; empty: none is sent."""
    ranges: bool = True
    """Whether parts are given."""
    minds_if_range: bool = True
    code: int = 200
    to: str = ""
    """Where it redirects to."""
    stop_after: int | None = None
    """The connection is cut after this many bytes of an answer."""
    claims: int | None = None
    """The length that is announced, if it is not that of the body."""
    announces: bool = True
    """Whether a length is announced at all."""
    waits: float = 0.0
    """Seconds before the body, or the rest of it, comes."""
    waits_after: int = 0
    """How many bytes come before that wait."""


@dataclass
class Site:
    """The pages by path, and what was asked for."""

    address: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    """Path and Range of each request."""


@contextlib.contextmanager
def serving() -> Iterator[Site]:
    """Serve a site on a free port until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            """Answer a request."""
            _answer(self, site)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site = Site(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answer(handler: BaseHTTPRequestHandler, site: Site) -> None:
    span = handler.headers.get("Range", "")
    site.asked.append((handler.path, span))
    page = site.pages.get(handler.path, Page(code=404))
    total = len(page.body) if page.claims is None else page.claims
    first = _first(page, span, handler.headers.get("If-Range"))
    if page.code != 200:
        _head(handler, page.code, {"Location": page.to, "Content-Length": "0"})
    elif first >= total > 0:
        _head(handler, 416, {"Content-Range": f"bytes */{total}", "Content-Length": "0"})
    else:
        sent = {
            "Content-Range": f"bytes {first}-{total - 1}/{total}" if first else "",
            "Content-Length": str(total - first) if page.announces else "",
            "ETag": page.tag,
            "Last-Modified": page.changed,
        }
        _head(handler, 206 if first else 200, sent)
        body = page.body[first:][: page.stop_after]
        with contextlib.suppress(OSError):  # whoever asked may have gone
            handler.wfile.write(body[: page.waits_after])
            time.sleep(page.waits)
            handler.wfile.write(body[page.waits_after :])


def _first(page: Page, span: str, if_range: str | None) -> int:
    """Return the first byte to send."""
    found = re.fullmatch(r"bytes=(\d+)-", span)
    if not found or not page.ranges:
        return 0
    same = if_range in {page.tag, page.changed} - {""}
    return int(found[1]) if same or not page.minds_if_range else 0


def _head(handler: BaseHTTPRequestHandler, code: int, headers: dict[str, str]) -> None:
    handler.send_response(code)
    for name, value in headers.items():
        if value:
            handler.send_header(name, value)
    handler.end_headers()
