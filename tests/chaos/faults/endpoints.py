"""Fault 6: an endpoint that refuses, hangs, resets, lies, or floods. The simulator shows them; the way is real HTTP."""

from contextlib import ExitStack, nullcontext
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.chaos.plan import fault
from tests.chaos.run import Run
from tests.support.connect_proxy import REFUSED, ConnectProxy

SHARE = 0.3
SECONDS = 4.0
IMPATIENCE = "4"
UNSURE = ("accepted", "unconfirmed")
"""Of what the fault cut off, as an outage or a missing token may keep it from its retry."""


def _script(run: Run, *faults: str) -> None:
    run.when_done(0.1)
    run.script("\n".join(f"[[fault]]\nshare = {SHARE}\n{text}" for text in faults))


@fault(
    "endpoint-refuses",
    6,
    "the endpoint is gone for some seconds: connections are refused",
    states=UNSURE,
    seconds=15,
)
def refuses(run: Run) -> None:
    run.when_done(0.2)
    run.stop_simulator()
    run.suspect_in_flight()  # those whose answer was cut off
    run.hold(0.5)
    run.suspect_in_flight()  # and those sent on a kept connection, whose end the worker had not noticed yet
    run.hold(SECONDS - 0.5)
    run.start_simulator()


@fault(
    "endpoint-proxy-dies",
    6,
    "workers go through a proxy, which is dead for some seconds, and later refuses them for some",
    states=UNSURE,
    seconds=15,
    tls=True,
)
def proxy_dies(run: Run) -> None:
    with ExitStack() as proxies:
        proxy = proxies.enter_context(ConnectProxy())
        for worker in run.workers[:]:
            run.start_worker(AJO_PROXY=proxy.url)
            run.retire_worker(worker)
        run.when_done(0.2)
        for answer in (None, REFUSED):
            run.suspect_in_flight()  # those whose answer is cut off
            proxy.die()
            with ConnectProxy(port=proxy.port, answer=answer) if answer else nullcontext():
                run.hold(0.5)
                run.suspect_in_flight()  # and those sent in a tunnel whose end the worker had not noticed yet
                run.hold(SECONDS - 0.5)
            proxy = proxies.enter_context(ConnectProxy(port=proxy.port))
            run.hold(SECONDS)
        run.quiet()  # as long as the proxy stands


@fault(
    "endpoint-certificate-expired",
    6,
    "the endpoint's certificate is expired for some seconds: nothing is sent",
    states=UNSURE,
    tls=True,
)
def certificate_expired(run: Run) -> None:
    run.when_done(0.2)
    for certificate in ("expired", "valid"):
        run.stop_simulator()
        run.suspect_in_flight()
        run.start_simulator(certificate)
        run.hold(SECONDS)


@fault(
    "endpoint-frozen",
    6,
    "the endpoint takes connections and answers nothing for 6 s",
    duplicates=False,
    outages=False,
    seconds=15,
)
def frozen(run: Run) -> None:
    run.when_done(0.2)
    run.freeze_simulator(6)


@fault("endpoint-hangs", 6, "30 % of the triggers hang once, not accepted", duplicates=False, states=UNSURE)
def hangs(run: Run) -> None:
    _script(run, 'kind = "hang"\nattempts = 1')


@fault(
    "endpoint-hangs-accepted",
    6,
    "30 % of the triggers hang once, and are accepted",
    duplicates=False,
    states=UNSURE,
)
def hangs_accepted(run: Run) -> None:
    _script(run, 'kind = "hang"\naccept = true\nattempts = 1')


@fault(
    "endpoint-hangs-impatience",
    6,
    "the same, under an operator's short time-out",
    AJO_ATTEMPT_TIMEOUT=IMPATIENCE,
)
def hangs_impatience(run: Run) -> None:
    hangs_accepted(run)


@fault("endpoint-resets-before", 6, "30 % are reset once before they are accepted", duplicates=False)
def resets_before(run: Run) -> None:
    _script(run, 'kind = "reset-before"\nattempts = 1')


@fault("endpoint-resets-after", 6, "30 % are accepted and their connection reset, once", smoke=True)
def resets_after(run: Run) -> None:
    _script(run, 'kind = "reset-after"\nattempts = 1')


@fault("endpoint-cuts-response", 6, "30 % are accepted, and the answer is cut after half of it", duplicates=False)
def cuts_response(run: Run) -> None:
    _script(run, 'kind = "cut-response"\nattempts = 1')


@fault("endpoint-stalled-body", 6, "30 % are accepted, and half of the answer never comes", duplicates=False)
def stalled_body(run: Run) -> None:
    _script(run, 'kind = "stalled-body"\nattempts = 1')


@fault(
    "endpoint-slow",
    6,
    "all answers take 100 times longer: past an operator's short time-out for most",
    states=UNSURE,
    AJO_ATTEMPT_TIMEOUT=IMPATIENCE,
)
def slow(run: Run) -> None:
    run.when_done(0.3)
    run.script('[latency]\ndistribution = "constant"\nseconds = 5')
    run.hold(SECONDS)
    run.script("")


@fault("endpoint-429", 6, "60 % get 429 for 4 s, in all forms of Retry-After or none", duplicates=False)
def storm(run: Run) -> None:
    run.when_done(0.1)
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=6), usegmt=True)
    forms = ("", "retry_after = 1", f'retry_after = "{soon}"', 'retry_after = "in a while"')
    run.script("\n".join(f'[[fault]]\nshare = 0.15\nuntil = {SECONDS}\nkind = "rate-limit"\n{form}' for form in forms))


@fault(
    "endpoint-429-a-year", 6, "30 % are told to come back in a year", duplicates=False, states=("accepted", "expired")
)
def a_year(run: Run) -> None:
    _script(run, 'kind = "rate-limit"\nretry_after = 31536000')


@fault("endpoint-5xx", 6, "500, 502, 503 and 504, 15 % each, once", duplicates=False, smoke=True)
def server_errors(run: Run) -> None:
    run.when_done(0.1)
    statuses = (500, 502, 503, 504)
    run.script("\n".join(f'[[fault]]\nshare = 0.15\nattempts = 1\nkind = "status"\nstatus = {one}' for one in statuses))


@fault(
    "endpoint-redirects",
    6,
    "30 % are redirected for good: never followed, credentials stay",
    duplicates=False,
    states=("accepted", "rejected"),
)
def redirects(run: Run) -> None:
    _script(run, 'kind = "redirect"\nstatus = 308')


@fault("endpoint-huge-body", 6, "1 % are accepted with an answer of 300 MB: not read", duplicates=False)
def huge_body(run: Run) -> None:
    run.when_done(0.1)
    run.script('[[fault]]\nshare = 0.01\nattempts = 1\nkind = "huge-body"')


@fault("endpoint-invalid-json", 6, "30 % are accepted with an answer that isn't JSON", duplicates=False)
def invalid_json(run: Run) -> None:
    _script(run, 'kind = "invalid-json"\nattempts = 1')
