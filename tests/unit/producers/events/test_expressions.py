"""Expressions find what they say; what can never find anything is told before an event comes."""

import pytest
from ajo_producers.events.expressions import ExpressionError, read_expression, roots

EVENT = {
    "id": "1",
    "source": "/shop",
    "data": {"n": -2, "items": [{"p": 3}, {"p": 9}], "t": "x", "a-b": 1, "no": False},
}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("data.n", -2),
        ("data.items[?p > `5`].p | [0]", 9),
        ("join('-', [source, id])", "/shop-1"),
        ('data."a-b"', 1),
        ("data.missing.deeper", None),
        ("not_null(data.missing, data.t)", "x"),
        ("subject", None),
        ("tenant", None),
        ("abs(data.n)", 2),
        ("sort_by(data.items, &p)[-1].p", 9),
        ("'constant'", "constant"),
    ],
)
def test_an_expression_finds(text: str, found: object) -> None:
    assert read_expression(text, ["tenant"]).of(EVENT) == found


@pytest.mark.parametrize(
    ("text", "holds"),
    [("data.t == 'x'", True), ("data.no", False), ("!(data.no)", True), ("data.none", False), ("data.n", True)],
)
def test_a_condition_holds_by_the_rule_of_jmespath(text: str, holds: bool) -> None:
    assert read_expression(text).holds(EVENT) == holds


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "must be a JMESPath expression"),
        ("  ", "must be a JMESPath expression"),
        (7, "must be a JMESPath expression"),
        ("data.[", "at its end"),
        ("data..x", "at column 6"),
        ("data.x = 'y'", "at column 8"),
        ("email", "did you mean data.email?"),
        ("dta.email", "did you mean data?"),
        ("jion('', data.x)", "did you mean join()?"),
        ("quux(data.x)", "calls quux(), which JMESPath hasn't"),
        ("join(data.x)", "1 argument; it takes 2"),
        ("not_null()", "0 arguments; it takes at least 1"),
        ("!data.paid.x", "put it in brackets"),
        ("(" * 3000 + "data" + ")" * 3000, "has 6,004 characters; an expression has 1,000 at most"),
    ],
)
def test_what_can_never_find_anything_is_told(text: object, told: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    "text", ["abs(data.t)", "length(data.n)", "join('', data.items)", "max_by(data.items, &missing)"]
)
def test_what_a_function_does_not_take_is_told_without_the_value(text: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        read_expression(text).of(EVENT)
    assert "'x'" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("data.a.b", ["data"]),
        ("data.items[?price > `3`].name | [0]", ["data"]),
        ("{a: data.b, c: id}", ["data", "id"]),
        ("[source, data.x[*].id]", ["source", "data"]),
        ("sort_by(data.l, &key)", ["data"]),
        ("data.x == 'a' && !(subject)", ["data", "subject"]),
        ("'text'", []),
    ],
)
def test_the_names_at_the_top_are_those_that_the_event_is_asked_for(text: str, names: list[str]) -> None:
    assert list(roots(read_expression(text).compiled.parsed)) == names
