"""Published claims on important words and places, measured in a run."""

from doubletake.page.wording import percent
from reproduction.run import Finding, Run, all_of

PARTS, OVERLAP = "attribution/context_parts", "attribution/overlap"
LAST = 5
"""The last fifth of the thought; 0 is the question."""


def overlap(run: Run) -> Finding:
    """Share of the most important words that occur in the next words."""
    important, others = (
        run.cell(OVERLAP, "mean", "positions", kind="backtrack", words=words)
        for words in ("important", "matched")
    )
    return important.judged(
        None, f"other words of like frequency, at any place: {others.written(percent)}"
    )


def context_part(run: Run, part: int) -> Finding:
    """Largest token of a part, relative to the largest one of the context."""
    return run.cell(
        PARTS,
        "mean",
        "positions",
        kind="backtrack",
        quantity="peak",
        context_part=part,
    )


def last_part(run: Run) -> Finding:
    """The last fifth, above the question and every other fifth."""
    last = context_part(run, LAST)
    others = [context_part(run, part) for part in range(LAST)]
    return last.judged(all_of(last.above(other) for other in others))


def question_part(run: Run) -> Finding:
    """The question, above the first four fifths."""
    question = context_part(run, 0)
    others = [context_part(run, part) for part in range(1, LAST)]
    return question.judged(all_of(question.above(other) for other in others))
