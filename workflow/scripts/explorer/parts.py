"""Parts of the explorer: which columns of which tables it shows of a thought or turn.

The explorer shows values of tables. A part is rows of one table; its columns have the
names, units and meanings of the table's contract.
"""

from collections.abc import Collection
from pathlib import Path

from explorer.part import Part

EXITS, RULES, TRUTH, TEXTS = "exits", "rules", "truth", "texts"
ATTRIBUTION, ATTENTION, LENS = "attribution", "attention", "lens"
INTERVENTIONS, RESAMPLES = "interventions", "resamples"
VIEWS = (
    *(EXITS, RULES, TRUTH, TEXTS, RESAMPLES),
    *(ATTRIBUTION, ATTENTION, LENS, INTERVENTIONS),
)
"""Views that the config can leave out. Thoughts with their events are always there."""

THOUGHT_PARTS = (
    Part(
        "events",
        "events",
        (
            *("event", "kind", "ordinal", "start", "end", "token"),
            *("value", "is_gold", "is_final", "cue", "cue_kind"),
        ),
    ),
    Part(
        "turns",
        "turns",
        ("event", "position", "logprob", "predicted_text", "is_word", "selected"),
        ATTRIBUTION,
        beside=True,
    ),
    Part(
        "exits",
        "early_exit",
        (
            *("exit", "tokens_before", "answer", "answer_text", "correct", "ended"),
            *("whole_logprob", "logit", "margin", "entropy"),
        ),
        EXITS,
    ),
    Part(
        "points",
        "trial_points",
        (
            *("point", "token", "tokens_before", "sentence", "paragraph", "cue"),
            *("arrival", "every", "end", "answer", "correct", "trial_text"),
            *("trial_logprobs", "entropy", "marker_logprob", "marker_rank"),
        ),
        EXITS,
        beside=True,
    ),
    Part(
        "arrivals",
        "repair/arrivals",
        (
            "arrival",
            "point",
            "answer",
            "correct",
            "next_answer",
            "next_correct",
            "turn",
        ),
        RULES,
    ),
    Part(
        "stops",
        "exit_policies/stops",
        ("policy", "point", "kept", "full", "answer", "correct"),
        RULES,
    ),
    Part(
        "online",
        "online_exit",
        (
            *("rule", "mode", "kept", "replay_kept", "full"),
            *("stopped", "equal", "reason", "first"),
        ),
        RULES,
    ),
    Part(
        "truth",
        "truth",
        (
            *("boundary", "start", "end", "choice", "cause", "cause_in"),
            *("cause_start", "cause_end", "probability"),
        ),
        TRUTH,
    ),
    Part(
        "decoding_actions",
        "decoding_actions",
        ("action", "shared", "tokens", "closed", "answer", "correct", "text"),
        TEXTS,
    ),
    Part(
        "wrong_samples",
        "wrong_samples",
        (
            *("place", "action", "draw", "kept", "tokens"),
            *("closed", "answer", "correct", "text"),
        ),
        TEXTS,
    ),
    Part(
        "steering",
        "steering",
        (
            *("direction", "boundary", "positions", "strength", "tokens"),
            *("closed", "answer", "correct", "text"),
        ),
        TEXTS,
    ),
    Part(
        "mistakes",
        "mistakes",
        (
            *("place", "kind", "draw", "noticed", "corrected", "tokens"),
            *("closed", "answer", "correct", "following"),
        ),
        TEXTS,
        also=("mistakes/edits",),
    ),
    Part(
        "edits",
        "mistakes/edits",
        (
            *("place", "kind", "sentence", "cut", "start", "end"),
            *("old", "new", "appended", "kept"),
        ),
        TEXTS,
    ),
    Part(
        "short",
        "steering/short",
        (
            *("setting", "direction", "boundary", "positions", "strength", "kept"),
            *("tokens", "turned", "text"),
        ),
        TEXTS,
        only=("source", ("none", "direction")),
    ),
    Part(
        "ablations",
        "ablation/decoded",
        (
            *("length", "ablation", "null", "draw", "event", "backtracks"),
            *("readable", "tokens", "closed", "correct", "text"),
        ),
        TEXTS,
        also=("ablation",),
    ),
    Part(
        "ablated",
        "ablation",
        ("event", "position"),
        TEXTS,
        distinct=True,
        beside=True,
    ),
    Part(
        "free_runs",
        "injection/free_runs",
        (
            *("token", "direction", "boundary", "strength", "mode", "draw"),
            *("tokens", "first_different", "turned"),
        ),
        TEXTS,
    ),
    Part(
        "boundaries",
        "resampling",
        (
            *("event", "kind", "position", "turned", "draws", "turns"),
            *("rate", "low", "high", "mass", "probe"),
        ),
        RESAMPLES,
    ),
    Part(
        "draws",
        "resampling/draws",
        ("position", "draw", "turns", "ended", "text"),
        RESAMPLES,
        also=("resampling",),
    ),
)
"""What is shown of a thought."""

ATTRIBUTION_PART = Part(
    "attribution",
    "attribution/tokens",
    ("position", "metric_value", "question_start", "max_abs", "signed_max"),
    ATTRIBUTION,
    ("trace", "event"),
    also=("attribution",),
)
ATTENTION_PART = Part(
    "attention",
    "attention",
    (
        *("layer", "tokens", "bos", "question", "part_1", "part_2", "part_3"),
        *("part_4", "part_5", "current_sentence", "arrival_sentence"),
        *("dla_backtrack", "dla_wrap_up"),
    ),
    ATTENTION,
    ("trace", "event"),
    also=("attention/heads",),
)
LENS_PART = Part(
    "lens",
    "logit_lens",
    ("layer", "backtrack", "wrap_up", "backtrack_logprob", "top_ids"),
    LENS,
    ("trace", "event"),
)
EXACT_PART = Part(
    "exact",
    "exact_attribution/words",
    (
        *("word", "token", "source", "is_cause", "exact", "exact_rank"),
        *("layer", "estimate", "estimate_rank", "published_rank"),
    ),
    ATTRIBUTION,
    ("trace", "event"),
    also=("attribution", "attribution/tokens"),
    beside=True,
)
EFFECTS_PART = Part(
    "effects",
    "loop",
    (
        *("log_odds", "mass", "part", "steering", "steering_random", "units_support"),
        *("units_random", "heads_support", "heads_random", "value_vectors"),
        *("probe", "rate", "confidence", "confidence_after", "mended", "spoiled"),
    ),
    INTERVENTIONS,
    ("trace", "event"),
)
TURN_PARTS = (ATTRIBUTION_PART, ATTENTION_PART, LENS_PART, EXACT_PART, EFFECTS_PART)
"""What is shown of a selected turn."""


def parts_of(views: Collection[str]) -> list[Part]:
    """Parts of thoughts and turns that belong to views, or to all of them.

    Args:
        views: of `VIEWS`.
    """
    parts = (*THOUGHT_PARTS, *TURN_PARTS)
    return [part for part in parts if part.view is None or part.view in views]


def needed_tables(views: Collection[str]) -> list[str]:
    """Names of the tables that views need; those of no view come first.

    Args:
        views: of `VIEWS`.
    """
    parts = parts_of(views)
    names = [name for part in parts for name in (part.table, *part.also)]
    return list(dict.fromkeys(["problems", "traces", *names]))


def asked_tables(
    folder: str | Path, views: Collection[str], *, only_made: bool
) -> list[str]:
    """Names of the tables that the explorer of a study reads.

    Args:
        folder: of the study's results.
        views: of `VIEWS`.
        only_made: only tables that exist; thoughts and their events are always read.
    """
    always = needed_tables([])
    return [
        name
        for name in needed_tables(views)
        if not only_made or name in always or Path(folder, f"{name}.parquet").is_file()
    ]


def shown_parts(views: Collection[str], made: Collection[str]) -> list[Part]:
    """Parts of which all tables are made.

    Args:
        views: of `VIEWS`.
        made: names of tables.
    """
    return [part for part in parts_of(views) if part.tables <= set(made)]


def shown_views(views: Collection[str], made: Collection[str]) -> set[str]:
    """Views that have something to look at.

    Args:
        views: of `VIEWS`.
        made: names of tables.
    """
    parts = shown_parts(views, made)
    return {part.view for part in parts if part.view is not None and not part.beside}
