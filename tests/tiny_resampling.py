"""Made-up rows of the tables of resampling."""

import numpy as np

from doubletake.stats.intervals import wilson_interval
from doubletake.text.drawn_thoughts import DrawnThought
from resampling.tables import RESAMPLING, RESAMPLING_SENTENCES


def boundary(k, kind, turns, draws=10, **changes):
    """A row of `RESAMPLING`."""
    low, high = wilson_interval(turns, draws) if draws else (None, None)
    return {
        "trace": f"{k}/0",
        "problem": f"{k}",
        "event": None if kind == "arrival" else 1,
        "kind": kind,
        "position": 50,
        "turned": kind == "backtrack",
        "draws": draws,
        "turns": turns,
        "unfinished": 0,
        "rate": turns / draws if draws else None,
        "low": low,
        "high": high,
        "mass": 0.5,
        "sampled_mass": 0.5,
        "probe": 0.0,
        "planted": None,
    } | changes


def simulated(rng, problems, effect, draws=10):
    """Boundaries of three kinds with other rates; the scores know `effect` of them.

    Args:
        rng: NumPy's generator.
        problems: one boundary each.
        effect: share of a score's variance within a kind that the true rate explains.
        draws: at each boundary.
    """
    rows = []
    for k in range(problems):
        kind = ("backtrack", "control", "arrival", "backtrack")[k % 4]
        latent = rng.normal()
        true = 1 / (1 + np.exp(-latent - 2 * (kind == "backtrack")))
        scores = [
            float(
                np.sqrt(effect) * latent
                + np.sqrt(1 - effect) * rng.normal()
                + 2 * (kind == "backtrack")
            )
            for _ in range(2)
        ]
        turns = int(rng.binomial(draws, true))
        rows.append(boundary(k, kind, turns, draws, mass=scores[0], probe=scores[1]))
    return RESAMPLING.frame(rows)


def sentence(k, number, kind, before=0.5, after=0.5, n=4, **changes):
    """A row of `RESAMPLING_SENTENCES`."""
    return {
        "trace": f"{k}/0",
        "problem": f"{k}",
        "sentence": number,
        "start": 10 * number,
        "end": 10 * number + 9,
        "kind": kind,
        "cause": None,
        "before": n,
        "after": n,
        "accuracy_before": before,
        "accuracy_after": after,
        "resampled": after - before,
        "resampled_low": -1.0,
        "resampled_high": 1.0,
        "dissimilar": n,
        "counterfactual": before - after,
        "forced": 0.0,
        "divergence": 0.1,
        "divergence_null": 0.1,
    } | changes


def sentences(rows):
    """`RESAMPLING_SENTENCES`."""
    return RESAMPLING_SENTENCES.frame(rows)


def drawn_thought(text):
    """A thought of the study with this text, one token per character."""
    trace = {
        "trace": "1/0",
        "problem": "1",
        "prompt_ids": [1, 2, 3],
        "completion_ids": list(range(len(text))),
        "text": text,
        "offsets": list(range(len(text))),
        "thought_start": 0,
        "thought_stop": len(text),
        "thought_end": 3 + len(text),
        "answer": "4",
    }
    return DrawnThought(trace, "4", "How many pears are there?")
