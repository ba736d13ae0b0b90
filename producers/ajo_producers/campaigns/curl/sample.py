"""From a cURL sample to a campaign definition."""

import re
from collections.abc import Sequence
from typing import NamedTuple

from ajo_producers.campaigns.curl.address import read_address
from ajo_producers.campaigns.curl.dialect import split
from ajo_producers.campaigns.curl.jsonc import read_json
from ajo_producers.campaigns.curl.mending import command_alone, mend
from ajo_producers.campaigns.curl.options import Command, read_command
from ajo_producers.campaigns.curl.problem import Problem, SampleError, shown
from ajo_producers.campaigns.curl.recipients import line_of, read_recipients
from ajo_producers.campaigns.definition import Definition
from ajo_producers.campaigns.rules import IDENTIFIER, MAX_NAME, flaws

_COMMAND = re.compile(r"^(?:\S*[$%>#] +)?curl(?:\.exe)?\s", re.MULTILINE)
BODY = ("requestId", "campaignId", "recipients")


class Imported(NamedTuple):
    """A definition read from a sample, and in words what of the sample it leaves out, and what had to be mended."""

    definition: Definition
    dropped: list[str]
    mended: list[str] = []  # noqa: RUF012 - a NamedTuple's default, and never changed


def read_sample(text: str, name: str | None = None, one_of: Sequence[str] = ()) -> Imported:
    """Read a sample of any shell; without ``name`` the campaign is called after its id.

    Its values are dropped, but for those of the variables in ``one_of``, such as ``context.carrier``.

    Raises:
        SampleError: it is no call that executes a campaign; all faults that could be found, with lines.
    """
    text = command_alone(text)
    try:
        return _read(text, name, one_of)
    except SampleError as error:
        if len(commands := list(_COMMAND.finditer(text))) > 1:
            second = text.count("\n", 0, commands[1].start()) + 1
            raise SampleError(
                Problem(f"{len(commands)} curl commands: keep one; others go into files of their own", second)
            ) from error
        mended, what = mend(text)
        if not what:
            raise
        try:
            return _read(mended, name, one_of)._replace(mended=what)
        except SampleError as left:
            also = Problem(f"it also has {', '.join(what)}: write straight quotes, plain blanks and values")
            raise SampleError(*left.problems, also) from error


def _read(text: str, name: str | None, one_of: Sequence[str]) -> Imported:
    command = read_command(split(text))
    problems: list[Problem] = []
    address = read_address(command, problems)
    body = _read_body(command, problems)
    recipients = read_recipients(body.get("recipients"), address.lane, command.body, problems, one_of)
    campaign_id = body.get("campaignId")
    if not isinstance(campaign_id, str) or not IDENTIFIER.fullmatch(campaign_id):
        problems.append(Problem("campaignId is missing, or holds a placeholder", command.body.line))
        campaign_id = ""
    if problems:
        raise SampleError(*problems)
    definition = Definition(
        name=name or name_from(campaign_id) or "campaign",
        campaign_id=campaign_id,
        lane=address.lane,
        endpoint=address.endpoint,
        organization=address.organization,
        sandbox=address.sandbox,
        namespace=recipients.namespace,
        recipient_type=recipients.type,
        merge_policy_name=recipients.merge_policy.get("merge_policy_name"),
        merge_policy_schema=recipients.merge_policy.get("merge_policy_schema"),
        channel_data=recipients.areas["channel_data"],
        profile=recipients.areas["profile"],
        context=recipients.areas["context"],
    )
    if found := flaws(definition):
        raise SampleError(*(Problem(f"{flaw.field} {flaw.text}", command.body.line) for flaw in found))
    people = "the user id and the values of 1 recipient"
    if recipients.people > 1:
        people = f"the user ids and the values of {recipients.people} recipients"
    if one_of:
        people += f", but for {', '.join(one_of)}"
    left_out = [*command.dropped, *address.dropped, *(["the request id"] if "requestId" in body else [])]
    return Imported(definition, [*left_out, *recipients.dropped, people])


def name_from(text: str) -> str:
    """A campaign's name made from a file's name or an id; empty if nothing of it can stand in a name."""
    return "-".join(re.findall(r"[a-z0-9]+", text.lower()))[:MAX_NAME].strip("-")


def _read_body(command: Command, problems: list[Problem]) -> dict[str, object]:
    try:
        body = read_json(command.body)
    except SampleError as error:
        raise SampleError(*problems, *error.problems) from None
    if not isinstance(body, dict):
        raise SampleError(*problems, Problem("the body is not a JSON object", command.body.line))
    if "audience" in body:
        problems.append(Problem("audience: campaigns to an audience can't be imported yet", command.body.line))
    for name in body:
        if name not in (*BODY, "audience"):
            text = f"{shown(name)} is not part of a campaign's execution"
            problems.append(Problem(text, line_of(command.body, name)))
    return body
