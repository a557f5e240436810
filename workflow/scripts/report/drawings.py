"""SVG figures as parts of an HTML page: own ids, nothing active, nothing fetched."""

import re
import xml.etree.ElementTree as ET
from pathlib import Path

from doubletake.running.errors import InputError
from doubletake.running.seals import read_sealed

DROPPED = frozenset(["metadata", "script", "style", "foreignObject", "title", "desc"])
JOINS = "stroke-linejoin:round;stroke-linecap:butt"  # what matplotlib's style sets
LARGEST = 1.2  # times its own width
_REFERENCE = re.compile(r"url\(\s*['\"]?(#?)([^)'\"]*)['\"]?\s*\)")


def inline_svg(path: str | Path, prefix: str, label: str) -> str:
    """The figure as an `<svg>` element for an HTML page.

    Ids get a prefix, because ids of several figures on one page would collide. The
    figure takes the width that the page gives it, up to `LARGEST` times its own, so
    that the lettering of small figures does not outgrow that of large ones.

    Args:
        path: the file.
        prefix: what the ids of this figure start with.
        label: what the figure shows, for readers who do not see it.

    Raises:
        InputError: the file is missing, damaged or no SVG.
    """
    try:
        root = ET.fromstring(read_sealed(path))
    except ET.ParseError as error:
        raise InputError(f"cannot read figure {path}: {error}") from error
    if _local(root.tag) != "svg":
        raise InputError(f"figure {path}: not an SVG but <{_local(root.tag)}>")
    _drop(root)
    for element in root.iter():
        _rewrite(element, prefix)
    width = _points(root.get("width", ""))
    for name in ("width", "height", "version", "id"):
        root.attrib.pop(name, None)
    root.set("role", "img")
    root.set("aria-label", label)
    limit = f";max-width:{LARGEST * width:.0f}pt" if width else ""
    root.set("style", f"{JOINS}{limit}")
    return ET.tostring(root, encoding="unicode")


def _points(length: str) -> float | None:
    """A length in points; None for any other unit."""
    try:
        return float(length.removesuffix("pt"))
    except ValueError:
        return None


def _local(name: str) -> str:
    """A name without its namespace: HTML knows none."""
    return name.rpartition("}")[2]


def _drop(element: ET.Element) -> None:
    """Remove what is no drawing: metadata, scripts, and styles, which would leak."""
    for child in list(element):
        if not isinstance(child.tag, str) or _local(child.tag) in DROPPED:
            element.remove(child)
        else:
            _drop(child)


def _rewrite(element: ET.Element, prefix: str) -> None:
    """Names without namespaces, ids and references with the prefix."""
    element.tag = _local(element.tag)
    attributes = {_local(name): value for name, value in element.attrib.items()}
    element.attrib.clear()
    for name, value in attributes.items():
        if name.lower().startswith("on"):
            continue
        if name == "id":
            value = prefix + value
        elif name == "href" and value.startswith("#"):
            value = f"#{prefix}{value[1:]}"
        elif name == "href" and not value.startswith("data:image/"):
            continue
        else:
            value = _REFERENCE.sub(lambda match: _own(match, prefix), value)
        element.set(name, " ".join(value.split()))


def _own(match: re.Match[str], prefix: str) -> str:
    """A reference into the figure with the prefix; none to anywhere else."""
    return f"url(#{prefix}{match[2]})" if match[1] else "none"
