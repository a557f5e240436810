"""Whether a forced answer has the value of another one; each pair is compared once."""

from functools import cache

from doubletake.text.equality import same_value


@cache
def same_answer(own: str, forced: str | None) -> bool:
    """Whether two answers have the same value; no answer is never the same.

    Args:
        own: the answer of a whole thought.
        forced: an answer, or None.
    """
    return forced is not None and same_value(own, forced)
