"""Which turns and arrivals stand alike, so that they can be compared?

Backtracks, wrap-ups and controls differ in their place: how far the last answer lies
back, how many answers came before, whether the sentence starts a line. A probe that
only knows the place tells them apart. So comparisons use pairs that agree in it
(`matches.pairing`). The partner may come from another thought. Events without a partner
are dropped and counted.

Inputs
    traces: `TRACES`.
    events: `EVENTS`.

Outputs
    matches: `MATCHES`, the pairs of every contrast.
    dropped: `DROPPED`, events of the first class without a partner, by reason.
    balance: `BALANCE`, differences of the covariates before and after matching.
"""

import logging
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from doubletake.running.logs import job
from doubletake.stats.contrasts import CONTRASTS, Contrast
from events.tables import EVENTS
from matches.balance import balance_rows
from matches.covariates import with_covariates
from matches.pairing import Calipers, Pairing, pair
from matches.tables import BALANCE, DROPPED, MATCHES
from traces.tables import TRACES

if TYPE_CHECKING:
    snakemake: Any

logger = logging.getLogger("measure_matches")

BEFORE_ARRIVAL = "before the first arrival"
AFTER_WRAP_UP = "after the wrap-up"
OTHER_TOKEN = "no candidate with this line start and kind of token before"
OUTSIDE_CALIPERS = "no candidate of this kind within the calipers"
TAKEN = "all candidates within the calipers have another partner"
REASONS = (BEFORE_ARRIVAL, AFTER_WRAP_UP, OTHER_TOKEN, OUTSIDE_CALIPERS, TAKEN)


def classes_of(contrast: Contrast, events: pl.DataFrame) -> list[pl.DataFrame]:
    """The events of both classes of a contrast, of `with_covariates`."""
    if contrast.turn_kinds is None:
        arrivals = events.filter(kind="arrival").drop_nulls("is_gold")
        return [arrivals.filter(is_gold=flag) for flag in (True, False)]
    return [events.filter(kind=kind) for kind in contrast.turn_kinds]


def in_place(contrast: Contrast) -> pl.Expr:
    """Whether an event can be a member of a pair of this contrast.

    Turns come after an arrival and not after the wrap-up. Arrivals can be anywhere.
    """
    if contrast.turn_kinds is None:
        return pl.lit(True)
    return (pl.col("arrivals_before") > 0) & ~pl.col("after_wrap_up")


def match(
    contrast: Contrast, events: pl.DataFrame, calipers: Calipers
) -> tuple[pl.DataFrame, dict[str, int], list[dict[str, Any]]]:
    """Pairs of a contrast, counts of dropped events by reason, rows of the balance.

    Args:
        contrast: the two classes.
        events: of `with_covariates`.
        calipers: how much the members of a pair may differ.
    """
    classes = classes_of(contrast, events)
    first, second = (part.filter(in_place(contrast)) for part in classes)
    pairing = pair(first, second, calipers)
    members = [first[pairing.first], second[pairing.second]]
    table = pl.concat(
        part.with_row_index("pair").with_columns(label=pl.lit(flag))
        for part, flag in zip(members, (True, False), strict=True)
    )
    table = table.with_columns(
        pl.col("pair").cast(pl.Int32), contrast=pl.lit(contrast.name)
    ).sort("pair", "label", descending=[False, True])
    counts = why_dropped(classes[0], pairing)
    rows = balance_rows(contrast.name, [first, second], members)
    return table.select(list(MATCHES.schema)), counts, rows


def why_dropped(first: pl.DataFrame, pairing: Pairing) -> dict[str, int]:
    """Number of events of the first class without a partner, by reason.

    Args:
        first: all events of the first class.
        pairing: of those that can be members of a pair.
    """
    is_late = first["after_wrap_up"]
    unmatched = np.ones(len(pairing.alike), dtype=bool)
    unmatched[pairing.first] = False
    dropped = dict.fromkeys(REASONS, 0)
    outside = first.height - len(pairing.alike)
    if outside:
        dropped[AFTER_WRAP_UP] = int(is_late.sum())
        dropped[BEFORE_ARRIVAL] = outside - dropped[AFTER_WRAP_UP]
    dropped[OTHER_TOKEN] = int((pairing.alike == 0).sum())
    dropped[OUTSIDE_CALIPERS] = int(((pairing.alike > 0) & (pairing.near == 0)).sum())
    dropped[TAKEN] = int((unmatched & (pairing.near > 0)).sum())
    return dropped


def main(
    *,
    traces_path: Path,
    events_path: Path,
    matches_path: Path,
    dropped_path: Path,
    balance_path: Path,
    calipers: Calipers,
) -> None:
    """Read traces and events, pair the events of every contrast, write the tables."""
    events = with_covariates(EVENTS.read(events_path), TRACES.read(traces_path))
    matches = [MATCHES.frame([])]
    dropped, balance = [], []
    for contrast in CONTRASTS:
        pairs, counts, rows = match(contrast, events, calipers)
        matches.append(pairs)
        balance += rows
        dropped += [
            {"contrast": contrast.name, "reason": reason, "events": count}
            for reason, count in counts.items()
        ]
        logger.info(
            "%s: %d pairs, %d dropped",
            contrast.description,
            pairs.height // 2,
            sum(counts.values()),
        )
    DROPPED.write(DROPPED.frame(dropped), dropped_path)
    BALANCE.write(BALANCE.frame(balance), balance_path)
    MATCHES.write(MATCHES.check(pl.concat(matches)), matches_path)


if __name__ == "__main__":
    with job(snakemake.log[0]):
        main(
            traces_path=Path(snakemake.input.traces),
            events_path=Path(snakemake.input.events),
            matches_path=Path(snakemake.output.matches),
            dropped_path=Path(snakemake.output.dropped),
            balance_path=Path(snakemake.output.balance),
            calipers=Calipers(**snakemake.params.calipers),
        )
