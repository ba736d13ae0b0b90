"""Each distribution, installed alone into an empty environment: what comes along, and what works."""

import os
import shutil
import subprocess
import sys
import venv
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import Distribution, PathDistribution, distribution
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
FOLDERS = {"ajo-producers": ROOT / "producers", "ajo-dispatch": ROOT, "ajo-simulator": ROOT / "simulator"}
MEGABYTE = 1_000_000
IMPORTS = """
import time
before = time.process_time()
{}
print(time.process_time() - before)
"""
THE_SDK = "from ajo_producers import Campaigns, Publisher"  # each name is imported when it is first used
EVERYTHING_OF_THE_SDK = """
import asyncio, sys
from ajo_producers import AsyncPublisher, Campaigns, Publisher, PublishError, SettingError, outbox

outbox.Outbox()
trigger = Campaigns.load(sys.argv[1])["order-shipped"].trigger(
    to="ada@example.com", context={"orderId": "A-1", "customer": {"firstName": "Ada"}}, key="A-1"
)
try:
    Publisher("amqp://127.0.0.1:1//", timeout=5).publish(trigger)
except PublishError as error:
    print(error)
try:
    asyncio.run(AsyncPublisher("amqp://127.0.0.1:1//", timeout=5).publish(trigger))
except PublishError as error:
    print(error)
try:
    Publisher("redis://127.0.0.1:1/0")
except SettingError as error:
    print(error)
"""


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The wheel of each distribution."""
    built = {}
    for name, folder in FOLDERS.items():
        target = tmp_path_factory.mktemp(name)
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(target)]
        subprocess.run(command, cwd=folder, capture_output=True, check=True)
        [built[name]] = target.glob("*.whl")
    return built


class Environment:
    """An empty virtual environment that gets wheels of ours, and copies of what is installed here of others'."""

    def __init__(self, folder: Path, wheels: dict[str, Path]) -> None:
        venv.create(folder, symlinks=True)
        self.programs = folder / "bin"
        [self.site] = folder.glob("lib/python*/site-packages")
        self._wheels = wheels
        self._has: dict[str, set[str]] = {}

    @property
    def packages(self) -> set[str]:
        """The names of all that is installed."""
        return set(self._has)

    @property
    def size(self) -> int:
        """Bytes of what is installed, without what Python compiles."""
        return sum(file.stat().st_size for file in self.site.rglob("*") if file.is_file() and file.suffix != ".pyc")

    def install(self, wanted: str) -> None:
        """Install a requirement with all that it needs, as pip does."""
        requirement = Requirement(wanted)
        name = canonicalize_name(requirement.name)
        new = name not in self._has
        extras = self._has.setdefault(name, set())
        if not new and requirement.extras <= extras:
            return
        extras |= requirement.extras
        if name in self._wheels and new:
            with zipfile.ZipFile(self._wheels[name]) as wheel:
                wheel.extractall(self.site)
        elif new:
            self._copy(distribution(name))
        for needed in self._found(name).requires or ():
            more = Requirement(needed)
            if more.marker is None or any(more.marker.evaluate({"extra": extra}) for extra in {"", *extras}):
                self.install(str(more).partition(";")[0])

    def run(self, *code: str) -> subprocess.CompletedProcess[str]:
        """Run this environment's Python, apart from the one that the tests have."""
        clean = {key: value for key, value in os.environ.items() if not key.startswith(("AJO_", "PYTHON"))}
        command = [str(self.programs / "python"), *code]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=clean)

    def call(self, program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a program that a wheel brings."""
        [entry] = [
            entry
            for name in self._wheels.keys() & self.packages
            for entry in self._found(name).entry_points.select(group="console_scripts", name=program)
        ]
        code = f"import sys; from {entry.module} import {entry.attr} as program; sys.exit(program())"
        return self.run("-c", code, *arguments)

    def _found(self, name: str) -> Distribution:
        return next(one for one in self._all() if canonicalize_name(one.metadata["Name"]) == name)

    def _all(self) -> Iterator[Distribution]:
        yield from map(PathDistribution, self.site.glob("*.dist-info"))

    def _copy(self, installed: Distribution) -> None:
        for file in installed.files or ():
            if ".." not in file.parts and file.suffix != ".pyc":
                target = self.site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)


@pytest.fixture
def install(tmp_path: Path, wheels: dict[str, Path]) -> Callable[[str], Environment]:
    def into_an_empty_environment(wanted: str) -> Environment:
        environment = Environment(tmp_path / "environment", wheels)
        environment.install(wanted)
        return environment

    return into_an_empty_environment


def test_each_wheel_has_its_own_package_with_what_it_needs_and_all_have_one_version(wheels: dict[str, Path]) -> None:
    files = {name: zipfile.ZipFile(wheel).namelist() for name, wheel in wheels.items()}
    tops = {
        name: {file.partition("/")[0] for file in held if ".dist-info/" not in file} for name, held in files.items()
    }
    packages = {"ajo-producers": "ajo_producers", "ajo-dispatch": "ajo_worker", "ajo-simulator": "ajo_simulator"}
    assert tops == {name: {package} for name, package in packages.items()} | {
        "ajo-dispatch": {"ajo_worker", "ajo_local"}
    }
    assert [name for name, package in packages.items() if f"{package}/py.typed" not in files[name]] == []
    assert [name for name, held in files.items() if not any(file.endswith("/LICENSE") for file in held)] == []
    wanted = ["ajo_worker/migrations/env.py", "ajo_local/order-shipped.curl", "ajo_local/faults.toml"]
    assert [name for name in wanted if name not in files["ajo-dispatch"]] == []
    assert len({wheel.name.split("-")[1] for wheel in wheels.values()}) == 1


def test_the_sdk_alone_is_small_and_publishes(install: Callable[[str], Environment]) -> None:
    environment = install("ajo-producers")
    assert environment.packages == {"ajo-producers", "kombu", "amqp", "vine", "msgspec", "tomlkit", "uuid-utils"}
    assert environment.size < 10 * MEGABYTE
    done = environment.run("-c", EVERYTHING_OF_THE_SDK, str(ROOT / "campaigns"))
    assert done.stderr == ""
    refused, no_redis = done.stdout.splitlines()[::2]
    assert done.stdout.splitlines()[1] == refused
    assert "Connection refused" in refused
    assert no_redis.endswith("install ajo-producers[valkey]")
    without = environment.call("ajo-dispatch", "--help")
    assert (without.returncode, without.stdout) == (2, "")
    assert without.stderr == "error: the command line needs more packages: install ajo-producers[cli]\n"


def test_the_sdk_is_imported_in_the_cpu_of_a_few_modules_of_python(install: Callable[[str], Environment]) -> None:
    environment = install("ajo-producers")

    def cpu(imports: str) -> float:
        return float(environment.run("-c", IMPORTS.format(imports)).stdout)

    turns = [(cpu(THE_SDK), cpu("import asyncio")) for _ in range(6)][1:]  # the first one compiles
    ours, theirs = (min(seconds) for seconds in zip(*turns, strict=True))
    assert ours < 5 * theirs, turns


@pytest.mark.parametrize(
    ("wanted", "program", "offers", "left_out"),
    [
        ("ajo-producers[cli]", "ajo-dispatch", {"campaigns", "trigger"}, {"redis", "celery", "asyncpg"}),
        ("ajo-dispatch", "ajo-dispatch", {"campaigns", "trigger", "worker", "status"}, {"aiohttp", "celery"}),
        ("ajo-simulator", "ajo-simulator", {"--scenario", "--journal"}, {"kombu", "ajo-producers", "ajo-dispatch"}),
    ],
)
def test_each_alone_offers_its_own_commands(
    install: Callable[[str], Environment], wanted: str, program: str, offers: set[str], left_out: set[str]
) -> None:
    environment = install(wanted)
    done = environment.call(program, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert offers <= set(done.stdout.split())
    assert not left_out & environment.packages
