"""Show the library's own source in a chapter, so that the book never copies it."""

import ast
import inspect
import textwrap
from typing import Any

from IPython.display import Markdown

__all__ = ["show"]


def show(*objects: Any, docstrings: bool = False) -> Markdown:
    """Return the source of functions or classes as a highlighted block of code.

    Args:
        objects: functions, methods, classes or modules.
        docstrings: whether to keep their docstrings; chapters say the same in prose.

    Returns:
        An IPython `Markdown` object, which a notebook displays.

    Raises:
        ValueError: if there is nothing to show, or an object has no Python source.
    """
    if not objects:
        raise ValueError("show expects at least one function or class, got none.")
    sources = [_source(thing) for thing in objects]
    if not docstrings:
        sources = [_without_docstrings(source) for source in sources]
    return Markdown("```python\n" + "\n\n".join(source.strip("\n") for source in sources) + "\n```")


def _source(thing: Any) -> str:
    try:
        return textwrap.dedent(inspect.getsource(inspect.unwrap(thing) if callable(thing) else thing))
    except (TypeError, OSError) as error:
        raise ValueError(f"show expects functions or classes written in Python, got {thing!r}.") from error


def _without_docstrings(source: str) -> str:
    """Cut the lines of every docstring, and leave everything else as it is."""
    lines, cut = source.splitlines(), set[int]()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef | ast.Module) and ast.get_docstring(node) is not None:
            text = node.body[0]
            end = text.end_lineno or text.lineno
            # Cut the blank line after a docstring, too.
            end += end < len(lines) and not lines[end].strip() and not isinstance(node, ast.Module)
            cut |= set(range(text.lineno - 1, end))
    return "\n".join(line for i, line in enumerate(lines) if i not in cut)
