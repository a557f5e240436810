"""Columns of every table that passes from one rule to another, and how it is stored.

A table is checked against its schema when it is written and when it is read: names,
order and types of the columns, and no null where the schema allows none.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import polars as pl

from doubletake.errors import InputError


@dataclass(frozen=True)
class Column:
    """One column of a table."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    meaning: str
    """What a value means, with its unit."""
    nullable: bool = False


@dataclass(frozen=True)
class Table:
    """Contract of one table."""

    name: str
    columns: tuple[Column, ...]

    @property
    def schema(self) -> pl.Schema:
        """Names and types, in order."""
        return pl.Schema({column.name: column.dtype for column in self.columns})

    def frame(self, rows: list[dict]) -> pl.DataFrame:
        """Build a checked table from rows; no rows give an empty table."""
        return self.check(pl.DataFrame(rows, schema=self.schema, orient="row"))

    def check(self, table: pl.DataFrame, origin: str = "") -> pl.DataFrame:
        """Return `table` if it keeps the contract.

        Raises:
            InputError: names the table, its origin and the first column at fault.
        """
        where = f"table {self.name}{f' ({origin})' if origin else ''}"
        if list(table.columns) != [column.name for column in self.columns]:
            raise InputError(
                f"{where}: expected the columns "
                f"{[column.name for column in self.columns]}, got {table.columns}"
            )
        for column in self.columns:
            if table.schema[column.name] != column.dtype:
                raise InputError(
                    f"{where}: column {column.name} is {table.schema[column.name]}, "
                    f"not {column.dtype}"
                )
            nulls = table[column.name].null_count()
            if nulls and not column.nullable:
                raise InputError(f"{where}: {nulls} nulls in column {column.name}")
        return table

    def read(self, path: str | Path) -> pl.DataFrame:
        """Read and check a Parquet file.

        Raises:
            InputError: the file is missing, damaged or breaks the contract.
        """
        try:
            table = pl.read_parquet(path)
        except (OSError, pl.exceptions.PolarsError) as error:
            raise InputError(f"cannot read {path}: {error}") from error
        return self.check(table, str(path))

    def write(self, table: pl.DataFrame, path: str | Path) -> None:
        """Check, write under a temporary name, rename when complete."""
        self.check(table, str(path))
        partial = Path(f"{path}.partial")
        table.write_parquet(partial)
        os.replace(partial, path)


TEXT, FLAG = pl.String, pl.Boolean
COUNT, REAL, BIG = pl.Int32, pl.Float64, pl.Int64

PROBLEMS = Table(
    "problems",
    (
        Column("problem", TEXT, "id: the row's place in its source"),
        Column("question", TEXT, "the problem's text"),
        Column("gold", TEXT, "the canonical number of the reference answer"),
        Column("solution", TEXT, "the reference solution as published"),
    ),
)

TRACES = Table(
    "traces",
    (
        Column("trace", TEXT, "id: problem/sample"),
        Column("problem", TEXT, "id of the problem"),
        Column("sample", COUNT, "0, 1, ...: which thought on the problem"),
        Column("prompt_ids", pl.List(pl.Int32), "token ids of the prompt, one BOS"),
        Column("completion_ids", pl.List(pl.Int32), "token ids of the completion"),
        Column(
            "logprobs",
            pl.List(pl.Float32),
            "log-probability of each completion token at temperature 1, before top-p "
            "(nats); null for an imported trace",
            nullable=True,
        ),
        Column("text", TEXT, "the completion's text, markers included"),
        Column(
            "offsets",
            pl.List(pl.Int32),
            "per completion token: the character of `text` at which it starts",
        ),
        Column(
            "thought_end",
            COUNT,
            "token index of the end-of-thought marker; null if never closed",
            nullable=True,
        ),
        Column("finish", TEXT, "`stop`: ended by itself; `length`: cut off"),
        Column(
            "answer",
            TEXT,
            "canonical final answer, from the text after the thought",
            nullable=True,
        ),
        Column("correct", FLAG, "the answer equals the gold number"),
    ),
)

EVENTS = Table(
    "events",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "0, 1, ... within the trace, by place"),
        Column("kind", TEXT, "`arrival`, `backtrack`, `wrap_up` or `control`"),
        Column("ordinal", COUNT, "1, 2, ...: k-th of its kind in the trace"),
        Column("start", COUNT, "first character of the event in the trace's text"),
        Column("end", COUNT, "character after the event's last"),
        Column(
            "token",
            COUNT,
            "arrival: last token of the number; else: first token of the sentence",
        ),
        Column("value", TEXT, "arrival: canonical number", nullable=True),
        Column("is_gold", FLAG, "arrival: the value equals gold", nullable=True),
        Column("is_final", FLAG, "arrival: the value equals the answer", nullable=True),
        Column("cue", TEXT, "the words that signal the turn", nullable=True),
        Column(
            "cue_kind",
            TEXT,
            "backtrack: `check`, `doubt`, `alternative` or `reread`",
            nullable=True,
        ),
    ),
)

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
)

ACTIVATION_INDEX = Table(
    "activations/index",
    (
        Column("row", COUNT, "row of the shard's tensors"),
        Column("shard", TEXT, "name of the shard's safetensors file, k-of-n"),
        Column("trace", TEXT, "id of the trace"),
        Column("event", COUNT, "the event within the trace"),
        Column(
            "token",
            COUNT,
            "the cached position: an arrival's token; of a sentence the one before its "
            "token, where the model chooses to begin it",
        ),
    ),
)

EARLY_EXIT = Table(
    "early_exit",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("exit", COUNT, "0: before any thought; k: after arrival k"),
        Column("tokens_before", COUNT, "thought tokens spent before the exit"),
        Column("answer", TEXT, "canonical answer given at the exit", nullable=True),
        Column("correct", FLAG, "the answer equals the gold number"),
        Column("logit", REAL, "mean raw logit of the answer's tokens", nullable=True),
        Column(
            "logprob", REAL, "sum of the answer tokens' log-probs (nats)", nullable=True
        ),
        Column(
            "margin", REAL, "top-1 minus top-2 logit of the first token", nullable=True
        ),
        Column(
            "entropy", REAL, "of the first token's distribution (nats)", nullable=True
        ),
    ),
)

EARLY_EXIT_SUMMARY = Table(
    "early_exit/summary",
    (
        Column("backtracks", COUNT, "number of backtracks of the traces"),
        Column("exit", COUNT, "0: before any thought; k: after arrival k"),
        Column("traces", COUNT, "traces with this exit"),
        Column("problems", COUNT, "problems they are on"),
        Column("logit", REAL, "mean answer logit", nullable=True),
        Column("logit_low", REAL, "bootstrap over problems", nullable=True),
        Column("logit_high", REAL, "bootstrap over problems", nullable=True),
        Column(
            "normalised",
            REAL,
            "mean answer logit, each trace's exits scaled to 0 to 1",
            nullable=True,
        ),
        Column("normalised_low", REAL, "bootstrap over problems", nullable=True),
        Column("normalised_high", REAL, "bootstrap over problems", nullable=True),
        Column("accuracy", REAL, "share of correct answers"),
        Column("accuracy_low", REAL, "Wilson interval, n = problems"),
        Column("accuracy_high", REAL, "Wilson interval, n = problems"),
        Column("final_accuracy", REAL, "share of these traces that end correctly"),
        Column(
            "published_logit",
            REAL,
            "published mean logit; null where none, or another model or dataset",
            nullable=True,
        ),
    ),
)

EARLY_EXIT_CALIBRATION = Table(
    "early_exit/calibration",
    (
        Column("bin", COUNT, "0, 1, ...: equal counts, by confidence"),
        Column("exits", COUNT, "exits in the bin"),
        Column("problems", COUNT, "problems they are on"),
        Column("lowest", REAL, "lowest confidence, probability of the whole answer"),
        Column("highest", REAL, "highest confidence"),
        Column("confidence", REAL, "mean confidence"),
        Column("brier", REAL, "mean squared difference of confidence and truth"),
        Column("accuracy", REAL, "share of correct answers"),
        Column("accuracy_low", REAL, "Wilson interval, n = problems"),
        Column("accuracy_high", REAL, "Wilson interval, n = problems"),
    ),
)

VERIFICATION = Table(
    "verification",
    (
        Column("stage", TEXT, "the rule that checked itself"),
        Column("check", TEXT, "what was compared with what"),
        Column("statistic", TEXT, "which figure of the comparison"),
        Column("value", REAL, "the figure", nullable=True),
        Column("unit", TEXT, "its unit"),
        Column("n", BIG, "number of cases compared"),
        Column("bound", REAL, "what it must not exceed, if anything", nullable=True),
    ),
)

RUNS = Table(
    "runs",
    (
        Column("stage", TEXT, "the rule"),
        Column("shard", TEXT, "k-of-n"),
        Column("traces", BIG, "traces worked on"),
        Column("tokens", BIG, "tokens computed by the model"),
        Column("seconds", REAL, "wall time of the computation, without start-up"),
        Column("device", TEXT, "what it ran on"),
        Column("dtype", TEXT, "the weights' type"),
        Column("note", TEXT, "what a reader should know, e.g. refused traces"),
    ),
)

TABLES = (
    PROBLEMS,
    TRACES,
    EVENTS,
    DETECTOR_SCORES,
    DETECTOR_MISTAKES,
    ACTIVATION_INDEX,
    EARLY_EXIT,
    EARLY_EXIT_SUMMARY,
    EARLY_EXIT_CALIBRATION,
    VERIFICATION,
    RUNS,
)
