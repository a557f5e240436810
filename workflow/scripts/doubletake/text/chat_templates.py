"""Chat templates of local models, read without torch and transformers.

The module runs whenever the workflow starts, so its imports must be fast.
"""

import datetime
import re
from pathlib import Path
from typing import Any

from jinja2 import TemplateError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from doubletake.running.errors import InputError
from doubletake.running.json_files import read_json

TODAY = "strftime_now"
"""The function by which a chat template asks for today's date."""
QUESTION = "How many is 2 and 3?"
"""A question without any text of a template."""
DATE_NOTE = (
    "the chat template writes the date of the run into every prompt, so the same run "
    "gives other thoughts on another day; the model's key `date` pins the date"
)
"""The note of a run table where no date is pinned."""
_USE = re.compile(
    TODAY + r"\b(?P<test>\s+is\s+(?:not\s+)?defined)?"
    r"(?:\s*\(\s*(?P<quote>['\"])(?P<form>[^'\"\\]*)(?P=quote)\s*\))?"
)
_MACRO = "{%- macro strftime_now(form) -%}{{ dates_of_run[form] }}{%- endmacro -%}"


def with_pinned_date(template: str, date: str) -> tuple[str, dict[str, Any]]:
    """A template that writes a given date instead of today's date.

    Args:
        template: the chat template.
        date: YYYY-MM-DD.

    Returns:
        The template, and the arguments that it needs.

    Raises:
        ValueError: the template does not write out the form of the date.
    """
    uses = [use for use in _USE.finditer(template) if not use["test"]]
    forms = [use["form"] for use in uses]
    if not forms:
        return template, {}
    if None in forms:
        raise ValueError(
            f"the date cannot be pinned: the chat template uses {TODAY} without a form "
            "that is written out in the call"
        )
    day = datetime.datetime.fromisoformat(date)
    return _MACRO + template, {"dates_of_run": {f: day.strftime(f) for f in forms}}


def chat_template(folder: Path) -> str | None:
    """The chat template of a local tokenizer; None if the tokenizer has none.

    Of several named templates it is the one with the name `default`.

    Raises:
        InputError: tokenizer_config.json is not a JSON object.
    """
    file = folder / "chat_template.jinja"
    if file.is_file():
        return file.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    template = read_json(config).get("chat_template") if config.is_file() else None
    if isinstance(template, list):
        by_name = {item.get("name"): item.get("template") for item in template}
        template = by_name.get("default")
    return template if isinstance(template, str) else None


def added_tokens(folder: Path) -> set[str]:
    """Texts of the tokens that a local tokenizer has besides its vocabulary.

    Raises:
        InputError: tokenizer.json is not a JSON object.
    """
    added = read_json(folder / "tokenizer.json").get("added_tokens", [])
    return {token["content"] for token in added}


def rendered_prompts(
    folder: Path, template: str, settings: dict[str, Any]
) -> tuple[str, str]:
    """A prompt as a template writes it, without and with the start of the model's turn.

    A template that needs more than this module offers is rendered by transformers.

    Args:
        folder: of the tokenizer.
        template: its chat template.
        settings: of the model.

    Raises:
        InputError: the template cannot be rendered.
    """
    config = folder / "tokenizer_config.json"
    entries = read_json(config) if config.is_file() else {}
    tokens = {key: _content(entries.get(key)) for key in ("bos_token", "eos_token")}
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals[TODAY] = lambda form: "date"
    environment.globals["raise_exception"] = _refuse
    arguments = {"messages": [{"role": "user", "content": QUESTION}]} | tokens
    arguments |= settings["template_arguments"]
    try:
        compiled = environment.from_string(template)
        bare, whole = (
            compiled.render(**arguments, add_generation_prompt=turn)
            for turn in (False, True)
        )
    except (TemplateError, TypeError, ValueError, LookupError):
        bare, whole = (_rendered(template, arguments, turn) for turn in (False, True))
    return bare, whole


def _rendered(template: str, arguments: dict[str, Any], turn: bool) -> str:
    """A prompt as transformers renders it."""
    from transformers.utils.chat_template_utils import (  # slow to import
        render_jinja_template,
    )

    arguments = dict(arguments)
    try:
        rendered = render_jinja_template(
            [arguments.pop("messages")],
            chat_template=template,
            add_generation_prompt=turn,
            **arguments,
        )
    except (TemplateError, TypeError, ValueError, LookupError) as error:
        raise InputError(f"the chat template fails: {error}") from error
    return rendered[0][0] if isinstance(rendered, tuple) else rendered[0]


def _content(token: Any) -> str:
    """Text of a special token, which may be written as an object."""
    content = token.get("content") if isinstance(token, dict) else token
    return content if isinstance(content, str) else ""


def _refuse(message: str) -> None:
    raise TemplateError(message)
