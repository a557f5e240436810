"""Labels in any script: each character is drawn by a font that has it, or is named.

Matplotlib draws a box where no font has a character. Here the fonts that a figure
needs beside its own are looked up among the installed ones, by the glyphs that they
hold. What no font has is written as its code point (U+4E2D as in Python). Matplotlib
shapes the text (it is built with libraqm), so Arabic is joined and runs from right to
left.
"""

import unicodedata
from collections.abc import Iterable
from functools import cache

from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, fontManager, get_font
from matplotlib.text import Text

from doubletake.running.visible_text import visible

PLACEHOLDERS = "Last Resort"  # fonts of this name have boxes for all characters
LEFT_TO_RIGHT = "\u200e"  # invisible; keeps a code point in order within Arabic
DOTTED_CIRCLE = "\u25cc"  # carries a combining mark that has no letter


def make_drawable(figure: Figure) -> None:
    """Give all texts of a figure the fonts that they need, and name other characters.

    A figure whose own font has all characters stays as it is.
    """
    axes = [axis for panel in figure.axes for axis in (panel.xaxis, panel.yaxis)]
    labels_of = {axis: axis.get_majorticklabels() for axis in axes}
    ticks = {label for labels in labels_of.values() for label in labels}
    texts = [text for text in figure.findobj(Text) if text not in ticks]
    shown = [text.get_text() for text in texts]
    missing = _missing(figure, [*shown, *(label.get_text() for label in ticks)])
    families = fallback_families(missing)
    for text, content in zip(texts, shown, strict=True):
        if _needs_change(content, missing):
            text.set_fontfamily([*text.get_fontfamily(), *families])
            text.set_text(drawable(content, text.get_fontproperties()))
    for axis, labels in labels_of.items():
        if any(_needs_change(label.get_text(), missing) for label in labels):
            _relabel(axis, labels, families)


def drawable(text: str, properties: FontProperties) -> str:
    """A text whose characters all have a glyph in one of the fonts.

    Args:
        text: any text; control and invisible characters become visible.
        properties: families, weight and style of the fonts.
    """
    held = [_characters(path) for path in _files(properties)]
    shown = visible(text)
    right_to_left = any(
        unicodedata.bidirectional(character) in ("R", "AL") for character in shown
    )
    around = LEFT_TO_RIGHT if right_to_left else ""
    if shown and unicodedata.category(shown[0]).startswith("M"):
        shown = DOTTED_CIRCLE + shown
    return "".join(
        character
        if character == "\n" or any(ord(character) in one for one in held)
        else around + character.encode("unicode_escape").decode() + around
        for character in shown
    )


def fallback_families(characters: Iterable[str]) -> list[str]:
    """Installed families that have these characters, one after another by name.

    A family is listed if it has a character that none before it has. Fonts of pictures
    (colour emoji) do not count, because they have no outlines.
    """
    left = {ord(character) for character in characters}
    families = []
    for name, path in _installed() if left else ():
        found = {code for code in left & _characters(path) if _has_outline(path, code)}
        if found:
            families.append(name)
            left -= found
    return families


def _needs_change(text: str, missing: set[str]) -> bool:
    return bool(missing & set(text)) or visible(text) != text or _starts_bare(text)


def _starts_bare(text: str) -> bool:
    return bool(text) and unicodedata.category(text[0]).startswith("M")


def _missing(figure: Figure, texts: list[str]) -> set[str]:
    """Characters that one of the figure's own fonts lacks."""
    files = {
        path
        for text in figure.findobj(Text)
        for path in _files(text.get_fontproperties())
    }
    held = frozenset.intersection(*map(_characters, files)) if files else frozenset()
    return {c for text in texts for c in text if c != "\n" and ord(c) not in held}


def _relabel(axis: Axis, labels: list[Text], families: list[str]) -> None:
    """Fix the labels of the ticks; a formatter would set the old ones when it draws."""
    properties = labels[0].get_fontproperties().copy()
    properties.set_family([*properties.get_family(), *families])
    axis.set_ticks(
        axis.get_majorticklocs(),
        [drawable(label.get_text(), properties) for label in labels],
        family=properties.get_family(),
    )


def _installed() -> list[tuple[str, str]]:
    """Families and files of the installed fonts of regular shape, by name."""
    return sorted(
        (font.name, font.fname)
        for font in fontManager.ttflist
        if not font.name.startswith(PLACEHOLDERS)
        and font.style == "normal"
        and font.weight in ("normal", 400)
    )


def _files(properties: FontProperties) -> list[str]:
    """The file that each family gives at this weight and style."""
    files = []
    for family in properties.get_family():
        one = properties.copy()
        one.set_family(family)
        files.append(str(findfont(one)))
    return files


@cache
def _characters(path: str) -> frozenset[int]:
    """Code points of a font file; none if matplotlib cannot draw with it."""
    try:
        return frozenset(get_font(path).get_charmap())
    except (RuntimeError, OSError):
        return frozenset()


def _has_outline(path: str, code: int) -> bool:
    """Whether a font draws something for a character; blanks draw nothing."""
    font = get_font(path)
    try:
        font.load_char(code)
    except RuntimeError:
        return False
    return chr(code).isspace() or len(font.get_path()[0]) > 0
