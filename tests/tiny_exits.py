"""Hand-made trial points and thoughts, and random ones."""

import random

from doubletake.exit_rules.points import KINDS, TrialPoint
from doubletake.exit_rules.thoughts import Thought

WORDS = ("so", "the", "answer", "is", "eight", "wait", "maybe", "again", "left", "six")


def trial_point(token=1, kinds=("sentence",), **known) -> TrialPoint:
    """A point; what is not given is neither sure nor right."""
    defaults = {
        "chunk": "",
        "trial_text": f"{known.get('answer')}}}",
        "answer": None,
        "trial_logprobs": (-1.0,),
        "trial_ended": True,
        "entropy": 1.0,
        "marker_logprob": -10.0,
        "marker_rank": 100,
        "best_other_logprob": -0.1,
        "probe_score": 0.1,
        "arrivals": 0,
        "cues": 0,
    }
    return TrialPoint(token, frozenset(kinds), **(defaults | known))


def history(kind, *knowns, step=10) -> list[TrialPoint]:
    """Points of one kind, every `step` tokens."""
    return [
        trial_point(step * number, (kind,), **known)
        for number, known in enumerate(knowns, 1)
    ]


def thought_of(
    points=(), tokens=100, end="8", gold="8", trace="a/0", problem="a"
) -> Thought:
    """A thought that ends right. Without `gold` nothing is known to be right."""
    right = None
    if gold is not None:
        answers = [end, *(point.answer for point in points)]
        right = tuple(answer == gold for answer in answers)
    return Thought(trace, problem, tuple(points), tokens, end, right)


def exits(answers, *, kind="sentence", step=10, **thought) -> Thought:
    """A thought with one point per answer, every `step` tokens."""
    points = history(kind, *({"answer": answer} for answer in answers), step=step)
    return thought_of(points, tokens=step * (len(answers) + 1), **thought)


def random_thoughts(
    count: int, points: int, seed: int, *, per_problem=1, dense=False
) -> list[Thought]:
    """Thoughts with about so many points, some without an answer.

    A dense thought has exactly so many points, and each of them is of every kind.
    """
    rng = random.Random(seed)
    return [
        _random_thought(rng, number, f"{number // per_problem}", points, dense)
        for number in range(count)
    ]


def _random_thought(rng, number: int, problem: str, points: int, dense) -> Thought:
    size = points if dense else rng.randint(points // 2, points * 3 // 2)
    places = [0, *sorted(rng.sample(range(16, size * 64, 16), size - 1))]
    if dense:
        places = list(range(0, 64 * size, 64))
    made, arrivals, cues = [], 0, 0
    for token in places:
        kinds = set(KINDS[:5] if dense else rng.sample(KINDS[:5], rng.randint(1, 2)))
        kinds -= set() if token % 32 == 0 else {"every"}
        kinds |= set() if kinds else {"sentence"}
        arrivals += "arrival" in kinds
        cues += "cue" in kinds
        made.append(_random_point(rng, token, kinds, arrivals=arrivals, cues=cues))
    end = rng.choice(("8", "8", "8", "7", None))
    tokens = places[-1] + rng.randint(1, 64)
    return thought_of(made, tokens, end, trace=f"{number}", problem=problem)


def _random_point(rng, token: int, kinds, **counts) -> TrialPoint:
    answer = rng.choice((None, "7", "8", "8", "8", "8"))
    text = f"{answer}}}" if rng.random() < 0.9 else "8, but wait"
    return trial_point(
        token,
        kinds,
        chunk=" ".join(rng.choices(WORDS, k=rng.randint(3, 20))),
        answer=answer,
        trial_text=text,
        trial_logprobs=tuple(-rng.expovariate(20) for _ in range(rng.randint(0, 4))),
        trial_ended=rng.random() < 0.9,
        entropy=rng.expovariate(20),
        marker_logprob=-rng.expovariate(0.3),
        best_other_logprob=-rng.expovariate(1),
        probe_score=rng.random(),
        **counts,
    )
