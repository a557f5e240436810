"""Positions at which the model decides how to go on, and the words that say how."""

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

TURNS = Table(
    "turns",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "the event within the trace"),
        Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`"),
        Column("ordinal", COUNT, "1, 2, ...: k-th of its kind in the trace"),
        Column(
            "position",
            COUNT,
            "token index that predicts the sentence's first token; the cached position",
        ),
        Column("next", COUNT, "id of the sentence's first token"),
        Column("logprob", REAL, "log-prob of that token, from the cache (nats)"),
        Column("predicted", COUNT, "id of the most likely next token"),
        Column("predicted_text", TEXT, "the most likely next token"),
        Column("is_word", FLAG, "the most likely next token is a backtrack word"),
        Column(
            "selected",
            FLAG,
            "looked into: backtracks that `turns` of the config asks for, for each of "
            "these the nearest control of the trace, and every wrap-up",
        ),
    ),
    holds="positions that predict a backtrack, wrap-up or control, and the most "
    "likely token there",
)

TURN_WORDS = Table(
    "turns/words",
    (
        Column("group", TEXT, "`backtrack` or `wrap_up`"),
        Column("word", TEXT, "the word of the config"),
        Column("token", COUNT, "id of a single-token variant"),
        Column("text", TEXT, "the variant as the tokenizer writes it"),
    ),
    holds="the words that turn back or wrap up, as tokens",
)
