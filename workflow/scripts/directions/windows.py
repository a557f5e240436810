"""Windows of tokens before a backtrack sentence: names, and a check of the config."""

from collections.abc import Sequence

from doubletake.running.errors import InputError

PUBLISHED_WINDOW = (-13, -8)
"""Ward's offsets, from the sentence's first token, both ends included."""


def window_name(window: tuple[int, int]) -> str:
    """Name of Ward's recipe with this window: `ward` if it is the published one."""
    if window == PUBLISHED_WINDOW:
        return "ward"
    return f"ward_{-window[0]}_{-window[1]}"


def check_windows(windows: Sequence[Sequence[int]]) -> None:
    """Refuse a window that ends before it begins.

    Raises:
        InputError: there is such a window. The message names it.
    """
    for first, last in windows:
        if last < first:
            raise InputError(
                f"directions.windows: [{first}, {last}] ends before it begins "
                f"(meant: [{last}, {first}]?)"
            )
