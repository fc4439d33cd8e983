"""Set the key numbers of a chapter beside those that the same chapter comes to with other seeds."""

import json
from collections.abc import Mapping
from pathlib import Path

from .expected import causes, compared

__all__ = ["beside_other_seeds"]

_FOLDER = Path(__file__).parent / "other_seeds"


def beside_other_seeds(chapter: str, numbers: Mapping[str, float], settings: Mapping[str, int]) -> str:
    """Return a table in Markdown: the key numbers of a chapter, beside those with other seeds that the book keeps.

    `python tools/key_numbers.py CHAPTER` measures them: it runs the chapter with each seed, as far as this call.

    Args:
        chapter: its number, such as "13".
        numbers: by their names, with the unit.
        settings: what must be the same for numbers to be comparable, such as the numbers of epochs and images.

    Returns:
        One line for each number. Where one is off, three likely causes follow. With other settings than those of the
        kept numbers, a sentence that says so.

    Raises:
        ValueError: if the chapter has no kept numbers, or they have other names.

    Used in chapters 01, 13 and 14.
    """
    kept = sorted(path.stem for path in _FOLDER.glob("*.json"))
    if chapter not in kept:
        raise ValueError(f"chapter must be one with kept numbers, {', '.join(kept)}, got {chapter!r}.")
    found = json.loads((_FOLDER / f"{chapter}.json").read_text(encoding="utf-8"))
    if dict(settings) != found["settings"]:
        return (
            f"The book keeps {len(found['seeds'])} other seeds of this at {_said(found['settings'])}; "
            f"yours is at {_said(settings)}, so there is nothing to compare it with."
        )
    others = {name: [each[name] for each in found["seeds"].values() if name in each] for name in numbers}
    missing = [name for name, values in others.items() if len(values) != len(found["seeds"])]
    if missing:
        raise ValueError(
            f"numbers must be those that were kept, {', '.join(next(iter(found['seeds'].values())))}, "
            f"got {', '.join(missing)}: measure them with `python tools/key_numbers.py {chapter}`."
        )
    table, is_off = compared(numbers, others, "key numbers")
    return table + (causes() if is_off else "")


def _said(settings: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in settings.items())
