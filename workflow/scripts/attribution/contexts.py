"""Where a trace's question and thought stand, in tokens."""

from typing import Any

from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_tokens, token_at


def question_span(text: str, question: str) -> tuple[int, int] | None:
    """Characters of the prompt's text that hold the question; None if it is not there.

    A template may strip it.
    """
    question = question.strip()
    start = text.rfind(question)
    return None if start < 0 or not question else (start, start + len(question))


def prompt_row(
    trace: dict[str, Any], question: str, tokenizer: TraceTokenizer
) -> dict[str, Any]:
    """A row of `schemas.ATTRIBUTION_PROMPTS`.

    Args:
        trace: row of the traces table.
        question: of its problem.
        tokenizer: of the model.
    """
    text, offsets = tokenizer.decode(trace["prompt_ids"])
    start, end = question_span(text, question) or (None, None)
    row = {"trace": trace["trace"], "text": text, "offsets": offsets}
    return row | {"start": start, "end": end}


def spans_of(trace: dict[str, Any], prompt: dict[str, Any]) -> dict[str, int | None]:
    """Token indices of the question and of the thought's first token.

    Args:
        trace: row of the traces table.
        prompt: row of `schemas.ATTRIBUTION_PROMPTS`.
    """
    found: dict[str, int | None] = {
        "question_start": None,
        "question_end": None,
        "thought_start": thought_tokens(trace)[0],
    }
    if prompt["start"] is not None:
        found["question_start"] = token_at(prompt["offsets"], 0, prompt["start"])
        found["question_end"] = token_at(prompt["offsets"], 0, prompt["end"] - 1) + 1
    return found
