"""The token spans of the question in the prompt, and the start of the thought."""

from typing import Any

from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_tokens, token_at


def question_characters(text: str, question: str) -> tuple[int, int] | None:
    """Characters of the prompt's text that hold the question; None if it is missing.

    A chat template may strip the spaces around the question.
    """
    question = question.strip()
    # ASSUME: the last occurrence in the prompt is the question itself.
    start = text.rfind(question)
    return None if start < 0 or not question else (start, start + len(question))


def prompt_row(
    trace: dict[str, Any], question: str, tokenizer: TraceTokenizer
) -> dict[str, Any]:
    """A row of `ATTRIBUTION_PROMPTS`.

    Args:
        trace: row of the traces table.
        question: text of its problem.
        tokenizer: the model's tokenizer.
    """
    text, offsets = tokenizer.decode(trace["prompt_ids"])
    start, end = question_characters(text, question) or (None, None)
    row = {"trace": trace["trace"], "text": text, "offsets": offsets}
    return row | {"start": start, "end": end}


def token_spans(trace: dict[str, Any], prompt: dict[str, Any]) -> dict[str, int | None]:
    """Token indices of the question and of the thought's first token.

    Args:
        trace: row of the traces table.
        prompt: row of `ATTRIBUTION_PROMPTS`.
    """
    spans: dict[str, int | None] = {
        "question_start": None,
        "question_end": None,
        "thought_start": thought_tokens(trace)[0],
    }
    if prompt["start"] is not None:
        spans["question_start"] = token_at(prompt["offsets"], 0, prompt["start"])
        spans["question_end"] = token_at(prompt["offsets"], 0, prompt["end"] - 1) + 1
    return spans
