"""A headless browser for tests of pages, driven by the W3C WebDriver protocol: JSON over HTTP.

What is asked of it here is a dozen calls, so they are made by hand: no package, and none that
would fetch a driver from a network. Chromium and its driver are those of the system.
"""

from __future__ import annotations

import http.client
import json
import os
import re
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")
KEYS = {
    "Tab": "\ue004",
    "Enter": "\ue007",
    "Space": "\ue00d",
    "End": "\ue010",
    "Home": "\ue011",
    "Left": "\ue012",
    "Right": "\ue014",
}
_ELEMENT = "element-6066-11e4-a52e-4f735466cecf"
_SECONDS = 60


def missing() -> str:
    """Return what keeps pages from being opened here; nothing when they can be."""
    for what, names in (("browser", BROWSERS), ("driver", DRIVERS)):
        if _first(names) is None:
            return f"no {what} here ({', '.join(names)}): apt-get install chromium chromium-driver"
    return ""


def _first(names: Sequence[str]) -> str | None:
    return next(filter(None, map(shutil.which, names)), None)


class Browser:
    """One headless browser with a profile of its own; use it as a context."""

    def __init__(self, profile: Path, size: tuple[int, int] = (1280, 900)) -> None:
        self._profile = profile
        self._size = size

    def __enter__(self) -> Browser:
        driver, binary = _first(DRIVERS), _first(BROWSERS)
        assert driver is not None and binary is not None, missing()  # noqa: PT018
        self._process = subprocess.Popen(
            [driver, "--port=0"],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env={**os.environ, "NO_PROXY": "*", "HOME": str(self._profile)},
        )
        try:
            self._port = self._listening()
            self._session = self._begin(binary)
        except BaseException:
            self._end()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            self._call("DELETE", f"/session/{self._session}")
        finally:
            self._end()

    # --- what a person does -----------------------------------------------------------------

    def open(self, page: Path) -> None:
        """Open a file, and forget what was logged before."""
        self.logged("browser")
        self.logged("performance")
        self._ask("url", url=page.absolute().as_uri())

    def press(self, selector: str, *keys: str) -> None:
        """Put the focus on an element and press keys."""
        self.run("document.querySelector(arguments[0]).focus()", selector)
        self.type(*keys)

    def type(self, *keys: str) -> None:
        """Press keys where the focus is."""
        pressed = [KEYS.get(key, key) for key in keys]
        moves = [{"type": k, "value": key} for key in pressed for k in ("keyDown", "keyUp")]
        self._ask("actions", actions=[{"type": "key", "id": "keys", "actions": moves}])

    def click(self, selector: str) -> None:
        """Click in the middle of an element."""
        self._ask(f"element/{self._find(selector)}/click")

    def drag(self, selector: str, share: float) -> None:
        """Drag from the middle of an element to a share of its width."""
        width = self.run(
            "const there = document.querySelector(arguments[0]);"
            "there.scrollIntoView({ behavior: 'instant', block: 'center' });"
            "return there.offsetWidth",
            selector,
        )
        origin = {_ELEMENT: self._find(selector)}
        target = round((share - 0.5) * float(width))
        moves: list[dict[str, Any]] = [
            {"type": "pointerMove", "origin": origin, "x": 0, "y": 0},
            {"type": "pointerDown", "button": 0},
            {"type": "pointerMove", "origin": origin, "x": target, "y": 0, "duration": 50},
            {"type": "pointerUp", "button": 0},
        ]
        self._ask("actions", actions=[{"type": "pointer", "id": "mouse", "actions": moves}])

    # --- what a person sees -----------------------------------------------------------------

    def run(self, script: str, *arguments: object) -> Any:
        """Run a function's body in the page and return what it returns."""
        return self._ask("execute/sync", script=script, args=list(arguments))

    def look(self, *, width: int = 1280, height: int = 900, dark: bool = False) -> None:
        """See the next page in a window of that size, by day or by night."""
        self._cdp(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False},
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._cdp("Emulation.setEmulatedMedia", {"features": [scheme]})

    def picture(self) -> bytes:
        """Return the whole page as a PNG."""
        shot = self._cdp("Page.captureScreenshot", {"captureBeyondViewport": True})
        return b64decode(shot["data"])

    def complaints(self) -> list[str]:
        """Return what the page's console was told since it was opened."""
        return [entry["message"] for entry in self.logged("browser")]

    def requests(self) -> list[str]:
        """Return every address that was asked for since a page was opened, itself included."""
        messages = (json.loads(e["message"])["message"] for e in self.logged("performance"))
        sent = [m for m in messages if m["method"] == "Network.requestWillBeSent"]
        return [str(message["params"]["request"]["url"]) for message in sent]

    def dialog(self) -> str | None:
        """Return the text of a dialog that is open."""
        answer = self._call("GET", f"/session/{self._session}/alert/text")
        value = answer["value"]
        return value if isinstance(value, str) else None

    def logged(self, kind: str) -> list[dict[str, Any]]:
        """Return the entries of a log since they were last asked for."""
        return list(self._ask("se/log", type=kind))

    # --- the protocol -----------------------------------------------------------------------

    def _listening(self) -> int:
        assert self._process.stdout is not None, "it is a pipe"
        for line in self._process.stdout:
            if match := re.search(r"started successfully on port (\d+)", line):
                return int(match[1])
        raise RuntimeError("the driver of the browser did not start")

    def _begin(self, binary: str) -> str:
        width, height = self._size
        arguments = [
            "--headless=new",
            "--no-sandbox",  # root, as in a container, gets none
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--force-color-profile=srgb",
            "--no-first-run",
            f"--user-data-dir={self._profile}",
            f"--window-size={width},{height}",
        ]
        wanted = {
            "goog:chromeOptions": {"binary": binary, "args": arguments},
            "goog:loggingPrefs": {"browser": "ALL", "performance": "ALL"},
            "unhandledPromptBehavior": "ignore",
        }
        answer = self._call("POST", "/session", {"capabilities": {"alwaysMatch": wanted}})
        self._refuse(answer)
        return str(answer["value"]["sessionId"])

    def _find(self, selector: str) -> str:
        found = self._ask("element", using="css selector", value=selector)
        return str(found[_ELEMENT])

    def _cdp(self, command: str, parameters: Mapping[str, Any]) -> Any:
        return self._ask("goog/cdp/execute", cmd=command, params=parameters)

    def _ask(self, what: str, **facts: object) -> Any:
        answer = self._call("POST", f"/session/{self._session}/{what}", facts)
        self._refuse(answer)
        return answer["value"]

    def _refuse(self, answer: Mapping[str, Any]) -> None:
        value = answer["value"]
        if isinstance(value, dict) and "error" in value:
            raise RuntimeError(f"{value['error']}: {str(value.get('message')).splitlines()[0]}")

    def _call(self, verb: str, path: str, facts: Mapping[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=_SECONDS)
        try:
            body = None if facts is None else json.dumps(facts)
            connection.request(verb, path, body, {"Content-Type": "application/json"})
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait(_SECONDS)
        if self._process.stdout is not None:
            self._process.stdout.close()
