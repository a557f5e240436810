"""Studies of one cue per thought, and their three rotations."""

import math

from tiny_exits import history, thought_of

from doubletake.exit_rules.splits import (
    GROUPS,
    calibration_group,
    problem_groups,
)
from doubletake.stats.intervals import IntervalSettings
from exit_guarantees.rotations import Rotation
from exit_guarantees.summarise import Settings, Study

CONFIDENT, UNSURE = 0.96, 0.75
"""DEER stops at the first from threshold 0.95 on, at the second from 0.7 on."""
SETTINGS = Settings(
    answer_prompt="</think>The answer is \\boxed{",
    kinds=["sentence", "paragraph", "cue", "arrival", "every"],
    every=32,
    seed=0,
    epsilons=[0.02, 0.05, 0.1],
    delta=0.1,
    conformal_deltas=[0.1, 0.3],
    intervals=IntervalSettings(),
)


def cue_thought(problem, p, *, right=True, end="8", sample=0, tokens=100, probe=0.1):
    """A thought with one cue at token 30, trial probability p."""
    known = {
        "answer": "8" if right else "7",
        "trial_logprobs": (math.log(p),),
        "probe_score": probe,
        "cues": 1,
    }
    return thought_of(
        history("cue", known, step=30),
        tokens,
        end,
        trace=f"{problem}/{sample}",
        problem=f"{problem}",
    )


def turns_of(thoughts, seed=0):
    """The three rotations of thoughts."""
    groups = problem_groups([thought.problem for thought in thoughts], seed)
    parts = [
        [thought for thought in thoughts if groups[thought.problem] == group]
        for group in range(GROUPS)
    ]
    return [
        Rotation(group, parts[calibration_group(group)], parts[group])
        for group in range(GROUPS)
    ]


def study_of(thoughts):
    """A study whose probes give the same scores in all rotations."""
    turns = turns_of(thoughts)
    return Study(turns, {"correctness_probe": turns, "lynx": turns})
