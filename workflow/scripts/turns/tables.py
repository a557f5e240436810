"""Tables of the turns: positions with their most likely token, and the turn words."""

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

TURNS = Table(
    "turns",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "number of the event within the trace", unit="index"),
        Column("kind", TEXT, "`backtrack`, `wrap_up` or `control`"),
        Column(
            "ordinal",
            COUNT,
            "k for the k-th of its kind in the trace, from 1",
            unit="index",
        ),
        Column(
            "position",
            COUNT,
            "the token that predicts the sentence's first token; its activations are "
            "in the cache",
            unit="token index",
        ),
        Column("next_id", COUNT, "the sentence's first token", unit="token id"),
        Column(
            "logprob",
            REAL,
            "log-prob of the sentence's first token, from the cache",
            unit="nats",
        ),
        Column(
            "predicted_id",
            COUNT,
            "the most likely next token that is not white space",
            unit="token id",
        ),
        Column("predicted_text", TEXT, "text of this token"),
        Column("is_word", FLAG, "this token is a backtrack word"),
        Column(
            "selected",
            FLAG,
            "the experiments use this position: the backtracks that `turns` of the "
            "config asks for, the matched controls of these backtracks, and every "
            "wrap-up",
        ),
    ),
    holds="positions that predict a backtrack, wrap-up or matched control, and the "
    "most likely token there",
)

TURN_WORDS = Table(
    "turns/words",
    (
        Column("group", TEXT, "`backtrack` or `wrap_up`"),
        Column("word", TEXT, "the word of the config"),
        Column("token_id", COUNT, "a single-token variant of it", unit="token id"),
        Column("text", TEXT, "the variant as the tokenizer writes it"),
    ),
    holds="the words that turn back or wrap up, as tokens",
)
