"""`tools/readability.py` counts what a reader reads, and finds the terms that come before their explanation."""

from pathlib import Path

import nbformat
import pytest
import readability

PAGE = """\
---
title: ten words that nobody reads, for they are no prose
---
# A heading is no sentence

One two three. Four `code` five $x + y$ six, as Ng et al. say! Does [a link](https://example.org/of.words) count?

| a table | of words |
|---|---|

- an item
- another item, *in italics*

```python
print("no prose at all.")
```

$$\\text{no prose}.$$

<details><summary>Answer</summary>

Twelve.

</details>

## Further reading

- A. Author, *A book*: not counted.
"""


def passages(text):
    return readability.passages_of(text)


def test_an_invented_page_is_counted_right():
    texts = [passage.text for passage in passages(PAGE)]
    split = [sentence for text in texts for sentence in readability.sentences(text)]
    assert [len(readability.words(sentence)) for sentence in split] == [3, 8, 4, 2, 4, 1]
    assert readability.count("page", passages(PAGE)) == ("page", 6, 3.5, 0.0, ())


@pytest.mark.parametrize(("num_words", "share"), [(25, 0.0), (26, 0.5)])
def test_a_sentence_of_more_than_25_words_is_long(num_words, share):
    assert readability.count("page", passages(f"Short. One{' word' * (num_words - 1)}.")).share_long == share


def test_a_sentence_may_end_in_a_parenthesis_or_in_bold():
    assert len(readability.sentences(passages("**Predict one.** (It is two.) Or 3.5 of them, e.g. four.")[0].text)) == 3


def test_the_terms_are_those_of_the_glossary():
    glossary = (
        "# Words\n\n:::{glossary}\nnat\n  A unit.\n\nweight decay\n  A penalty,\n  of squares.\n:::\n\nmore\n  text"
    )
    assert readability.terms_of(glossary) == ["nat", "weight decay"]


@pytest.mark.parametrize(
    ("first", "second", "early"),
    [
        ("A **nat** is a unit.", "Two nats.", {}),
        ("It is the *nat* of old.", "Two nats.", {}),
        ("A {term}`unit <nat>` of cost.", "Two nats.", {}),
        ("See [the nat](glossary.md).", "Two nats.", {}),
        ("Two nats.", "A **nat** is a unit.", {"nat": (("a", 0), ("b", 0))}),
        ("Two nats.", "Three nats.", {"nat": (("a", 0), None)}),
        ("**So it costs two nats in the end.**", "Three.", {"nat": (("a", 0), None)}),
        ("A native, in `nat`.", "$nat$", {}),
    ],
)
def test_a_term_is_early_if_it_is_used_before_it_stands_out(first, second, early):
    assert readability.used_early({"a": passages(first), "b": passages(second)}, ["nat"]) == early


def test_everyday_senses_and_the_glossary_itself_are_no_use():
    texts = {"a": passages("The learning rate, a rate of exchange."), "glossary": passages("A rate.")}
    assert readability.used_early(texts, ["rate"]) == {}


def test_a_chapter_is_read_without_its_code_and_its_picture(tmp_path):
    cells = [
        nbformat.v4.new_markdown_cell("One two."),
        nbformat.v4.new_markdown_cell("A picture.", metadata={"tags": ["cover"]}),
        nbformat.v4.new_code_cell("# Three four."),
    ]
    path = tmp_path / "01_a_b.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    assert readability.source(path) == "One two."


def test_every_chapter_and_page_of_the_book_has_a_line(capsys):
    assert readability.main() == 0
    lines = capsys.readouterr().out.splitlines()
    listed = [line.split()[0] for line in lines[1 : lines.index("")]]
    assert listed == [path.stem for path in readability.reading_order()]
    chapters = {path.stem for path in (Path(readability.ROOT) / "notebooks").glob("*.ipynb")}
    assert chapters <= set(listed)
