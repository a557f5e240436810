"""Hand-made rows of the table of matched pairs."""

from typing import Any

Member = tuple[str, int, int]
"""Trace, event and position of a member of a pair."""


def pair_rows(contrast: str, pairs: list[tuple[Member, Member]]) -> list[dict]:
    """Rows of `matches.tables.MATCHES`; a trace's problem stands before the slash.

    Args:
        contrast: its name.
        pairs: the members of the first and of the second class.
    """
    return [
        _member(member) | {"contrast": contrast, "pair": number, "label": label}
        for number, pair in enumerate(pairs)
        for member, label in zip(pair, (True, False), strict=True)
    ]


def _member(member: Member) -> dict[str, Any]:
    trace, event, position = member
    row = {"trace": trace, "problem": trace.split("/")[0], "event": event}
    row |= {"position": position, "line_start": False, "token_class": "a"}
    return row | {"since_arrival": event, "arrivals_before": 1, "depth": position}
