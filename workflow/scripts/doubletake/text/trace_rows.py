"""Rows of the table of traces, made from generated and from imported completions."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from doubletake.running.errors import InputError
from doubletake.text.grading import Judged, Task, judged
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import token_at

logger = logging.getLogger("doubletake")


@dataclass(frozen=True)
class TracePrompt:
    """The prompt of one trace: one thought on one problem."""

    problem: str
    sample: int
    gold: str
    prompt_ids: list[int]
    question: str

    @property
    def trace(self) -> str:
        """Id of the trace."""
        return f"{self.problem}/{self.sample}"


@dataclass
class Completion:
    """What follows a prompt, generated or imported."""

    trace: str
    """Id of the trace."""
    ids: list[int]
    """Token ids, without the token that ended the completion."""
    logprobs: list[float] | None
    """Log-prob of each token, at temperature 1, before top-p, nats; None: imported."""
    finish: str
    """`stop` or `length`."""
    name: str = ""
    """Tells several completions of one trace apart."""

    @property
    def imported(self) -> bool:
        """Whether the completion comes from a file: it then has no log-probs."""
        return self.logprobs is None


def trace_row(
    prompt: TracePrompt, completion: Completion, tokenizer: TraceTokenizer
) -> dict[str, Any]:
    """One row of the table of traces (`TRACES`).

    Raises:
        InputError: the tokens cannot be decoded to a text.
    """
    ids, logprobs = completion.ids, completion.logprobs
    if completion.finish == "length":
        ids = tokenizer.complete_characters(ids)
        logprobs = None if logprobs is None else logprobs[: len(ids)]
    text, offsets = tokenizer.decode(ids)
    # An imported thought keeps its last characters, even if they look like a part of
    # the end marker.
    cut_off = completion.finish == "length" and not completion.imported
    edges = tokenizer.edges(text, cut_off=cut_off)
    prompt_length = len(prompt.prompt_ids)
    end = edges.marker
    verdict = verdict_on(prompt, text, None if end is None else edges.answer)
    return {
        "trace": prompt.trace,
        "problem": prompt.problem,
        "sample": prompt.sample,
        "prompt_ids": prompt.prompt_ids,
        "completion_ids": ids,
        "logprobs": logprobs,
        "text": text,
        "offsets": offsets,
        "thought_start": edges.start,
        "thought_stop": edges.stop,
        "thought_end": None if end is None else token_at(offsets, prompt_length, end),
        "answer_start": edges.answer,
        "finish": completion.finish,
        "answer": verdict.answer,
        "correct": verdict.correct,
    }


def verdict_on(prompt: TracePrompt, text: str, answer_start: int | None) -> Judged:
    """The final answer of a completion and whether it is right.

    Args:
        prompt: of the completion.
        text: of the completion.
        answer_start: the character after the thought; None if the thought is open.
    """
    # ASSUME: the final answer stands after a closed thought; an open one has no answer.
    if answer_start is None:
        return Judged(None, False)
    task = Task(prompt.gold, prompt.question, text[:answer_start])
    return judged(text[answer_start:], task)


def trace_rows(
    prompts: Iterable[TracePrompt],
    completions: dict[str, Completion],
    tokenizer: TraceTokenizer,
) -> tuple[list[dict[str, Any]], str]:
    """Rows in the order of the prompts, and a note on refused completions.

    A completion whose tokens cannot be decoded to a text is refused, and the note names
    its trace. The other completions are kept.
    """
    rows, refused = [], []
    for prompt in prompts:
        completion = completions.get(prompt.trace)
        if completion is None:
            continue
        try:
            rows.append(trace_row(prompt, completion, tokenizer))
        except InputError as error:
            logger.warning("trace %s refused: %s", prompt.trace, error)
            refused.append(prompt.trace)
    note = f"refused as no text: {', '.join(refused)}" if refused else ""
    return rows, note
