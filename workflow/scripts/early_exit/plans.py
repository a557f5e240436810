"""What is computed of a trace, and which of its exits are checked."""

from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any

from doubletake.stats.verification import (
    Case,
    Verification,
    drawn,
)
from doubletake.text.answers import same_value
from early_exit.branches import (
    Branch,
    Continuation,
)
from early_exit.exits import AnswerPrompt, Exit


def exit_row(
    trace: str, place: Exit, said: Continuation, gold: str, prompt: AnswerPrompt
) -> dict[str, Any]:
    """A row of `schemas.EARLY_EXIT`."""
    answer, own = prompt.read(said.tokens)
    return {
        "trace": trace,
        "exit": place.number,
        "tokens_before": place.tokens_before,
        "answer": answer,
        "correct": answer is not None and same_value(gold, answer),
        "logit": fmean(said.logits[:own]) if own else None,
        "logprob": sum(said.logprobs[:own]) if own else None,
        "margin": said.margins[0] if own else None,
        "entropy": said.entropies[0] if own else None,
    }


@dataclass(frozen=True)
class Planned:
    """A trace that the model can read, and where it is cut."""

    trace: dict[str, Any]
    exits: list[Exit]
    branches: list[Branch]
    others: dict[int, Branch]
    """By exit number: the sentence's own tokens and the answer prompt, where these
    differ from what the exit reads."""

    def tokens(self, budget: int) -> int:
        """Tokens that the model reads for all exits, if every answer is the longest."""
        said = sum(len(branch.suffix) + budget - 1 for branch in self.branches)
        return max(branch.cut for branch in self.branches) + said

    def cases(self, budget: int) -> list[Case]:
        """Its exits; a plain pass reads all that stands before an answer, and it."""
        return [
            Case(
                (self.trace["trace"], place.number),
                branch.cut + len(branch.suffix) + budget - 1,
            )
            for place, branch in zip(self.exits, self.branches, strict=True)
        ]

    def other_cases(self, budget: int) -> list[Case]:
        """Its exits that the rule of cuts changes; all share the trace's prefill."""
        name = self.trace["trace"]
        return [
            Case((name, number), len(branch.suffix) + budget - 1)
            for number, branch in self.others.items()
        ]


@dataclass(frozen=True)
class Drawn:
    """Trace and number of the exits that are checked."""

    replayed: set[tuple[str | int, ...]]
    """In a plain forward pass."""
    recut: set[tuple[str | int, ...]]
    """With the sentence's tokens as the thought has them."""


def drawn_of(planned: list[Planned], budget: int, settings: Verification) -> Drawn:
    """The exits to check; both checks take half of the share, costs are tokens.

    Args:
        planned: traces of the shard, without those that were refused.
        budget: tokens of the longest answer.
        settings: how many.
    """
    work = sum(part.tokens(budget) for part in planned)
    half = replace(settings, share=settings.share / 2)
    cases = [case for part in planned for case in part.cases(budget)]
    others = [case for part in planned for case in part.other_cases(budget)]
    return Drawn(
        *({case.name for case in drawn(some, work, half)} for some in (cases, others))
    )
