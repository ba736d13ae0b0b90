"""Publishers in processes that fork, and in those that a person interrupts."""

import json
import signal
import subprocess
import sys
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from ajo_producers import Publisher

from tests.integration.producers.publishing.queues import arrived, ids, make
from tests.support.proxy import Proxy
from tests.support.waiting import DEADLINE_SECONDS, wait_until

ROOT = Path(__file__).parents[4]

# The parent publishes, forks, and both publish over and over at the same time; so does a thread that the child hasn't.
FORKING = """
import json, os, sys, threading
from ajo_producers import Publisher
from tests.integration.producers.publishing.queues import make_many

publisher = Publisher(sys.argv[1], queue_prefix=sys.argv[2])
before = make_many(1)
publisher.publish(before[0])
link = publisher._carrier._link
background = make_many(50)
thread = threading.Thread(target=lambda: [publisher.publish(trigger) for trigger in background])
thread.start()
reading, writing = os.pipe()
child = os.fork()
mine = make_many(50)
for trigger in mine:
    publisher.publish(trigger)
if child == 0:
    os.write(writing, json.dumps([str(t.request_id) for t in mine]).encode())
    os._exit(0)
os.close(writing)
thread.join()
os.waitpid(child, 0)
publisher.publish(make_many(1)[0]) if link is publisher._carrier._link else sys.exit("the parent lost its connection")
ids = [str(t.request_id) for t in before + background + mine]
print(json.dumps({"parent": ids, "child": json.loads(os.read(reading, 65536))}))
"""

INTERRUPTED = """
import sys
from ajo_producers import Publisher
from tests.integration.producers.publishing.queues import make

publisher = Publisher(sys.argv[1], queue_prefix=sys.argv[2], timeout=300)
publisher.publish(make(1))
print("ready", flush=True)
sys.stdin.readline()
try:
    publisher.publish(make(2))
except KeyboardInterrupt:
    print("interrupted", flush=True)
sys.stdin.readline()
print(publisher.publish(make(3)).request_id, flush=True)
"""


def start(script: str, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )


def test_after_a_fork_parent_and_child_have_a_connection_each_and_lose_nothing(
    broker_url: str, queue_prefix: str
) -> None:
    with Proxy(broker_url) as proxy:
        out, err = start(FORKING, proxy.url, queue_prefix).communicate(timeout=DEADLINE_SECONDS)
        assert err == ""
        told = json.loads(out)
        assert proxy.connections == 2
    parent, child = set(told["parent"]), set(told["child"])
    assert (len(parent), len(child)) == (101, 50)
    assert not parent & child, "a fork must not repeat random ids"
    counts = Counter({str(request_id): times for request_id, times in arrived(broker_url, queue_prefix).items()})
    assert set(counts) > parent | child
    assert set(counts.values()) == {1}


def test_an_interrupted_publish_leaves_a_publisher_that_can_go_on(broker_url: str, queue_prefix: str) -> None:
    """Ctrl-C while the confirm is waited for: the half-used connection is given up, the lock is free."""
    with Proxy(broker_url) as proxy, start(INTERRUPTED, proxy.url, queue_prefix) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        proxy.freeze()
        before = proxy.sent
        process.stdin.write("\n")
        process.stdin.flush()
        wait_until(lambda: proxy.sent > before + 500, what="the message is on its way")
        process.send_signal(signal.SIGINT)
        assert process.stdout.readline() == "interrupted\n"
        proxy.thaw()
        process.stdin.write("\n")
        process.stdin.flush()
        confirmed = process.stdout.readline().strip()
        assert process.wait(timeout=DEADLINE_SECONDS) == 0
        assert proxy.connections == 2
    counts = arrived(broker_url, queue_prefix)
    assert counts[UUID(confirmed)] == 1
    assert len(counts) == 3, "what was interrupted arrived too, and nobody was told that it had"


def test_a_publisher_that_is_forgotten_closes_its_connection(broker_url: str, queue_prefix: str) -> None:
    with Proxy(broker_url) as proxy:
        publisher = Publisher(proxy.url, queue_prefix=queue_prefix)
        publisher.publish(trigger := make())
        assert proxy.open == 1
        del publisher
        wait_until(lambda: proxy.open == 0, what="the connection is closed")
    assert set(arrived(broker_url, queue_prefix)) == ids([trigger])


@pytest.mark.parametrize("leave", ["close", "abandon"])
def test_a_link_over_a_silent_line_is_left_without_waiting(leave: str, broker_url: str, queue_prefix: str) -> None:
    """Neither a farewell that nobody answers nor a lost connection may hold an application up for its time limit."""
    with ThreadPoolExecutor(1) as pool, Proxy(broker_url) as proxy:
        publisher = Publisher(proxy.url, queue_prefix=queue_prefix, timeout=3600)
        publisher.publish(make())
        proxy.freeze()
        pool.submit(getattr(publisher._carrier._link, leave)).result(timeout=DEADLINE_SECONDS)
