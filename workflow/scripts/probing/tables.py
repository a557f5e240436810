"""Linear probes on the residual stream, beside their controls."""

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table


def _measured(name: str, meaning: str) -> tuple[Column, ...]:
    """A figure and the ends of its interval."""
    ends = "bootstrap over problems"
    return (
        Column(name, REAL, meaning),
        Column(f"{name}_low", REAL, ends),
        Column(f"{name}_high", REAL, ends),
    )


TASK = Column("task", TEXT, "name of the contrast, see `doubletake.stats.contrasts`")

PROBING_SCORES = Table(
    "probing/scores",
    (
        TASK,
        Column(
            "features",
            TEXT,
            "`resid`: the residual stream; `position`: position and depth alone",
        ),
        Column(
            "layer",
            COUNT,
            "boundary of the residual stream: the input of this layer; the number of "
            "layers: that of the final norm; of `position` always 0",
        ),
        Column("shuffle", COUNT, "0: true labels; 1, 2, ...: shuffled ones"),
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the event within the trace"),
        Column("problem", TEXT, "id of the problem, which lies in one fold only"),
        Column("fold", COUNT, "the fold that was left out when the probe was fitted"),
        Column("strength", REAL, "inverse strength C of the L2 penalty, of the fold"),
        Column("label", FLAG, "what the probe was to say (shuffled: was to learn)"),
        Column("score", REAL, "log-odds that the probe of the other folds gives"),
    ),
    sort=(
        "task",
        "features",
        "layer",
        "shuffle",
        "trace",
        "event",
    ),
    holds="each position's score by a probe that has not seen its problem",
)

PROBING = Table(
    "probing",
    (
        TASK,
        Column(
            "layer",
            COUNT,
            "boundary of the residual stream: the input of this layer; the number of "
            "layers: that of the final norm; 0: the token's embedding",
        ),
        Column("cases", COUNT, "positions"),
        Column("positives", COUNT, "positions of the first class"),
        Column("problems", COUNT, "problems they are on"),
        Column("strength", REAL, "median over the folds of the chosen C"),
        *_measured(
            "auroc", "area under the ROC curve, pairs of positions of one fold only"
        ),
        Column("auroc_fold_lowest", REAL, "AUROC of the worst fold"),
        Column("auroc_fold_highest", REAL, "AUROC of the best fold"),
        *_measured("accuracy", "share classified rightly, both classes weighing alike"),
        *_measured("shuffled_auroc", "the same probe on shuffled labels, mean"),
        *_measured("shuffled_accuracy", "the same, accuracy"),
        *_measured("token_auroc", "a probe on the token's embedding alone"),
        *_measured("token_accuracy", "the same, accuracy"),
        *_measured("position_auroc", "a probe on position and depth alone"),
        *_measured("position_accuracy", "the same, accuracy"),
        *_measured("selectivity", "AUROC minus the highest AUROC of the controls"),
        *_measured("selectivity_accuracy", "the same of accuracy"),
    ),
    holds="AUROC and accuracy of linear probes at every layer boundary, beside "
    "their controls",
)

PROBING_TASKS = Table(
    "probing/tasks",
    (
        TASK,
        Column("positives", COUNT, "positions of the first class"),
        Column("negatives", COUNT, "positions of the second class"),
        Column("positive_problems", COUNT, "problems with one of the first class"),
        Column("negative_problems", COUNT, "problems with one of the second class"),
        Column("left_out", TEXT, "why there is no probe", nullable=True),
    ),
    holds="what there is to tell apart",
)
