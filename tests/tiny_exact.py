"""Rows of the tables of exact attribution, made by hand."""

from typing import Any

import numpy as np
import polars as pl

from exact_attribution.tables import EXACT_CELLS, EXACT_EVENTS, EXACT_WORDS, MEASURED
from truth.tables import TRUTH


def event_row(number: int, words: int, **changes: Any) -> dict[str, Any]:
    """A measured backtrack on a problem of its own."""
    row = {
        "trace": f"{number}/0",
        "problem": f"{number}",
        "event": 1,
        "position": 90,
        "place": number + 1,
        "budget": MEASURED,
        "context_words": words,
        "all_words": words,
        "words": words,
        "metric_value": 0.5,
        "whole": -2.0,
        "whole_layer": 0,
    }
    return row | changes


def word_rows(
    number: int,
    exact: np.ndarray,
    estimate: np.ndarray,
    cause: tuple[int, ...] = (),
    top: int = 10**6,
) -> list[dict[str, Any]]:
    """The words of one backtrack; those of the indices `cause` are the cause's."""

    def ranks(values: np.ndarray) -> list[int]:
        order = np.argsort(-np.abs(values), kind="stable")
        return (np.argsort(order, kind="stable") + 1).tolist()

    of_exact, of_estimate = ranks(exact), ranks(estimate)
    return [
        {
            "trace": f"{number}/0",
            "problem": f"{number}",
            "event": 1,
            "position": 90,
            "word": f"w{k}",
            "token": 10 + k,
            "source": "top" if of_estimate[k] <= top else "random",
            "is_cause": k in cause,
            "is_ranked": True,
            "estimate": float(estimate[k]),
            "estimate_rank": of_estimate[k],
            "exact": float(exact[k]),
            "exact_rank": of_exact[k],
            "layer": 2,
            "same_cell": float(estimate[k]),
            "published": float(abs(estimate[k])),
            "published_rank": of_estimate[k],
        }
        for k in range(len(exact))
    ]


def cell_rows(
    number: int,
    exact: np.ndarray,
    estimate: np.ndarray,
    step: float = 1.0,
    layer: int = 2,
    integrated: np.ndarray | None = None,
) -> list[dict[str, Any]]:
    """The words of one backtrack at one step and layer."""
    return [
        {
            "trace": f"{number}/0",
            "problem": f"{number}",
            "event": 1,
            "word": f"w{k}",
            "token": 10 + k,
            "layer": layer,
            "step": step,
            "exact": float(exact[k]),
            "estimate": float(estimate[k]),
            "integrated": None if integrated is None else float(integrated[k]),
        }
        for k in range(len(exact))
    ]


def stepped(draw, noise: dict[float, float], problems: int = 12) -> pl.DataFrame:
    """Cells whose exact change is the estimate plus noise that depends on the step."""
    rows = []
    for number in range(problems):
        estimate = draw.normal(size=8)
        for step, size in noise.items():
            exact = estimate + size * draw.normal(size=8)
            path = exact if step == 1 else None
            rows += cell_rows(number, exact, estimate, step, integrated=path)
            if step == 1:  # words of another layer, which are not in the sample
                rows += cell_rows(number, -exact, estimate, step, layer=5)
    return EXACT_CELLS.frame(rows)


def studied(draw, noise: float, problems: int = 14, top: int = 10**6):
    words, events = [], []
    for number in range(problems):
        exact = draw.normal(size=12)
        estimate = exact + noise * draw.normal(size=12)
        words += word_rows(number, exact, estimate, top=top)
        events.append(event_row(number, 12))
    return EXACT_WORDS.frame(words), EXACT_EVENTS.frame(events)


def truth_of(problems: int, cause: str = "slip") -> pl.DataFrame:
    row = {
        "problem": "0",
        "boundary": 1,
        "start": 0,
        "end": 5,
        "token": 91,
        "choice": "turn",
        "word": "Wait",
        "cause": cause,
        "causes": 1,
        "cause_in": "thought",
        "cause_start": 0,
        "cause_end": 3,
        "turns": 0,
        "probability": 0.5,
    }
    return TRUTH.frame([row | {"trace": f"{k}/0"} for k in range(problems)])


def caused(draw, exact_of_cause: float, problems: int = 14):
    """The cause's word has this exact value; the estimate is blind."""
    words, events = [], []
    for number in range(problems):
        exact, estimate = draw.normal(size=(2, 12))
        exact[0] = draw.normal() if exact_of_cause == 0 else exact_of_cause
        words += word_rows(number, exact, estimate, cause=(0,))
        events.append(event_row(number, 20))
    return EXACT_WORDS.frame(words), EXACT_EVENTS.frame(events)
