"""The command line: the root, and the producers' commands."""

import os
import signal
import sys
import warnings

from ajo_producers.contract.stop_signals import stop_signals

os.environ.setdefault("TYPER_USE_RICH", "0")  # Typer's boxes around help take half a second of CPU to import

if any("error".startswith(option.partition(":")[0]) for option in sys.warnoptions):
    # PYTHONWARNINGS=error: the advice of a library (as Celery's, not to be root) is shown, and must end no program.
    warnings.simplefilter("default")

if os.getpid() == 1:
    # The first process of a container has no default actions, and so could not be stopped before its command has
    # handlers of its own. Said here, and not there: what commands import takes a second.
    for _number in {*stop_signals(), signal.SIGQUIT} - {signal.SIGINT}:  # which Python makes a KeyboardInterrupt
        signal.signal(_number, lambda number, _: os._exit(128 + number))
