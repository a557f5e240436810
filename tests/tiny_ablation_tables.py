"""Made-up tables of ablations: places, random sets, decoded texts."""

import numpy as np

from ablation.tables import ABLATION, ABLATION_SETS, ABLATION_VERSIONS
from ablation.targets import version

PLACES = 16


def version_row(target, size=20, mode="zero", **changes):
    return {
        "ablation": version(target, "every" if mode == "project" else str(size), mode),
        "target": target,
        "mode": mode,
        "size": size,
        "claimed": True,
        "boundary": None,
        "projection": None,
        "candidates": 100,
        "replaceable": size,
        "why_not": None,
    } | changes


def place_rows(ablation, null, values):
    """Rows of `ABLATION`, a problem for each place."""
    return [
        {"ablation": ablation, "null": null, "trace": f"{k}/0", "problem": f"{k}"}
        | {"event": 1, "position": 30, "turn_probability": float(value)}
        for k, value in enumerate(values)
    ]


def study(targets, plain=None):
    """The tables of a study.

    Args:
        targets: name to values of the ablation [place] and of random sets [draw,
            place].
        plain: [place].
    """
    plain = np.full(PLACES, 0.4) if plain is None else plain
    versions, places, sets = [], place_rows("none", "named", plain), []
    for target, (own, random) in targets.items():
        row = version_row(target)
        versions.append(row)
        name = row["ablation"]
        places += place_rows(name, "named", own)
        places += place_rows(name, "random", random.mean(0))
        for draw, values in enumerate([own, *random]):
            sets.append(
                {"ablation": name, "null": "random" if draw else "named", "draw": draw}
                | {"layers": [0], "members": [1], "written": 3.0 if draw else 6.0}
                | {"boundaries": len(own), "turn_probability": float(values.mean())}
            )
    return (
        ABLATION.frame(places),
        ABLATION_VERSIONS.frame(versions),
        ABLATION_SETS.frame(sets),
    )


def text_row(length, ablation, k, **changes):
    return {
        "length": length,
        "ablation": ablation,
        "null": "named",
        "draw": 0,
        "trace": f"{k}/0",
        "problem": f"{k}",
        "event": 1 if length == "continuation" else None,
        "backtracks": 0,
        "tokens": 50,
        "closed": True,
        "readable": True,
        "logprob": -1.0,
        "repetition_2": 0.1,
        "repetition_3": None,
        "loops": False,
        "correct": None if length == "continuation" else True,
        "text": "x",
    } | changes
