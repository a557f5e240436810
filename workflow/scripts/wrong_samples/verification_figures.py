"""Checks of the continuations: forced tokens, places of the changes, strength 0."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import torch

from doubletake.model.generation_state import GenerationRequest
from doubletake.tables.verification import (
    VerificationRow,
    differing_share,
    violations,
)
from doubletake.text.trace_rows import Completion

LARGEST_SHARE = 0.1
"""In float32, continuations of which rounding may change a token in another batch."""


@dataclass
class Checks:
    """What was compared."""

    differing: list[bool] = field(default_factory=list)
    """Of each continuation with strength 0: whether it differs from the plain one."""
    misplaced: list[bool] = field(default_factory=list)
    """Of each continuation: whether states were changed at other tokens than wanted."""
    unforced: list[bool] = field(default_factory=list)
    """Of each continuation: whether it does not begin with the tokens it was given."""

    def add_zero(self, zero: Completion | None, plain: Completion | None) -> None:
        """Compare the tokens with strength 0 with those without a change."""
        ids = [None if one is None else one.ids for one in (zero, plain)]
        self.differing.append(ids[0] != ids[1])

    def add(
        self, request: GenerationRequest, done: Completion, positions: Sequence[int]
    ) -> None:
        """Look at where states were changed, and at the first tokens.

        Args:
            request: what was to be continued, and how.
            done: the continuation.
            positions: where states were changed, as the decoding noted it.
        """
        given = request.ids
        # All tokens are read but the last one of a continuation at the limit.
        read = len(done.ids) - len(given) + (done.finish == "stop")
        expected = list(range(read)) if request.interventions else []
        self.misplaced.append(list(positions) != expected)
        self.unforced.append(done.ids[: len(given)] != given)

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """Rows of the table of verification."""
        bound = LARGEST_SHARE if dtype == torch.float32 else None
        unit, check = "continuations", "a direction of strength 0 / no direction"
        places = "tokens at which states change / tokens after the cut"
        forced = "first tokens / kept and forced tokens"
        return [
            differing_share(check, unit, self.differing, bound),
            violations(places, self.misplaced, unit),
            violations(forced, self.unforced, unit),
        ]
