"""Importing the SDK is light: an application pays for a broker's client when it publishes, and not before."""

import json
import subprocess
import sys
from resource import RUSAGE_CHILDREN, getrusage

HEAVY = {"amqp", "aiohttp", "asyncpg", "celery", "httpx", "httpx2", "kombu", "pyreqwest", "redis", "requests", "rich"}
HEAVY |= {"asyncio", "sqlalchemy", "ssl", "tomlkit", "tomllib", "typer", "vine"}
ALLOWED = {"ajo_producers", "msgspec", "typing_extensions", "uuid_utils"}
BASELINE = "import kombu.transport.redis"
"""What publishing to one of the brokers imports: an import that isn't light."""
SHARE = 0.5

LOADED = """
import json, sys
before = set(sys.modules)
import ajo_producers
from ajo_producers import Campaigns, InvalidTrigger, Publisher
Publisher("amqp://127.0.0.1/")
print(json.dumps(sorted(set(sys.modules) - before)))
"""


CONNECTED = """
import json, sys
from ajo_producers import Publisher, PublishError
from ajo_producers.contract.broker import read_broker
from ajo_producers.publishing.connecting import open_link
from ajo_producers.publishing.link import Deadline, LinkFailure
import ajo_producers.publishing.{module}
before = set(sys.modules)
try:
    open_link(read_broker("{url}"), Deadline(10)).close()
except LinkFailure as failure:
    print(failure, file=sys.stderr)
else:
    print(json.dumps(sorted(set(sys.modules) - before)))
"""
FORKED = """
import os, sys, threading, time
from ajo_producers import Publisher
from ajo_producers.first_use import importing
held = threading.Event()
def hold():
    with importing:
        held.set()
        time.sleep(0.3)
        import logging
        logging.getLogger("whoever is imported has one")
        print("imported", flush=True)
threading.Thread(target=hold).start()
held.wait()
child = os.fork()
if child == 0:
    with importing:
        print("child", flush=True)
    os._exit(0)
os.waitpid(child, 0)
"""


def run(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def cpu_seconds(code: str) -> float:
    """The least CPU time that a process with this code took; other people's load doesn't count into it."""
    times = []
    for _ in range(5):
        before = getrusage(RUSAGE_CHILDREN)
        run(code)
        after = getrusage(RUSAGE_CHILDREN)
        times.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    return min(times)


def test_importing_the_sdk_and_making_a_publisher_loads_no_client_of_anything() -> None:
    loaded = {name.partition(".")[0] for name in json.loads(run(LOADED))}
    assert loaded & HEAVY == set()
    assert {name for name in loaded if name not in sys.stdlib_module_names} == ALLOWED


def test_importing_the_sdk_costs_a_fraction_of_a_brokers_client() -> None:
    start = cpu_seconds("pass")
    assert cpu_seconds("import ajo_producers") - start < SHARE * (cpu_seconds(BASELINE) - start)


def test_what_a_connection_imports_is_there_before_it_is_made(rabbitmq_url: str, valkey_url: str) -> None:
    """So that a fork can wait for it: in a child, a module that another thread was importing never comes."""
    for module, url in (("rabbitmq", rabbitmq_url), ("valkey", valkey_url)):
        assert json.loads(run(CONNECTED.format(module=module, url=url))) == []


def test_a_fork_waits_until_no_thread_imports() -> None:
    assert run(FORKED).split() == ["imported", "child"]
