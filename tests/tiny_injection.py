"""Made-up rows of the tables of injection."""

from injection.tables import (
    ARRIVAL,
    INJECTION,
    INJECTION_ATTENTION,
    INJECTION_FREE_RUNS,
    ONCE,
    RANDOM,
    UNSTEERED,
)

BOUNDARY, DEPTH, STRENGTH, FACTOR = 1, 0.5, 1.0, 100.0


def context(k, place=ARRIVAL):
    return {"trace": f"{k}/0", "problem": f"{k}", "place": place, "token": 9}


def setting(direction="ward", draw=None):
    return {"direction": direction, "draw": draw, "boundary": BOUNDARY}


def divergence(k, kl, *, factor=1.0, mode=ONCE, place=ARRIVAL, **named):
    return (
        context(k, place)
        | setting(**named)
        | {"depth": DEPTH, "strength": STRENGTH, "mode": mode, "factor": factor}
        | {"kl": kl}
    )


def study_rows(shares, boosted, differences, draws=0, place=ARRIVAL):
    """A problem for each share: divergences, and attention in layers 0 and 1.

    Args:
        shares: of the first token, by problem.
        boosted: the same with more attention.
        differences: of the attention in layer 1, by problem.
        draws: random vectors, whose later divergences are 0, 0.02, 0.04, ...
        place: of all rows.
    """
    kl, attention = [], []
    cases = zip(shares, boosted, differences, strict=True)
    for k, (share, more, difference) in enumerate(cases):
        for factor, part in ((1.0, share), (FACTOR, more)):
            curve = [part, (1 - part) / 2, (1 - part) / 2]
            kl.append(divergence(k, curve, factor=factor, place=place))
        kl += [
            divergence(k, [1.0, 0.02 * n, 0.0], direction=RANDOM, draw=n, place=place)
            for n in range(draws)
        ]
        for layer in (0, 1):
            plain = {"direction": UNSTEERED, "draw": None, "boundary": None}
            injected = setting() | {"strength": STRENGTH}
            for named, value in (
                (plain | {"strength": 0.0}, 0.2),
                (injected, 0.2 + difference * layer),
            ):
                attention.append(
                    context(k, place)
                    | named
                    | {"layer": layer, "attention": [value, value]}
                )
    return INJECTION.frame(kl), INJECTION_ATTENTION.frame(attention)


def free_rows(turned, mode=ONCE):
    """Free runs, every second one differs at token 2; `turned`: (plain, injected)."""
    rows = []
    for k, (plain, injected) in enumerate(turned):
        named = {name: value for name, value in context(k).items() if name != "place"}
        empty = dict.fromkeys(INJECTION_FREE_RUNS.schema)
        rows += [
            empty | named | {"direction": UNSTEERED, "tokens": 5, "turned": plain},
            empty
            | named
            | setting()
            | {"depth": DEPTH, "strength": STRENGTH, "mode": mode, "tokens": 5}
            | {"first_different": 2 if k % 2 else None, "turned": injected},
        ]
    return INJECTION_FREE_RUNS.frame(rows)
