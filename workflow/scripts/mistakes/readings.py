"""What a continuation does: notices, mends, ends right, and its length."""

from typing import Any

from doubletake.detector.backtrack_cues import turn_cue
from doubletake.model.continued_thoughts import Continued
from doubletake.text.sentences import Span, sentences
from doubletake.text.trace_positions import thought_span
from mistakes.edits import Edit
from mistakes.names import LOCAL, UNSEEN, WRONG
from mistakes.targets import Target
from truth.reading import next_boundary


def reading_row(
    edit: Edit, done: Continued, detector: str, unit: Target | None
) -> dict[str, Any]:
    """A row of `MISTAKES`.

    Args:
        edit: what was continued.
        done: a continuation of it.
        detector: of backtracks.
        unit: the number with its unit that `unit` changes at this place, if any.
    """
    row, change = done.row, edit.change
    start, stop = thought_span(row)
    new = max(start, done.cut)
    turns = [e for e in done.events(detector).backtracks if e.start >= new]
    following = next_sentence(row["text"][start:stop], new - start)
    sentence = row["text"][start:stop][slice(*following)]
    turned = bool(sentence) and (
        turn_cue(sentence) is not None
        or any(e.start == following.start + start for e in turns)
    )
    wrong = change.kind in WRONG
    mended = wrong and change.target.stated_in(sentence)
    unseen = change.kind in UNSEEN
    rest = row["text"][new:stop]
    restated = change.target.stated_in(rest)
    ends_right = row["correct"] and change.kind not in LOCAL
    return case_of(edit, done) | {
        "turned": None if unseen else turned,
        "noticed": None if unseen else turned or mended,
        "restated": restated,
        "unit_restated": None if unit is None else unit.stated_in(rest),
        "correct": row["correct"],
        "corrected": restated or ends_right if wrong else None,
        "answer": row["answer"],
        "tokens": len(done.ids),
        "backtracks": len(turns),
        "closed": done.closed,
        "limited": done.limited,
        "looped": done.looped,
        "following": sentence,
    }


def boundary_row(edit: Edit, done: Continued) -> dict[str, Any]:
    """A row of `BOUNDARIES`; the thought is of the planted language."""
    new = max(thought_span(done.row).start, done.cut)
    found = next_boundary(edit.thought.drawn.question, done.row, new)
    return case_of(edit, done) | {
        "choice": None if found is None else found.choice,
        "cause": None if found is None else found.cause,
        "planted": None if found is None else found.probability,
    }


def case_of(edit: Edit, done: Continued) -> dict[str, Any]:
    """What rows say of the change and the draw."""
    return {
        "trace": edit.thought.name,
        "problem": edit.thought.drawn.trace["problem"],
        "place": edit.change.place,
        "kind": edit.change.kind,
        "draw": done.draw,
    }


def next_sentence(thought: str, character: int) -> Span:
    """The first sentence that begins at or after a character; empty without one."""
    for span in sentences(thought):
        if span.start >= character:
            return span
    return Span(len(thought), len(thought))
