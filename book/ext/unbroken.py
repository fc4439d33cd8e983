"""Keep on a line what browsers break: 1e-3 after its hyphen, 25 % before its sign, a formula before its full stop."""

import re

from docutils import nodes
from sphinx.transforms.post_transforms import SphinxPostTransform

NUMBER = re.compile(r"(\b\d+(?:\.\d+)?(?:e-\d+| %))")
PUNCTUATION = re.compile(r"[.,;:!?)]+")
# Let longer formulas, in characters of their source, go without: they have to scroll on a phone.
LONGEST = 30
VERBATIM = (nodes.literal, nodes.literal_block, nodes.raw, nodes.math, nodes.math_block)


class Unbroken(SphinxPostTransform):
    """Put every such number of the text, and every such formula, into a span of its own, which does not wrap."""

    default_priority = 900
    formats = ("html",)

    def run(self, **kwargs):
        """Change the document in place."""
        for text in list(self.document.findall(nodes.Text)):
            parts = NUMBER.split(text)
            if len(parts) > 1 and not isinstance(text.parent, VERBATIM):
                text.parent.replace(text, [_part(part, i % 2) for i, part in enumerate(parts) if part])
        for formula in list(self.document.findall(nodes.math)):
            text = formula.next_node(siblings=True, descend=False)
            mark = isinstance(text, nodes.Text) and PUNCTUATION.match(text)
            if mark and len(formula.astext()) <= LONGEST:
                text.parent.replace(text, nodes.Text(text[mark.end() :]))
                parts = formula.deepcopy(), nodes.Text(mark[0])
                formula.replace_self(nodes.inline("", "", *parts, classes=["unbroken"]))


def setup(app):
    """Register it with Sphinx."""
    app.add_post_transform(Unbroken)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _part(text, is_number):
    return nodes.inline(text, text, classes=["unbroken"]) if is_number else nodes.Text(text)
