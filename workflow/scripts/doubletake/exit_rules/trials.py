"""The trial at a point: what the model reads there, and what its answer says."""

import math
from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from typing import Any

from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation
from doubletake.model.forced_answers import AnswerPrompt, answer_columns
from doubletake.model.watched_places import Watch
from doubletake.text.grading import Task


@dataclass(frozen=True)
class Trials:
    """Makes the branches of trial answers, and reads their continuations."""

    prompt: AnswerPrompt
    max_tokens: int
    """Longest trial answer."""

    @cached_property
    def marker(self) -> int:
        """The first token of the end-of-thought marker."""
        tokenizer = self.prompt.tokenizer
        return tokenizer.encode(tokenizer.format.end)[0]

    def branch(self, cut: int, opening: str = "", kept: tuple[int, ...] = ()) -> Branch:
        """The trial at a cut.

        It watches the marker at the cut, then each token that closes the thought, then
        the place after the marker and the white space behind it.

        Args:
            cut: number of tokens of the trace that are kept.
            opening: text that opens a thought, where the trace has none of it.
            kept: boundaries whose states before the cut are kept.
        """
        suffix = self.prompt.suffix(opening)
        first, closed, after = self._places(suffix, opening)
        closing = [Watch(place, suffix[place]) for place in range(first, closed)]
        watched = (Watch(0, self.marker), *closing, Watch(after, self.marker))
        ends = self.prompt.ends
        return Branch(cut, suffix, self.max_tokens, ends, watched=watched, kept=kept)

    def _places(self, suffix: tuple[int, ...], opening: str) -> tuple[int, int, int]:
        """Where closing begins, and the places after the marker and its white space.

        A token that reaches beyond the white space is not read before the last place.
        """
        pieces = list(map(self.prompt.tokenizer.piece, suffix))
        ends, data = list(accumulate(map(len, pieces))), b"".join(pieces)
        marker = self.prompt.tokenizer.format.end.encode()
        start = len(opening.encode())
        end = data.index(marker, start) + len(marker)
        rest = data[end:]
        space = len(rest) - len(rest.lstrip())
        closed = bisect_left(ends, end) + 1
        after = max(closed, bisect_right(ends, end + space))
        return bisect_right(ends, start), closed, after

    def columns(self, continuation: Continuation, task: Task) -> dict[str, Any]:
        """The columns of `TRIAL_POINTS` that describe a trial."""
        answer = answer_columns(continuation, task, self.prompt)
        at_cut, *closing, after = continuation.watched
        return {
            "trial_ids": continuation.tokens,
            "trial_tokens": len(continuation.tokens),
            "trial_logprobs": continuation.logprobs,
            "trial_text": self.prompt.text_of(continuation.tokens),
            "trial_ended": answer["ended"],
            "answer": answer["answer"],
            "correct": answer["correct"],
            "entropy": after.entropy / math.log(2),
            "marker_logprob": at_cut.logprob,
            "marker_rank": at_cut.rank,
            "best_other_logprob": at_cut.best_other_logprob,
            "closing_logprob": sum(one.logprob for one in closing),
        }
