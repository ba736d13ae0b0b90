"""Addresses: what can't be one. The one rule of producers and workers, offline; docs/campaigns.md has it in words.

It refuses what spreadsheets, shells and lists leave in an address's place, and lets odd but real addresses pass. No
flaw ever shows an address.
"""

import re
from collections.abc import Callable
from typing import Literal, TypeAlias

AddressKind: TypeAlias = Literal["email", "phone"]
AddressCheck: TypeAlias = Literal["shape", "strict", "off"]
"""How closely addresses are looked at: their shape, also with email-validator and phonenumbers, or not at all."""
FlawOf: TypeAlias = Callable[[AddressKind, str], str | None]

FIELDS: dict[str, AddressKind] = {"emailAddress": "email", "mobilePhoneNumber": "phone"}
"""Fields of ``channelData`` that hold an address (Interactive Message Execution API)."""
NAMESPACES: dict[str, AddressKind] = {"email": "email", "phone": "phone", "phone_e.164": "phone"}
"""Identity namespaces whose ids are addresses, in lower case (Experience Platform's standard namespaces)."""
STRICT_PACKAGES = ("email_validator", "phonenumbers")

# Whitespace, and what is invisible: contact lists put direction marks around numbers, web pages zero-width spaces.
_AROUND = (
    "\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0\xad\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u200b\u200c\u200d\u200e\u200f\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u202f\u205f\u2060\u2066\u2067\u2068"
    "\u2069\u3000\ufeff"
)
_INVISIBLE = re.compile(rf"[{_AROUND}\x00-\x1f\x7f-\x9f]")
MAX_EMAIL, MAX_LOCAL, MAX_LABEL = 254, 64, 63
"""Bytes of an address, of what stands before its @, and of a part of its domain (RFC 5321, RFC 1035)."""
LOOKED_AT = 1_000
"""Characters beyond which nobody asks what else a text may be: whoever sends a message chooses how long it is."""
NO_ADDRESS: dict[AddressKind, str] = {
    "email": f"is no e-mail address: {MAX_EMAIL} bytes are the most of all",
    "phone": "is no phone number: + and 7 to 15 digits, of which the first is no 0 (E.164)",
}

_NOTHING = frozenset({"null", "nil", "none", "nan", "undefined", "n/a", "na", "(null)", "<null>", "[object object]"})
_SPREADSHEET_ERROR = re.compile(r"#[^\W\d_][\w/]*[!?]?")
_TEMPLATE_MARKS = ("{{", "}}"), ("${", "}"), ("<%", "%>")
_VARIABLE = re.compile(r"\$\w+|%\w+%")
_IN_BRACKETS = re.compile(r"\{\w+\}|\[\w+\]")
_USUAL_EMAIL = re.compile(r"[A-Za-z0-9_+-]+(?:\.[A-Za-z0-9_+-]+)*@(?:[A-Za-z0-9]+(?:-+[A-Za-z0-9]+)*\.)+[A-Za-z]{2,20}")
_USUAL_LENGTH = 64
_QUOTED = re.compile(r'"(?:[^"\\]|\\.)*"')
_LABEL = re.compile(r"[A-Za-z0-9\x80-\U0010ffff](?:[A-Za-z0-9_\x80-\U0010ffff-]*[A-Za-z0-9\x80-\U0010ffff])?")
_E164 = re.compile(r"\+[1-9][0-9]{6,14}")
ROUNDED = "is a number that a spreadsheet has rounded: format its column as text, and take it anew from its source"
_ROUNDED = re.compile(r"[+-]?\d+(?:[.,]\d+)?[eE][+-]?\d+")


def cut(text: str) -> str:
    """The text without blanks, and without invisible characters, around it; itself if there are none."""
    return text.strip(_AROUND)


def as_compared(text: str) -> str:
    """An address as it is compared with others: its domain's case means nothing (RFC 5321, 2.4); itself if it is so.

    The case of what stands before the @ counts: by the same RFC it is the mailbox's own, and to Experience Platform
    ids that differ in it are two people. What is sent is never changed.
    """
    local, at, domain = text.rpartition("@")
    lowered = domain.lower()
    return text if not at or lowered == domain else f"{local}@{lowered}"


def flaw_of(check: AddressCheck) -> FlawOf:
    """The rule of a definition: given a kind and a text, why the text can't be an address of that kind; else None."""
    return {"shape": shape_flaw, "strict": strict_flaw, "off": lambda _kind, _text: None}[check]


def shape_flaw(kind: AddressKind, text: str) -> str | None:
    """Why a text can't be an address, by its shape alone; None if it can. Blanks around it are the caller's to cut."""
    if kind == "email" and len(text) <= _USUAL_LENGTH and _USUAL_EMAIL.fullmatch(text):
        return None
    if len(text) > LOOKED_AT:
        return NO_ADDRESS[kind]
    if flaw := no_value(text) or _left_over(text):
        return flaw
    return _email_flaw(text) if kind == "email" else _phone_flaw(text)


def strict_flaw(kind: AddressKind, text: str) -> str | None:
    """The same, asking the libraries of the extra ``strict`` as well; neither of them asks the network.

    Raises:
        ModuleNotFoundError: they are not installed.
    """
    if flaw := shape_flaw(kind, text):
        return flaw
    if kind == "email":
        from email_validator import EmailNotValidError, validate_email  # noqa: PLC0415 - an extra

        try:
            validate_email(text, check_deliverability=False, allow_quoted_local=True)
        except EmailNotValidError as error:
            # Its texts may quote a part of the address.
            return "is no valid e-mail address" + _reason(str(error), text)
        return None
    import phonenumbers  # noqa: PLC0415 - an extra

    try:
        valid = phonenumbers.is_valid_number(phonenumbers.parse(text))
    except phonenumbers.NumberParseException:
        valid = False
    return None if valid else "is no number that its country gives out"


def _reason(reason: str, text: str) -> str:
    parts = [part for part in re.split(r"[@.]", text.lower()) if len(part) > 1]
    return "" if any(part in reason.lower() for part in parts) else f": {reason[:1].lower()}{reason[1:].rstrip('.')}"


def no_value(text: str) -> str | None:
    """What stands there in place of a value, if there is none: nothing, or what a program writes for that."""
    if not cut(text):
        return "is blank"
    if text.lower() in _NOTHING:
        return f"is {text}: what a program writes where there is no value"
    if len(text) <= MAX_LABEL and _SPREADSHEET_ERROR.fullmatch(text):
        return f"is {text}: {SHOWN_FOR_NONE}"
    return None


SHOWN_FOR_NONE = "what a spreadsheet shows in place of a value that it doesn't have"
FORMULA = "is a formula of a spreadsheet, and not its value"
MARKED = "begins with an apostrophe, as spreadsheets mark text"
PLACEHOLDER = "holds a placeholder that nothing was put in place of"


def has_placeholder(text: str) -> bool:
    """Whether a template's mark is in it, or a line of it is a variable's name alone; in one pass, however long."""
    for begin, end in _TEMPLATE_MARKS:
        if (at := text.find(begin)) >= 0 and text.find(end, at + len(begin)) >= 0:
            return True
    return any(_VARIABLE.fullmatch(line) for line in text.split("\n") if line[:1] in ("$", "%"))


def _left_over(text: str) -> str | None:
    """What templates and spreadsheets leave in a value's place."""
    if has_placeholder(text) or _IN_BRACKETS.search(text):
        return PLACEHOLDER
    if _ROUNDED.fullmatch(text):
        return ROUNDED
    if text.startswith(("'", "’", "‘")):
        return MARKED
    if text.startswith("="):
        return FORMULA
    return None


def _email_flaw(text: str) -> str | None:
    if "<" in text or ">" in text:
        return "is a name with an address: give the address alone"
    if "," in text or ";" in text or ("@" in text and _several(text)):
        return "holds more than one address, or a comma or semicolon: a recipient has one"
    if text.lower().startswith("mailto:"):
        return "begins with mailto:, as links do: give the address alone"
    if _INVISIBLE.search(text):
        return "has a blank, a line end or an invisible character in it"
    local, at, domain = text.rpartition("@")
    if not at:
        return "is no e-mail address: it has no @"
    if "@" in local:
        return "has more than one @: a recipient has one address"
    if not local or len(local.encode(errors="replace")) > MAX_LOCAL or len(text.encode(errors="replace")) > MAX_EMAIL:
        return f"is no e-mail address: 1 to {MAX_LOCAL} bytes stand before the @, and {MAX_EMAIL} are the most of all"
    if not _QUOTED.fullmatch(local) and re.search(r'[()\[\]:\\"]', local):
        return "has a bracket, quotation mark, colon or backslash before its @"
    return _domain_flaw(domain)


def _domain_flaw(domain: str) -> str | None:
    labels = domain.split(".")
    if len(labels) < 2:  # noqa: PLR2004 - a name and what it lies in
        return "has no dot after its @: a domain is missing, such as example.com"
    if not all(_LABEL.fullmatch(label) and len(label.encode(errors="replace")) <= MAX_LABEL for label in labels):
        return "has no domain after its @: letters, digits and hyphens between dots, such as example.com"
    if len(labels[-1]) < 2 or labels[-1].isdigit():  # noqa: PLR2004 - no top-level domain is shorter
        return "ends with no top-level domain, such as .com"
    return None


def _several(text: str) -> bool:
    return text.count("@") > 1 and bool(re.search(r"[\s|/]", text))


def _phone_flaw(text: str) -> str | None:
    if _E164.fullmatch(text):
        return None
    digits = re.sub(r"\D", "", text)
    if re.fullmatch(r"\+?\d+[.,]0+", text):
        return "ends with a decimal place: a program took it for a number; write it as text, + and digits"
    if "@" in text:
        return "is an e-mail address: a phone number is wanted, + and digits"
    if not digits.isascii():
        return "has digits of another script: write + and the digits 0 to 9"
    if re.search(r"[,;|/<]", text) or text.count("+") > 1:
        return "holds more than one number, or a name beside it: a recipient has one"
    if text.lower().startswith("tel:"):
        return "begins with tel:, as links do: give the number alone"
    if re.search(r"[^\d+]", text):
        return "has blanks, signs or letters in it: write + and digits alone (E.164), such as +491701234567"
    if text.startswith("00"):
        return "begins with 00: write + in its place (E.164), such as +491701234567"
    if not text.startswith("+"):
        return "has no + and country code: write it so (E.164), such as +491701234567"
    return NO_ADDRESS["phone"]
