"""Headless Chromium as a user's hands and eyes, driven by its own driver in the protocol of the W3C."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx
from loopback import NO_CERTIFICATES

CHROMIUM: Final = (
    shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
)
DRIVER: Final = shutil.which("chromedriver")
MISSING: Final = None if CHROMIUM and DRIVER else "no Chromium with its chromedriver is installed"
"""Why there is no browser here."""
ARGUMENTS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NO_SCRIPTS: Final = {"profile.managed_default_content_settings.javascript": 2}
ELEMENT: Final = "element-6066-11e4-a52e-4f735466cecf"
"""What the protocol calls an element's id (https://www.w3.org/TR/webdriver2/#elements)."""
PATIENCE: Final = 60.0
"""Seconds for one command on a busy machine."""


class Browser:
    """One window."""

    def __init__(self, session: httpx.Client) -> None:
        self._session = session

    def open(self, url: str) -> None:
        """Open a page and wait until it is there."""
        self._do("url", {"url": url})

    def press(self, text: str) -> None:
        """Click the button or the link of this text, and wait for the page that it leads to."""
        found = self._do("element", {"using": "xpath", "value": f"//*[self::button or self::a][.='{text}']"})
        self._do(f"element/{found[ELEMENT]}/click", {})
        self._wait_until_gone(found[ELEMENT])

    def texts(self, selector: str) -> list[str]:
        """What is to be read in each element that a CSS selector finds."""
        found = self._do("elements", {"using": "css selector", "value": selector})
        return [str(self._ask(f"element/{item[ELEMENT]}/text")) for item in found]

    def wait_for(self, selector: str, texts: list[str]) -> None:
        """Wait until this is what is to be read in the elements that a CSS selector finds."""
        end = time.monotonic() + PATIENCE
        while (read := self.texts(selector)) != texts:
            assert time.monotonic() < end, read

    def reload(self) -> None:
        """Load the page again."""
        self._do("refresh", {})

    @property
    def title(self) -> str:
        """The title of the page."""
        return str(self._ask("title"))

    def prefer(self, scheme: str) -> None:
        """Prefer ``light`` or ``dark`` colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self._do("goog/cdp/execute", {"cmd": "Emulation.setEmulatedMedia", "params": {"features": features}})

    def style(self, selector: str, name: str) -> str:
        """The computed CSS property of the first element that a selector finds."""
        found = self._do("element", {"using": "css selector", "value": selector})
        return str(self._ask(f"element/{found[ELEMENT]}/css/{name}"))

    def _wait_until_gone(self, element: str) -> None:
        """Ask for an element until its page has gone: a click is done before the navigation has begun."""
        end = time.monotonic() + PATIENCE
        while self._session.get(f"element/{element}/name").is_success:
            assert time.monotonic() < end, "the click led nowhere"

    def _do(self, command: str, body: dict[str, Any]) -> Any:
        return _value(self._session.post(command, json=body))

    def _ask(self, command: str) -> Any:
        return _value(self._session.get(command))


@contextmanager
def browser(profile: Path, *, runs_scripts: bool) -> Iterator[Browser]:
    """A browser that begins with an empty profile, and ends with the block."""
    with _driver() as url, httpx.Client(timeout=PATIENCE, verify=NO_CERTIFICATES) as client:
        options = {
            "binary": CHROMIUM,
            "args": [*ARGUMENTS, f"--user-data-dir={profile}", "--window-size=900,700"],
            "prefs": {} if runs_scripts else NO_SCRIPTS,
        }
        asked = {"capabilities": {"alwaysMatch": {"goog:chromeOptions": options}}}
        client.base_url = httpx.URL(f"{url}/session/")
        session = _value(client.post(f"{url}/session", json=asked))["sessionId"]
        client.base_url = httpx.URL(f"{url}/session/{session}/")
        try:
            yield Browser(client)
        finally:
            client.delete(f"{url}/session/{session}")


@contextmanager
def _driver() -> Iterator[str]:
    assert DRIVER is not None, MISSING
    process = subprocess.Popen([DRIVER, "--port=0"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{_port(process.stdout)}"
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)
        process.stdout.close()


def _port(lines: Iterator[str]) -> str:
    """The port that the driver says it listens on."""
    for line in lines:
        if said := re.search(r"started successfully on port (\d+)", line):
            return said[1]
    raise AssertionError("chromedriver ended without listening")


def _value(answer: httpx.Response) -> Any:
    value = answer.json()["value"]
    assert answer.is_success, value
    return value
