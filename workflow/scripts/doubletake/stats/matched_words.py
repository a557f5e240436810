"""Words of similar frequency in a context, and what random ones of them would give."""

from collections.abc import Sequence


def frequency_class(occurrences: int) -> int:
    """Class of words of similar frequency: 0 for 1, 1 for 2 or 3, 2 for 4 to 7, ..."""
    return occurrences.bit_length() - 1


def matched_share(
    flags: Sequence[bool], occurrences: Sequence[int], top: int
) -> float | None:
    """Expected share of true flags among random words that match the top words.

    For every one of the first `top` words, a word is drawn from the remaining words of
    its frequency class. If this class is empty, the nearest class with words is used.
    The expectation over all draws is computed, so the result does not depend on chance.

    Args:
        flags: one flag per word, the most important word first.
        occurrences: how often each word occurs in its context.
        top: how many words are matched.

    Returns:
        None if there are no words after the first `top`.
    """
    # ASSUME: a word of similar frequency in the same context is a fair match.
    flags_by_class: dict[int, list[bool]] = {}
    for flag, count in zip(flags[top:], occurrences[top:], strict=True):
        flags_by_class.setdefault(frequency_class(count), []).append(flag)
    if not flags_by_class:
        return None
    shares = {name: sum(drawn) / len(drawn) for name, drawn in flags_by_class.items()}
    total = 0.0
    for count in occurrences[:top]:
        wanted = frequency_class(count)
        total += shares[min(shares, key=lambda name: (abs(name - wanted), name))]
    return total / len(occurrences[:top])
