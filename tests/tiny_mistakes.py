"""Made-up rows of mistakes, and thoughts read from a text."""

from doubletake.text.drawn_thoughts import DrawnThought
from mistakes.sites import read_thought


def row(kind, problem, place="last", draw=0, **changes):
    """A row of `MISTAKES`."""
    unseen = kind in ("wait", "external")
    values = {
        "trace": f"{problem}/0",
        "problem": f"{problem}",
        "place": place,
        "kind": kind,
        "draw": draw,
        "turned": None if unseen else False,
        "noticed": None if unseen else changes.get("turned", False),
        "restated": False,
        "unit_restated": None,
        "correct": True,
        "corrected": kind not in ("none", "paraphrase", "filler", "mended") or None,
        "answer": "8",
        "tokens": 20,
        "backtracks": 0,
        "closed": True,
        "limited": False,
        "looped": False,
        "following": "x.",
    }
    return values | changes


def boundary(kind, problem, turned, place="last", planted=0.78, draw=0):
    """A row of `BOUNDARIES`."""
    return {
        "trace": f"{problem}/0",
        "problem": f"{problem}",
        "place": place,
        "kind": kind,
        "draw": draw,
        "choice": "turn" if turned else "wrap_up",
        "cause": "slip",
        "planted": planted,
    }


def thought_of(text, events=(), *, gold="8", question="3 + 5?", correct=True):
    """A thought with a token per character; events are (kind, text) of the thought."""
    trace = {
        "trace": "p/0",
        "problem": "p",
        "sample": 0,
        "prompt_ids": [0, 0],
        "completion_ids": list(map(ord, text)),
        "offsets": list(range(len(text))),
        "text": text,
        "thought_start": 0,
        "thought_stop": len(text),
        "correct": correct,
    }
    rows = []
    for kind, words, *flags in events:
        start = text.rindex(words)
        right = flags[0] if flags else True
        rows.append(
            {
                "kind": kind,
                "start": start,
                "end": start + len(words),
                "is_final": True,
                "is_gold": right if kind == "arrival" else None,
            }
        )
    return read_thought(DrawnThought(trace, gold, question), rows)
