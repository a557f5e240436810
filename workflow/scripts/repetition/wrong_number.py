"""The drawn wrong number: of the answer's form, and nowhere else in the text."""

import re
from collections.abc import Iterable

from doubletake.stats.draws import generator

TRIES = 200  # draws of one length before a longer number is tried
_NUMBER = re.compile(r"(\d[\d,]*)(\.\d+)?")
_WHOLE = re.compile(r"\d+")


def drawn_wrong_number(
    number: str, known: Iterable[str], seed: int, name: str
) -> str | None:
    """Another number in place of a written one.

    Its whole part has as many digits, unless all such numbers are known. Thousands are
    parted by commas if the written number parts them. Decimals stay.

    Args:
        number: as it is written.
        known: texts; no whole number that they hold is drawn.
        seed: of the draw.
        name: of the trace.

    Returns:
        None if the text is no plain number.
    """
    match = _NUMBER.fullmatch(number)
    if match is None:
        return None
    taken = {
        int(whole) for text in known for whole in _WHOLE.findall(text.replace(",", ""))
    }
    digits = len(match[1].replace(",", ""))
    random = generator(seed, "wrong number", name)
    while True:
        for _ in range(TRIES):
            drawn = random.randrange(10 ** (digits - 1), 10**digits)
            if drawn not in taken:
                whole = f"{drawn:,}" if "," in match[1] else f"{drawn}"
                return whole + (match[2] or "")
        digits += 1


def with_number(sentence: str, number: str, other: str) -> str:
    """A sentence that states another number, wherever it states the number.

    Args:
        sentence: that states the number.
        number: as the sentence writes it.
        other: in its place.
    """
    pattern = rf"(?<!\d)(?<!\d[.,]){re.escape(number)}(?!\d)(?![.,]\d)"
    return re.sub(pattern, lambda _: other, sentence)
