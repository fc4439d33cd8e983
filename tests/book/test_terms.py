"""A term and its use lead to each other: each page's first use to the glossary, and the glossary to all uses."""

import posixpath
from html.parser import HTMLParser

import pytest
import terms
from browsing import PAGES
from docutils.core import publish_doctree

GLOSSARY = "book/glossary.html"
LITERATURE = "Further reading\n---------------\n\n"
TERMS = {"posterior", "posterior collapse", "rate", "ELBO", "Bayes' rule", "nat"}


class Links(HTMLParser):
    """Collect the ids of a page, its links to the glossary, and those under each term of the glossary."""

    def __init__(self, page, text):
        super().__init__()
        self.page, self.term = page, None
        self.ids, self.to_glossary, self.uses = set(), [], {}
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.ids.add(attrs.get("id"))
        if tag == "dt" and "term-" in attrs.get("id", ""):
            self.term = attrs["id"]
            self.uses[self.term] = []
        elif tag == "a" and "vaelib-term" in attrs.get("class", ""):
            self.to_glossary.append((self._absolute(attrs["href"]), attrs["id"]))
        elif tag == "a" and self.term and "#use-of-" in attrs.get("href", ""):
            self.uses[self.term].append(self._absolute(attrs["href"]))

    def _absolute(self, href):
        return posixpath.normpath(posixpath.join(posixpath.dirname(self.page), href))


@pytest.fixture(scope="module")
def pages(html):
    return {page: Links(page, (html / page).read_text()) for page in PAGES}


def test_both_directions_are_there(pages):
    uses = pages[GLOSSARY].uses
    there = {f"{GLOSSARY}#{term}": {*found} for term, found in uses.items()}
    back = {f"{GLOSSARY}#{term}": set() for term in uses}
    for page, links in pages.items():
        for term, anchor in links.to_glossary:
            back[term].add(f"{page}#{anchor}")
    assert there == back
    assert [term for term, found in there.items() if not found] == []


def test_a_link_leads_to_the_very_place(pages):
    for found in pages[GLOSSARY].uses.values():
        for address in found:
            page, _, anchor = address.partition("#")
            assert anchor in pages[page].ids


@pytest.mark.parametrize("page", [page for page in PAGES if page.startswith("notebooks/")])
def test_a_chapter_leads_to_the_words_it_uses(page, pages):
    found = [term for term, _ in pages[page].to_glossary]
    assert len(found) == len(set(found)) >= 8


def found_in(text):
    """Return the terms that are found in reStructuredText, each with the paragraph where, and the word as it stands."""
    found = terms.places(publish_doctree(text), TERMS)
    return {term: (text.parent.astext(), text.astext()[start:end]) for term, (text, start, end) in found.items()}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Many rates and a rate.", {"rate": ("Many rates and a rate.", "rates")}),
        ("One rate.\n\nThe **rate** is a price.", {"rate": ("rate", "rate")}),
        ("One rate.\n\n**All this is not about any rate.**", {"rate": ("One rate.", "rate")}),
        ("A posterior collapse.", {"posterior collapse": ("A posterior collapse.", "posterior collapse")}),
        ("Here is Bayes’ rule.", {"Bayes' rule": ("Here is Bayes’ rule.", "Bayes’ rule")}),
        ("The learning rate, learning-rates and rates of exchange.", {}),
        ("Native elbos, a sub-rate, pirates.", {}),
        ("``rate``, :math:`rate`, `the rate <https://example.org>`_.", {}),
        ("Rate\n====\n\nText\n\n::\n\n  rate", {}),
        (
            "Text\n====\n\nBooks\n\nFurther reading\n---------------\n\n*The ELBO*, by nats",
            {"nat": ("The ELBO, by nats", "nats")},
        ),
    ],
)
def test_a_term_is_found_where_it_is_meant(text, found):
    assert found_in(text) == found
