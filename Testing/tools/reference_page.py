"""The page with the Python reference, written from docstrings: the names of MedNCALib, and `MedNCALogic`.

    python Testing/tools/reference_page.py

writes `Resources/Documentation/python-reference.md`. The sources are read, not run, so that neither Slicer nor another
version of Python changes the page. Docstrings are in Google's style.
"""

import ast
import inspect
import re
from pathlib import Path

import MedNCALib

REPOSITORY = Path(__file__).resolve().parents[2]
PAGE = REPOSITORY / "Resources" / "Documentation" / "python-reference.md"
LOGIC = REPOSITORY / "MedNCA" / "MedNCA.py"

INTRODUCTION = """# Python reference

This page is written by `python Testing/tools/reference_page.py` from the docstrings: change those, not the page.
[Python console](python-console.md) has examples, the [glossary](glossary.md) the words.
"""

_SECTIONS = {
    "Args": "Arguments",
    "Attributes": "Attributes",
    "Returns": "Returns",
    "Yields": "Yields",
    "Raises": "Raises",
    "Example": "Example",
    "Examples": "Example",
}
_LISTS = ("Arguments", "Attributes", "Raises")
_WIDTH = 100


def main() -> None:
    PAGE.write_text(page(), encoding="utf-8")


def page() -> str:
    """The whole page as Markdown."""
    parts = [INTRODUCTION, "## MedNCALib\n", _paragraphs(inspect.getdoc(MedNCALib)) + "\n"]
    parts += [_description(_definition(Path(inspect.getsourcefile(thing)), name)) for name, thing in _public()]
    parts += ["## In Slicer\n", _description(_definition(LOGIC, "MedNCALogic"))]
    return "\n".join(parts)


def _public() -> list[tuple[str, object]]:
    """Name and thing: functions first, then classes, then errors."""

    def kind(thing: object) -> int:
        return isinstance(thing, type) + (isinstance(thing, type) and issubclass(thing, Exception))

    return sorted(
        ((name, getattr(MedNCALib, name)) for name in MedNCALib.__all__ if name[0] != "_"),
        key=lambda pair: kind(pair[1]),
    )


def _definition(path: Path, name: str) -> ast.ClassDef | ast.FunctionDef:
    """The class or function of this name at the top of a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return next(node for node in tree.body if getattr(node, "name", None) == name)


def _description(node: ast.ClassDef | ast.FunctionDef) -> str:
    """A class with its public methods and properties, or a function."""
    if isinstance(node, ast.FunctionDef):
        return f"### {node.name}\n\n{_signature(node)}\n\n{_docstring(node)}\n"
    parts = [f"### {node.name}\n\n{_docstring(node)}\n"]
    for member in node.body:
        if isinstance(member, ast.FunctionDef) and not member.name.startswith("_") and ast.get_docstring(member):
            if "property" in [ast.unparse(decorator) for decorator in member.decorator_list]:
                parts.append(f"#### {node.name}.{member.name}\n\n{_docstring(member)}\n")
            else:
                parts.append(f"#### {node.name}.{member.name}\n\n{_signature(member)}\n\n{_docstring(member)}\n")
    return "\n".join(parts)


def _signature(node: ast.FunctionDef) -> str:
    arguments = [text for text in _arguments(node.args) if text not in ("self", "cls")]
    returns = f" -> {ast.unparse(node.returns)}" if node.returns else ""
    line = f"{node.name}({', '.join(arguments)}){returns}"
    if len(line) > _WIDTH:
        line = "\n    ".join([f"{node.name}(", *(f"{text}," for text in arguments)]) + f"\n){returns}"
    return f"```py\n{line}\n```"


def _arguments(arguments: ast.arguments) -> list[str]:
    """Each argument as it is written, with annotation and default."""
    defaults = [None] * (len(arguments.args) - len(arguments.defaults)) + arguments.defaults
    texts = [_argument(*pair) for pair in zip(arguments.args, defaults)]
    if arguments.vararg:
        texts.append(f"*{arguments.vararg.arg}")
    elif arguments.kwonlyargs:
        texts.append("*")
    texts += [_argument(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults)]
    return [*texts, f"**{arguments.kwarg.arg}"] if arguments.kwarg else texts


def _argument(argument: ast.arg, default: ast.expr | None) -> str:
    text, equals = argument.arg, "="
    if argument.annotation:
        text, equals = f"{text}: {ast.unparse(argument.annotation)}", " = "
    return text if default is None else f"{text}{equals}{ast.unparse(default)}"


def _docstring(node: ast.AST) -> str:
    return _paragraphs(ast.get_docstring(node) or "")


def _paragraphs(text: str) -> str:
    """A docstring as Markdown: its sections become lists, indented examples become code."""
    parts, section, lines = [], None, []
    for line in [*text.splitlines(), "End:"]:
        title = line.rstrip(":") if line.endswith(":") and not line.startswith(" ") else None
        if title in _SECTIONS or title == "End":
            parts.append(_section(section, lines))
            section, lines = _SECTIONS.get(title), []
        else:
            lines.append(line)
    return "\n\n".join(part for part in parts if part)


def _section(title: str | None, lines: list[str]) -> str:
    body = inspect.cleandoc("\n".join(["", *lines]))
    if title is None:
        return _prose(body)
    if title in _LISTS:
        return "\n".join([f"{title}:\n", *map(_entry, re.split(r"\n(?=\S)", body))])
    if title == "Example":
        return f"Example:\n\n```py\n{body}\n```"
    return f"{title}: {body}"


def _entry(text: str) -> str:
    """A line of a list; what follows on "all by name:" and the like, parted by semicolons, becomes a list within."""
    name, _, meaning = text.partition(": ")
    first, _, rest = meaning.partition(":\n")
    if not rest:
        return f"- `{name}`: {' '.join(meaning.split())}"
    within = [" ".join(each.split()).partition(": ") for each in rest.rstrip(".").split(";\n")]
    return "\n".join([f"- `{name}`: {first}:", *(f"  - `{each}`: {what}" for each, _, what in within)])


def _prose(text: str) -> str:
    """Paragraphs; those that are indented or begin with `>>>` are code."""
    parts = []
    for block in re.split(r"\n{2,}", text):
        is_code = block.startswith(("    ", ">>>"))
        parts.append(f"```py\n{inspect.cleandoc(block)}\n```" if is_code else block)
    return "\n\n".join(parts).replace("```\n\n```py\n", "\n")


if __name__ == "__main__":
    main()
