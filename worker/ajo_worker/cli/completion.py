"""What the shell completes in the worker's commands: names of campaigns, reasons, and what may be kept back.

Nothing here raises, reads the database or prints: the shell shows whatever comes, at each press of the key.
"""

import os
from typing import get_args

from ajo_producers.campaigns.folder import DEFAULT_FOLDER, names_in
from ajo_producers.contract.lanes import LANES

from ajo_worker.api.answer import FailureKind
from ajo_worker.reasons import OF_AN_ANSWER, OWN

REASONS = OWN | OF_AN_ANSWER | frozenset(get_args(FailureKind))
"""Why triggers are in the state that they are in (docs/states.md); an ambiguous call may end one by how it broke."""


def campaign_names(incomplete: str) -> list[str]:
    """The campaigns of the folder that AJO_CAMPAIGNS names."""
    return names_in(os.environ.get("AJO_CAMPAIGNS") or DEFAULT_FOLDER, incomplete)


def reasons(incomplete: str) -> list[str]:
    """The reasons that begin so."""
    return sorted(reason for reason in REASONS if reason.startswith(incomplete))


def scopes(incomplete: str) -> list[str]:
    """What an operator may keep back: lanes, campaigns, the token endpoint."""
    return [lane for lane in (*LANES, "token") if lane.startswith(incomplete)] + campaign_names(incomplete)
