"""Fault 7: a token endpoint that is down, slow, or gives tokens that expire at once."""

from tests.chaos.plan import fault
from tests.chaos.run import Run

SHORT = "[token]\nexpires_in = 5\n"
SLOW = "[token]\nexpires_in = 4\nlatency = 5\n"


@fault("token-short-lived", 7, "tokens live 5 s", duplicates=False, scenario=SHORT)
def short_lived(run: Run) -> None:
    run.when_done(0.5)


@fault("token-endpoint-down", 7, "tokens live 5 s, and there are none for 12 s", duplicates=False, scenario=SHORT)
def down(run: Run) -> None:
    run.when_done(0.2)
    run.script("[token]\nfail_status = 503\n")
    run.hold(12)
    run.script(SHORT)


@fault("token-endpoint-slow", 7, "tokens live 4 s, and take 5 s to come", duplicates=False, scenario=SLOW)
def slow(run: Run) -> None:
    run.when_done(0.5)


@fault("token-refused", 7, "30 % of the triggers have their token refused once", duplicates=False)
def refused(run: Run) -> None:
    run.when_done(0.1)
    run.script('[[fault]]\nshare = 0.3\nattempts = 1\nkind = "token-expired"')
