"""Checks of the edits and of what goes on from them."""

from dataclasses import dataclass, field

import torch

from doubletake.model.continued_thoughts import Continued
from doubletake.tables.verification import (
    VerificationRow,
    differing_share,
    violations,
)
from doubletake.text.equations import first_slip
from doubletake.text.tokenizer import TraceTokenizer
from doubletake.text.trace_positions import thought_span
from mistakes.edits import Edit, characters_changed, tokens_kept
from mistakes.names import (
    EQUATIONS,
    EXTERNAL,
    FINAL,
    OWN,
    PLANTED,
    WAIT,
)

LARGEST_SHARE = 0.1
"""In float32, continuations of which rounding may change a token in another batch."""
FALSE = (*EQUATIONS, WAIT, EXTERNAL, PLANTED, OWN)
"""Kinds after which the thought holds a false equation."""


@dataclass
class Checks:
    """What was compared."""

    characters: list[bool] = field(default_factory=list)
    """Of each edit: whether other characters than the named ones changed."""
    tokens: list[bool] = field(default_factory=list)
    """Of each edit: whether a token outside the change is not the study's own."""
    arithmetic: list[bool] = field(default_factory=list)
    """Of each edit but at the final answer: whether its text holds a false equation
    where it must hold none, or none where it must hold one."""
    starts: list[bool] = field(default_factory=list)
    """Of each continuation but of `external`, which is given none: whether it does not
    begin with the tokens it was given."""
    differing: list[bool] = field(default_factory=list)
    """Of each repeated continuation: whether a token differs."""

    def add_edit(self, edit: Edit, tokenizer: TraceTokenizer) -> None:
        """Compare the tokens of an edit with the study's text and tokens."""
        self.characters.append(not characters_changed(edit, tokenizer))
        self.tokens.append(not tokens_kept(edit, tokenizer))
        if edit.change.place != FINAL:
            start = thought_span(edit.thought.drawn.trace).start
            text = edit.text(tokenizer)[start:]
            expected = edit.change.kind in FALSE
            self.arithmetic.append((first_slip(text) is not None) != expected)

    def add_start(self, done: Continued) -> None:
        """Compare the first tokens of a continuation with the given ones."""
        given = list(done.stem.ids)
        if not given:
            return
        self.starts.append(done.completion.ids[: len(given)] != given)

    def add_repeat(self, again: Continued, first: Continued | None) -> None:
        """Compare a repeated continuation with the first one."""
        own = None if first is None else first.completion.ids
        self.differing.append(again.completion.ids != own)

    def figures(self, dtype: torch.dtype) -> list[VerificationRow]:
        """Rows of the table of verification."""
        bound = LARGEST_SHARE if dtype == torch.float32 else None
        text = "text of the edited tokens / the study's text with the named characters"
        own = "tokens outside of the change / tokens of the study"
        false = "false equations in edited thoughts / false equations that were made"
        given = "first tokens of continuations / tokens of the edits"
        again = "continuations / the same ones in another row of a batch"
        return [
            violations(text, self.characters, "edits"),
            violations(own, self.tokens, "edits"),
            violations(false, self.arithmetic, "edits"),
            violations(given, self.starts, "continuations"),
            differing_share(again, "continuations", self.differing, bound),
        ]
