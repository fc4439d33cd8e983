"""Count sentences, their words, and terms of the glossary that a reader meets before they are explained.

`python tools/readability.py` prints a line per chapter and page, in the order of the book, and then the terms.

What is counted is prose: code, formulas, tables, pictures, headings, HTML and the addresses of links are left out, and
so are the lists under *Further reading*. A sentence ends at `.`, `!` or `?` before a space, and with its paragraph or
its item of a list. A word is what stands between spaces and holds a letter or a digit.

A term counts as used where it first stands in the prose of a chapter or page. It counts as explained where it first
stands out: in bold or in italics, in a phrase of at most five words, in the role `{term}` or in a link to the
glossary. So emphasis for another reason is taken for an explanation, and a word in its everyday sense for a term:
read the list before you act on it.
"""

import re
import sys
from pathlib import Path
from statistics import median
from typing import NamedTuple

import nbformat
import yaml

ROOT = Path(__file__).resolve().parent.parent
LONG = 25  # words
PHRASE = 5  # words
# Take each out in turn, from what may hold the others to what may not.
NOT_PROSE = [
    re.compile(pattern, re.DOTALL | re.MULTILINE)
    for pattern in (
        r"\A---\n.*?^---$",  # the front matter of a page
        r"^## Further reading.*",
        r"<!--.*?-->",
        r"^ *(`{3,}).*?^ *\1`*$",  # fenced code and directives
        r"^ *:::.*?$|^:\w[\w-]*:.*?$",  # the frame of a directive in colons; its content stays
        r"\$\$.*?\$\$|\$[^$]+\$",
        r"<summary>.*?</summary>|<[^>`]*>(?!`)",
        r"!\[[^\]]*\]\([^)]*\)",
        r"^ *\|.*?$|^#.*?$",  # rows of tables, and headings
        r"\{(?!term\})[\w:]+\}`[^`]*`",
    )
]
TERM = re.compile(r"\{term\}`([^`<]*?)\s*(?:<([^>]*)>)?`")
LINK = re.compile(r"\[([^\]]*)\]\(([^)]*)\)")
CODE = re.compile(r"`[^`]*`")
EMPHASIS = re.compile(r"\*\*(.+?)\*\*|\*(.+?)\*", re.DOTALL)
ITEM = re.compile(r"\n *(?:[-*]|\d+\.) ")
END = re.compile(r"(?<=[.!?])[)\"”*]*\s+(?=[^a-z])")
ABBREVIATION = re.compile(r"\b(et al|e\.g|i\.e|cf|vs|[A-Z])\.(?=\s)")
EVERYDAY = re.compile(r"learning[ -]rates?|rates? of exchange", re.IGNORECASE)


class Passage(NamedTuple):
    """Hold a paragraph or an item of a list: its words as they are read, and the phrases that stand out."""

    text: str
    marked: tuple[str, ...]


class Count(NamedTuple):
    """Hold what is counted of one chapter or page."""

    name: str
    num_sentences: int
    median_words: float
    share_long: float
    early: tuple[str, ...]


def main():
    """Print the table, and the terms that come before they are explained."""
    passages = {path.stem: passages_of(source(path)) for path in reading_order()}
    terms = terms_of((ROOT / "book/glossary.md").read_text())
    print(table(passages, used_early(passages, terms)))
    return 0


def reading_order(root=ROOT):
    """Return the files of the chapters and pages, as the table of contents has them."""
    contents = yaml.safe_load((root / "_toc.yml").read_text())
    names = [contents["root"], *(chapter["file"] for part in contents["parts"] for chapter in part["chapters"])]
    return [path for name in names for path in root.glob(f"{name}.*") if path.suffix in {".md", ".ipynb"}]


def source(path):
    """Return the Markdown of a page, or of all cells of a chapter, the picture at its top aside."""
    if path.suffix == ".md":
        return path.read_text()
    cells = nbformat.read(path, as_version=4).cells
    return "\n\n".join(
        cell.source for cell in cells if cell.cell_type == "markdown" and "cover" not in cell.metadata.get("tags", [])
    )


def passages_of(markdown):
    """Return the paragraphs and the items of lists that hold prose."""
    for pattern in NOT_PROSE:
        markdown = pattern.sub(" ", markdown)
    paragraphs = (part for block in re.split(r"\n\s*\n", markdown) for part in ITEM.split(f"\n{block}"))
    found = (_passage(paragraph) for paragraph in paragraphs)
    return [passage for passage in found if words(passage.text)]


def _passage(markdown):
    to_glossary = [label for label, address in LINK.findall(markdown) if "glossary" in address]
    roles = [target or label for label, target in TERM.findall(markdown)]
    text = LINK.sub(r"\1", CODE.sub("", TERM.sub(r"\1", markdown)))
    emphasised = [bold or italic for bold, italic in EMPHASIS.findall(text)]
    short = [phrase for phrase in emphasised if len(words(phrase)) <= PHRASE]
    plain = EMPHASIS.sub(lambda match: match[1] or match[2], text)
    return Passage(" ".join(plain.split()), (*to_glossary, *roles, *short))


def sentences(text):
    """Split a passage into its sentences; `et al.` and initials end none."""
    whole = ABBREVIATION.sub(r"\1", text)
    return [sentence for sentence in END.split(whole) if words(sentence)]


def words(text):
    """Return what stands between spaces and holds a letter or a digit."""
    return [word for word in text.split() if any(letter.isalnum() for letter in word)]


def terms_of(glossary):
    """Return the terms that a glossary explains, in its order."""
    body = glossary.partition(":::{glossary}\n")[2].partition("\n:::")[0]
    return re.findall(r"(?:^|\n\n)(\S[^\n]*)\n  ", body)


def used_early(passages, terms):
    """Return, for each term that is used before it is explained, where each of the two is.

    passages: by the name of the chapter or page, in the order of the book. A place is a name and the number of the
    passage; it is None for a term that is explained nowhere. The glossary itself is no place.
    """
    places = [(name, i, part) for name, parts in passages.items() if name != "glossary" for i, part in enumerate(parts)]
    early = {}
    for term in terms:
        seen = _pattern(term).search
        explained = next((k for k, (*_, part) in enumerate(places) if any(map(seen, part.marked))), len(places))
        used = next((place[:2] for place in places[:explained] if seen(EVERYDAY.sub("", place[2].text))), None)
        if used:
            early[term] = used, places[explained][:2] if explained < len(places) else None
    return early


def _pattern(term):
    flags = 0 if term.isupper() else re.IGNORECASE
    return re.compile(rf"(?<![\w-]){re.escape(term)}(?:s|es)?(?![\w-])", flags)


def count(name, passages, early=()):
    """Count the sentences of a chapter's passages."""
    lengths = [len(words(sentence)) for passage in passages for sentence in sentences(passage.text)]
    share = sum(length > LONG for length in lengths) / len(lengths) if lengths else 0.0
    return Count(name, len(lengths), median(lengths) if lengths else 0, share, tuple(early))


def table(passages, early):
    """Return the lines that are printed."""
    lines = [f"{'':34} sentences  median  over {LONG}  terms used before they are explained"]
    for name, parts in passages.items():
        found = count(name, parts, [term for term, (used, _) in early.items() if used[0] == name])
        numbers = f"{found.num_sentences:9}  {found.median_words:6.1f}  {found.share_long:7.0%}"
        lines.append(f"{name:34} {numbers}  {', '.join(found.early)}".rstrip())
    lines += ["", f"{len(early)} terms of the glossary are used before they are explained:"]
    for term, (used, explained) in early.items():
        where = f"explained in {explained[0]}" if explained else "explained nowhere but in the glossary"
        lines.append(f"  {term}: used in {used[0]}, {where}")
        lines.append(f"      {_shortened(passages[used[0]][used[1]].text, term)}")
    return "\n".join(lines)


def _shortened(text, term, around=40):
    place = _pattern(term).search(text)
    start, end = max(place.start() - around, 0), place.end() + around
    return f"{'…' * (start > 0)}{text[start:end]}{'…' * (end < len(text))}"


if __name__ == "__main__":
    sys.exit(main())
