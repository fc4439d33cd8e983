"""Link each term of the glossary where a page first uses it, and from the glossary back to all these places.

The chapters stay plain Markdown, as Colab shows them: links are made when the book is built. Where a page has a term in
bold or italics, which is how it explains one, that place is linked; else the first one in its running text.
"""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms.post_transforms import SphinxPostTransform

# Leave out what is no prose of ours, and what is a link already.
VERBATIM = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)
LINK = (nodes.reference, addnodes.pending_xref)
# The reference consists of docstrings.
WITHOUT = {"book/reference", "book/references"}
# The section in which what stands out is the title of a book or paper.
LITERATURE = "further-reading"
PHRASE = 5  # words; what stands out and is longer is no term
# Words in another sense than the glossary's.
EVERYDAY = r"learning[ -]rates?|rates? of exchange"


class Terms(SphinxPostTransform):
    """Make links of the terms of a page."""

    # Come before numbers get spans of their own.
    default_priority = 850
    formats = ("html",)

    def run(self, **kwargs):
        """Change the document in place."""
        docname, builder = self.env.docname, self.app.builder
        terms = _terms(self.env)
        if docname in WITHOUT | _glossaries(terms):
            return
        uses = {}
        for term, (text, start, end) in places(self.document, terms).items():
            page, anchor = terms[term]
            uri = f"{builder.get_relative_uri(docname, page)}#{anchor}"
            label = text.astext()[start:end]
            link = nodes.reference("", label, refuri=uri, internal=True, ids=[_id(term)], classes=["vaelib-term"])
            # Texts that read alike are equal, so tell them apart by their identity.
            uses.setdefault(id(text), (text, []))[1].append((start, end, link))
        for text, links in uses.values():
            text.parent.replace(text, _with_links(text.astext(), links))


def setup(app):
    """Register it with Sphinx."""
    app.add_post_transform(Terms)
    app.connect("env-updated", _collect)
    app.connect("doctree-resolved", _lead_back)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def places(doctree, terms):
    """Return where a page uses each term: a text of its prose, and the first and last place of the term in it.

    terms: the names of the terms. Of two that begin at one place, such as *posterior* and *posterior collapse*, the
    longer one is meant.
    """
    names = {term.lower(): term for term in terms}
    either = "|".join(re.escape(term).replace("'", "['’]") for term in sorted(terms, key=len, reverse=True))
    pattern = re.compile(rf"(?<![\w-])(?:(?:{EVERYDAY})|({either}))(?:s|es)?(?![\w-])", re.IGNORECASE)
    first, explained = {}, {}
    for text in filter(_is_prose, doctree.findall(nodes.Text)):
        for found in pattern.finditer(text.astext()):
            # A term in capitals, such as ELBO, is written so.
            term = names.get((found[1] or "").lower().replace("’", "'"))
            if term and not (term.isupper() and found[1] != term):
                place = text, found.start(), found.end()
                first.setdefault(term, place)
                if _stands_out(text):
                    explained.setdefault(term, place)
    return first | explained


def _is_prose(text):
    above = list(_ancestors(text))
    return any(isinstance(node, nodes.paragraph) for node in above) and not (
        any(isinstance(node, (*VERBATIM, *LINK, nodes.table)) or "cell" in node.get("classes", ()) for node in above)
        or (_emphases(text) and any(LITERATURE in node.get("ids", ()) for node in above))
    )


def _stands_out(text):
    return any(len(phrase.astext().split()) <= PHRASE for phrase in _emphases(text))


def _emphases(text):
    return [node for node in _ancestors(text) if isinstance(node, (nodes.strong, nodes.emphasis))]


def _ancestors(node):
    while node := node.parent:
        yield node


def _with_links(text, links):
    """Return the parts of a text, with a link in each of some places."""
    parts, done = [], 0
    for start, end, link in sorted(links, key=lambda place: place[:2]):
        parts += [nodes.Text(text[done:start]), link]
        done = end
    return [part for part in (*parts, nodes.Text(text[done:])) if part.astext()]


def _terms(env):
    """Return the page and the anchor of each term, by its name."""
    objects = env.get_domain("std").get_objects()
    return {name: (page, anchor) for _, name, kind, page, anchor, _ in objects if kind == "term"}


def _glossaries(terms):
    return {page for page, _ in terms.values()}


def _id(term):
    return nodes.make_id(f"use of {term}")


def _collect(app, env):
    """Note which pages use each term, in the order of the book, now that all have been read."""
    terms = _terms(env)
    env.vaelib_uses = {term: [] for term in terms}
    for docname in _in_order(env, app.config.root_doc):
        if docname not in WITHOUT | _glossaries(terms):
            for term in places(env.get_doctree(docname), terms):
                env.vaelib_uses[term].append(docname)


def _in_order(env, docname):
    yield docname
    for child in env.toctree_includes.get(docname, ()):
        yield from _in_order(env, child)


def _lead_back(app, doctree, docname):
    """Write under each term of the glossary which chapters and pages use it."""
    terms = _terms(app.env)
    if app.builder.format != "html" or docname not in _glossaries(terms):
        return
    # The glossary may write a term with another apostrophe than its source.
    names = {anchor: term for term, (_, anchor) in terms.items()}
    for item in doctree.findall(nodes.definition_list_item):
        term = names[item.next_node(nodes.term)["ids"][0]]
        if used_in := app.env.vaelib_uses[term]:
            item.next_node(nodes.definition).append(_uses(app, docname, term, used_in))


def _uses(app, docname, term, used_in):
    """Return a line with links: to chapters by their numbers, then to pages by their titles."""
    numbers = {page: app.env.toc_secnumbers.get(page, {}).get("") for page in used_in}
    chapters = [page for page in used_in if numbers[page]]
    pages = [page for page in used_in if not numbers[page]]
    line = nodes.paragraph("", "Used in ", classes=["vaelib-uses"])
    if chapters:
        line += nodes.Text("chapters " if len(chapters) > 1 else "chapter ")
        line += _in_a_row(_link_back(app, docname, page, term, str(numbers[page][0])) for page in chapters)
    if chapters and pages:
        line += nodes.Text("; ")
    line += _in_a_row(_link_back(app, docname, page, term, app.env.titles[page].astext()) for page in pages)
    return line


def _in_a_row(links):
    return [part for link in links for part in (nodes.Text(", "), link)][1:]


def _link_back(app, docname, page, term, label):
    uri = f"{app.builder.get_relative_uri(docname, page)}#{_id(term)}"
    return nodes.reference("", label, refuri=uri, reftitle=app.env.titles[page].astext(), internal=True)
