"""Tables of wrong samples: continuations, thoughts, means by action, net changes."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table
from wrong_samples.names import ACTIONS, PLACES, SOURCES, STARTS

START = Column("start", TEXT, "how the whole thought ends", values=STARTS)
PLACE = Column(
    "place",
    TEXT,
    "the arrival from which the thought is continued, as the causal reader finds it",
    values=PLACES,
)
ACTION = Column("action", TEXT, "what was done from there on", values=ACTIONS)

WRONG_SAMPLES = Table(
    "wrong_samples",
    (
        START,
        PLACE,
        ACTION,
        Column("trace", TEXT, "id of the whole thought"),
        Column("problem", TEXT, "id of its problem"),
        Column("draw", COUNT, "number of the draw, from 0", unit="index"),
        Column("arrivals", COUNT, "arrivals of the whole thought", unit="arrivals"),
        Column(
            "kept",
            COUNT,
            "tokens of the whole completion before the cut; 0 for `afresh`",
            unit="tokens",
        ),
        Column(
            "tokens",
            COUNT,
            "tokens that were spent after the cut: forced, thought and answer; of "
            "`vote`, of all its draws",
            unit="tokens",
        ),
        Column("votes", COUNT, "continuations behind the answer", unit="draws"),
        Column("closed", FLAG, "the thought has an end; of `vote`, that of any draw"),
        Column("limited", FLAG, "the continuation was cut off at the limit of tokens"),
        Column("looped", FLAG, "it ends in a block that repeats"),
        Column("answer", TEXT, "the final answer", nullable=True),
        Column("correct", FLAG, "it has the value of the reference answer"),
        Column(
            "backtracks",
            COUNT,
            "backtracks after the cut, by the study's detector",
            unit="backtracks",
        ),
        Column("whole_tokens", COUNT, "tokens of the whole completion", unit="tokens"),
        Column("whole_answer", TEXT, "the answer of the whole thought", nullable=True),
        Column("text", TEXT, "what follows the cut; of `vote`, the answers"),
    ),
    sort=("start", "place", "problem", "trace", "draw", "action"),
    holds="continuations of thoughts from an arrival, by action and draw",
)

THOUGHTS = Table(
    "wrong_samples/thoughts",
    (
        Column("trace", TEXT, "id: problem/sample"),
        Column("problem", TEXT, "id of the problem"),
        Column("test", FLAG, "the problem gave no direction"),
        Column(
            "source",
            TEXT,
            "`study`, or `further`: sampled to find more thoughts that end wrong",
            values=SOURCES,
        ),
        Column("tokens", COUNT, "tokens of the completion", unit="tokens"),
        Column("closed", FLAG, "the thought has an end"),
        Column("arrivals", COUNT, "arrivals of the causal reader", unit="arrivals"),
        Column("correct", FLAG, "the answer is right"),
    ),
    sort=("problem", "trace"),
    holds="thoughts of the study and further ones: right or wrong, with their arrivals",
)


def _tested(name: str, other: str) -> tuple[Column, ...]:
    """A difference of accuracies with its test."""
    return (
        *with_ends(
            name,
            f"accuracy minus that of {other}, on the same thoughts and draws",
            "share",
            nullable=True,
        ),
        Column(
            f"{name}_p",
            REAL,
            "p-value of no difference, paired score test over problems; null: too few, "
            "or not tested",
            nullable=True,
            unit="probability",
        ),
        Column(
            f"{name}_holm",
            REAL,
            "the same, corrected for the number of actions at this start and place "
            "(Holm)",
            nullable=True,
            unit="probability",
        ),
    )


SUMMARY = Table(
    "wrong_samples/summary",
    (
        START,
        PLACE,
        ACTION,
        Column("thoughts", COUNT, "thoughts that were continued", unit="thoughts"),
        Column("problems", COUNT, "their problems", unit="problems"),
        Column("draws", COUNT, "continuations, all draws", unit="draws"),
        *with_ends(
            "changed",
            "draws that mend a wrong thought, or spoil a right one",
            "share",
            nullable=True,
        ),
        *with_ends("accuracy", "draws with a right answer", "share", nullable=True),
        *with_ends("tokens", "tokens spent per draw", "tokens", nullable=True),
        *with_ends(
            "token_rate", "tokens over those of `resample`", "share", nullable=True
        ),
        *with_ends(
            "turns", "backtracks after the cut, per draw", "backtracks", nullable=True
        ),
        Column("unclosed", COUNT, "draws without an end of thought", unit="draws"),
        Column("limited", COUNT, "draws that reached the limit", unit="draws"),
        Column("looped", COUNT, "draws that end in a loop", unit="draws"),
        *_tested("over_resample", "`resample`"),
        *_tested("over_vote", "`vote`"),
        *_tested("over_random", "`random`"),
    ),
    holds="mended and spoiled thoughts, cost and ends by start, place and action, "
    "against resampling, a vote of equal cost, and random directions",
)

NET = Table(
    "wrong_samples/net",
    (
        ACTION,
        Column("wrong", COUNT, "wrong thoughts that were continued", unit="thoughts"),
        Column("right", COUNT, "right thoughts that were continued", unit="thoughts"),
        Column("problems", COUNT, "their problems", unit="problems"),
        Column(
            "wrong_share",
            REAL,
            "thoughts of the study that end wrong and have an arrival",
            unit="share",
        ),
        Column(
            "right_share",
            REAL,
            "thoughts of the study that end right and have an arrival",
            unit="share",
        ),
        *with_ends(
            "net",
            "change of accuracy if all thoughts of the study were treated so at their "
            "last arrival",
            "share",
            nullable=True,
        ),
        *with_ends(
            "over_resample", "this minus the same of `resample`", "share", nullable=True
        ),
    ),
    holds="change of accuracy if an action were applied to all thoughts of the study",
)
