"""The sentences of a thought: kind, tokens, and whether a paragraph starts there."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.text.sentences import sentences
from doubletake.text.trace_positions import thought_span, thought_tokens, token_at
from turns.reading import KINDS

OTHER = "other"
_BREAK = re.compile(r"\n[ \t]*\n\s*$")
_LONGEST_BREAK = 64  # characters


@dataclass(frozen=True)
class Sentence:
    """A sentence of a thought."""

    kind: str
    """A kind of turn (`turns.reading.KINDS`), or `other`."""
    start: int
    """Where it begins in the trace's text."""
    first: int
    """Its first token, in the trace."""
    last: int
    """Its last token."""
    is_paragraph: bool
    """Whether a blank line is before it, inside the thought."""


def thought_sentences(
    trace: dict[str, Any], events: Sequence[dict[str, Any]]
) -> list[Sentence]:
    """All sentences of a thought, in their order.

    Args:
        trace: a row of `TRACES`.
        events: rows of `EVENTS` of this trace.
    """
    start, stop = thought_span(trace)
    text, offsets, prompt = trace["text"], trace["offsets"], len(trace["prompt_ids"])
    spans = {start + a: start + b for a, b in sentences(text[start:stop])}
    turns = {row["start"]: row for row in events if row["kind"] in KINDS}
    ends = spans | {character: row["end"] for character, row in turns.items()}
    begin, end = thought_tokens(trace)
    found = []
    for character in sorted(ends):
        turn = turns.get(character)
        first = turn["token"] if turn else token_at(offsets, prompt, character)
        last = min(token_at(offsets, prompt, ends[character] - 1), end - 1)
        if not begin <= first <= last:
            continue
        before = text[max(start, character - _LONGEST_BREAK) : character]
        found.append(
            Sentence(
                kind=turn["kind"] if turn else OTHER,
                start=character,
                first=first,
                last=last,
                is_paragraph=_BREAK.search(before) is not None,
            )
        )
    return found


def sentence_ends(
    found: Sequence[Sentence], arrivals: Sequence[dict[str, Any]]
) -> list[int]:
    """Last tokens of the sentences that hold the arrivals, each once, in order.

    Args:
        found: the sentences of the thought.
        arrivals: rows of `EVENTS`.
    """
    ends = []
    for row in arrivals:
        holding = [s.last for s in found if s.start <= row["start"]]
        ends += holding[-1:]
    return sorted(set(ends))
