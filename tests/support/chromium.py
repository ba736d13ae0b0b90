"""A headless Chromium that is cut off from every network, driven through its own pipe (the DevTools protocol)."""

import base64
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
           "--no-first-run", "--disable-background-networking", "--disable-extensions",
           "--remote-debugging-pipe")  # fmt: skip
OFFLINE = {"offline": True, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}


def program() -> str | None:
    """Where Chromium is installed, or None."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


@dataclass
class Page:
    """One page, and whatever it asked for or complained of since it was opened."""

    commands: IO[bytes]
    answers: IO[bytes]
    session: str | None = None
    number: int = 0
    requests: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def ask(self, method: str, **parameters: Any) -> Any:
        """Send a command and wait for its answer; events that come before it are kept."""
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        self.commands.write(
            json.dumps(message | ({"sessionId": self.session} if self.session else {})).encode() + b"\0"
        )
        self.commands.flush()
        while (answer := self._next()).get("id") != self.number:
            self._keep(answer)
        assert "error" not in answer, f"{method}: {answer.get('error')}"
        return answer["result"]

    def wait_for(self, event: str) -> None:
        """Wait for an event."""
        while (answer := self._next()).get("method") != event:
            self._keep(answer)

    def evaluate(self, script: str) -> Any:
        """The value of a JavaScript expression in the page."""
        found = self.ask("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def open(self, file: Path, *, width: int = 1200, height: int = 900, scheme: str = "light") -> None:
        """Open a file as a window of that size shows it, where people prefer that colour scheme."""
        self.requests.clear()
        self.complaints.clear()
        self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        self.ask("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
        self.ask("Page.navigate", url=file.as_uri())
        self.wait_for("Page.loadEventFired")

    def screenshot(self, file: Path, *, whole: bool = True) -> None:
        """Write what is seen as a PNG; the whole page, or its first screen."""
        found = self.ask("Page.captureScreenshot", format="png", captureBeyondViewport=whole)
        file.write_bytes(base64.b64decode(found["data"]))

    def print(self, file: Path) -> None:
        """Print on A4, as a PDF."""
        found = self.ask(
            "Page.printToPDF", paperWidth=8.27, paperHeight=11.69, preferCSSPageSize=True, printBackground=True
        )
        file.write_bytes(base64.b64decode(found["data"]))

    def _next(self) -> Any:
        text = bytearray()
        while (byte := self.answers.read(1)) != b"\0":
            assert byte, "Chromium has ended"
            text += byte
        return json.loads(text)

    def _keep(self, event: Any) -> None:
        parameters = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Log.entryAdded":
                self.complaints.append(parameters["entry"]["text"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown":
                self.complaints.append(json.dumps(parameters))


@contextmanager
def chromium(folder: Path) -> Iterator[Page]:
    """A browser whose profile is in ``folder``. It reads commands from its file 3, and answers on file 4."""
    path = program()
    assert path is not None
    command_end, commands = os.pipe()
    answers, answer_end = os.pipe()
    # Only bash, of the shells, takes descriptors above 9.
    line = f'exec "$0" "$@" 3<&{command_end} 4>&{answer_end}'
    with open(commands, "wb", closefd=True) as out, open(answers, "rb", buffering=1 << 16) as back:  # noqa: PTH123 - descriptors
        process = subprocess.Popen(
            ["bash", "-c", line, path, *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
            pass_fds=(command_end, answer_end), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(command_end)
        os.close(answer_end)
        try:
            page = Page(out, back)
            target = page.ask("Target.createTarget", url="about:blank")["targetId"]
            page.session = page.ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
            for domain in ("Page", "Network", "Log", "Runtime"):
                page.ask(f"{domain}.enable")
            page.ask("Network.emulateNetworkConditions", **OFFLINE)
            yield page
            page.session = None
            page.ask("Browser.close")
        finally:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
