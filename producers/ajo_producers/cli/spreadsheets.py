"""What spreadsheets, databases and templates leave in a cell, and nobody means to send. Pure.

A message with "Dear #N/A" can't be taken back. Only what can hardly be anybody's text is refused: keys of events and
addresses have stricter rules of their own.
"""

import re

from ajo_producers.contract.addresses import FORMULA, MARKED, PLACEHOLDER, ROUNDED, SHOWN_FOR_NONE

_ERRORS = """
#N/A #REF! #VALUE! #DIV/0! #NUM! #NAME? #NULL! #SPILL! #CALC! #FIELD! #BLOCKED! #CONNECT! #BUSY! #UNKNOWN! #ERROR!
#GETTING_DATA #NV #BEZUG! #WERT! #ZAHL! #ÜBERLAUF! #KALK! #N/D #RIF! #VALORE! #NOME? #VALEUR! #NOM? #NOMBRE! #NUL!
#¡REF! #¡VALOR! #¿NOMBRE? #¡NUM! #¡DIV/0! #¡NULO! #¡DESBORDAMIENTO! #VALOR! #NÚM! #N/B #VERW! #WAARDE! #DEEL/0!
#GETAL! #NAAM? #LEEG! #N/D! #ADR! #ARG! #DZIEL/0! #LICZBA! #NAZWA? #I/T #SAKNAS! #REFERENS! #VÄRDEFEL! #OGILTIGT!
"""
ERRORS = frozenset(_ERRORS.split())
"""Of Excel in some languages, of LibreOffice and of Google Sheets."""
_TOO_NARROW = re.compile(r"#{3,}")
_FORMULA = re.compile(r'="[^"]*"|=[A-Z][A-Z0-9.]*\(.*\)|=(?:[^\s!]+!)?\$?[A-Z]{1,3}\$?\d+', re.DOTALL)
_ROUNDED = re.compile(r"[+-]?\d(?:[.,]\d+)?E[+-]\d{2,3}")
"""As spreadsheets write a number that is too long for its column; part numbers such as 12E5 are none."""
_MARKED = re.compile(r"'[+-]?\d+")
_TEMPLATE = re.compile(r"\{\{[^{}]*\}\}|\$\{[^{}]*\}|<%[^%]*%>")
_BEGINS = frozenset("#='\\{$<+-0123456789")


def cell_flaw(text: str) -> str | None:
    """Why a cell's text is no value; None if it may be one."""
    if text[:1] not in _BEGINS or (text[:1].isdigit() and "E" not in text):
        return None
    if text in ERRORS:
        return f"is {text}: {SHOWN_FOR_NONE}"
    if _TOO_NARROW.fullmatch(text):
        return "is ###: what a spreadsheet shows of a value that is wider than its column"
    if _FORMULA.fullmatch(text):
        return FORMULA
    if _ROUNDED.fullmatch(text):
        return ROUNDED
    if _MARKED.fullmatch(text):
        return MARKED
    if text == r"\N":
        return r"is \N: what a database writes where there is no value"
    return PLACEHOLDER if _TEMPLATE.fullmatch(text) else None
