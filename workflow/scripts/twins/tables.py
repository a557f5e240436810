"""Tables of twins: contexts with and without their cause, means, rates of turning."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

MANY_TURNS = 5
"""In `twins/rates` this number of turns stands for all higher ones too."""

_CAUSE = Column("cause", TEXT, "`slip`, `distractor` or `open_word`")


def _probability(name: str, meaning: str) -> Column:
    return Column(name, REAL, meaning, nullable=True, unit="probability")


TWINS = Table(
    "twins",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column(
            "boundary", COUNT, "number of the boundary, as in `truth`", unit="index"
        ),
        _CAUSE,
        Column(
            "refused",
            TEXT,
            "why there is no pair; null: the pair was measured",
            nullable=True,
        ),
        Column(
            "aligned",
            FLAG,
            "both contexts have equally many tokens, which differ only at the changed "
            "places; null without a twin",
            nullable=True,
        ),
        Column(
            "changed",
            COUNT,
            "tokens of the twin at the changed places; null without a twin",
            nullable=True,
            unit="tokens",
        ),
        _probability("planted_with", "planted probability of turning, with the cause"),
        _probability("planted_without", "the same in the twin, without the cause"),
        _probability(
            "turn_with",
            "the model's probability of turning with the cause: the first words that "
            "turn, as a share of all first words at boundaries; at the temperature and "
            "top-p of the language",
        ),
        _probability("turn_without", "the same in the twin, without the cause"),
        _probability("raw_with", "as `turn_with`, at temperature 1 and without top-p"),
        _probability("raw_without", "the same in the twin, without the cause"),
    ),
    holds="contexts with one cause, and the probability of turning there with and "
    "without the cause",
)

TWINS_SUMMARY = Table(
    "twins/summary",
    (
        _CAUSE,
        Column("drawn", COUNT, "drawn boundaries with this cause", unit="boundaries"),
        Column("pairs", COUNT, "measured pairs", unit="pairs"),
        Column("problems", COUNT, "problems of these pairs", unit="problems"),
        Column("built", REAL, "pairs among the drawn boundaries", unit="share"),
        Column(
            "aligned",
            REAL,
            "pairs that are aligned token by token",
            nullable=True,
            unit="share",
        ),
        _probability("planted_with", "mean over pairs, as in `twins`"),
        _probability("planted_without", "mean over pairs, as in `twins`"),
        _probability("planted_effect", "mean of `planted_with` - `planted_without`"),
        _probability("turn_with", "mean over pairs, as in `twins`"),
        _probability("turn_without", "mean over pairs, as in `twins`"),
        _probability("effect", "mean of `turn_with` - `turn_without`"),
        _probability("low", f"of `effect`: {LOW}"),
        _probability("high", HIGH),
        _probability("raw_with", "mean over pairs, as in `twins`"),
        _probability("raw_without", "mean over pairs, as in `twins`"),
        _probability("raw_effect", "mean of `raw_with` - `raw_without`"),
    ),
    holds="the mean effect of each planted cause on the probability of turning",
)

TWINS_RATES = Table(
    "twins/rates",
    (
        Column("cause", TEXT, "`slip`, `distractor`, `open_word` or `none`"),
        Column(
            "turns",
            COUNT,
            f"of `none`: turns before, {MANY_TURNS} stands for all higher numbers too; "
            "else null",
            nullable=True,
            unit="turns",
        ),
        Column(
            "boundaries",
            COUNT,
            "boundaries of the study's thoughts, without unread ones",
            unit="boundaries",
        ),
        Column("problems", COUNT, "problems of these boundaries", unit="problems"),
        Column("planted", REAL, "mean planted probability of turning", unit="share"),
        Column("rate", REAL, "boundaries at which the thought turns", unit="share"),
        Column("low", REAL, LOW, nullable=True, unit="share"),
        Column("high", REAL, HIGH, nullable=True, unit="share"),
    ),
    holds="how often thoughts turn by their cause, beside the planted rate",
)
