"""Names of kombu, py-amqp, Celery and asyncpg that are not public, and are used all the same.

They may change with any version, which is why pyproject.toml pins these below the next minor one. Each stands here with
what it is used for: when an upgrade changes it, that is what to look at again.
"""

import ast
import importlib
import inspect
import re
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from amqp import serialization as amqp_serialization
from amqp import spec
from amqp.transport import SSLTransport, TCPTransport
from celery.concurrency.base import BasePool
from celery.events.dispatcher import EventDispatcher
from kombu import Connection, serialization
from kombu.transport import redis, virtual

ROOT = Path(__file__).parents[2]
OURS = [path for folder in ("worker/ajo_worker", "producers/ajo_producers") for path in (ROOT / folder).rglob("*.py")]
INTAKE = [path for path in OURS if path.parent.name == "intake"]
LIBRARIES = re.compile(r"\b(kombu|celery|amqp|billiard|vine)\b")

CALLED = [
    (redis.QoS, "_flush", "(self)", "intake/valkey_unacked.py: what was acknowledged is told before"),
    (redis.Channel, "_connparams", "(self, asynchronous=False)", "intake/valkey.py: a connection to wait for arrivals"),
    (redis.Channel, "_flush_brpop_reauth", "(self)", "intake/valkey.py: kombu has it at the end of each read"),
    (redis.Channel, "_brpop_start", "(self, timeout=None)", "intake/valkey.py replaces it: asks by a script"),
    (redis.Channel, "_brpop_read", "(self, **options)", "intake/valkey.py replaces it: reads the script's answer"),
    (redis.Channel, "_queue_bind", "(self, exchange, routing_key, pattern, queue)", "intake/valkey.py: without notes"),
    (redis.Channel, "_refresh_bindings", "(self, queues)", "intake/valkey.py: without notes"),
    (virtual.Transport, "_deliver", "(self, message, queue)", "intake/valkey.py: hands over what was taken"),
    (serialization, "_decode", "(obj, encoding='utf-8', errors='strict')", "intake/unpacking.py: refuses codecs"),
    (amqp_serialization.GenericContent, "_serialize_properties", "(self)", "events/queue.py: do headers fit a frame?"),
    (EventDispatcher, "_publish", "(self, event, producer, routing_key, retry=", "intake/events.py: sends once"),
    (asyncpg.Connection, "_get_unique_id", "(self, prefix)", "ledger/connecting.py: names that no other process has"),
    (BasePool, "_get_info", "(self)", "intake/pool.py: what `inspect stats` shows of the pool"),
]
KEPT = [
    (redis.QoS, "_delivered", "intake/valkey_unacked.py: what is in hand"),
    (redis.Channel, "_queue_cycle", "intake/valkey.py: queues have their turns"),
    (redis.Channel, "_fanout_queues", "intake/valkey.py: what is told to everybody"),
    (Connection, "_connection", "intake/events.py: whether the broker blocks publishers"),
    (redis.Channel, "_in_poll", "intake/valkey.py: which connection an answer is awaited on"),
    (redis.Channel, "_brpop_sent_at", "intake/valkey.py: since when"),
    (asyncpg.Connection, "_transport", "contract/keepalive.py: the socket that finds out about a dead peer"),
    (redis.MultiChannelPoller, "_channels", "intake/valkey.py: whose messages are renewed"),
    (TCPTransport, "_quick_recv", "intake/reading_ahead.py: reads more than was asked for"),
    (TCPTransport, "_read_buffer", "intake/reading_ahead.py: what is read and no frame yet"),
    (SSLTransport, "_read_buffer", "intake/reading_ahead.py: what is read and no frame yet"),
    (SSLTransport, "_quick_recv", "intake/reading_ahead.py: reads more than was asked for"),
]


IDS = [f"{owner.__name__}.{name}" for owner, name, *_ in CALLED]
FOUND = [getattr(owner, name, None) for owner, name, *_ in CALLED]
"""As they are when tests are collected: others replace them."""
NAMED = {name for _, name, *_ in (*CALLED, *KEPT)}


@pytest.mark.parametrize(
    ("found", "owner", "name", "signature", "use"),
    [(found, *called) for found, called in zip(FOUND, CALLED, strict=True)],
    ids=IDS,
)
def test_a_private_function_that_is_called_or_replaced_still_takes_the_same(
    found: Any, owner: Any, name: str, signature: str, use: str
) -> None:
    assert found is not None, f"{owner.__name__}.{name} is gone. {use}"
    shown = str(inspect.signature(found))
    assert shown.startswith(signature.removesuffix(")")), f"{owner.__name__}.{name} takes {shown} now. {use}"


@pytest.mark.parametrize(("owner", "name", "use"), KEPT, ids=[f"{o.__name__}.{n}" for o, n, _ in KEPT])
def test_a_private_attribute_that_is_used_is_still_used_by_its_owner(owner: type, name: str, use: str) -> None:
    source = "".join(inspect.getsource(each) for each in owner.__mro__ if each is not object)
    assert re.search(rf"self\.{name}\b", source), f"{owner.__name__} has no {name} any more. {use}"


def test_py_amqp_still_looks_up_how_properties_are_read() -> None:
    reads = amqp_serialization.PROPERTY_CLASSES[spec.Basic.CLASS_ID]
    assert list(inspect.signature(reads).parameters)[:2] in (["buf", "offset"], ["buffer", "offset"]), (
        "contract/unreadable.py replaces it, so that what can't be read breaks no connection"
    )


def test_no_private_name_is_used_that_is_not_named_here() -> None:
    trees = {path: ast.parse(path.read_text()) for path in OURS}
    own = set[str]().union(*(_given(tree) for tree in trees.values()))
    used = {
        node.attr: f"{path.relative_to(ROOT)}:{node.lineno}"
        for path, tree in trees.items()
        if LIBRARIES.search(path.read_text())
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and re.match(r"_[a-z]", node.attr)
    }
    assert {name: place for name, place in used.items() if name not in own | NAMED | {"_exit"}} == {}  # os._exit


def test_no_private_method_of_theirs_is_replaced_that_is_not_named_here() -> None:
    modules = [
        importlib.import_module(f"ajo_worker.intake.{path.stem}") for path in OURS if path.parent.name == "intake"
    ]
    replaced = {
        f"{ours.__name__}.{name}"
        for module in modules
        for ours in vars(module).values()
        if inspect.isclass(ours) and ours.__module__ == module.__name__
        for theirs in ours.__mro__
        if LIBRARIES.match(theirs.__module__)
        for name in vars(theirs)
        if re.match(r"_[a-z]", name) and name in vars(ours) and name not in NAMED
    }
    assert replaced == set()


def _given(tree: ast.Module) -> set[str]:
    """Names that a module gives to something itself."""
    found = set()
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.add(name)
            case (
                ast.Attribute(value=ast.Name(id="self"), attr=name, ctx=ast.Store())
                | ast.AnnAssign(target=ast.Name(id=name))
            ):
                found.add(name)
            case ast.AnnAssign(target=ast.Attribute(attr=name)):
                found.add(name)
    return found
