"""Hand-made continuations and whole thoughts with steering, as rows of the tables."""

import numpy as np

from steering.settings import DecodingSettings, Screening
from steering.tables import SHORT, STEERING

GRID = Screening(
    layers=[0.3, 0.7, 0.69],
    directions=["venhoff", "wrap_up", "seal"],
    value_vectors=1,
    positions=["every", "sentence_ends"],
    strengths=[0.25, 0.5],
    published=["ward", "venhoff", "seal"],
)
SETTINGS = DecodingSettings(
    contexts=3,
    ladder_contexts=2,
    thoughts=2,
    screen_tokens=12,
    max_tokens=60,
    controls=2,
    random=4,
    steps=[1.0, 0.5],
    batch_size=16,
    seed=0,
    temperature=0.6,
    top_p=0.95,
    generation_seed=3,
    detector="rules",
    batch_memory=0.1,
)

LOGPROB = -0.5
"""Of a token, in nats, where a text is whole."""
TOKENS = 10
PLACE = {"boundary": 4, "positions": "sentence_ends"}


def continuation(source, number, turned, strength=0.0, **changes):
    """A continuation of the thought on problem `number`."""
    steered = source != "none"
    values = {
        "setting": "grid",
        "source": source,
        "direction": "venhoff" if source in ("direction", "shuffled") else None,
        "boundary": PLACE["boundary"] if steered else None,
        "positions": PLACE["positions"] if steered else None,
        "strength": strength,
        "draw": 0,
        "trace": f"{number}/0",
        "problem": f"{number:03d}",
        "kept": 20,
        "tokens": TOKENS,
        "ended": False,
        "turned": bool(turned),
        "probability": 0.1 + 0.8 * bool(turned),
        "words": 8,
        "waits": int(turned),
        "repeated_2": 0.1,
        "repeated_3": 0.0,
        "compression": 0.9,
        "loop": False,
        "logprob": LOGPROB * TOKENS,
        "text": " Wait, no." if turned else " So it is 8.",
    }
    return values | changes


def thought(number, strength, backtracks, *, correct=True, tokens=100, **changes):
    """A whole thought on problem `number`."""
    steered = strength != 0
    values = {
        "direction": "venhoff" if steered else None,
        "boundary": PLACE["boundary"] if steered else None,
        "positions": PLACE["positions"] if steered else None,
        "strength": strength,
        "trace": f"{number}/0",
        "problem": f"{number:03d}",
        "tokens": tokens,
        "decoded": tokens,
        "closed": True,
        "limited": False,
        "backtracks": backtracks,
        "answer": "8",
        "correct": correct,
        "words": 80,
        "waits": 2,
        "repeated_2": 0.2,
        "repeated_3": 0.1,
        "compression": 0.5,
        "loop": False,
        "logprob": LOGPROB * tokens,
        "text": "It is 8.",
    }
    return values | changes


def simulated_short(
    draw, rate, strengths, problems=28, vectors=40, spread=0.0, broken=()
):
    """Continuations of a simulated ladder.

    Args:
        draw: source of random numbers.
        rate: from a strength to the probability that the direction turns back.
        strengths: of the direction, without none.
        problems: number of problems.
        vectors: number of random vectors.
        spread: standard deviation of the slope of a random vector.
        broken: strengths at which the text has lost its coherence.
    """
    level = draw.normal(0, 0.15, problems)

    def turned(mean):
        """Whether each problem turns; its probability, with a little noise."""
        chance = np.clip(mean + level, 0.02, 0.98)
        flags = draw.random(problems) < chance
        noise = draw.normal(0, 0.03, problems)
        return list(zip(flags, chance + noise, strict=True))

    def row(source, k, pair, *where, **changes):
        return continuation(
            source, k, pair[0], *where, **{"probability": pair[1]} | changes
        )

    def lost(strength):
        return {"logprob": 4 * LOGPROB * TOKENS} if strength in broken else {}

    rows = [row("none", k, t) for k, t in enumerate(turned(rate(0.0)))]
    for strength in strengths:
        rows += [
            row("direction", k, t, strength, **lost(strength))
            for k, t in enumerate(turned(rate(strength)))
        ]
    own = draw.normal(0, spread, vectors)
    for number in range(vectors):
        for size in sorted({abs(strength) for strength in strengths}):
            rows += [
                row("random", k, t, size, draw=number)
                for k, t in enumerate(turned(rate(0.0) + own[number] * size))
            ]
    return SHORT.frame(rows)


def thoughts_of(rows):
    """`STEERING` of rows of `thought`."""
    return STEERING.frame(rows)
