"""Write the reference of the library from the library itself: its public names, and their docstrings.

The directive `reference` makes a section for each room of vaelib, in reading order: the module or folder in which names
live, with the first line of its docstring. After its flat names comes what only its own `__all__` offers, such as the
types that a reader meets but does not make. No name is kept here.
"""

import importlib
import inspect
import pkgutil

import docstrings
import keras
from docutils import nodes
from sphinx.util.docutils import SphinxDirective

import vaelib

# Document these methods of a model; Keras documents the rest.
_OF_MODELS = "encode, decode, generate, reconstruct, interpolate, call, distortion, objective"
# Leave out what every tuple has.
_OF_TUPLES = "count, index"


class Reference(SphinxDirective):
    """Document the public names of vaelib."""

    def run(self):
        """Return a section for each room, with Sphinx' own directives in it."""
        return [self._section(room, names) for room, names in rooms().items()]

    def _section(self, room, names):
        module = importlib.import_module(room)
        section = nodes.section(ids=[nodes.make_id(room)])
        section += nodes.title("", "", nodes.literal("", room))
        lines = [docstrings.translate(inspect.getdoc(module).splitlines()[0]), ""]
        for name in names:
            lines += [*documented(name), ""]
        section += self.parse_text_to_nodes("\n".join(["```{eval-rst}", *lines, "```"]))
        return section


def rooms():
    """Return the full names that each room offers, by room: first the modules of the core, then the folders."""
    flat = {f"vaelib.{name}": getattr(vaelib, name) for name in vaelib.__all__}
    found = {}
    for name, thing in flat.items():
        found.setdefault(_room(thing), []).append(name)
    folders = {}
    for _, name, is_folder in pkgutil.iter_modules(vaelib.__path__, "vaelib."):
        if not name.startswith("vaelib._"):
            folders[name] = is_folder
            module = importlib.import_module(name)
            own = (each for each in module.__all__ if _is_missing(getattr(module, each), flat))
            found.setdefault(name, []).extend(f"{name}.{each}" for each in own)
    # Keep the order of the flat names, but no folder before a module of the core.
    return dict(sorted(found.items(), key=lambda room: folders[room[0]]))


def documented(name):
    """Return the lines of reStructuredText that document a name."""
    module, _, own = name.rpartition(".")
    thing = getattr(importlib.import_module(module), own)
    if not inspect.isclass(thing):
        return [f".. autofunction:: {name}"]
    if issubclass(thing, vaelib.VAE):
        return [f".. autoclass:: {name}", f"   :members: {_OF_MODELS}"]
    if issubclass(thing, keras.layers.Layer):
        return [f".. autoclass:: {name}", "   :members: call"]
    if issubclass(thing, tuple):
        return [f".. autoclass:: {name}()", "   :members:", f"   :exclude-members: {_OF_TUPLES}"]
    if hasattr(thing, "__dataclass_fields__"):
        return [f".. autoclass:: {name}()", "   :members:"]
    return [f".. autoclass:: {name}"]


def _room(thing):
    """Return the room in which a thing is defined: a folder or a module of the core."""
    return ".".join(thing.__module__.split(".")[:2])


def _is_missing(thing, flat):
    """Tell whether a room's own name needs an entry: a function or a class of the library that is not flat."""
    return getattr(thing, "__module__", "").startswith("vaelib.") and thing not in flat.values()


def setup(app):
    """Register the directive with Sphinx."""
    app.add_directive("reference", Reference)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
