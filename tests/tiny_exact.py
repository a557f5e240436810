"""Rows of the tables of exact attribution, made by hand."""

from typing import Any

import numpy as np

from exact_attribution.tables import MEASURED


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
