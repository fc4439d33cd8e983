"""Show the library's source to the letter, without the docstrings that chapters say in prose."""

import ast
import inspect

import pytest

import vaelib
from vaelib import losses


def _code(shown):
    head, *lines, tail = shown.data.splitlines()
    assert (head, tail) == ("```python", "```")
    return "\n".join(lines)


def test_a_function_is_shown_with_its_docstring_if_asked():
    assert _code(vaelib.show(vaelib.gaussian_kl, docstrings=True)) == inspect.getsource(vaelib.gaussian_kl).strip()


@pytest.mark.parametrize("thing", [vaelib.gaussian_kl, vaelib.VAE, vaelib.Sampling, vaelib.fit, losses])
def test_without_docstrings_it_is_the_same_program(thing):
    shown, source = _code(vaelib.show(thing)), inspect.getsource(thing)
    assert '"""' not in shown
    assert not set(shown.splitlines()) - set(source.splitlines()), "a line was changed"
    assert ast.unparse(_stripped(shown)) == ast.unparse(_stripped(source))


def _stripped(source):
    """Return the tree of a program without any string that stands alone."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if hasattr(node, "body") and isinstance(node.body, list):
            node.body = [line for line in node.body if not _is_text(line)] or [ast.Pass()]
    return tree


def _is_text(line):
    return isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant) and isinstance(line.value.value, str)


def test_methods_start_at_the_margin_and_stand_apart():
    shown = _code(vaelib.show(vaelib.DenseDecoder.call, vaelib.DenseDecoder.build))
    starts = [line for line in shown.splitlines() if line and not line.startswith(" ")]
    assert [line.split("(")[0] for line in starts] == ["def call", "def build"]
    assert "\n\ndef build" in shown


@pytest.mark.parametrize("things", [(), (len,), (3,)])
def test_what_has_no_python_source_is_refused(things):
    with pytest.raises(ValueError, match="show expects"):
        vaelib.show(*things)
