"""Table of published claims beside the studies."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, REAL, TEXT, Column, Table

PUBLISHED, OURS = "published", "ours"
RECIPES = (PUBLISHED, OURS)
LEVEL, SHAPE = "level", "shape"
REPRODUCED, NOT_REPRODUCED = "reproduced", "not reproduced"
NOT_COMPARABLE, NOT_MEASURED = "not comparable", "not measured"
VERDICTS = (REPRODUCED, NOT_REPRODUCED, NOT_COMPARABLE, NOT_MEASURED)
UNIT = "see `unit`"
DIFFERENCE = "share, a difference"
"""Unit of differences of shares."""

REPRODUCTION = Table(
    "reproduction/reproduction",
    (
        Column("study", TEXT, "model/dataset"),
        Column("part", TEXT, "the experiment of the page that measures it"),
        Column("claim", TEXT, "name of the claim, as in docs/methods.md"),
        Column("quantity", TEXT, "what was published"),
        Column(
            "kind",
            TEXT,
            "`level`: a number, which depends on the model; `shape`: a statement that "
            "can hold for any model",
            values=(LEVEL, SHAPE),
        ),
        Column("unit", TEXT, "unit of the numbers"),
        Column(
            "published", REAL, "published number; null: none", nullable=True, unit=UNIT
        ),
        Column(
            "published_low",
            REAL,
            "lower end of a published range",
            nullable=True,
            unit=UNIT,
        ),
        Column(
            "published_high",
            REAL,
            "upper end of a published range",
            nullable=True,
            unit=UNIT,
        ),
        Column("stated", TEXT, "the published statement, shortened"),
        Column("source", TEXT, "where it was published"),
        Column("published_model", TEXT, "its model"),
        Column("published_dataset", TEXT, "its problems"),
        Column("published_recipe", TEXT, "what is known of how it was measured"),
        Column(
            "recipe",
            TEXT,
            "`published`: the run by the published recipe; `ours`: this study",
            values=RECIPES,
        ),
        *with_ends("value", "the number of this row's recipe", UNIT, nullable=True),
        Column("cases", COUNT, "cases behind it", nullable=True, unit="cases"),
        Column(
            "problems",
            COUNT,
            "problems of these cases; null: the cases are not cases of problems",
            nullable=True,
            unit="problems",
        ),
        Column("note", TEXT, "what stands beside the number; may be empty"),
        Column("table", TEXT, "table of the study that holds the number"),
        Column("column", TEXT, "its column"),
        Column("rule", TEXT, "when the claim counts as reproduced"),
        Column("verdict", TEXT, "by this rule", values=VERDICTS),
        Column("why", TEXT, "why it was not compared; empty if it was"),
    ),
    holds="published claims beside this study, by the published recipe and by ours",
)
