"""Fault 7: a token endpoint that is down, slow, or gives tokens that expire at once."""

from tests.chaos.plan import fault
from tests.chaos.run import Run

SHORT = "[token]\nexpires_in = 2\n"
SLOW = SHORT + "latency = 3\n"


@fault("token-short-lived", 7, "tokens live 2 s", duplicates=False, scenario=SHORT)
def short_lived(run: Run) -> None:
    run.when_done(0.5)


@fault("token-endpoint-down", 7, "tokens live 2 s, and there are none for 6 s", duplicates=False, scenario=SHORT)
def down(run: Run) -> None:
    run.when_done(0.2)
    run.script("[token]\nfail_status = 503\n")
    run.hold(6)
    run.script(SHORT)


@fault("token-endpoint-slow", 7, "tokens live 2 s, and take 3 s to come", duplicates=False, scenario=SLOW)
def slow(run: Run) -> None:
    run.when_done(0.5)


@fault("token-refused", 7, "30 % of the triggers have their token refused once", duplicates=False)
def refused(run: Run) -> None:
    run.when_done(0.1)
    run.script('[[fault]]\nshare = 0.3\nattempts = 1\nkind = "token-expired"')
