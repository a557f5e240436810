"""Studies of one cue per thought, whose risk at every threshold of DEER is known."""

import math

import numpy as np
from tiny_exits import history, thought_of

CONFIDENT, UNSURE = 0.96, 0.75
"""DEER stops at the first from threshold 0.95 on, at the second from 0.7 on."""


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


def studied(rng, problems, sure_risk, unsure_risk, name=""):
    """Half the thoughts are sure; each half is wrong at its cue with its own risk."""
    thoughts = []
    for number in range(problems):
        sure = number % 2 == 0
        risk = sure_risk if sure else unsure_risk
        p = CONFIDENT if sure else UNSURE
        right = rng.random() >= risk
        thoughts.append(cue_thought(f"{name}{number}", p, right=right))
    return thoughts


def losses(rng, sets, problems, risks):
    """[set, problem, threshold]: who loses at some threshold loses at bolder ones."""
    return rng.random((sets, problems, 1)) < np.asarray(risks)
