"""PUMA: a trial where a step repeats the step before, and two trials that agree."""

import math
import re
from collections import Counter
from dataclasses import dataclass
from functools import lru_cache

from doubletake.exit_rules.confidence import geometric_mean
from doubletake.exit_rules.points import PARAGRAPH, History
from doubletake.exit_rules.rule import TRIAL, Rule

_WORD = re.compile(r"\w+")


@dataclass(frozen=True)
class Puma(Rule):
    """PUMA's composite (`giovanni-vaccarino/PUMA`, default parameters).

    A step is the text up to a paragraph break. A step is redundant if its cosine with
    the step before is at least `gate`. The first step and every redundant step get a
    trial, with the geometric mean of its probabilities as confidence c. (The published
    code leaves the braces out of the mean; here the token that ends a trial counts.)

    - Verified exit, from step `from_step` on: the last two trials agree, the first has
      c >= threshold, and the second has c >= that of the first minus `drop`.
    - Loop breaker: after step `loop_from`, `loop_length` redundant steps in a row, and
      a trial with c >= `loop_confidence` so far. It stops at the step that shows the
      loop; the published code then cuts the thought before the loop.

    All trials are billed, also those before `from_step`.
    """

    threshold: float = 0.98
    """Least confidence of the first of two agreeing trials."""
    drop: float = 0.03
    gate: float = 0.35
    from_step: int = 10
    loop_from: int = 50
    loop_length: int = 3
    loop_confidence: float = 0.8

    kinds = frozenset({PARAGRAPH})
    needs = frozenset({TRIAL})
    grid = (0.9999, 0.999, 0.995, 0.99, 0.98, 0.97, 0.95, 0.9, 0.85, 0.8, 0.7, 0.6, 0.5)

    def score(self, history: History) -> float:
        """The first trial's confidence; infinite in a loop; NaN without agreement."""
        steps, last = len(history), len(history) - 1
        tried = [k for k in range(steps) if self._is_tried(history, k)]
        confidences = [geometric_mean(history[k].trial_logprobs) for k in tried]
        if self._is_loop(history) and max(confidences) >= self.loop_confidence:
            return math.inf
        if steps < self.from_step or len(tried) < 2 or tried[-1] != last:
            return math.nan
        answer = history[last].answer
        if answer is None or answer != history[tried[-2]].answer:
            return math.nan
        first, second = confidences[-2:]
        return first if second >= first - self.drop else math.nan

    def needs_at(self, history: History) -> frozenset[str]:
        """A trial at the first step and at redundant steps."""
        tried = self._is_tried(history, len(history) - 1)
        return self.needs if tried else frozenset()

    @property
    def least_points(self) -> int:
        """The first step with an exit; two trials must agree."""
        return max(2, self.from_step)

    def _is_tried(self, history: History, step: int) -> bool:
        return step == 0 or self._is_redundant(history, step)

    def _is_redundant(self, history: History, step: int) -> bool:
        return word_cosine(history[step - 1].chunk, history[step].chunk) >= self.gate

    def _is_loop(self, history: History) -> bool:
        first = len(history) - self.loop_length
        return first >= self.loop_from and all(
            self._is_redundant(history, step) for step in range(first, len(history))
        )


# ASSUME: steps with common words repeat each other. PUMA takes a model of its own, an
# embedding that was trained for this.
@lru_cache(maxsize=1 << 14)
def word_cosine(one: str, other: str) -> float:
    """Cosine of the word counts of two texts; 0 if one has no word."""
    a, b = (Counter(_WORD.findall(text.lower())) for text in (one, other))
    size = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return sum(n * b[word] for word, n in a.items()) / size if size else 0.0
