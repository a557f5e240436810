"""Made-up rows of wrong samples."""


def row(action, problem, correct, start="wrong", draw=0, place="last", **changes):
    """A row of `WRONG_SAMPLES`."""
    values = {
        "start": start,
        "place": place,
        "action": action,
        "trace": f"{problem}/0",
        "problem": problem,
        "draw": draw,
        "arrivals": 2,
        "kept": 50,
        "tokens": 20,
        "votes": 1,
        "closed": True,
        "limited": False,
        "looped": False,
        "answer": "8",
        "correct": correct,
        "backtracks": 1,
        "whole_tokens": 90,
        "whole_answer": "7",
        "text": "x",
    }
    return values | changes


def thought(name, correct, arrivals=1, source="study", *, test=True):
    """A row of `THOUGHTS`."""
    return {
        "trace": f"{name}/0",
        "problem": name,
        "test": test,
        "source": source,
        "tokens": 90,
        "closed": True,
        "arrivals": arrivals,
        "correct": correct,
    }
