"""Rows of the tables: decoded thoughts beside the whole ones, and forbidden words."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from decoding_actions.actions import Action
from decoding_actions.forbidden_words import ForbiddenWord, thought_ids
from decoding_actions.keywords import CHINESE, ENGLISH, NOWAIT
from doubletake.detector.detectors import find_events
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span
from doubletake.text.trace_rows import Completion, trace_row


def thought_row(
    action: Action,
    one: DrawnThought,
    completion: Completion | None,
    tokenizer: TraceTokenizer,
    detector: str,
) -> dict[str, Any]:
    """A row of `DECODING_ACTIONS`.

    Args:
        action: what was done.
        one: the whole thought.
        completion: what was decoded; None: the action could not be done.
        tokenizer: of the model.
        detector: of backtracks.

    Raises:
        InputError: the decoded tokens are no text.
    """
    whole = one.trace
    row = trace_row(one.prompt, completion, tokenizer) if completion else whole
    ids, whole_ids = thought_ids(row), thought_ids(whole)
    forbidden = action.tokens.get(one.name, ())
    trials, trial_tokens = action.trials(one.name)
    return {
        "action": action.name,
        "trace": one.name,
        "problem": whole["problem"],
        "applied": completion is not None,
        "tokens": len(ids),
        "trials": trials,
        "trial_tokens": trial_tokens,
        "total": len(ids) + trial_tokens,
        "closed": row["thought_end"] is not None,
        "answer": row["answer"],
        "correct": row["correct"],
        "backtracks": backtracks(row, one, detector),
        "forbidden": sum(token in forbidden for token in ids),
        "spelled": len(_keyword().findall(row["text"][slice(*thought_span(row))])),
        "shared": shared(row["completion_ids"], whole["completion_ids"]),
        "same": row["completion_ids"] == whole["completion_ids"],
        "whole_tokens": len(whole_ids),
        "whole_correct": whole["correct"],
        "whole_backtracks": backtracks(whole, one, detector),
        "whole_forbidden": sum(token in forbidden for token in whole_ids),
        "text": row["text"],
    }


def backtracks(row: dict[str, Any], one: DrawnThought, detector: str) -> int:
    """Backtracks that the detector finds in a thought; `row` is of `TRACES`."""
    thought = row["text"][slice(*thought_span(row))]
    events = find_events(one.question, thought, one.gold, row["answer"], detector)
    return len(events.backtracks)


def shared(ids: Sequence[int], others: Sequence[int]) -> int:
    """Number of equal tokens at the start of both."""
    pairs = enumerate(zip(ids, others, strict=False))
    first = min(len(ids), len(others))
    return next((k for k, (one, other) in pairs if one != other), first)


@cache
def _keyword() -> re.Pattern[str]:
    """Any keyword of NoWait as a word of a text."""
    english = "|".join(map(re.escape, sorted(ENGLISH[NOWAIT], key=len, reverse=True)))
    chinese = "|".join(map(re.escape, sorted(CHINESE[NOWAIT], key=len, reverse=True)))
    return re.compile(rf"(?<![a-z])(?:{english})(?![a-z])|{chinese}", re.IGNORECASE)


def word_rows(words: Mapping[str, Sequence[ForbiddenWord]]) -> list[dict[str, Any]]:
    """Rows of `WORDS`.

    Args:
        words: by action.
    """
    return [
        {
            "action": action,
            "keyword": word.keyword,
            "tokens": sorted(word.tokens),
            "written": word.written,
            "left": list(word.left),
            "left_written": word.left_written,
        }
        for action, found in words.items()
        for word in found
    ]
