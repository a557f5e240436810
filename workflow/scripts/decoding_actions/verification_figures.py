"""Checks of decoding: it repeats the study, and every action did what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from decoding_actions.keywords import CONTROL, NOWAIT, S1
from doubletake.tables.verification import (
    VerificationRow,
    differing_share,
    violations,
)
from doubletake.text.drawn_thoughts import DrawnThought

LARGEST_SHARE = 0.1
"""In float32, thoughts of which rounding may change a token in another batch."""


@dataclass
class Checks:
    """What was compared."""

    differing: list[bool] = field(default_factory=list)
    """Of each repeated thought: whether it differs from the study's."""
    forbidden: list[int] = field(default_factory=list)
    """Of each thought of NoWait and its control: forbidden tokens in it."""
    missing: list[bool] = field(default_factory=list)
    """Of each thought that s1 prolonged: whether its word is not where it must be."""

    def add_plain(self, study: Sequence[int], again: Sequence[int]) -> None:
        """Compare the tokens of a completion that was decoded without an action."""
        self.differing.append(list(study) != list(again))

    def add(
        self, row: dict[str, Any], one: DrawnThought, marker: str, word: str
    ) -> None:
        """Look at what an action did.

        Args:
            row: of `DECODING_ACTIONS`.
            one: the whole thought.
            marker: the end marker.
            word: that replaces it.
        """
        if row["action"] in (NOWAIT, CONTROL):
            self.forbidden.append(row["forbidden"])
        if row["action"] == S1 and row["applied"]:
            start = f"{one.before_end(marker)}{word}"
            self.missing.append(not row["text"].startswith(start))

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """Rows of the table of verification."""
        bound = LARGEST_SHARE if dtype == torch.float32 else None
        check = "decoding without an action / the study's thoughts"
        forbidden = "forbidden tokens / tokens of the thoughts"
        missing = "appended word / text of the prolonged thoughts"
        return [
            differing_share(check, "thoughts", self.differing, bound),
            violations(forbidden, self.forbidden),
            violations(missing, self.missing),
        ]
