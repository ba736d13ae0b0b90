"""Celery's worker as a program of ours: its signals, its name, its exit code."""

from typing import Any
from uuid import UUID

from celery.apps.worker import Worker
from celery.platforms import EX_FAILURE
from celery.utils.nodenames import default_nodename, host_format

from ajo_worker.intake.stop_signals import note_signals, told_to_quit


class Program(Worker):  # type: ignore[misc] # Celery ships no types
    """Notes signals where Celery would act on them."""

    def install_platform_tweaks(self, worker: object) -> None:  # noqa: ARG002 - Celery's signature
        """Called by Celery when it starts: no restart at SIGHUP, no remote debugger at SIGUSR2."""
        note_signals()


def default_name(worker_id: UUID) -> str:
    """The worker's name in Flower: no other has it, and its end is that of the worker's id in the ledger. Pure."""
    return f"ajo-dispatch-{worker_id.hex[-8:]}@%h"


def node_name(name: str) -> str:
    """A worker's name with the host's in it."""
    return str(host_format(default_nodename(name)))


def run(app: Any, name: str) -> int:
    """Run a worker until it is told to stop; its exit code, which is 0 only if it ended in good order.

    That is, all that it had sent is recorded.
    """
    program = app.Worker(hostname=node_name(name), quiet=True, without_gossip=True, without_mingle=True)
    program.start()
    cut_off = program.exitcode is None or told_to_quit() or not program.pool.in_good_order
    return EX_FAILURE if cut_off else int(program.exitcode)
