"""What a rule asks for at a point: the branch that computes it, and what it says."""

import math
from collections.abc import Collection
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from doubletake.exit_rules.rule import ENTROPY, MARKER, PROBE, TRIAL
from doubletake.exit_rules.trials import Trials
from doubletake.model.branches import Branch
from doubletake.model.continuations import Continuation
from doubletake.text.grading import Task
from exit_probes.reading import PointProbe

NOT_ASKED: dict[str, Any] = {
    "trial_text": "",
    "answer": None,
    "trial_logprobs": (),
    "trial_ended": False,
    "entropy": math.nan,
    "marker_logprob": math.nan,
    "marker_rank": 0,
    "best_other_logprob": math.nan,
    "probe_score": None,
}
"""What a `TrialPoint` holds of what a rule has not asked for."""
ASKED = {
    TRIAL: ("trial_text", "answer", "trial_ended"),
    MARKER: ("marker_logprob", "marker_rank", "best_other_logprob"),
    ENTROPY: ("entropy",),
}
"""Fields of a `TrialPoint` and columns of a trial that answer a need."""


@dataclass(frozen=True)
class Looking:
    """Which points are found in a thought, and how it is looked at them."""

    trials: Trials
    kinds: Collection[str]
    """Kinds of points, start and end left aside."""
    every: int
    """Distance of the points of the kind `every`, in tokens."""

    @cached_property
    def _whole(self) -> Branch:
        """A trial, at any cut."""
        return self.trials.branch(1)

    def branch(
        self, cut: int, needs: frozenset[str], probe: PointProbe | None = None
    ) -> Branch:
        """What a rule that has these needs has to compute at a cut."""
        kept = probe.layers if probe is not None and PROBE in needs else ()
        whole = replace(self._whole, cut=cut, kept=kept)
        if TRIAL in needs:
            return whole
        last = whole.watched[-1].place if ENTROPY in needs else 0
        watched = tuple(watch for watch in whole.watched if watch.place <= last)
        suffix = whole.suffix[:last]
        return replace(whole, suffix=suffix, watched=watched, max_tokens=0)

    def answer(
        self,
        needs: frozenset[str],
        said: Continuation,
        task: Task,
        probe: PointProbe | None = None,
    ) -> dict[str, Any]:
        """What the branch says: fields of a `TrialPoint`.

        Args:
            needs: what was asked for.
            said: the continuation of the branch.
            task: what a trial answers.
            probe: of the rule, if it reads one.
        """
        found = dict(NOT_ASKED)
        columns: dict[str, Any] = {}
        if TRIAL in needs:
            columns = self.trials.columns(said, task)
            found["trial_logprobs"] = tuple(columns["trial_logprobs"])
        elif said.watched:
            first, last = said.watched[0], said.watched[-1]
            columns = first._asdict() | {
                "marker_logprob": first.logprob,
                "marker_rank": first.rank,
                "entropy": last.entropy / math.log(2),
            }
        for need in needs & ASKED.keys():
            found |= {name: columns[name] for name in ASKED[need]}
        if probe is not None and said.states is not None:
            states = said.states.float().numpy().astype(np.float32)
            found["probe_score"] = probe.score(states)
        return found
