"""A headless Chromium that reaches no network, spoken to over two pipes."""

from __future__ import annotations

import base64
import itertools
import json
import os
import select
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

PATIENCE = 60.0  # seconds for one answer, on a machine that has other things to do
_OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--remote-debugging-pipe",
)


class Chromium:
    """A browser with one page.

    Parameters
    ----------
    program
        The browser.
    folder
        Where it keeps what it must.

    Attributes
    ----------
    requests
        The addresses of all that the page has asked for since it was opened.
    complaints
        What its console, and the browser about it, have said.
    """

    def __init__(self, program: str, folder: Path) -> None:
        commands, answers = os.pipe(), os.pipe()
        command = [program, *_OPTIONS, f"--user-data-dir={folder}", "about:blank"]
        self._program = subprocess.Popen(
            ["bash", "-c", f'exec "$@" 3<&{commands[0]} 4>&{answers[1]}', "bash", *command],
            pass_fds=(commands[0], answers[1]),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(commands[0])
        os.close(answers[1])
        self._to, self._from = commands[1], answers[0]
        self._read = b""
        self._numbers = itertools.count(1)
        self._is_loaded = False
        self.requests: list[str] = []
        self.complaints: list[str] = []
        self._session = ""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.ask(f"{domain}.enable")

    def ask(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Give a command, and wait for its answer."""
        number = next(self._numbers)
        message: dict[str, Any] = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._to, json.dumps(message).encode() + b"\0")
        answer = self._until(lambda one: one.get("id") == number)
        assert "error" not in answer, f"{method}: {answer['error']}"
        return answer["result"]

    def open(self, path: Path, width: int = 1280, with_scripts: bool = True) -> None:
        """Open a file in a window of some width, and wait until it is there."""
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=width < 600)
        self.ask("Emulation.setScriptExecutionDisabled", value=not with_scripts)
        self._go("about:blank")
        self.requests.clear()
        self.complaints.clear()
        self._go(path.as_uri())

    def value(self, expression: str) -> Any:
        """The value of an expression in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def pdf(self) -> bytes:
        """The page as it is printed."""
        return base64.b64decode(self.ask("Page.printToPDF", printBackground=True)["data"])

    def screenshot(self, path: Path) -> None:
        """Keep a picture of the whole page, for people."""
        answer = self.ask("Page.captureScreenshot", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(answer["data"]))

    def close(self) -> None:
        """End it."""
        self._session = ""
        self.ask("Browser.close")
        self._program.wait(PATIENCE)
        os.close(self._to)
        os.close(self._from)

    def kill(self) -> None:
        """End it where it does not answer."""
        self._program.kill()
        self._program.wait()

    def _go(self, address: str) -> None:
        self._is_loaded = False
        self.ask("Page.navigate", url=address)
        if not self._is_loaded:
            self._until(lambda one: one.get("method") == "Page.loadEventFired")

    def _until(self, is_it: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while True:
            while b"\0" in self._read:
                text, _, self._read = self._read.partition(b"\0")
                message = json.loads(text)
                self._hear(message)
                if is_it(message):
                    return message
            ready, _, _ = select.select([self._from], [], [], max(0.0, deadline - time.monotonic()))
            found = os.read(self._from, 1 << 16) if ready else b""
            assert found, "the browser does not answer"
            self._read += found

    def _hear(self, message: dict[str, Any]) -> None:
        facts = message.get("params", {})
        match message.get("method"):
            case "Page.loadEventFired":
                self._is_loaded = True
            case "Network.requestWillBeSent":
                self.requests.append(facts["request"]["url"])
            case "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(facts["exceptionDetails"]))
            case "Runtime.consoleAPICalled":
                self.complaints.append(json.dumps(facts["args"]))
            case "Log.entryAdded":
                self.complaints.append(facts["entry"]["text"])
