"""Chat templates of local models, read without the library that runs them later.

No torch and no transformers here: it runs whenever the workflow starts.
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
"""A question that holds nothing of a template."""
DATE_NOTE = (
    "the chat template writes the date of the run into every prompt, so the same run "
    "on another day gives other thoughts; the model's key `date` pins the date"
)
"""What a run table says where no date is pinned."""
_USE = re.compile(
    TODAY + r"\b(?P<asked>\s+is\s+(?:not\s+)?defined)?"
    r"(?:\s*\(\s*(?P<quote>['\"])(?P<form>[^'\"\\]*)(?P=quote)\s*\))?"
)
_MACRO = "{%- macro strftime_now(form) -%}{{ dates_of_run[form] }}{%- endmacro -%}"


def pinned(template: str, date: str) -> tuple[str, dict[str, Any]]:
    """A template that writes a given date where it would write today's.

    Args:
        template: the chat template.
        date: YYYY-MM-DD.

    Returns:
        The template to render, and the arguments that it needs.

    Raises:
        ValueError: it asks for the date in a form that is not written out.
    """
    uses = [use for use in _USE.finditer(template) if not use["asked"]]
    forms = [use["form"] for use in uses]
    if not forms:
        return template, {}
    if None in forms:
        raise ValueError(
            f"the date cannot be pinned, as the chat template uses {TODAY} otherwise "
            "than in a call with a form that is written out"
        )
    day = datetime.datetime.fromisoformat(date)
    return _MACRO + template, {"dates_of_run": {f: day.strftime(f) for f in forms}}


def chat_template(folder: Path) -> str | None:
    """The chat template of a local tokenizer; None if there is none.

    Of several named ones it is the default.

    Raises:
        InputError: tokenizer_config.json is no JSON object.
    """
    own = folder / "chat_template.jinja"
    if own.is_file():
        return own.read_text(encoding="utf-8")
    config = folder / "tokenizer_config.json"
    found = read_json(config).get("chat_template") if config.is_file() else None
    if isinstance(found, list):
        named = {item.get("name"): item.get("template") for item in found}
        found = named.get("default")
    return found if isinstance(found, str) else None


def added_tokens(folder: Path) -> set[str]:
    """Texts of the tokens that a local tokenizer has beside its vocabulary.

    Raises:
        InputError: tokenizer.json is no JSON object.
    """
    added = read_json(folder / "tokenizer.json").get("added_tokens", [])
    return {token["content"] for token in added}


def prompts(folder: Path, template: str, settings: dict[str, Any]) -> tuple[str, str]:
    """A prompt as a template writes it, without and with the model's turn opened.

    Args:
        folder: of the tokenizer.
        template: its chat template.
        settings: of the model.

    A template that needs more than is known here is rendered by the library.

    Raises:
        InputError: the template cannot be rendered.
    """
    config = folder / "tokenizer_config.json"
    named = read_json(config) if config.is_file() else {}
    tokens = {key: _content(named.get(key)) for key in ("bos_token", "eos_token")}
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.loopcontrols"]
    )
    environment.globals[TODAY] = lambda form: "date"
    environment.globals["raise_exception"] = _refuse
    given = {"messages": [{"role": "user", "content": QUESTION}]} | tokens
    given |= settings["template_arguments"]
    try:
        compiled = environment.from_string(template)
        bare, whole = (
            compiled.render(**given, add_generation_prompt=turn)
            for turn in (False, True)
        )
    except (TemplateError, TypeError, ValueError, LookupError):
        bare, whole = (_rendered(template, given, turn) for turn in (False, True))
    return bare, whole


def _rendered(template: str, given: dict[str, Any], turn: bool) -> str:
    """A prompt as the library renders it."""
    from transformers.utils.chat_template_utils import (  # slow to import
        render_jinja_template,
    )

    given = dict(given)
    try:
        rendered = render_jinja_template(
            [given.pop("messages")],
            chat_template=template,
            add_generation_prompt=turn,
            **given,
        )
    except (TemplateError, TypeError, ValueError, LookupError) as error:
        raise InputError(f"the chat template fails: {error}") from error
    return rendered[0][0] if isinstance(rendered, tuple) else rendered[0]


def _content(token: Any) -> str:
    """Text of a special token, which may be written as an object."""
    found = token.get("content") if isinstance(token, dict) else token
    return found if isinstance(found, str) else ""


def _refuse(message: str) -> None:
    raise TemplateError(message)
