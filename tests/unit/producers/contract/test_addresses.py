"""The rule of addresses: what spreadsheets, shells, lists and people leave in their place is told, the rest passes."""

import re
from itertools import product

import pytest
from ajo_producers.contract.addresses import (
    NO_ADDRESS,
    PLACEHOLDER,
    AddressKind,
    cut,
    flaw_of,
    has_placeholder,
    shape_flaw,
    strict_flaw,
)
from ajo_producers.publishing.request_id import key_flaw
from hypothesis import example, given
from hypothesis import strategies as st

NUMBER = "+491701234567"
REAL = {
    "email": [
        "ada@example.com",
        "Ada.Lovelace+news@sub.example.co.uk",
        "o'neil@example.com",
        "_somename@example.com",
        "$A12345@example.com",
        "!def!xyz%abc@example.com",
        "customer/department=shipping@example.com",
        "john..doe@example.com",  # Japanese mobile operators gave these out
        "user.@example.com",
        '"a.b"@example.com',
        "ünï@exämple.com",
        "ada@उदाहरण.example",
        "ada@xn--p1ai.xn--p1ai",
        "null@example.com",
        f"{'a' * 64}@example.com",
    ],
    "phone": [NUMBER, "+12025550100", "+6834002", "+123456789012345"],
}
NONE: dict[str, dict[str, list[str]]] = {
    "email": {
        "is blank": ["", " ", "\t", "\u00a0", "\u200b"],
        "what a program writes": ["NULL", "null", "None", "nan", "undefined", "N/A", "(null)", "[object Object]"],
        "what a spreadsheet shows": ["#N/A", "#REF!", "#NAME?", "#VALUE!", "#DIV/0!", "#NV", "#BEZUG!", "#ÜBERLAUF!"],
        "a spreadsheet has rounded": ["4.91702E+11", "4,91702E+11", "1e5"],
        "a placeholder": ["{{email}}", "$EMAIL", "${EMAIL}", "${USER}@example.com", "%EMAIL%", "<%= to %>", "{to}"],
        "an apostrophe": ["'ada@example.com", "'ada@example.com'", "‘ada@example.com’"],
        "a formula": ["=A2", '="ada@example.com"'],
        "a name with an address": ["Ada <ada@example.com>", "<ada@example.com>", "Ada<ada@example.com"],
        "more than one": [
            "ann@example.com; bob@example.com",
            "ann@example.com,bob@example.com",
            "ann@example.com bob@example.com",
            "ann@example.com|bob@example.com",
            "ann@example.com\nbob@example.com",
            "ada@example.com;",
            "ada@@example.com",
        ],
        "mailto:": ["mailto:ada@example.com"],
        "a blank, a line end": ["ada lovelace@example.com", "ada@example .com", "ada\u200b@example.com", "a\0@b.com"],
        "no @": ["ada", "ada.example.com", "ada＠example.com", NUMBER, "-", "0"],
        "no dot": ["ada@localhost", "ada@example", "ada@", "undefined@undefined"],
        "no domain": ["ada@example.com.", "ada@.example.com", "ada@-x.com", "ada@exa_mple_.com", "ada@[192.168.0.1]"],
        "no top-level domain": ["ada@192.168.0.1", "ada@example.c"],
        "before the @": ["@example.com", f"{'a' * 65}@example.com", f"a@{'b' * 60}.{'c.' * 100}com"],
        "before its @": ['"ada"x@example.com', "ada(work)@example.com", "a\\b@example.com"],
    },
    "phone": {
        "is blank": ["", "  "],
        "what a program writes": ["NULL", "N/A"],
        "what a spreadsheet shows": ["#N/A", "#REF!"],
        "a spreadsheet has rounded": ["4.91702E+11", "4,91702E+11", "+4.9E+11", "491E9"],
        "an apostrophe": [f"'{NUMBER}"],
        "a formula": [f"={NUMBER}", f'="{NUMBER}"'],
        "a decimal place": ["491701234567.0", f"{NUMBER}.00", "491701234567,0"],
        "an e-mail address": ["ada@example.com"],
        "another script": ["+٤٩١٧٠١٢٣٤٥٦٧", "+４９１７０１２３４５６７"],
        "more than one": [f"{NUMBER};{NUMBER}", f"{NUMBER}, {NUMBER}", f"Ada <{NUMBER}>", f"{NUMBER}/{NUMBER}"],
        "tel:": [f"tel:{NUMBER}"],
        "blanks, signs or letters": ["+49 170 1234567", "+49-170-1234567", "+49(0)1701234567", "+1 CALL NOW", "0170x"],
        "begins with 00": ["00491701234567"],
        "no +": ["491701234567", "01701234567", "0"],
        "7 to 15 digits": ["+", "+49", "+01701234567", "+1234567890123456"],
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", ["email", "phone"])
def test_odd_but_real_addresses_pass(kind: AddressKind) -> None:
    assert {text: shape_flaw(kind, text) for text in REAL[kind]} == dict.fromkeys(REAL[kind])


@pytest.mark.parametrize(("kind", "told"), [(kind, told) for kind, flaws in NONE.items() for told in flaws])
def test_what_cant_be_an_address_is_told_with_what_it_is(kind: AddressKind, told: str) -> None:
    found = {text: shape_flaw(kind, text) or "" for text in NONE[kind][told]}
    assert [text for text, flaw in found.items() if told not in flaw] == [], found


@given(
    st.sampled_from(["email", "phone"]),
    st.text(st.sampled_from("ab.@<>,; \t\u00a0\u200b\"'+0123456789eE#/{}$%-_\\ü"), max_size=20),
)
@example("email", "secret@local")
def test_what_passes_has_the_promised_shape_and_no_flaw_shows_an_address(kind: AddressKind, text: str) -> None:
    flaw = shape_flaw(kind, text)
    if flaw is None and kind == "email":
        local, domain = text.split("@")
        assert local
        assert "." in domain
        assert not re.search(r"[\s<>,;\u200b]", text)
    elif flaw is None:
        assert re.fullmatch(r"\+[1-9][0-9]{6,14}", text)
    else:
        assert "@" not in text or text == "@" or text not in flaw


@pytest.mark.parametrize(
    ("around", "text"),
    list(product([" {} ", "\t{}\r\n", "\u00a0{}\ufeff", "\u202a{}\u202c"], ["ada@example.com", NUMBER])),
)
def test_blanks_and_invisible_marks_around_are_cut(around: str, text: str) -> None:
    assert cut(around.format(text)) == text


def test_an_address_without_blanks_is_not_copied() -> None:
    assert cut(NUMBER) is NUMBER


@pytest.mark.parametrize(
    ("kind", "text", "told"),
    [
        ("email", "ada@example.com", None),
        ("email", "ünï@exämple.com", None),
        ("email", "ada@example.invalid", "is no valid e-mail address: the part after the @-sign"),
        ("email", "john..doe@example.com", "is no valid e-mail address: an email address cannot have two periods"),
        ("email", "ada", "is no e-mail address: it has no @"),
        ("phone", NUMBER, None),
        ("phone", "+15550100", "is no number that its country gives out"),
        ("phone", "+9991234567", "is no number that its country gives out"),
        ("phone", "01701234567", "has no + and country code"),
    ],
)
def test_strict_asks_the_libraries_as_well(kind: AddressKind, text: str, told: str | None) -> None:
    assert (strict_flaw(kind, text) or "None").startswith(str(told))


@pytest.mark.parametrize("text", ["", "NULL", "ada"])
def test_off_looks_at_nothing(text: str) -> None:
    assert flaw_of("off")("email", text) is None


@given(st.text(max_size=30))
def test_strict_refuses_whatever_shape_refuses_and_shows_no_address(text: str) -> None:
    found = strict_flaw("email", f"{text}@example.com")
    assert found is not None or shape_flaw("email", f"{text}@example.com") is None
    assert found is None or not text.strip() or f"{text}@example.com" not in found


@pytest.mark.parametrize("piece", ["<%", "{{", "${", "{", "%", "#a", "a.", "1 ", "'", "+", "@", "\n$a", "\u00ad"])
@pytest.mark.parametrize("kind", ["email", "phone"])
def test_of_a_text_that_is_far_too_long_nothing_else_is_asked_and_none_of_it_shown(
    kind: AddressKind, piece: str
) -> None:
    """A pattern that goes back and forth in it would hold a worker up for days."""
    text = piece * 300_000
    assert shape_flaw(kind, text) == NO_ADDRESS[kind]
    assert key_flaw(text) in {None, PLACEHOLDER, "is blank"}


MARKS = re.compile(r"\{\{.*\}\}|\$\{.*\}|<%.*%>|(?<!.)(?:\$\w+|%\w+%)(?!.)")


@given(st.text(st.sampled_from("{}$<%>a1_ x"), max_size=14))
def test_a_placeholder_is_what_these_patterns_say(text: str) -> None:
    assert has_placeholder(text) == bool(MARKS.search(text))
