"""JMESPath expressions of a mapping: read once with every fault that shows before an event comes, and evaluated.

https://jmespath.org/specification.html
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import jmespath
from jmespath.exceptions import EmptyExpressionError, JMESPathError, JMESPathTypeError, ParseError
from jmespath.functions import Functions

from ajo_producers.campaigns.nearest import nearest
from ajo_producers.contract.counted import counted

ATTRIBUTES = ("specversion", "id", "source", "type", "subject", "time", "datacontenttype", "dataschema")
"""Of CloudEvents 1.0."""
EXTENSIONS = ("traceparent", "tracestate", "partitionkey", "sequence", "sequencetype", "sampledrate", "dataref")
"""Extension attributes that CloudEvents documents; a mapping file names others that it uses."""

MAX_EXPRESSION = 1000
"""Characters; jmespath reads what stands in brackets by recursion."""

_FUNCTIONS = tuple(Functions.FUNCTION_TABLE)
_OF_FIRST = frozenset({"subexpression", "pipe", "index_expression", "projection", "value_projection", "flatten"})
"""Nodes whose first child alone looks at what the node is given; the others look at what the first one found."""
_PATH = re.compile(r"[\w.\[\]*@-]+", re.ASCII)


class ExpressionError(ValueError):
    """An expression that can't be used, or can't be evaluated; the text never shows a value of an event."""


class Expression(NamedTuple):
    """A compiled expression and its text."""

    text: str
    compiled: Any

    def __repr__(self) -> str:
        """The text."""
        return f"Expression({self.text!r})"

    @property
    def path(self) -> str:
        """Where in an event it looks, for people: a plain path as it is, else the expression in brackets."""
        return self.text if _PATH.fullmatch(self.text) else f"({self.text})"

    def of(self, document: Mapping[str, Any]) -> Any:  # noqa: ANN401 - a JSON value
        """What it finds in an event; None if nothing.

        Raises:
            ExpressionError: a function gets what it doesn't take.
        """
        try:
            return self.compiled.search(document)
        except JMESPathTypeError as error:
            wanted = " or ".join(error.expected_types)
            raise ExpressionError(f"{error.function_name}() takes {wanted}, and is given {error.actual_type}") from None
        except (JMESPathError, TypeError, ValueError, RecursionError, ArithmeticError) as error:
            raise ExpressionError(f"can't be evaluated for this event ({type(error).__name__})") from None

    def holds(self, document: Mapping[str, Any]) -> bool:
        """Whether it is true of an event, by JMESPath's rule: null, false and what is empty are not.

        Raises:
            ExpressionError: as for ``of``.
        """
        found = self.of(document)
        return found is not None and found is not False and found not in ("", [], {})


def read_expression(text: object, extensions: Sequence[str] = ()) -> Expression:
    """Compile an expression; ``extensions`` are further attributes that events have.

    Raises:
        ExpressionError: it can't be read, or can never find anything.
    """
    if not isinstance(text, str) or not text.strip():
        raise ExpressionError("must be a JMESPath expression, such as data.orderId")
    if len(text) > MAX_EXPRESSION:
        raise ExpressionError(f"has {len(text):,} characters; an expression has {MAX_EXPRESSION:,} at most")
    try:
        compiled = jmespath.compile(text)
    except EmptyExpressionError:
        raise ExpressionError("must be a JMESPath expression, such as data.orderId") from None
    except ParseError as error:
        place = "at its end" if error.lex_position >= len(text) else f"at column {error.lex_position + 1}"
        raise ExpressionError(f"is no JMESPath: it can't be read {place}: {text}") from None
    except (JMESPathError, ValueError, RecursionError) as error:
        raise ExpressionError(f"is no JMESPath: {type(error).__name__}") from None
    parsed = compiled.parsed
    if faults := [*_unknown_functions(parsed), *_bare_negations(parsed), *_unknown_roots(parsed, extensions)]:
        raise ExpressionError("; ".join(dict.fromkeys(faults)))
    return Expression(text, compiled)


def roots(node: Mapping[str, Any]) -> Iterator[str]:
    """The names that an expression looks for at the top of an event. Pure."""
    kind, children = node["type"], node["children"]
    if kind == "field":
        yield node["value"]
    elif kind in _OF_FIRST or kind == "filter_projection":
        yield from roots(children[0])
    elif kind != "expref":
        for child in children:
            if isinstance(child, dict):
                yield from roots(child)


def _nodes(node: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield node
    for child in node["children"]:
        if isinstance(child, dict):
            yield from _nodes(child)


def _unknown_functions(parsed: Mapping[str, Any]) -> Iterator[str]:
    for node in _nodes(parsed):
        if node["type"] == "function_expression":
            name = node["value"]
            if name not in _FUNCTIONS:
                near = nearest(name, _FUNCTIONS)
                yield f"calls {name}(), which JMESPath hasn't" + (f"; did you mean {near[0]}()?" if near else "")
            else:
                yield from _wrong_arity(node)


def _wrong_arity(node: Mapping[str, Any]) -> Iterator[str]:
    signature = Functions.FUNCTION_TABLE[node["value"]]["signature"]
    given, wanted = len(node["children"]), len(signature)
    variadic = bool(signature) and bool(signature[-1].get("variadic"))
    if given < wanted or (given > wanted and not variadic):
        least = "at least " * variadic
        yield f"gives {node['value']}() {counted(given, 'argument')}; it takes {least}{wanted}"


def _bare_negations(parsed: Mapping[str, Any]) -> Iterator[str]:
    """``!a.b`` is read as ``(!a).b``, which finds nothing ever."""
    for node in _nodes(parsed):
        if node["type"] in _OF_FIRST and node["children"][0]["type"] == "not_expression":
            yield "negates only what stands before the first dot: put it in brackets, as in !(data.paid)"


def _unknown_roots(parsed: Mapping[str, Any], extensions: Sequence[str]) -> Iterator[str]:
    known = ("data", *ATTRIBUTES, *EXTENSIONS, *extensions)
    for name in roots(parsed):
        if name not in known:
            near = nearest(name, known, cutoff=0.8)
            hint = f"did you mean {near[0]}" if near else f"did you mean data.{name}"
            yield f"looks for {name!r} at the top of an event, where none has it; {hint}? (else name it in extensions)"
