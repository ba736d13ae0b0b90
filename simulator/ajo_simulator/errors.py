"""The errors that a scenario scripts, and when a caller is told to come back."""

import time
from email.utils import formatdate

from ajo_simulator.cosmos import wording
from ajo_simulator.faults import CallFault, Cosmos, Outage, RateLimit, Status, TokenExpired
from ajo_simulator.validation import Execution, Problem, gateway_error, service_error


def error_of(fault: CallFault, execution: Execution) -> Problem | None:
    """The error answer of a fault that is nothing but one."""
    match fault:
        case Status(status=status, error_code=code, title=title, shape="gateway"):
            return gateway_error(status, code or f"{status}000", title)
        case Status(status=status, error_code=code, title=title, echo=echo):
            return service_error(status, title, code, {"received": execution.body} if echo else {})
        case RateLimit():
            return service_error(429, "Too many requests")
        case TokenExpired():
            return gateway_error(401, "401013", "Oauth token is not valid")
        case Cosmos():
            return _cosmos(fault, execution.request_id)
        case Outage():
            return Problem(500, b"", "")
        case _:
            return None


def _cosmos(fault: Cosmos, request_id: str) -> Problem:
    status = fault.status
    text = wording(fault.code, request_id) if fault.text is None else fault.text
    match fault.shape:
        case "gateway":
            return gateway_error(status, f"{status}000", text)
        case "detail":
            return service_error(status, "Internal Server Error", f"CJMRT-110100-{status}", {"detail": text})
        case "text":
            return Problem(status, text.encode(), text)
        case _:
            return service_error(status, text, f"CJMRT-110100-{status}")


def retry_after(value: float | str | None, form: str = "seconds") -> dict[str, str]:
    """The header, in one of its two forms (RFC 9110): seconds, or the date in so many seconds; text as it is."""
    if value is None:
        return {}
    if isinstance(value, str):
        return {"retry-after": value}
    if form == "date":
        return {"retry-after": formatdate(time.time() + value, usegmt=True)}
    return {"retry-after": str(int(value) if value.is_integer() else value)}
