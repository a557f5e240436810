"""Turns SVG files into images inside an HTML page.

A browser draws such an image, but runs no scripts in it and loads no other files.
"""

import xml.etree.ElementTree as ET
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from doubletake.running.errors import InputError
from doubletake.running.seals import read_sealed

SVG = "{http://www.w3.org/2000/svg}svg"
LARGEST_SCALE = 1.2  # largest width on the page, in widths of the file


@dataclass(frozen=True)
class Drawing:
    """Attributes of an `<img>` element."""

    source: str
    """The file as a `data:` address."""
    label: str
    """Text for readers who cannot see the figure."""
    width: str
    """Largest width on the page, so that letters in small figures stay small."""


def drawing(path: str | Path, label: str) -> Drawing:
    """A figure for the page.

    Raises:
        InputError: the file is missing, damaged or not an SVG.
    """
    data = read_sealed(path)
    try:
        root = ET.fromstring(data)
    except ET.ParseError as error:
        raise InputError(f"cannot read figure {path}: {error}") from error
    if root.tag != SVG:
        raise InputError(f"figure {path}: not an SVG but <{root.tag}>")
    source = f"data:image/svg+xml;base64,{b64encode(data).decode()}"
    return Drawing(source, label, _largest_width(root.get("width", "")))


def _largest_width(width: str) -> str:
    try:
        return f"{LARGEST_SCALE * float(width.removesuffix('pt')):.0f}pt"
    except ValueError:  # another unit, or no width
        return "none"
