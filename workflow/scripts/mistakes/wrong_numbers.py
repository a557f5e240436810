"""A wrong number for a right one: near it, with as many digits, drawn by seed.

The published recipe adds one of 5, 7, 11, 13 and 17 to the last result. Here one of
them is added or taken away.
"""

from collections.abc import Collection
from fractions import Fraction

from doubletake.stats.draws import generator

OFFSETS = (5, 7, 11, 13, 17)
"""Steps of the last digit."""


def decimals_of(written: str) -> int:
    """Decimals of a number in digits."""
    return len(written.partition(".")[2])


def as_written(value: Fraction, like: str) -> str | None:
    """A number in the form of another; None if it cannot be written so.

    Args:
        value: the number, not negative.
        like: digits, perhaps with commas between thousands and with decimals.
    """
    decimals = decimals_of(like)
    units = value * 10**decimals
    if value < 0 or units.denominator != 1:
        return None
    whole, part = divmod(int(units), 10**decimals)
    text = f"{whole:,}" if "," in like else str(whole)
    return f"{text}.{part:0{decimals}d}" if decimals else text


def wrong_number(
    written: str, name: str, seed: int, refused: Collection[Fraction]
) -> str | None:
    """A wrong number in the form of the right one; None if there is none.

    Numbers with as many characters are preferred.

    Args:
        written: the right number, in digits.
        name: of the case, for the draw.
        seed: of the draw.
        refused: numbers that it must not be.
    """
    value = Fraction(written.replace(",", ""))
    step = Fraction(1, 10 ** decimals_of(written))
    found = [value + sign * step * n for n in OFFSETS for sign in (1, -1)]
    texts = [
        text
        for number in found
        if number > 0
        and number not in refused
        and (text := as_written(number, written)) is not None
    ]
    alike = [text for text in texts if len(text) == len(written)] or texts
    return generator(f"mistakes/{seed}", name).choice(alike) if alike else None
