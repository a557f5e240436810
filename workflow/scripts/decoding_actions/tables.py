"""Tables of decoding actions: forbidden words, thoughts, and means by action."""

import polars as pl

from decoding_actions.keywords import ACTIONS, CGRS, NOWAIT
from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

WORDS = Table(
    "decoding_actions/words",
    (
        Column(
            "action", TEXT, "the action that forbids the word", values=(NOWAIT, CGRS)
        ),
        Column("keyword", TEXT, "the word"),
        Column(
            "tokens", pl.List(pl.Int32), "tokens that are forbidden", unit="token id"
        ),
        Column(
            "written", COUNT, "how often the study's thoughts hold them", unit="tokens"
        ),
        Column(
            "left",
            pl.List(pl.String),
            "spellings in the study's thoughts that could not be forbidden, because "
            "their first token begins other words, too",
        ),
        Column(
            "left_written", COUNT, "how often the thoughts hold these", unit="words"
        ),
    ),
    sort=("action", "keyword"),
    holds="the words that NoWait and CGRS forbid, their tokens, and what of them could "
    "not be forbidden",
)

DECODING_ACTIONS = Table(
    "decoding_actions",
    (
        Column("action", TEXT, "what was done while decoding", values=ACTIONS),
        Column("trace", TEXT, "id of the trace with the whole thought"),
        Column("problem", TEXT, "id of its problem"),
        Column(
            "applied",
            FLAG,
            "the action could be done; false: a thought without an end or without room "
            "cannot be prolonged, and is kept as it is",
        ),
        Column("tokens", COUNT, "tokens of the thought", unit="tokens"),
        Column("trials", COUNT, "trial answers", unit="trials"),
        Column("trial_tokens", COUNT, "tokens of the trial answers", unit="tokens"),
        Column("total", COUNT, "tokens of thought and trials", unit="tokens"),
        Column("closed", FLAG, "the thought has an end"),
        Column("answer", TEXT, "the final answer", nullable=True),
        Column("correct", FLAG, "it has the value of the reference answer"),
        Column(
            "backtracks",
            COUNT,
            "backtracks that the detector finds in the thought",
            unit="backtracks",
        ),
        Column(
            "forbidden",
            COUNT,
            "tokens of the thought that the action forbids, at any place",
            unit="tokens",
        ),
        Column(
            "spelled",
            COUNT,
            "keywords of NoWait in the text of the thought, also those that other "
            "tokens spell",
            unit="words",
        ),
        Column(
            "shared",
            COUNT,
            "first tokens of the completion that equal those of the whole one",
            unit="tokens",
        ),
        Column("same", FLAG, "all tokens of both completions are equal"),
        Column("whole_tokens", COUNT, "tokens of the whole thought", unit="tokens"),
        Column("whole_correct", FLAG, "its answer is right"),
        Column("whole_backtracks", COUNT, "its backtracks", unit="backtracks"),
        Column(
            "whole_forbidden",
            COUNT,
            "tokens of it that the action forbids",
            unit="tokens",
        ),
        Column("text", TEXT, "thought and answer, markers included"),
    ),
    sort=("action", "problem", "trace"),
    holds="thoughts decoded again with every action, beside the whole thoughts",
)


SUMMARY = Table(
    "decoding_actions/summary",
    (
        Column("action", TEXT, "what was done while decoding", values=ACTIONS),
        *(
            Column(name, COUNT, meaning, unit=unit)
            for name, meaning, unit in (
                ("thoughts", "thoughts decoded again", "thoughts"),
                ("problems", "their problems", "problems"),
                ("applied", "thoughts to which the action could be done", "thoughts"),
                ("helped", "wrong in the whole thought, right now", "thoughts"),
                ("harmed", "right in the whole thought, wrong now", "thoughts"),
                ("unchanged", "as right as in the whole thought", "thoughts"),
                (
                    "same",
                    "thoughts that equal the whole one token by token",
                    "thoughts",
                ),
                ("unclosed", "thoughts without an end", "thoughts"),
                ("trials", "trial answers", "trials"),
            )
        ),
        *with_ends(
            "total_rate",
            "tokens of thoughts and trials over those of the whole thoughts",
            "share",
            nullable=True,
        ),
        *with_ends("kept_rate", "the same without the trials", "share", nullable=True),
        *with_ends("accuracy", "right answers", "share", nullable=True),
        *with_ends(
            "whole_accuracy",
            "right answers of the whole thoughts",
            "share",
            nullable=True,
        ),
        *with_ends(
            "change",
            "accuracy minus that of the whole thoughts, paired",
            "share",
            nullable=True,
        ),
        Column(
            "change_p",
            REAL,
            "p-value of no change, paired score test over problems; null: too few",
            nullable=True,
            unit="probability",
        ),
        Column(
            "change_holm",
            REAL,
            "the same, corrected for the number of actions (Holm)",
            nullable=True,
            unit="probability",
        ),
        *with_ends("backtracks", "backtracks per thought", "backtracks", nullable=True),
        *with_ends(
            "whole_backtracks",
            "backtracks per whole thought",
            "backtracks",
            nullable=True,
        ),
        *with_ends(
            "backtracks_change",
            "backtracks per thought minus those of the whole thoughts, paired",
            "backtracks",
            nullable=True,
        ),
        Column(
            "forbidden",
            REAL,
            "tokens that the action forbids, per whole thought",
            nullable=True,
            unit="tokens",
        ),
        Column(
            "spelled",
            REAL,
            "keywords of NoWait left in the text, per thought",
            nullable=True,
            unit="words",
        ),
        *with_ends(
            "over_control",
            "accuracy minus that with the control words forbidden, paired; only NoWait",
            "share",
            nullable=True,
        ),
        *with_ends(
            "tokens_over_control",
            "tokens minus those with the control words forbidden, over the tokens of "
            "the whole thoughts; only NoWait",
            "share",
            nullable=True,
        ),
    ),
    holds="cost, accuracy and backtracks of every action, against the whole thoughts "
    "and, for NoWait, against control words",
)
