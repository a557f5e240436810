"""SVG figures as images inside an HTML page.

A browser draws an image without running scripts in it and without fetching anything.
"""

import xml.etree.ElementTree as ET
from base64 import b64encode
from dataclasses import dataclass
from pathlib import Path

from doubletake.running.errors import InputError
from doubletake.running.seals import read_sealed

SVG = "{http://www.w3.org/2000/svg}svg"
LARGEST = 1.2  # times its own width


@dataclass(frozen=True)
class Drawing:
    """What an `<img>` element needs."""

    source: str
    """The file as a `data:` address."""
    label: str
    """What the figure shows, for readers who do not see it."""
    width: str
    """Largest width on the page: the lettering of small figures stays small."""


def drawing(path: str | Path, label: str) -> Drawing:
    """A figure for the page.

    Raises:
        InputError: the file is missing, damaged or no SVG.
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


def _largest_width(own: str) -> str:
    try:
        return f"{LARGEST * float(own.removesuffix('pt')):.0f}pt"
    except ValueError:  # another unit, or no width
        return "none"
