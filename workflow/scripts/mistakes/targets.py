"""What a change takes away, and whether a text states it again."""

import re
from dataclasses import dataclass
from fractions import Fraction

from doubletake.text.equations import equations_of
from doubletake.text.numerals import numerals


@dataclass(frozen=True)
class Target:
    """The right statement: an equation, a number, or a number with its unit."""

    task: tuple[Fraction, str, Fraction] | None = None
    """Operands and sign of the equation."""
    value: str | None = None
    """Canonical form of the number."""
    phrase: str | None = None
    """Number and unit, as written."""

    def stated_in(self, text: str) -> bool:
        """Whether a text states it, right.

        Sums and products may have their operands swapped.
        """
        if self.task is not None:
            left, sign, right = self.task
            tasks = {self.task} | ({(right, sign, left)} if sign in "+*" else set())
            return any(e.is_true and e.task in tasks for e in equations_of(text))
        if self.phrase is not None:
            return bool(re.search(rf"(?<![\d.]){re.escape(self.phrase)}\b", text))
        return any(number.value == self.value for number in numerals(text))
