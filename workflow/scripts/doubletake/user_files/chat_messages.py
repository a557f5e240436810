"""Chat messages: the user's question, and the model's reasoning and text."""

from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.user_rows import short

REASONING = ("reasoning_content", "reasoning", "thinking")
_USER, _MODEL = ("user", "human"), ("assistant", "gpt", "model")

Fields = dict[str, tuple[str, Any]]
"""What a row holds: the column (or its path) and the value, by role."""


def is_chat(value: Any) -> bool:
    """Whether a value is a list of messages."""
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(m, dict) and _role(m) is not None for m in value)
    )


def chat_fields(path: str, messages: list[dict[str, Any]], location: str) -> Fields:
    """The question and, if the model has answered, its reasoning and text.

    A system message is no part of the question. (The model of a study reads the
    question alone, in its own chat template.)

    Args:
        path: column of the messages.
        messages: each with a role and a content.
        location: of the row, for messages.

    Raises:
        InputError: there is not one message of the user, with at most one message of
            the model after it.
    """
    spoken = [(k, m) for k, m in enumerate(messages) if _role(m) != "system"]
    roles = [_role(message) for _, message in spoken]
    kinds = ["u" if r in _USER else "m" if r in _MODEL else "?" for r in roles]
    if kinds not in (["u"], ["u", "m"]):
        raise InputError(
            f"{location}: the roles in {path!r} are {short(roles)}; a study needs one "
            "message of the user, and one of the model after it"
        )
    place, user = spoken[0]
    fields = {"question": (f"{path}.{place}", _text(_content(user), location, path))}
    if len(spoken) == 2:
        place, model = spoken[1]
        fields |= message_fields(f"{path}.{place}", model, location)
    return fields


def message_fields(path: str, message: dict[str, Any], location: str) -> Fields:
    """The reasoning and the text of a model's message.

    Raises:
        InputError: the message holds something else than text.
    """
    content = _content(message)
    thinking = (
        [
            part.get("thinking")
            for part in content
            if isinstance(part, dict) and part.get("type") == "thinking"
        ]
        if isinstance(content, list)
        else []
    )
    answer = _text(content, location, path)
    if thinking:
        return {
            "thought": (f"{path}.content", "\n".join(map(str, thinking))),
            "answer": (f"{path}.content", answer),
        }
    for name in REASONING:
        if is_text(message.get(name)):
            return {
                "thought": (f"{path}.{name}", message[name]),
                "answer": (f"{path}.content", answer),
            }
    return {"response": (f"{path}.content", answer)}


def is_text(value: Any) -> bool:
    """Whether a value is a text with something in it."""
    return isinstance(value, str) and bool(value.strip())


def _role(message: dict[str, Any]) -> Any:
    return message.get("role", message.get("from"))


def _content(message: dict[str, Any]) -> Any:
    return message.get("content", message.get("value"))


def _text(content: Any, location: str, path: str) -> str:
    """The text of a message, which may come in parts."""
    if content is None:
        return ""
    if isinstance(content, str):
        return content
    parts = content if isinstance(content, list) else [content]
    texts = []
    for part in parts:
        kind = part.get("type") if isinstance(part, dict) else None
        if kind not in ("text", "thinking"):
            raise InputError(f"{location}: {path!r} holds {short(part)}, not a text")
        if kind == "text":
            texts.append(str(part.get("text", "")))
    return "".join(texts)
