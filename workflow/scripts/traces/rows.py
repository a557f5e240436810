"""Rows of the traces table, made the same way whatever wrote the completion."""

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import polars as pl

from doubletake.running.errors import InputError
from doubletake.text.answers import final_answer, same_value
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import token_at
from traces.tables import TRACES

logger = logging.getLogger("doubletake")


@dataclass(frozen=True)
class Prompted:
    """A completion to be made: one thought on one problem."""

    problem: str
    sample: int
    gold: str
    prompt_ids: list[int]

    @property
    def trace(self) -> str:
        """Id of the trace."""
        return f"{self.problem}/{self.sample}"


@dataclass
class Completion:
    """What a backend gives for a prompt."""

    key: str
    """Id of the trace."""
    ids: list[int]
    """Without the token that ended it."""
    logprobs: list[float] | None
    """Of each token, at temperature 1 and before top-p, in nats; None if imported."""
    finish: str
    """`stop` or `length`."""


def trace_row(
    prompted: Prompted, completion: Completion, tokenizer: TraceTokenizer
) -> dict[str, Any]:
    """One row of the traces table.

    Raises:
        InputError: the tokens are no text.
    """
    ids, logprobs = completion.ids, completion.logprobs
    if completion.finish == "length":
        ids = tokenizer.complete_characters(ids)
        logprobs = None if logprobs is None else logprobs[: len(ids)]
    text, offsets = tokenizer.decode(ids)
    # An imported thought is kept as it is, whatever it ends in.
    cut_off = completion.finish == "length" and logprobs is not None
    edges = tokenizer.edges(text, cut_off=cut_off)
    prompt = len(prompted.prompt_ids)
    end = edges.marker
    answer = None if end is None else final_answer(text[edges.answer :])
    return {
        "trace": prompted.trace,
        "problem": prompted.problem,
        "sample": prompted.sample,
        "prompt_ids": prompted.prompt_ids,
        "completion_ids": ids,
        "logprobs": logprobs,
        "text": text,
        "offsets": offsets,
        "thought_start": edges.start,
        "thought_stop": edges.stop,
        "thought_end": None if end is None else token_at(offsets, prompt, end),
        "answer_start": edges.answer,
        "finish": completion.finish,
        "answer": answer,
        "correct": is_correct(prompted.gold, answer),
    }


def is_correct(gold: str, answer: str | None) -> bool:
    """Whether an answer was given and has the gold answer's value."""
    return answer is not None and same_value(gold, answer)


def traces_table(
    prompts: Iterable[Prompted],
    completions: dict[str, Completion],
    tokenizer: TraceTokenizer,
) -> tuple[pl.DataFrame, str]:
    """Table in the order of the prompts, and a note on what was refused.

    A completion that is no text is refused with its id: one model output must not
    cost the others.
    """
    rows, refused = [], []
    for prompted in prompts:
        completion = completions.get(prompted.trace)
        if completion is None:
            continue
        try:
            rows.append(trace_row(prompted, completion, tokenizer))
        except InputError as error:
            logger.warning("trace %s refused: %s", prompted.trace, error)
            refused.append(prompted.trace)
    note = f"refused as no text: {', '.join(refused)}" if refused else ""
    return TRACES.frame(rows), note
