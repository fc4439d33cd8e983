"""Let both hosts have one JavaScript, whose parts use only what is above them."""

import itertools
import re

import numpy as np
import pytest
from browsing import ROOT
from matplotlib.colors import to_rgba_array

import vaelib
from vaelib.live import data

WEB = ROOT / "vaelib/live/web"
HOSTS = [(host, training) for host in ("page", "widget") for training in (False, True)]
# Leave out strings, the text of templates, and comments.
STRING, TEMPLATE, COMMENT = r'"(?:[^"\\\n]|\\.)*"', r"`[^`]*`", r"//.*"


def code_of(text):
    """Return JavaScript without what is no code; of templates only what is computed."""
    text = re.sub(STRING, '""', text)
    text = re.sub(COMMENT, "", text)
    return re.sub(TEMPLATE, lambda found: " ".join(re.findall(r"\$\{([^`]*?)\}", found[0])), text)


def defined_in(code):
    """Return the names that a part defines for those below it."""
    found = set(re.findall(r"^(?:async )?function (\w+)", code, re.MULTILINE))
    for line in re.findall(r"^(?:const|let) (.*)", code, re.MULTILINE):
        found |= set(re.findall(r"(\w+) = ", line))
    return found


def has_its_own(code, name):
    """Tell whether a part has a local variable or a parameter of this name."""
    local = rf"^\s+(?:const|let|(?:async )?function)\b[^;=]*\b{name}\b"
    parameter = rf"function \w*\([^)]*\b{name}\b|\([^()]*\b{name}\b[^()]*\) =>|\b{name} =>"
    method = rf"^\s+\w+\([^()]*\b{name}\b[^()]*\) \{{"
    return any(re.search(pattern, code, re.MULTILINE) for pattern in (local, parameter, method))


def used_too_early(parts):
    """Return (part, name) of everything that a part uses and a later one defines.

    Args:
        parts: list of (name, JavaScript) in the order of the script.
    """
    codes = [(part, code_of(text)) for part, text in parts]
    return [
        (part, name)
        for i, (part, code) in enumerate(codes)
        for _, later in codes[i + 1 :]
        for name in sorted(defined_in(later))
        if re.search(rf"(?<![\w.]){name}\b(?!:)", code) and not has_its_own(code, name)
    ]


@pytest.mark.parametrize(("host", "training"), HOSTS)
def test_each_part_uses_only_what_is_above_it(host, training):
    parts = [(part, (WEB / f"{part}.js").read_text()) for part in data.parts(host, training=training)]
    assert {"rainbow", "MARGIN", "PAD_SIDE", "PEN_STEP", "film"} <= set().union(
        *(defined_in(code_of(text)) for _, text in parts)
    )
    assert used_too_early(parts) == []


def test_the_film_has_the_colours_of_the_figures(ax):
    (line,) = re.findall(r"RED_TO_VIOLET = \[(.*?)\]", (WEB / "plane.js").read_text())
    film = re.findall(r"#\w{6}", line)
    ellipses = vaelib.plot_posteriors([[0, 0]] * len(film), [[1, 1]] * len(film), ax=ax).collections[0]
    np.testing.assert_allclose(to_rgba_array(film), ellipses.get_edgecolor(), atol=0.02)


LATER = "const LIMIT = 6, MARGIN = 8;\nasync function draw(host) {}\n"


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("function a() { return MARGIN; }", ["MARGIN"]),
        ("const a = b => LIMIT + draw(b);", ["LIMIT", "draw"]),
        ("const a = `${MARGIN} draw`;", ["MARGIN"]),
        ("function a() {\n  const draw = () => 1;\n  draw();\n}", []),
        ("function a(draw, b) { return [draw(), b.MARGIN, { LIMIT: 1 }]; }", []),
        ('// MARGIN\nconst a = "LIMIT draw";', []),
    ],
)
def test_what_is_used_too_early_is_noticed(text, names):
    assert used_too_early([("first", text), ("second", LATER)]) == [("first", name) for name in names]


@pytest.mark.parametrize(("host", "training"), HOSTS)
def test_no_name_is_defined_twice(host, training):
    """A page's script takes the second definition without a word, and a notebook's, a module, is no program at all."""
    parts = data.parts(host, training=training)
    names = [name for part in parts for name in defined_in(code_of((WEB / f"{part}.js").read_text()))]
    assert [name for name in sorted(set(names)) if names.count(name) > 1] == []


def test_no_class_is_styled_by_two_pictures():
    """Where both pictures are on one page, the later rule would win. What they share is in live.css."""
    rules = {file.stem: re.sub(r"/\*.*?\*/", "", file.read_text(), flags=re.DOTALL) for file in WEB.glob("*.css")}
    classes = {name: set(re.findall(r"\.(vaelib-[\w-]+)", text)) for name, text in rules.items()}
    shared = classes.pop("live")
    assert {"vaelib-image", "vaelib-controls"} <= shared
    for (first, ours), (second, theirs) in itertools.combinations(sorted(classes.items()), 2):
        assert ours & theirs <= shared, f"{first}.css and {second}.css"


def test_the_javascript_of_both_hosts_is_one():
    scripts = {(host, training): data.script(host, training=training) for host, training in HOSTS}
    for file in sorted(WEB.glob("*.js")):
        lines = file.read_text().splitlines(keepends=True)
        assert len(lines) <= 200, file.name
        text = "".join(line for line in lines if not line.lstrip().startswith("//"))
        if file.stem not in ("page", "widget"):
            for (_, training), script in scripts.items():
                assert (text in script) == (training or not file.stem.startswith("train")), file.name
    assert "import " not in scripts["page", True]
    assert "fetch(" not in scripts["page", True], "a page from a file may not fetch"


def test_every_class_of_the_javascript_is_in_the_css():
    found = re.findall(r"vaelib-[a-z]+(?:-[a-z]+)*", data.script("page", training=True))
    classes = set(found) - {"vaelib-line-", "vaelib-digit-"}
    assert [name for name in sorted(classes) if name not in data.style()] == []


@pytest.mark.parametrize(("host", "training"), HOSTS)
def test_every_function_and_constant_is_used(host, training):
    code = code_of(data.script(host, training=training))
    assert [name for name in sorted(defined_in(code)) if len(re.findall(rf"\b{name}\b", code)) == 1] == []
