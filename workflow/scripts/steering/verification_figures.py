"""Checks of steering: its baseline, its zero, its places, and its problems."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch

from doubletake.stats.verification import Largest
from doubletake.tables.verification import (
    VerificationRow,
    differing_share,
    violations,
)
from doubletake.text.trace_rows import Completion

LARGEST_SHARE = 0.1
"""In float32, thoughts of which rounding may change a token in another batch."""
LOGPROB_BOUND = 1e-3
"""In float32, nats."""
TO_TEST = "problems on which no direction was fitted"


@dataclass
class Checks:
    """What was compared."""

    logprobs: Largest = field(default_factory=Largest)
    """Between log-probs kept while decoding and those of another pass."""
    zeros: list[bool] = field(default_factory=list)
    """Of each text with strength 0: whether it differs from none in any bit."""
    places: list[bool] = field(default_factory=list)
    """Of each text: whether states were changed elsewhere than asked for."""
    fitted: list[bool] = field(default_factory=list)
    """Of each problem: whether a direction was fitted on it."""

    def add_logprobs(
        self, completion: Completion, kept: int, again: Sequence[float]
    ) -> None:
        """Compare log-probs of a text without steering."""
        assert completion.logprobs is not None
        pairs = zip(completion.logprobs[kept:], again, strict=True)
        errors = [abs(one - other) for one, other in pairs]
        if errors:
            self.logprobs.add(max(errors), len(errors))

    def add_zero(self, zero: Completion, none: Completion) -> None:
        """Compare strength 0 with none, bit by bit."""
        same = zero.ids == none.ids and zero.logprobs == none.logprobs
        self.zeros.append(not same)

    def add_places(
        self, changed: Sequence[int], completion: Completion, kept: int
    ) -> None:
        """Compare the positions that were changed with every position that was read.

        The last token of a text is read only if another one was chosen after it.
        """
        ended = completion.finish == "stop"
        read = len(completion.ids) - kept + ended
        self.places.append(list(changed) != list(range(read)))

    def add_problems(self, used: Collection[str], tested: Collection[str]) -> None:
        """Look whether all problems are among those to test."""
        self.fitted += [problem not in tested for problem in sorted(used)]

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """Rows of the table of verification."""
        exact = dtype == torch.float32
        return [
            VerificationRow(
                check="log-probs of a pass of their own / those kept while decoding",
                statistic="largest difference",
                value=self.logprobs.value,
                unit="nats",
                n=self.logprobs.n,
                bound=LOGPROB_BOUND if exact else None,
                merge="max",
            ),
            violations("strength 0 / none, tokens and log-probs", self.zeros),
            violations("changed positions / every position that was read", self.places),
            violations(f"problems screened / {TO_TEST}", self.fitted),
        ]


@dataclass
class WholeChecks:
    """What was compared when the chosen direction was tested."""

    tested: Collection[str]
    """Problems to test."""
    imported: bool
    """Whether the study's thoughts come from a file."""
    differing: list[bool] = field(default_factory=list)
    """Of each thought without steering: whether it differs from the study's."""
    fitted: list[bool] = field(default_factory=list)
    """Of each problem: whether a direction was fitted on it."""

    def add(self, trace: dict[str, Any], completion: Completion) -> None:
        """Compare a thought without steering with the study's own, up to its limit."""
        if self.imported:
            return
        ids, study = completion.ids, trace["completion_ids"]
        if completion.finish == "length":
            study = study[: len(ids)]
        self.differing.append(list(study) != ids)

    def add_problems(self, used: Iterable[str]) -> None:
        """Look whether all problems are among those to test."""
        self.fitted += [problem not in self.tested for problem in sorted(set(used))]

    def figures(self, dtype: torch.dtype | None) -> list[VerificationRow]:
        """Rows of the table of verification."""
        bound = LARGEST_SHARE if dtype == torch.float32 else None
        check = "whole thoughts without steering / the study's thoughts"
        return [
            differing_share(check, "thoughts", self.differing, bound),
            violations(f"problems decoded / {TO_TEST}", self.fitted),
        ]
