"""Trial points: places of a thought at which a rule may stop it, and what is known."""

from collections.abc import Sequence
from dataclasses import dataclass

SENTENCE, PARAGRAPH, CUE = "sentence", "paragraph", "cue"
EVERY, ARRIVAL, END = "every", "arrival", "end"
KINDS = (SENTENCE, PARAGRAPH, CUE, EVERY, ARRIVAL, END)
"""Ends of sentences and paragraphs, backtrack cues, every n-th token, arrivals of a
detector that reads no further, and the end of the thought."""
KEPT = frozenset({CUE, ARRIVAL})
"""Kinds of points at which the states of the residual stream are kept for probes."""


@dataclass(frozen=True)
class TrialPoint:
    """A place of a thought. All of it is known there, and nothing after it is."""

    token: int
    """Number of thought tokens before the point."""
    kinds: frozenset[str]
    """What the point is, of `KINDS`."""
    chunk: str
    """Text of the thought since the point before."""
    trial_text: str
    """Text of the trial answer."""
    answer: str | None
    """Canonical value of the trial answer; None if it has none."""
    trial_logprobs: tuple[float, ...]
    """Log-probs of the trial answer's tokens, in nats."""
    trial_ended: bool
    """Whether the trial answer ended within its limit."""
    entropy: float
    """Entropy of the token after the end-of-thought marker, in bits."""
    marker_logprob: float
    """Log-prob of the end-of-thought marker at the point, in nats."""
    marker_rank: int
    """Rank of this marker among all tokens; 0 is the most probable."""
    best_other_logprob: float
    """Log-prob of the most probable token but the marker, in nats."""
    probe_score: float | None
    """Probability of a probe that the trial answer is right; None without a probe."""
    arrivals: int
    """Number of causal arrivals up to the point."""
    cues: int
    """Number of backtrack cues up to the point."""
    read: int | None = None
    """Thought tokens that must be read to know all this, at least `token`: the words of
    a cue come after its point. None: no more than `token`."""

    @property
    def known_kinds(self) -> frozenset[str]:
        """Its kinds that are known while the thought runs.

        At the end of a thought only the end marker shows what stands there, and then
        there is nothing left to stop. A number of tokens shows by itself.
        """
        return self.kinds & {EVERY} if END in self.kinds else self.kinds


History = Sequence[TrialPoint]
"""The points at which a rule has looked, in order. Their chunks hold the text since the
rule's last look."""
