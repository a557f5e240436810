"""Attention tables with known means: two layers of two heads."""

from typing import Any

from tiny_matches import pair_rows

from attention.tables import PARTITION
from matches.tables import MATCHES

MATCHED = MATCHES.frame(
    pair_rows(
        "backtrack_control",
        [
            (("a/0", 1, 19), ("a/0", 2, 29)),
            (("b/0", 1, 19), ("d/0", 7, 19)),
            (("b/1", 3, 19), ("b/0", 2, 9)),
        ],
    )
)
"""Pairs of `study_rows`; the control of the second pair has not been measured."""


def attention_rows(
    trace: str,
    event: int,
    kind: str,
    arrival: list[float] | None,
    dla: list[float],
    position: int = 19,
) -> list[dict[str, Any]]:
    """Rows of one position: ten tokens of question, ten of the current sentence.

    Args:
        trace: id; the part before the slash is the problem.
        event: number of the event.
        kind: backtrack or control.
        arrival: attention of both heads to the last arrival's sentence in layer 1; it
            is 0 in layer 0. None: there is no arrival.
        dla: of both heads to the backtrack words in layer 1; it is 0 in layer 0.
        position: number of tokens before it.
    """
    rows = []
    for layer in (0, 1):
        to_arrival = [0.0, 0.0] if layer == 0 else arrival
        rows.append(
            {
                "trace": trace,
                "problem": trace.split("/")[0],
                "event": event,
                "kind": kind,
                "position": position,
                "layer": layer,
                "tokens": [1, 9, 0, 0, 0, 0, 0, 10, 5 if arrival else 0],
                **{name: [0.0, 0.0] for name in PARTITION},
                "sink": None,
                "question": [0.25, 0.5],
                "current_sentence": [0.75, 0.5],
                "arrival_sentence": None if arrival is None else to_arrival,
                "arrival_is_current": None if arrival is None else event == 1,
                "dla_backtrack": [0.0, 0.0] if layer == 0 else dla,
                "dla_wrap_up": [0.5, 0.0],
                "dla_vocabulary": [0.0, 0.0] if layer == 0 else [0.25, 4.0],
            }
        )
    return rows


def study_rows() -> list[dict[str, Any]]:
    """Three problems. Two backtracks have a control, and one control has no arrival."""
    return [
        *attention_rows("a/0", 1, "backtrack", [0.2, 0.6], [1.0, 0.0]),
        *attention_rows("a/0", 2, "control", [0.1, 0.1], [0.0, 0.5], 29),
        *attention_rows("b/0", 1, "backtrack", [0.4, 0.6], [2.0, 0.0]),
        *attention_rows("b/1", 3, "backtrack", [0.6, 0.3], [3.0, 0.0]),
        *attention_rows("b/0", 2, "control", None, [0.0, 1.0], 9),
        *attention_rows("c/0", 1, "backtrack", [0.8, 0.3], [4.0, 0.0]),
    ]
