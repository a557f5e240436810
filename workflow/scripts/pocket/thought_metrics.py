"""What sampled pocket thoughts do: answers, arrivals, turns, boundaries by cause."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import Any

from sklearn.metrics import roc_auc_score

from pocket.causes import BASE_RATES, CAUSES, NONE, TURN, turn_rate
from pocket.planted_events import Boundary
from pocket.sampled_thoughts import Sample

MOST_TURNS = 5
"""Numbers of turns above it are counted together."""
NUMBERS_OF_TURNS = range(len(BASE_RATES))
"""Numbers of turns with a base rate of their own; the last one lasts."""


def share(flags: Iterable[bool]) -> dict[str, Any]:
    """Share of true flags and their number; the share is None without flags."""
    values = list(flags)
    return {"share": round(fmean(values), 4) if values else None, "n": len(values)}


def shares(counts: Mapping[str, int]) -> dict[str, float]:
    """Share of each name, the most frequent first."""
    total = sum(counts.values())
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return {name: round(counts[name] / total, 4) for name in ordered}


def answer_metrics(samples: Sequence[Sample]) -> dict[str, Any]:
    """Right answers, closed thoughts, first arrivals, numbers of turns, lengths."""
    arrived = [sample for sample in samples if sample.reading.values]
    started_right = [s.reading.values[0] == s.problem.answer for s in arrived]
    ended_right = [sample.is_right for sample in arrived]
    both = list(zip(started_right, ended_right, strict=True))
    lengths = [len(sample.ids) for sample in samples]
    return {
        "accuracy": share(sample.is_right for sample in samples),
        "closed": share(sample.closed for sample in samples),
        "with_an_arrival": share(bool(sample.reading.values) for sample in samples),
        "first_arrival_wrong": share(not right for right in started_right),
        "mended_of_wrong": share(end for start, end in both if not start),
        "kept_of_right": share(end for start, end in both if start),
        "turns": turn_counts([sample.reading.turns for sample in samples]),
        "tokens": {"mean": round(fmean(lengths), 1), "longest": max(lengths)},
    }


def turn_counts(turns: Sequence[int]) -> dict[str, Any]:
    """Shares of thoughts by their number of turns."""
    counts = Counter(turns)
    by_number = {str(n): counts[n] / len(turns) for n in range(MOST_TURNS + 1)}
    more = sum(counts[n] for n in counts if n > MOST_TURNS) / len(turns)
    return {
        "n": len(turns),
        **{number: round(value, 4) for number, value in by_number.items()},
        "more": round(more, 4),
        "rarest_up_to_5": round(min(by_number.values()), 4),
        "most_frequent": round(max(counts.values()) / len(turns), 4),
    }


def boundary_metrics(samples: Sequence[Sample]) -> dict[str, Any]:
    """What happens at boundaries, by the cause that holds there."""
    boundaries = [b for sample in samples for b in sample.reading.boundaries]
    read = [b for b in boundaries if b.choice is not None]
    by_cause = {kind: [b for b in read if b.cause.kind == kind] for kind in CAUSES}
    by_turns: dict[str, list[Boundary]] = {name_of(n): [] for n in NUMBERS_OF_TURNS}
    for boundary in by_cause[NONE]:
        by_turns[name_of(boundary.turns)].append(boundary)
    rates = {kind: rate_of(cases) for kind, cases in by_cause.items()}
    gaps = [abs(r["gap"]) for r in rates.values() if r["gap"] is not None]
    return {
        "read": share(b.choice is not None for b in boundaries),
        "unread_sentences": sum(sample.reading.unread for sample in samples),
        "other_errors": sum(sample.reading.other_errors for sample in samples),
        "turn_rate": rates,
        "turn_rate_without_a_cause": {
            number: rate_of(cases) for number, cases in by_turns.items()
        },
        # A cause that never held was not checked: then there is no largest gap.
        "largest_gap": max(gaps) if len(gaps) == len(CAUSES) else None,
        "first_words": {
            kind: shares(Counter(b.word for b in cases))
            for kind, cases in by_cause.items()
        },
        "preceding_token": preceding_token_metrics(samples),
    }


def name_of(turns: int) -> str:
    """A number of turns as a key, `0` to `5+`."""
    last = NUMBERS_OF_TURNS[-1]
    return f"{last}+" if turns >= last else str(turns)


def rate_of(boundaries: Sequence[Boundary]) -> dict[str, Any]:
    """Measured and planted share of turns, and measured minus planted."""
    measured = share(b.choice == TURN for b in boundaries)
    if not boundaries:
        return {**measured, "planted": None, "gap": None}
    planted = fmean(turn_rate(b.cause.kind, b.turns) for b in boundaries)
    gap = fmean(b.choice == TURN for b in boundaries) - planted
    return {**measured, "planted": round(planted, 4), "gap": round(gap, 4)}


def preceding_token_metrics(samples: Sequence[Sample]) -> dict[str, Any]:
    """How well the token before a boundary's sentence tells turns from the rest.

    The score of a boundary is the share of turns after its token. The shares are those
    of the same boundaries, so that the AUROC is not below 0.5.
    """
    tokens, turned = [], []
    for sample in samples:
        for boundary in sample.reading.boundaries:
            if boundary.choice is not None:
                tokens.append(sample.pieces[sample.tokens_before(boundary.start) - 1])
                turned.append(boundary.choice == TURN)
    rates = {
        token: share(t for k, t in zip(tokens, turned, strict=True) if k == token)
        for token in sorted(set(tokens))
    }
    scores = [rates[token]["share"] for token in tokens]
    decided = len(set(turned)) == 2
    auroc = round(float(roc_auc_score(turned, scores)), 4) if decided else None
    return {"auroc": auroc, "n": len(turned), "turn_rate": rates}
