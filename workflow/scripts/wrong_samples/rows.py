"""Rows of the tables: continuations, votes, and whole thoughts."""

import logging
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from doubletake.detector.detectors import find_events
from doubletake.running.errors import InputError
from doubletake.text.coherence import loops
from doubletake.text.drawn_thoughts import DrawnThought
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span
from doubletake.text.trace_rows import Completion, trace_row
from wrong_samples.cases import Case
from wrong_samples.continuing import Continuation, spent
from wrong_samples.names import VOTE

logger = logging.getLogger("measure_wrong_samples")


def continuation_row(
    one: Continuation,
    done: Completion | None,
    tokenizer: TraceTokenizer,
    detector: str,
) -> dict[str, Any]:
    """A row of `WRONG_SAMPLES`.

    A continuation without room, or whose tokens are no text, has no end and is wrong.

    Args:
        one: what was to be continued.
        done: what was decoded; None: there was no room for a token.
        tokenizer: of the model.
        detector: of backtracks.
    """
    row = base_row(one) | {
        "tokens": spent(one, done),
        "votes": 1,
        "limited": done is None or done.finish == "length",
        "looped": done is not None and loops(done.ids[one.kept :]),
    }
    read = None if done is None else read_row(one.case.thought, done, tokenizer)
    if read is None:
        ends = {"closed": False, "answer": None, "correct": False}
        return row | ends | {"backtracks": 0, "text": ""}
    offsets = read["offsets"]
    cut = offsets[one.kept] if one.kept < len(offsets) else len(read["text"])
    return row | {
        "closed": read["thought_end"] is not None,
        "answer": read["answer"],
        "correct": read["correct"],
        "backtracks": backtracks_after(read, one.case.thought, cut, detector),
        "text": read["text"][cut:],
    }


def base_row(one: Continuation) -> dict[str, Any]:
    """What a row says of the case."""
    whole = one.case.thought.trace
    return {
        "start": one.case.start,
        "place": one.place,
        "action": one.action,
        "trace": one.case.name,
        "problem": whole["problem"],
        "draw": one.draw,
        "arrivals": one.case.arrivals,
        "kept": one.kept,
        "whole_tokens": len(whole["completion_ids"]),
        "whole_answer": whole["answer"],
    }


def read_row(
    one: DrawnThought, done: Completion, tokenizer: TraceTokenizer
) -> dict[str, Any] | None:
    """A completion as a row of `TRACES`; None if its tokens are no text."""
    try:
        return trace_row(one.prompt, done, tokenizer)
    except InputError as error:
        logger.warning("%s (%s) is no text: %s", done.trace, done.name, error)
        return None


def backtracks_after(
    row: dict[str, Any], one: DrawnThought, cut: int, detector: str
) -> int:
    """Backtracks of a thought that start at or after a character of the completion."""
    start, stop = thought_span(row)
    thought = row["text"][start:stop]
    events = find_events(one.question, thought, one.gold, row["answer"], detector)
    return sum(turn.start + start >= cut for turn in events.backtracks)


def vote_row(first: Continuation, rows: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The majority of resampled continuations as a row of `WRONG_SAMPLES`.

    Draws without an answer have no vote. Of answers with equally many votes, the one
    that was drawn first wins.

    Args:
        first: the resampled continuation with the first vote.
        rows: of all its continuations, the first one first.
    """
    votes = Counter(row["answer"] for row in rows if row["answer"] is not None)
    answer = votes.most_common(1)[0][0] if votes else None
    correct = any(
        row["correct"] for row in rows if answer is not None and row["answer"] == answer
    )
    return base_row(replace(first, action=VOTE)) | {
        "tokens": sum(row["tokens"] for row in rows),
        "votes": len(rows),
        "closed": any(row["closed"] for row in rows),
        "limited": all(row["limited"] for row in rows),
        "looped": all(row["looped"] for row in rows),
        "answer": answer,
        "correct": correct,
        "backtracks": sum(row["backtracks"] for row in rows),
        "text": ", ".join(row["answer"] or "none" for row in rows),
    }


def thought_row(
    trace: dict[str, Any], case: Case | None, source: str, *, test: bool
) -> dict[str, Any]:
    """A row of `THOUGHTS`.

    Args:
        trace: a row of `TRACES`.
        case: the thought with its arrivals; None without an arrival.
        source: of `SOURCES`.
        test: whether its problem gave no direction.
    """
    return {
        "trace": trace["trace"],
        "problem": trace["problem"],
        "test": test,
        "source": source,
        "tokens": len(trace["completion_ids"]),
        "closed": trace["thought_end"] is not None,
        "arrivals": 0 if case is None else case.arrivals,
        "correct": trace["correct"],
    }
