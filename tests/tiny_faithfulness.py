"""Made-up cuts and answers of faithfulness."""

from faithfulness.tables import CUTS, FAITHFULNESS


def cut(trace, number, tokens, same, arrivals=0, source="sentence", correct=None):
    """A row of `CUTS`."""
    return {
        "trace": f"{trace}/0",
        "problem": trace,
        "source": source,
        "cut": number,
        "tokens_before": tokens,
        "arrivals": arrivals,
        "answer": "8" if same else "7",
        "same": same,
        "correct": same if correct is None else correct,
    }


def thought(trace, flags, ahead, last=None):
    """Cuts of a thought of ten tokens a sentence; the first `ahead` have no arrival.

    If `last` is given, the exit at its last arrival has this answer.
    """
    exits = [] if last is None else [cut(trace, 1, 10 * ahead, last, 1, "arrival")]
    return exits + [
        cut(trace, k, 10 * k, bool(flag), int(k >= ahead))
        for k, flag in enumerate(flags)
    ]


def answer(trace, context, same, share=1.0, donor_same=None):
    """A row of `FAITHFULNESS`."""
    return {
        "trace": f"{trace}/0",
        "problem": trace,
        "context": context,
        "share": share,
        "tokens": round(40 * share),
        "thought_tokens": 40,
        "donor": "other/0" if context == "foreign" else None,
        "answer": "8" if same else "7",
        "answer_text": "8" if same else "7",
        "ended": True,
        "same": bool(same),
        "correct": bool(same),
        "donor_same": donor_same,
    }


def tables(thoughts, answers):
    """`CUTS` and `FAITHFULNESS` of such rows."""
    rows = [row for one in thoughts for row in one]
    return CUTS.frame(rows), FAITHFULNESS.frame(answers)
