"""Checks of looking back: summed shares against eager attention and plain loops."""

from dataclasses import dataclass, field

import torch

from doubletake.model.decoder import Decoder
from doubletake.stats.verification import Case, Largest, Verification, drawn
from doubletake.tables.verification import VerificationRow
from look_back.forward_pass import Shares, plain_shares
from look_back.looks import TraceLooks

# ASSUME: in float32, rounding stays below this share; 16-bit models have no bound.
SHARE_BOUND = 1e-5
EAGER_TOKENS = 2048
"""Longest sequence that is checked against eager attention."""
LookKey = tuple[str | int, ...]
"""Trace and event of a look."""


def drawn_looks(items: list[TraceLooks], settings: Verification) -> set[LookKey]:
    """The looks to check; the cost of a look is the number of its tokens."""
    cases = [
        Case((item.trace, look.event), look.queries.stop)
        for item in items
        for look in item.looks
        if look.queries and look.words and look.queries.stop <= EAGER_TOKENS
    ]
    work = sum(len(item.ids) for item in items)
    return {case.name for case in drawn(cases, work, settings)}


@dataclass
class Differences:
    """Largest differences between the summed and the plain shares."""

    words: Largest = field(default_factory=Largest)
    """Of the attention to a word or to its matches."""
    rest: Largest = field(default_factory=Largest)
    """Of the attention that does not go to the first token."""

    def add(
        self, decoder: Decoder, item: TraceLooks, number: int, shares: Shares
    ) -> None:
        """Compute a look a second time."""
        words, rest = plain_shares(decoder, item.ids, item.looks[number])
        self.words.add(_largest(words, shares.words))
        self.rest.add(_largest(rest, shares.rest))

    def figures(self, dtype: str) -> list[VerificationRow]:
        """The rows of `VERIFICATION`; only float32 has bounds."""
        checks = {
            "attention to important and matched words against eager attention": (
                self.words
            ),
            "attention beside the first token against eager attention": self.rest,
        }
        return [
            VerificationRow(
                check=check,
                statistic="max |difference|",
                value=worst.value,
                unit="share",
                n=worst.n,
                bound=SHARE_BOUND if dtype == "float32" else None,
                merge="max",
            )
            for check, worst in checks.items()
        ]


def _largest(one: torch.Tensor, other: torch.Tensor) -> float:
    return (one - other).abs().max().item()
