"""How often the detectors are right on labelled traces."""

from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

DETECTOR_SCORES = Table(
    "detector/scores",
    (
        Column("detector", TEXT, "`rules`, `string` or `markers`"),
        Column("model", TEXT, "whose traces; null: all together", nullable=True),
        Column("kind", TEXT, "`arrival` or `backtrack`"),
        Column("traces", COUNT, "labelled traces"),
        Column("labelled", COUNT, "labelled events"),
        Column("found", COUNT, "events that the detector found"),
        Column("hits", COUNT, "labelled events among them"),
        Column("precision", REAL, "hits / found; null: none found", nullable=True),
        Column("precision_low", REAL, "bootstrap over traces", nullable=True),
        Column("precision_high", REAL, "bootstrap over traces", nullable=True),
        Column("recall", REAL, "hits / labelled; null: none labelled", nullable=True),
        Column("recall_low", REAL, "bootstrap over traces", nullable=True),
        Column("recall_high", REAL, "bootstrap over traces", nullable=True),
        Column("f1", REAL, "2 hits / (found + labelled); 1 where both are 0"),
        Column("f1_low", REAL, "bootstrap over traces", nullable=True),
        Column("f1_high", REAL, "bootstrap over traces", nullable=True),
    ),
    holds="how often each detector is right on labelled traces",
)

DETECTOR_MISTAKES = Table(
    "detector/mistakes",
    (
        Column("detector", TEXT, "`rules`, `string` or `markers`"),
        Column("model", TEXT, "whose trace"),
        Column("trace", TEXT, "id of the labelled trace"),
        Column("kind", TEXT, "`arrival` or `backtrack`"),
        Column("mistake", TEXT, "`missed` (labelled, not found) or `false hit`"),
        Column(
            "place",
            COUNT,
            "character of the thought: after an arrival's number, or at a backtrack's "
            "first letter",
        ),
        Column("value", TEXT, "arrival: canonical number", nullable=True),
        Column("cue", TEXT, "backtrack: the words that signal it", nullable=True),
        Column("before", TEXT, "the 80 characters before the place, fewer at an edge"),
        Column("after", TEXT, "the 80 characters from the place on"),
    ),
    holds="what each detector misses or invents, in context",
)
