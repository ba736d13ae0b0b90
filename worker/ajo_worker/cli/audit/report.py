"""How ``ajo-dispatch audit`` says what it did and found."""

from ajo_producers.contract.counted import counted
from rich.console import Console

from ajo_worker.cli.printing import cell, make_table
from ajo_worker.evidence.closing import Closed
from ajo_worker.evidence.findings import SOUND, DayFound, ExplainedChange, Fault, Verified
from ajo_worker.words import instant

MOST = 50
"""Lines of a kind that are shown; --json has all."""


def show_closed(done: Closed, console: Console) -> None:
    """Print what was sealed."""
    if not done.days and not done.again:
        console.print("Nothing is due.", markup=False)
    if done.days:
        days = f"{done.days[0]} to {done.days[-1]}" if len(done.days) > 1 else str(done.days[0])
        console.print(f"Sealed {counted(len(done.days), 'day')} ({days}), {counted(done.rows, 'row')}", markup=False)
    for seal in done.again:
        where = _where(seal.relation, seal.chunk.hour)
        console.print(f"Sealed again: {seal.day} {where}: {seal.cause}", markup=False)
    for refused in done.refused:
        where = _where(refused.chunk.relation, refused.chunk.hour)
        console.print(f"Not sealed again: {refused.chunk.day} {where}: {refused.why}", markup=False)


def show_verified(found: Verified, console: Console) -> None:
    """Print what was found, day by day."""
    if not found.seals:
        console.print("Nothing is sealed yet: ajo-dispatch audit close", markup=False)
        return
    table = make_table("Day (UTC)", "State", "Rows", "Later", "Sealed again", numbers=3)
    for day in found.days:
        resealed = sum(one.sealed_at is not None for one in day.again)
        table.add_row(str(day.day), _state(day), f"{day.rows:,}", f"{day.later:,}", f"{resealed:,}")
    console.print(table)
    faults = [(day, fault) for day in found.days for fault in day.faults]
    again = [(day, one) for day in found.days for one in day.again]
    for title, lines in (
        ("Not what was sealed:", [f"{day.day} {_fault(fault)}" for day, fault in faults]),
        ("Changed since, for a reason on record:", [f"{day.day} {_again(one, found)}" for day, one in again]),
    ):
        if lines:
            console.print(f"\n{title}", markup=False)
            for line in lines[:MOST]:
                console.print(cell(f"  {line}"))
            if len(lines) > MOST:
                console.print(f"  … and {len(lines) - MOST:,} more: --json", markup=False)
    console.print(f"\n{_chain(found)}", markup=False)


def only_key_missing(found: Verified) -> bool:
    """Whether nothing is known to be wrong, but for the key that the chain needs. Pure."""
    known = found.chain_broken is None and found.head_found is not False
    return known and found.no_key is not None and all(day.state in SOUND for day in found.days)


def summary(found: Verified) -> str:
    """What is wrong, in a line each. Pure."""
    lines = []
    if found.chain_broken is not None:
        lines.append(f"the chain is broken at seal {found.chain_broken.digest_id}: {found.chain_broken.why}")
    if found.no_key is not None:
        lines.append(
            f"AJO_EVIDENCE_KEY is not set, and seals from {found.no_key.digest_id} on were made with a key "
            f"({found.no_key.key_id}): set it to the key of 'ajo-dispatch audit close' to verify the chain"
        )
    if found.head_found is False:
        lines.append("the given value is not in the chain: it was made anew, or cut off, since that value was taken")
    if bad := [str(day.day) for day in found.days if day.state not in SOUND]:
        lines.append(f"not intact: {', '.join(bad)}")
    return "\n".join(lines)


def _state(day: DayFound) -> str:
    if day.state == "removed" and day.removed_at is not None:
        return f"dropped by retention on {day.removed_at:%Y-%m-%d}"
    return day.state


def _where(relation: str, hour: int | None) -> str:
    return relation if hour is None else f"{hour:02}:00 {relation}"


def _fault(fault: Fault) -> str:
    rows = "" if fault.sealed is None else f" ({fault.sealed:,} rows sealed, {fault.found or 0:,} there now)"
    return f"{_where(fault.relation, fault.hour)}: {fault.why}{rows}"


def _again(one: ExplainedChange, found: Verified) -> str:
    when = "not yet sealed again" if one.sealed_at is None else f"sealed again {instant(one.sealed_at)}"
    causes = (_cause(cause, found) for cause in one.cause.split(", "))
    return f"{_where(one.relation, one.hour)}, {when}: {'; '.join(causes)}"


def _cause(cause: str, found: Verified) -> str:
    word, _, number = cause.partition(" ")
    if word != "operation" or not number.isdecimal():
        return cause
    return f"{cause} ({found.operations.get(int(number), 'not on record')})"


def _chain(found: Verified) -> str:
    if found.chain_broken is not None:
        return f"Chain of {counted(found.seals, 'seal')}: broken at {found.chain_broken.digest_id}"
    if found.no_key is not None:
        return f"Chain of {counted(found.seals, 'seal')}: not verified, since its key is not here"
    known = "" if found.head_found is None else ", the given value is in it" if found.head_found else ""
    keyless = f" ({found.without_key:,} of them without a key)" if found.without_key else ""
    return f"Chain of {counted(found.seals, 'seal')}{keyless}: unbroken{known}; its head is {found.head}"
