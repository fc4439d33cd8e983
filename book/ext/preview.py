"""Describe each page, with a picture, to search engines and to whatever shows a preview of a link to it.

The description is that of the page's front matter, else what a chapter promises under **What you'll do**, else its
first paragraph; the picture is the chapter's cover, else that of the first page. Their addresses begin with
`html_baseurl`, for a preview follows no relative link.
"""

import html
import re
import textwrap

from docutils import nodes

PROMISE = "What you’ll do."
LENGTH = 200
# Show the posteriors of the three headline runs for pages that have no cover of their own.
COVER = "06"


def setup(app):
    """Register it with Sphinx."""
    app.connect("html-page-context", _describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def description(doctree):
    """Return what a page is about, in at most 200 characters, or nothing."""
    given = [node["content"] for node in doctree.findall(nodes.meta) if node.get("name") == "description"]
    if given:
        return given[0]
    texts = [_text(paragraph) for paragraph in doctree.findall(nodes.paragraph)]
    promises = [text.removeprefix(PROMISE).strip() for text in texts if text.startswith(PROMISE)]
    text = next(iter([*promises, *texts]), "")
    return textwrap.shorten(text, LENGTH, placeholder=" …")


def _text(paragraph):
    """Return the text of a paragraph on one line; a formula as its source, which can be read where it is short."""
    return " ".join(paragraph.astext().replace("'", "’").split())


def _describe(app, pagename, templatename, context, doctree):
    if doctree is None:
        return
    text = description(doctree)
    chapter = re.fullmatch(r"notebooks/(\d\d)_.*", pagename)
    cover = f"_static/covers/{chapter[1] if chapter else COVER}.png"
    base = app.config.html_baseurl
    properties = {
        "og:type": "article" if chapter else "website",
        "og:site_name": app.config.html_title,
        "og:title": app.env.titles[pagename].astext(),
        "og:description": text,
        "og:url": f"{base}{pagename}.html",
        "og:image": base + cover,
        "og:image:alt": _alt(doctree) if chapter else app.config.html_title,
    }
    tags = [f'<meta property="{name}" content="{html.escape(value)}" />' for name, value in properties.items()]
    tags.append('<meta name="twitter:card" content="summary_large_image" />')
    if not any(node.get("name") == "description" for node in doctree.findall(nodes.meta)):
        tags.append(f'<meta name="description" content="{html.escape(text)}" />')
    context["metatags"] = "\n".join([context["metatags"], *tags])


def _alt(doctree):
    """Return the text of a chapter's cover, its first picture."""
    return next(image["alt"] for image in doctree.findall(nodes.image))
