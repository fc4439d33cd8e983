"""Every chapter has the form that CONTRIBUTING.md describes, and its outputs are whole and up to date."""

import ast
import re
from collections import Counter
from pathlib import Path
from statistics import median

import address
import keras
import nbformat
import pytest
import yaml
from IPython.core.inputtransformer2 import TransformerManager
from nbconvert import ScriptExporter

import vaelib

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
# The chapter whose subject is writing these classes.
MAY_DEFINE = {"03": {"Sampling", "DenseEncoder", "DenseDecoder", "VAE"}}
INSTALL = """\
import sys

if "google.colab" in sys.modules:
    %pip install -q --no-deps "git+https://github.com/{repository}@{branch}"
%config InlineBackend.figure_format = "retina"\
"""
# The chapter whose images are the reader's, or come with scikit-learn.
WITHOUT_MNIST = {"14"}
MIN_ALT = 30  # characters
# Cells that only show something which the library draws: a reader looks at it, not at the call.
APART = {"exercise", "concept", "expected"}

pytestmark = pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.stem)


def markdown(path):
    """Return the chapter's cells of text."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "markdown"]


def code(path):
    """Return the chapter's cells of code."""
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def prose(path):
    return "\n\n".join(cell.source for cell in markdown(path))


def tagged(cells, tag):
    """Return the one cell that has a tag."""
    found = [cell for cell in cells if tag in cell.metadata.get("tags", [])]
    assert len(found) == 1, f"{len(found)} cells have the tag {tag!r}"
    return found[0]


def parse(cell):
    """Return the cell's statements; a line of IPython's own, such as %pip, becomes an ordinary call."""
    return ast.parse(TransformerManager().transform_cell(cell.source)).body


def text_of(cell):
    """Return what the cell printed."""
    return "".join(output.text for output in cell.outputs if output.output_type == "stream")


def data_of(cell):
    """Return what the cell displayed: for each output, its contents by MIME type."""
    return [output.data for output in cell.outputs if "data" in output]


def in_order(text, *parts):
    """Tell whether every part occurs, each after the one before it."""
    places = [text.find(part) for part in parts]
    return -1 not in places and places == sorted(places)


# The file


def test_it_is_no_larger_than_a_megabyte(path):
    assert path.stat().st_size <= 1_000_000


def test_it_becomes_a_script_that_python_can_read(path):
    source, resources = ScriptExporter().from_filename(str(path))
    assert resources["output_extension"] == ".py"
    ast.parse(source)


# The form


def test_it_opens_with_title_colab_link_and_picture(path):
    assert re.fullmatch(r"\d\d(_[a-z0-9]+){2,}", path.stem)
    first, second = nbformat.read(path, as_version=4).cells[:2]
    assert re.match(r"# \w", first.source)
    repository, branch = address.read()
    link = f"https://colab.research.google.com/github/{repository}/blob/{branch}/notebooks/{path.name}"
    assert f"]({link})" in first.source
    assert second == tagged(markdown(path), "cover")


def test_it_has_the_sections_of_a_chapter(path):
    parts = ["**What you'll do", "**What you'll learn", "**What you'll need"]
    assert in_order(prose(path), *parts, "\n## In short", "\n## Exercises", "\n## Further reading")


def test_every_exercise_has_a_folded_answer(path):
    exercises = prose(path).partition("\n## Exercises")[2].partition("\n## ")[0]
    answers = re.findall(r"<details><summary>[^<]+</summary>\n\n.+?\n\n</details>", exercises, re.DOTALL)
    assert len(answers) == len(re.findall(r"^\*\*\d", exercises, re.MULTILINE)) >= 1


def test_its_text_is_what_colab_renders_too(path):
    # Directives, in colons or backticks, and roles are MyST's own.
    assert re.findall(r"^\s*:::.*|^\s*`{3,}\{.*|\{[a-z:]+\}`", prose(path), re.MULTILINE) == []


def test_the_install_cell_is_first_and_everywhere_the_same(path):
    first = code(path)[0]
    repository, branch = address.read()
    assert first.source == INSTALL.format(repository=repository, branch=branch)
    assert "remove-cell" in first.metadata.tags


def test_the_parameters_are_literals(path):
    cell = tagged(code(path), "parameters")
    assert cell == code(path)[1]
    for statement in parse(cell):
        assert isinstance(statement, ast.Assign), ast.unparse(statement)
        ast.literal_eval(statement.value)


def test_small_scale_sets_parameters_of_the_chapter(path):
    small = yaml.safe_load((NOTEBOOKS / "smoke.yml").read_text())
    assert set(small) == {chapter.name[:2] for chapter in NOTEBOOKS.glob("*.ipynb")}
    names = {target.id for line in parse(tagged(code(path), "parameters")) for target in line.targets}
    assert small[path.name[:2]].keys() <= names


def test_cells_are_few_and_short(path):
    read = [cell for cell in code(path) if not APART & set(cell.metadata.get("tags", []))]
    lines = [len(cell.source.splitlines()) for cell in read]
    assert 15 <= len(lines) <= 35
    assert median(lines) <= 6
    assert max(lines) <= 25


def test_it_defines_no_public_name_of_vaelib(path):
    defined = set()
    for node in (node for cell in code(path) for statement in parse(cell) for node in module_level(statement)):
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            defined.add(node.id)
    assert defined & set(vaelib.__all__) <= MAY_DEFINE.get(path.name[:2], set())


def module_level(node):
    """Yield the node and all within it, except what functions, classes and comprehensions keep to themselves."""
    yield node
    comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    if not isinstance(node, (ast.FunctionDef, ast.ClassDef, ast.Lambda, *comprehensions)):
        for child in ast.iter_child_nodes(node):
            yield from module_level(child)


# The outputs


def test_it_ran_from_first_to_last_cell_without_stderr(path):
    cells = code(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = Counter(output.get("name", output.output_type) for cell in cells for output in cell.outputs)
    assert kinds.keys() <= {"stdout", "display_data", "execute_result"}
    assert kinds["display_data"] + kinds["execute_result"] > 0


def test_no_trace_of_papermill_is_left(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata.keys() <= {"kernelspec", "language_info", "vaelib"}
    assert notebook.metadata.get("vaelib", {"run_seconds": 1}).keys() == {"run_seconds"}
    for cell in notebook.cells:
        assert cell.metadata.keys() <= {"tags", "mystnb", "jupyter", "numbers"}
        assert "injected-parameters" not in cell.metadata.get("tags", [])


def test_it_ran_on_the_whole_of_mnist(path):
    said = [text_of(cell) for cell in code(path) if "print(digits.source)" in cell.source]
    assert bool(said) is (path.name[:2] not in WITHOUT_MNIST)
    assert all("full MNIST" in text for text in said)
    # Let no chapter load it without saying which it is.
    assert bool(said) is any("load_mnist" in cell.source for cell in code(path))


def test_every_picture_says_in_words_what_it_shows(path):
    pictures = [
        cell for cell in code(path) if any({"image/png", "image/svg+xml"} & data.keys() for data in data_of(cell))
    ]
    assert pictures
    for cell in pictures:
        alt = cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "")
        assert len(alt) >= MIN_ALT, cell.source
    alts = re.findall(r"!\[(.*?)\]\(", prose(path), re.DOTALL)
    assert all(len(alt) >= MIN_ALT for alt in alts)


def test_the_cover_is_a_picture_that_the_chapter_made(path):
    maker = tagged(code(path), "makes-cover")
    assert any("image/png" in data for data in data_of(maker))
    alt = maker.metadata.mystnb.image.alt
    assert tagged(markdown(path), "cover").source.startswith(f"![{alt}](data:image/png;base64,")


def test_the_source_that_it_shows_is_the_librarys_of_today(path):
    for cell in code(path):
        last = parse(cell)[-1]
        if isinstance(last, ast.Expr) and ast.unparse(last).startswith("vaelib.show("):
            today = eval(cell.source, {"vaelib": vaelib, "keras": keras})  # noqa: S307
            shown = [data["text/markdown"] for data in data_of(cell) if "text/markdown" in data]
            assert shown == [today.data], f"{cell.source}: run the chapter again"
