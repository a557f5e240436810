"""The completions of a row, in the forms in which libraries write them.

Known are the outputs of vLLM (offline and from its server), of OpenAI's chat
completions and completions (single and batch), and of lm-evaluation-harness, and chat
messages.
"""

from collections.abc import Iterator
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.user_rows import short
from doubletake.user_files.chat_messages import Fields, is_text, message_fields

CUT_OFF = ("length", "max_tokens", "max_length")
"""Values of `finish_reason` of a completion that reached the longest length."""
SAMPLES = ("choices", "outputs", "resps", "responses", "completions", "generations")


def completions_of(row: dict[str, Any], location: str) -> list[Fields]:
    """What each completion of a row holds; empty if the row has none of these forms.

    Args:
        row: of a user's file.
        location: of the row, for messages.

    Raises:
        InputError: a completion is not a text, or the request for it failed.
    """
    prefix, body = _body(row, location)
    for name in SAMPLES:
        samples = body.get(name)
        if isinstance(samples, list):
            if not samples:
                raise InputError(f"{location}: {prefix + name!r} is empty")
            return [
                _completion(path, sample, location)
                for path, sample in _flat(prefix + name, samples)
            ]
    return []


def _body(row: dict[str, Any], location: str) -> tuple[str, dict[str, Any]]:
    """The part of a row with the completions: of a batch, the body of its response."""
    response = row.get("response")
    if row.get("error") and not isinstance(response, str):
        raise InputError(f"{location}: the request failed ({short(row['error'])})")
    if isinstance(response, dict):
        if response.get("status_code", 200) != 200:
            code = short(response["status_code"])
            raise InputError(f"{location}: the request failed (status {code})")
        if isinstance(response.get("body"), dict):
            return "response.body.", response["body"]
        return "response.", response
    return "", row


def _flat(path: str, samples: list[Any]) -> Iterator[tuple[str, Any]]:
    """Samples with their paths; lists in lists are opened (lm-evaluation-harness)."""
    for number, sample in enumerate(samples):
        if isinstance(sample, list):
            yield from _flat(f"{path}.{number}", sample)
        else:
            yield f"{path}.{number}", sample


def _completion(path: str, sample: Any, location: str) -> Fields:
    if isinstance(sample, str):
        return {"response": (path, sample)}
    if not isinstance(sample, dict):
        raise InputError(f"{location}: {path!r} is {short(sample)}, not a text")
    fields: Fields
    if isinstance(sample.get("message"), dict):
        fields = message_fields(f"{path}.message", sample["message"], location)
    elif "text" in sample:
        fields = {"response": (f"{path}.text", sample["text"])}
    else:
        raise InputError(
            f"{location}: {path!r} has neither 'message' nor 'text' (found: "
            f"{', '.join(map(str, sample))[:200]})"
        )
    if is_text(sample.get("finish_reason")):
        finish = sample["finish_reason"] in CUT_OFF
        fields["cut_off"] = (f"{path}.finish_reason", finish)
    return fields
