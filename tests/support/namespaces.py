"""A machine that can vanish: a network namespace at the other end of a virtual cable, whose packets can be dropped."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

NOBODY = "02:00:00:00:00:99"
"""A hardware address that no machine has: what is sent to it is gone."""


def missing() -> str | None:
    """Why there can be no such machine; None if there can."""
    if sys.platform != "linux":
        return "network namespaces are Linux's"
    if os.geteuid() != 0:
        return "network namespaces take root"
    if shutil.which("ip") is None:
        return "ip is missing: apt-get install iproute2"
    name = f"ajo-probe-{os.getpid()}"  # processes of pytest-xdist look at the same moment
    if _ip("netns", "add", name).returncode:
        return "this machine allows no network namespaces"
    _ip("netns", "del", name)
    return None


class OtherMachine:
    """At ``address`` as seen from here, which is ``here`` as seen from there; of each process another."""

    def __init__(self) -> None:
        self.name = f"ajo-{os.getpid()}"
        self._cable = f"ajo{os.getpid() % 100_000}"
        self.here, self.address = _pair(os.getpid())

    def __enter__(self) -> Self:
        _must("netns", "add", self.name)
        _must("link", "add", self._cable, "type", "veth", "peer", "name", "eth0", "netns", self.name)
        _must("addr", "add", f"{self.here}/30", "dev", self._cable)
        _must("link", "set", self._cable, "up")
        for rest in (
            ("addr", "add", f"{self.address}/30", "dev", "eth0"),
            ("link", "set", "eth0", "up"),
            ("link", "set", "lo", "up"),
        ):
            _must("-n", self.name, *rest)
        return self

    def __exit__(self, *_: object) -> None:
        _ip("link", "del", self._cable)
        _ip("netns", "del", self.name)

    def unheard(self) -> None:
        """Nothing that is sent from here reaches it any more."""
        _must("neigh", "replace", self.address, "lladdr", NOBODY, "dev", self._cable, "nud", "permanent")

    def vanish(self) -> None:
        """Nothing reaches it, and nothing comes from it."""
        self.unheard()
        _must("-n", self.name, "neigh", "replace", self.here, "lladdr", NOBODY, "dev", "eth0", "nud", "permanent")

    @contextmanager
    def running(self, *command: str) -> Iterator["subprocess.Popen[str]"]:
        """A program on it, with pipes."""
        whole = ["ip", "netns", "exec", self.name, *command]
        with subprocess.Popen(whole, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as program:
            try:
                yield program
            finally:
                program.kill()


def _pair(number: int) -> tuple[str, str]:
    """The two addresses of one of 16,384 small networks."""
    high, low = divmod(number % 16_384, 64)
    return f"10.213.{high}.{4 * low + 1}", f"10.213.{high}.{4 * low + 2}"


def _ip(*words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(["ip", *words], capture_output=True, text=True, check=False)


def _must(*words: str) -> None:
    done = _ip(*words)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr}"
