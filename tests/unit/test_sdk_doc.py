"""docs/sdk.md has every public name of the SDK, as the code has it, and its Python is Python."""

import ast
import re

import pytest

from tests.support.sdk_page import BEGIN, PAGE, page

TEXT = PAGE.read_text(encoding="utf-8")


def test_the_reference_says_what_the_docstrings_say() -> None:
    assert page() == TEXT, "make reference writes it anew"


@pytest.mark.parametrize("code", re.findall(r"```python\n(.*?)```", TEXT.partition(BEGIN)[0], re.DOTALL))
def test_an_example_is_python(code: str) -> None:
    ast.parse(code)
