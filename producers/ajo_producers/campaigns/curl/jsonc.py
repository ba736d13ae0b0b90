"""JSON as samples have it: with ``//`` and ``/* */`` comments, and commas before a closing bracket."""

import json
import re
from typing import Any, NoReturn

from ajo_producers.campaigns.curl.problem import Problem, SampleError, Word

_STRING = r'(?P<string>"(?:[^"\\\n]|\\.)*")'
_COMMENT = re.compile(rf"{_STRING}|//[^\n]*|/\*.*?\*/", re.DOTALL)
_LAST_COMMA = re.compile(rf"{_STRING}|,(?=\s*[}}\]])", re.DOTALL)


def read_json(body: Word) -> Any:  # noqa: ANN401 - any JSON value
    """The value of a sample's body.

    Raises:
        SampleError: it is no JSON, has a name twice in an object, or is nested too deeply; with the sample's line.
    """
    try:
        text = _LAST_COMMA.sub(_blank, _COMMENT.sub(_blank, body.text))
        return json.loads(text, object_pairs_hook=lambda pairs: _object(pairs, body), parse_constant=_refuse)
    except SampleError:
        raise
    except json.JSONDecodeError as error:
        # Blanks replace comments, so places in the cleaned text are places in the sample.
        line = body.line + error.lineno - 1
        raise SampleError(Problem(f"the body is not JSON: {error.msg} (column {error.colno})", line)) from None
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else "a number that JSON doesn't have"
        raise SampleError(Problem(f"the body is not JSON: {reason}", body.line)) from None


def _blank(match: re.Match[str]) -> str:
    return match[0] if match["string"] else re.sub(r"[^\n]", " ", match[0])


def _object(pairs: list[tuple[str, Any]], body: Word) -> dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise SampleError(Problem("the body is not clear: an object has the same name twice", body.line))
    return made


def _refuse(_constant: str) -> NoReturn:
    raise ValueError
