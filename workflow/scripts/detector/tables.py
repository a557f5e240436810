"""Columns of the detectors' scores and mistakes."""

from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

_LOW = "lower end of its interval over traces; null: too few traces, or no value"
_HIGH = "upper end; null: as the lower end"

DETECTOR_SCORES = Table(
    "detector/scores",
    (
        Column("detector", TEXT, "`rules`, `string`, `markers` or `causal`"),
        Column("model", TEXT, "model of the traces; null: all models", nullable=True),
        Column("kind", TEXT, "`arrival` or `backtrack`"),
        Column("traces", COUNT, "labelled traces", unit="traces"),
        Column("labelled", COUNT, "labelled events", unit="events"),
        Column("found", COUNT, "events that the detector found", unit="events"),
        Column("hits", COUNT, "labelled events that were found", unit="events"),
        Column(
            "precision",
            REAL,
            "hits / found; null: the detector found no event",
            nullable=True,
            unit="share",
        ),
        Column("precision_low", REAL, _LOW, nullable=True, unit="share"),
        Column("precision_high", REAL, _HIGH, nullable=True, unit="share"),
        Column(
            "recall",
            REAL,
            "hits / labelled; null: no event is labelled",
            nullable=True,
            unit="share",
        ),
        Column("recall_low", REAL, _LOW, nullable=True, unit="share"),
        Column("recall_high", REAL, _HIGH, nullable=True, unit="share"),
        Column(
            "f1", REAL, "2 hits / (found + labelled); 1 where both are 0", unit="share"
        ),
        Column("f1_low", REAL, _LOW, nullable=True, unit="share"),
        Column("f1_high", REAL, _HIGH, nullable=True, unit="share"),
    ),
    holds="how often each detector is right on labelled traces",
)

DETECTOR_MISTAKES = Table(
    "detector/mistakes",
    (
        Column("detector", TEXT, "`rules`, `string`, `markers` or `causal`"),
        Column("model", TEXT, "model of the trace"),
        Column("trace", TEXT, "id of the labelled trace"),
        Column("kind", TEXT, "`arrival` or `backtrack`"),
        Column("mistake", TEXT, "`missed` (labelled, not found) or `false hit`"),
        Column(
            "character",
            COUNT,
            "in the thought: after an arrival's number, or where a backtrack begins",
            unit="character",
        ),
        Column("value", TEXT, "arrival: canonical number", nullable=True),
        Column("cue", TEXT, "backtrack: the words that signal it", nullable=True),
        Column(
            "before", TEXT, "the 80 characters before `character`, fewer at an edge"
        ),
        Column(
            "after", TEXT, "the 80 characters from `character` on, fewer at an edge"
        ),
    ),
    holds="what each detector misses or invents, in context",
)
