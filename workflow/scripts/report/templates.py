"""HTML pages from templates: whatever goes into one is text, escaped and visible."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from doubletake.page import wording
from doubletake.running.files import write_whole
from doubletake.running.visible_text import visible


def environment(folder: Path) -> Environment:
    """Templates of a folder; every value is made visible, then escaped.

    A template that names what it was not given fails. Only `Markup`, which is made by
    our own code, goes in as it is.
    """
    templates = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    names = ("count", "listed", "percent", "probability", "quoted", "plural")
    templates.filters |= {name: getattr(wording, name) for name in names}
    return templates


def write_page(template: Path, page: Path, **values: Any) -> None:
    """Render a template, write under a temporary name, rename when complete."""
    text = environment(template.parent).get_template(template.name).render(**values)
    write_whole(page, text.encode())


def _shown(value: object) -> object:
    """What a template prints for a value."""
    if isinstance(value, Markup):
        return value
    return visible(str(value))
