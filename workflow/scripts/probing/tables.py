"""Columns of the tables of linear probes and their controls."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table


def _with_interval(name: str, meaning: str) -> tuple[Column, ...]:
    """A share or difference of shares, and the ends of its interval."""
    return (
        Column(name, REAL, meaning, unit="share"),
        Column(f"{name}_low", REAL, LOW, nullable=True, unit="share"),
        Column(f"{name}_high", REAL, HIGH, nullable=True, unit="share"),
    )


CONTRAST = Column(
    "contrast",
    TEXT,
    "`backtrack_control`, `wrap_up_control`, `backtrack_wrap_up` or `right_arrival` "
    "(right against wrong arrivals)",
)

PROBING_SCORES = Table(
    "probing/scores",
    (
        CONTRAST,
        Column(
            "features",
            TEXT,
            "what the probe reads: `resid`: the residual stream; `depth`: token "
            "position and depth alone",
            values=("resid", "depth"),
        ),
        Column(
            "boundary",
            COUNT,
            "boundary of the residual stream: the input of the layer of this number; "
            "the last boundary is the input of the final norm; 0 for `depth`",
            unit="index",
        ),
        Column(
            "shuffle",
            COUNT,
            "0: true labels; 1, 2, ...: shuffled labels (each matched pair keeps its "
            "labels or swaps them, at random)",
            unit="index",
        ),
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the event within the trace", unit="index"),
        Column("problem", TEXT, "id of the problem; a problem lies in one fold only"),
        Column(
            "fold",
            COUNT,
            "the fold that was left out when the probe was fitted, with all partners "
            "of its cases",
            unit="index",
        ),
        Column("strength", REAL, "inverse strength C of the L2 penalty in this fold"),
        Column("label", FLAG, "the label that the probe was fitted to or judged by"),
        Column(
            "score",
            REAL,
            "score of the first class by the probe of the other folds",
            unit="log-odds",
        ),
    ),
    sort=(
        "contrast",
        "features",
        "boundary",
        "shuffle",
        "trace",
        "event",
    ),
    holds="each position's score by a probe that has not seen its problem",
)

PROBING = Table(
    "probing",
    (
        CONTRAST,
        Column(
            "boundary",
            COUNT,
            "boundary of the residual stream: the input of the layer of this number; "
            "0 is the token's embedding, the last boundary the input of the final norm",
            unit="index",
        ),
        Column("cases", COUNT, "positions of both classes", unit="positions"),
        Column("positives", COUNT, "positions of the first class", unit="positions"),
        Column("problems", COUNT, "problems of these positions", unit="problems"),
        Column("strength", REAL, "C of the L2 penalty, median over the folds"),
        *_with_interval(
            "auroc", "area under the ROC curve; only pairs of one fold are compared"
        ),
        Column("auroc_fold_lowest", REAL, "AUROC of the worst fold", unit="share"),
        Column("auroc_fold_highest", REAL, "AUROC of the best fold", unit="share"),
        *_with_interval(
            "accuracy", "classified correctly, mean of the shares of both classes"
        ),
        *_with_interval(
            "shuffled_auroc", "AUROC of the same probe on shuffled labels, mean"
        ),
        *_with_interval(
            "shuffled_accuracy", "accuracy of the same probe on shuffled labels, mean"
        ),
        *_with_interval(
            "token_auroc", "AUROC of a probe on the token's embedding alone"
        ),
        *_with_interval(
            "token_accuracy", "accuracy of a probe on the token's embedding alone"
        ),
        *_with_interval(
            "depth_auroc", "AUROC of a probe on token position and depth alone"
        ),
        *_with_interval(
            "depth_accuracy", "accuracy of a probe on token position and depth alone"
        ),
        *_with_interval(
            "selectivity", "AUROC minus the highest AUROC of the three controls"
        ),
        Column(
            "selectivity_low_of_all",
            REAL,
            "low end of the selectivity that holds for all boundaries and contrasts "
            "at once (quantile of the largest t); null: as `selectivity_low`",
            nullable=True,
            unit="share",
        ),
        *_with_interval(
            "selectivity_accuracy",
            "accuracy minus the highest accuracy of the three controls",
        ),
    ),
    holds="AUROC and accuracy of linear probes at every layer boundary, beside "
    "their controls",
)

PROBING_CONTRASTS = Table(
    "probing/contrasts",
    (
        CONTRAST,
        Column("positives", COUNT, "positions of the first class", unit="positions"),
        Column("negatives", COUNT, "positions of the second class", unit="positions"),
        Column(
            "positive_problems",
            COUNT,
            "problems with a position of the first class",
            unit="problems",
        ),
        Column(
            "negative_problems",
            COUNT,
            "problems with a position of the second class",
            unit="problems",
        ),
        Column("left_out", TEXT, "why the contrast has no probe", nullable=True),
    ),
    holds="cases of each contrast, and why it has no probe where it was left out",
)
