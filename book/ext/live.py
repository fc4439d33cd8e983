"""Put live pictures on the book's pages, by a directive or by the tag of a notebook's cell.

In a page of `book/`, ```{live} film``` puts the film where it stands; in a notebook, whose text stays plain Markdown,
it comes after the cell with the tag `live-film`. The training stands small where a chapter's text has
<div data-live="train" data-small>a sentence for notebooks</div>. The kinds are film, explorer, draw, overlap and train.
"""

import html
import re
from pathlib import Path

import live_assets
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective

# Describe the still picture that stands in its place where there is no JavaScript, and on paper.
KINDS = {
    "film": "The posteriors of 469 batches as ellipses around the prior's circle, in the first and the last epoch of "
    "three networks: small and separate at kl_wt 0.001, overlapping at 0.01, and all on the circle at 0.1.",
    "explorer": "The posterior means of test digits in the latent planes of three networks, and digits decoded all "
    "over each plane: ten kinds at kl_wt 0.001, some at 0.01, and one and the same blob everywhere at 0.1.",
    "draw": "A seven, what three networks believe about it, a small ellipse at kl_wt 0.001, a larger one at 0.01 and "
    "the prior's circle at 0.1, what they decode of it: sevens, and a blob, and which pixels cost how many nats.",
    "overlap": "A posterior of mean 1 and standard deviation 0.5 over the prior, what both cover shaded: their KL is "
    "0.82 nats.",
    "train": "Distortion and rate of test digits against training steps for three weights of the KL: the rate ends at "
    "7.7 nats at kl_wt 0.001, at 3.0 at 0.01 and at 0 at 0.1, where the distortion stays at 206.",
}
FOLDER = "live"


class live(nodes.General, nodes.Element):  # noqa: N801 (docutils finds the visitor by this name)
    """Mark the place of a live picture, with its attribute `kind`."""


class LiveDirective(SphinxDirective):
    """Mark the place of a live picture in a page; with :autoplay: it starts by itself."""

    required_arguments = 1
    option_spec = {"autoplay": directives.flag}  # noqa: RUF012

    def run(self):
        """Put the place into the page."""
        (kind,) = self.arguments
        if kind not in KINDS:
            raise self.error(f"There is no live picture {kind!r}: there are {', '.join(KINDS)}.")
        return [live(kind=kind, autoplay="autoplay" in self.options, small=False)]


def setup(app):
    """Register all of it with Sphinx."""
    app.add_node(live, html=(_visit_html, _depart), latex=(_skip, None), text=(_skip, None))
    app.add_directive("live", LiveDirective)
    app.connect("builder-inited", _write_files)
    app.connect("doctree-read", _follow_tags)
    app.connect("html-page-context", _add_files)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _write_files(app):
    if app.builder.format != "html":
        return
    static = Path(app.outdir).parent / "live"
    live_assets.write(static / FOLDER)
    app.config.html_static_path.append(str(static))


def _follow_tags(app, doctree):
    for cell in list(doctree.findall(nodes.container)):
        for kind in KINDS:
            if f"tag_live-{kind}" in cell["classes"]:
                cell.parent.insert(cell.parent.index(cell) + 1, live(kind=kind, autoplay=False, small=False))
    for raw in list(doctree.findall(nodes.raw)):
        if place := re.match(r'<div data-live="(\w+)" data-small>', raw.astext()):
            raw.replace_self(live(kind=place[1], autoplay=False, small=True))


def _add_files(app, pagename, templatename, context, doctree):
    # Load them on such pages only, after the first paint.
    if doctree is not None and any(doctree.findall(live)):
        app.add_css_file(f"{FOLDER}/live.css")
        trains = any(place["kind"] == "train" for place in doctree.findall(live))
        app.add_js_file(f"{FOLDER}/live-train.js" if trains else f"{FOLDER}/live.js", loading_method="defer")


def _visit_html(self, node):
    kind = node["kind"]
    flags = "".join(f" data-{flag}" for flag in ("autoplay", "small") if node[flag])
    picture = f"{'../' * self.builder.current_docname.count('/')}_static/{FOLDER}/{kind}.png"
    still = f'src="{picture}" alt="{html.escape(KINDS[kind])}"'
    self.body.append(
        f'<div data-live="{kind}"{flags}>\n<p>This picture is live, and comes when the page has loaded it.</p>\n'
        f"<noscript><figure><img {still}>"
        "<figcaption>A still figure: the live one needs JavaScript, which is switched off here.</figcaption>"
        "</figure></noscript>\n</div>\n"
        # Without JavaScript the still picture above is printed; this one, where the live picture has not come yet.
        f'<figure class="on-paper"><img loading="lazy" {still}>'
        "<figcaption>A still figure: the live one is on the page of the book.</figcaption></figure>\n"
    )


def _depart(self, node):
    pass


def _skip(self, node):
    raise nodes.SkipNode
