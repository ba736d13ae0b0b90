"""The reference in docs/sdk.md, from the docstrings of the SDK's public names; ``make reference`` writes it anew."""

import ast
import importlib
import inspect
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

PAGE = Path(__file__).parents[2] / "docs" / "sdk.md"
BEGIN = "<!-- From here on written by `make reference`, from the docstrings. -->\n"
MODULES = ("ajo_producers", "ajo_producers.outbox", "ajo_producers.events", "ajo_producers.testing")
METHODS = {"__getitem__"}
"""What begins with an underscore and is documented all the same: it raises something of ours."""


def reference() -> str:
    """The whole reference: a section for each module, its names in order."""
    sections = []
    for name in MODULES:
        if find_spec(name):
            module = importlib.import_module(name)
            entries = [_entry(module, public) for public in sorted(module.__all__, key=str.lower)]
            sections.append("\n".join([f"## `{name}`\n", *entries]))
    return "\n".join(sections)


def page() -> str:
    """What the page should be: what people wrote, and the reference, in the project's format."""
    text = PAGE.read_text(encoding="utf-8").partition(BEGIN)[0] + BEGIN + "\n" + reference()
    config = ["--config", str(PAGE.parents[1] / "pyproject.toml")]
    command = [sys.executable, "-m", "ruff", "format", "--quiet", *config, "--stdin-filename", str(PAGE), "-"]
    return subprocess.run(command, input=text, capture_output=True, text=True, check=True).stdout


def _entry(module: ModuleType, name: str) -> str:
    value = getattr(module, name)
    if not inspect.isclass(value) and not inspect.isfunction(value):
        return f"### {name}\n\n`{value!r}`\n"
    node = ast.parse(textwrap.dedent(inspect.getsource(value))).body[0]
    constants = vars(inspect.getmodule(value))
    if isinstance(node, ast.ClassDef):
        return "\n".join(_class(node, value, constants))
    assert isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    return f"### {name}\n\n```python\n{_signature(node, name, constants)}\n```\n\n{_prose(inspect.getdoc(value))}\n"


def _class(node: ast.ClassDef, value: type[Any], constants: dict[str, Any]) -> Iterator[str]:
    methods = [one for one in node.body if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]
    fields = [
        one for one in node.body if isinstance(one, ast.AnnAssign) and not ast.unparse(one.target).startswith("_")
    ]
    made = next((method for method in methods if method.name == "__init__"), None)
    yield f"### {node.name}\n"
    if issubclass(value, BaseException):
        yield f"An exception: `{value.__base__.__name__}`.\n"  # type: ignore[union-attr] # it has one
    elif fields:
        lines = "\n".join(f"    {_field(field)}" for field in fields)
        yield f"```python\nclass {node.name}:\n{lines}\n```\n"
    elif made is not None:
        yield f"```python\n{_signature(made, node.name, constants)}\n```\n"
    yield f"{_prose(ast.get_docstring(node))}\n"
    for method in methods:
        if method.name.startswith("_") and not (
            method.name in METHODS and "Raises" in (ast.get_docstring(method) or "")
        ):
            continue
        kinds = [ast.unparse(decorator) for decorator in method.decorator_list]
        if "overload" in kinds:
            continue
        shown = _signature(method, f"{node.name}.{method.name}", constants, is_property="property" in kinds)
        yield f"#### {node.name}.{method.name}\n\n```python\n{shown}\n```\n\n{_prose(ast.get_docstring(method))}\n"


def _field(node: ast.AnnAssign) -> str:
    if isinstance(node.value, ast.Call):  # how a dataclass treats it is no reader's concern
        node.value = None
    return ast.unparse(node)


def _signature(
    node: ast.FunctionDef | ast.AsyncFunctionDef, name: str, constants: dict[str, Any], *, is_property: bool = False
) -> str:
    for default in [*node.args.defaults, *node.args.kw_defaults]:
        if isinstance(default, ast.Name) and isinstance(constants.get(default.id), int | float | str):
            default.id = repr(constants[default.id])
    arguments = node.args
    if arguments.args and arguments.args[0].arg in {"self", "cls"}:
        arguments.args.pop(0)
    returns = f" -> {ast.unparse(node.returns)}" if node.returns and node.name != "__init__" else ""
    begin = "async def " if isinstance(node, ast.AsyncFunctionDef) else ""
    if is_property:
        return f"{name}{returns}"
    parts = [re.sub(r"(?<=[\w\]])=(?=\S)", " = ", part) for part in _parts(arguments)]
    flat = f"{begin}{name}({', '.join(parts)}){returns}"
    if len(flat) <= 100:
        return flat
    return "\n".join([f"{begin}{name}(", *(f"    {part}," for part in parts), f"){returns}"])


def _parts(arguments: ast.arguments) -> Iterator[str]:
    """Each argument as it stands; a comma inside of brackets parts nothing."""
    depth, part = 0, ""
    for character in ast.unparse(arguments):
        depth += (character in "([{") - (character in ")]}")
        if character == "," and depth == 0:
            yield part.strip()
            part = ""
        else:
            part += character
    if part:
        yield part.strip()


def _prose(docstring: str | None) -> str:
    """A docstring as Markdown: code in single backticks, what is raised as a list."""
    text, _, raised = (docstring or "").partition("Raises:\n")
    text = re.sub(r"``(.+?)``", r"`\1`", text).strip()
    if not raised:
        return text
    entries = re.split(r"\n(?=\S)", textwrap.dedent(raised).strip())
    listed = (re.sub(r"\s*\n\s*", " ", re.sub(r"``(.+?)``", r"`\1`", entry)) for entry in entries)
    lines = (f"- **{name}**:{what}" for name, _, what in (entry.partition(":") for entry in listed))
    filled = "\n".join(textwrap.fill(line, 120, subsequent_indent="  ", break_on_hyphens=False) for line in lines)
    return f"{text}\n\nRaises\n\n{filled}"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
