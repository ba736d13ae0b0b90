"""Whether a refusal says that this very call was made before. Pure.

How Journey Optimizer refuses a ``requestId`` that it knows is undocumented but for ``CJMRT-000032-409``. What is
refused for recipients, attachments or values that stand in one call twice is the caller's own fault, no repetition.
"""

import re
from collections.abc import Sequence

CONFLICT = re.compile(r"-409$")
_AGAIN = re.compile(
    r"duplicat|(?:re-?played|repeated)\s+(?:request|call|execution|message)|idempoten|not\s+unique|must\s+be\s+unique"
    r"|\balready[\s_]+(?:been[\s_]+)?(?:processed|accepted|exist\w*|executed|submitted|received|triggered|in[\s_]+progress"
    r"|under[\s_]+way|used|sent|queued|known|handled|registered|created|seen|pending|scheduled)"
    r"|\b(?:processed|received|seen|used|sent|accepted|handled)\s+before\b|\bin[\s_]+progress\b"
)
_OF_CALL = re.compile(
    r"request[\s_-]*id|idempoten|duplicate[\s_]*(?:request|call|execution|message|submission|trigger)\b|\bexecution"
    r"|\b(?:request|call|submission)\s+(?:was|is|has|already)\b"
)
_OF_CONTENT = re.compile(
    r"recipient|user[\s_-]*id|profile|identit|e-?mail|address|attachment|variable|attribute|\bkeys?\b|field|namespace|header"
    r"|parameter|campaign|token|phone|element|property|entry|entries"
)


def is_conflict(code: str | None) -> bool:
    """Whether Adobe's code is that of a conflict, whatever the status."""
    return code is not None and CONFLICT.search(code) is not None


def says_repeated(texts: Sequence[str]) -> bool:
    """Whether an error's texts say that the call, and not something in it, was there before."""
    return any(_AGAIN.search(text) and (_OF_CALL.search(text) or not _OF_CONTENT.search(text)) for text in texts)
