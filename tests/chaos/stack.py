"""The servers that all runs share: PostgreSQL, and one broker that may be killed and started again."""

import os
import secrets
import shutil
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ajo_local.child import Child
from ajo_local.ports import LOOPBACK, free_port
from ajo_local.processes import Processes
from ajo_local.valkey import Valkey, start_valkey

from tests.support.waiting import DEADLINE_SECONDS

SBIN = "/usr/lib/rabbitmq/bin:/usr/sbin:/usr/local/sbin:/usr/local/opt/rabbitmq/sbin"


class Broker(Protocol):
    """A broker that faults can be done to."""

    name: str

    @property
    def url(self) -> str:
        """Its address."""

    @property
    def pid(self) -> int:
        """Its process."""

    def kill(self) -> None:
        """SIGKILL."""

    def start(self) -> None:
        """Start it again, with the messages it had."""


@dataclass
class RabbitMQ:
    """A RabbitMQ node of our own, from the installed one's programs: other nodes are left alone."""

    processes: Processes
    home: Path
    programs: Path
    port: int
    distribution_port: int
    name: str = "rabbitmq"
    child: Child | None = None

    @property
    def url(self) -> str:
        """Its address; a node of our own on loopback has RabbitMQ's default user."""
        return f"amqp://guest:guest@{LOOPBACK}:{self.port}//"

    @property
    def pid(self) -> int:
        """Its process."""
        return _pid_of(self.child)

    @property
    def env(self) -> dict[str, str]:
        """How RabbitMQ's scripts are told what is ours."""
        return {
            "HOME": str(self.home),  # where the Erlang cookie lies
            "RABBITMQ_NODENAME": f"chaos-{self.port}@localhost",
            "RABBITMQ_NODE_IP_ADDRESS": LOOPBACK,
            "RABBITMQ_NODE_PORT": str(self.port),
            "RABBITMQ_DIST_PORT": str(self.distribution_port),
            "RABBITMQ_MNESIA_BASE": str(self.home / "mnesia"),
            "RABBITMQ_LOGS": "-",
            "RABBITMQ_LOG_BASE": str(self.home / "log"),
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(self.home / "plugins"),
            "RABBITMQ_CONFIG_FILE": str(self.home / "rabbitmq.conf"),
            "RABBITMQ_CONF_ENV_FILE": str(self.home / "none"),
            "RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS": "+S 2:2",
            "ERL_EPMD_ADDRESS": LOOPBACK,
        }

    @property
    def version(self) -> str:
        """Which RabbitMQ it is."""
        return self.control("version").strip()

    def start(self) -> None:
        """Start it and wait until it takes connections."""
        self.child = self.processes.start(
            "rabbitmq", [self.programs / "rabbitmq-server"], env=self.env, stop_signal=signal.SIGTERM, grace=30
        )
        self.child.wait_for_output("Server startup complete", timeout=DEADLINE_SECONDS)

    def kill(self) -> None:
        """SIGKILL the whole node."""
        if self.child is not None:
            self.child.kill()

    def control(self, *arguments: str) -> str:
        """Run ``rabbitmqctl``."""
        done = subprocess.run(
            [self.programs / "rabbitmqctl", "-n", self.env["RABBITMQ_NODENAME"], *arguments],
            env={**os.environ, **self.env},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode != 0:
            raise RuntimeError(f"rabbitmqctl {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout


def home_of_node(processes: Processes, *, plugins: str = "", config: str = "") -> Path:
    """The folder of a node that is to start: its cookie, its ``plugins``, and its ``config`` beside what all have."""
    home = processes.folder()
    (home / "plugins").write_text(f"[{plugins}].\n")
    (home / "rabbitmq.conf").write_text(f"disk_free_limit.absolute = 50MB\n{config}")
    (home / ".erlang.cookie").write_text(secrets.token_hex(16))
    (home / ".erlang.cookie").chmod(0o400)
    return home


def start_rabbitmq(processes: Processes, programs: Path | None = None) -> RabbitMQ | None:
    """A node of our own, of the ``programs`` of a folder or of those installed; None where there are none."""
    places = [str(programs)] if programs else [SBIN, None]
    server = next((found for place in places if (found := shutil.which("rabbitmq-server", path=place))), None)
    if server is None:
        return None
    node = RabbitMQ(processes, home_of_node(processes), Path(server).parent, free_port(), free_port())
    node.start()
    return node


@dataclass
class ValkeyBroker:
    """A Valkey whose append-only file is synced before each answer: what it has confirmed outlives it."""

    valkey: Valkey
    name: str = "valkey"

    @property
    def url(self) -> str:
        """Its address."""
        return self.valkey.url

    @property
    def pid(self) -> int:
        """Its process."""
        return _pid_of(self.valkey.child)

    def kill(self) -> None:
        """SIGKILL."""
        if self.valkey.child is not None:
            self.valkey.child.kill()

    def start(self) -> None:
        """Start it on the same port with the same file."""
        self.valkey.start()


def start_valkey_broker(processes: Processes) -> ValkeyBroker:
    """Start one."""
    return ValkeyBroker(start_valkey(processes, appendfsync="always"))


def _pid_of(child: Child | None) -> int:
    if child is None:
        raise TypeError
    return child.pid
