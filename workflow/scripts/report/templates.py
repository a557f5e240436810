"""Writes HTML pages from templates; all values are made visible and escaped."""

from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from doubletake.page import wording
from doubletake.running.files import write_whole
from doubletake.running.visible_text import visible


def environment(folder: Path) -> Environment:
    """The templates of a folder. Every value is made visible, then escaped.

    A template with an unknown name fails. Only `Markup`, which the workflow's own code
    makes, is inserted unchanged.
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
    """Render a template, and write the page complete or not at all."""
    text = environment(template.parent).get_template(template.name).render(**values)
    write_whole(page, text.encode())


def _shown(value: object) -> object:
    """The text that a template prints for a value."""
    if isinstance(value, Markup):
        return value
    return visible(str(value))
