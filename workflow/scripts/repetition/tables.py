"""Tables of repetition: answers scored at exits, their means, steps and pulls."""

from doubletake.tables.interval_ends import HIGH, LOW
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

RIGHT, WRONG = "right", "wrong"
OUTCOMES = (RIGHT, WRONG)

THOUGHT, REPEATED, FILLER = "thought", "repeated", "filler"
WRONG_REPEATS, WRONG_ALL = "wrong_repeats", "wrong_all"
ARMS = (THOUGHT, REPEATED, FILLER, WRONG_REPEATS, WRONG_ALL)

FIXED, STATED, OTHER, FINAL, GOLD = "fixed", "stated", "other", "final", "gold"
ANSWERS = (FIXED, STATED, OTHER, FINAL, GOLD)

LOGPROB, LOG_ODDS, LOGIT = "logprob", "log_odds", "logit"
MEASURES = (LOGPROB, LOG_ODDS, LOGIT)
UNITS = {LOGPROB: "nats", LOG_ODDS: "nats", LOGIT: "logits"}

TESTED = {RIGHT: FIXED, WRONG: STATED}
"""Whose probability is tested after each outcome. After a wrong first arrival, the
answer that the model gives at exit 1 is the reference answer for some thoughts, so its
mean step would mix what should rise and what should fall."""

FIRST, LATER = "first", "later"
ALL, WENT_ON = "all", "went_on"

BEYOND, BEYOND_LATER, PULL = "beyond", "beyond_later", "pull"
CLAIMS = (BEYOND, BEYOND_LATER, FILLER, REPEATED, PULL)

_OUTCOME = Column(
    "outcome",
    TEXT,
    "whether the first arrival states the reference answer: `right` or `wrong`",
    values=OUTCOMES,
)
_ARM = Column(
    "arm",
    TEXT,
    "what the model reads after the sentence of the first arrival: `thought`, the real "
    "thought; `repeated`, this sentence again and again; `filler`, neutral sentences; "
    "`wrong_repeats`, the sentence again with another number; `wrong_all`, the same, "
    "with the other number in the first statement, too",
    values=ARMS,
)
_ANSWER = Column(
    "answer",
    TEXT,
    "whose probability it is: `fixed`, the answer that the model gives at exit 1; "
    "`stated`, the number of the first arrival; `other`, the drawn wrong number; "
    "`final`, the final answer of the trace; `gold`, the reference answer. All "
    "of them in `thought` and `repeated`, `fixed` and `stated` in `filler`, `fixed` "
    "and `other` in the others",
    values=ANSWERS,
)
_EXIT = Column(
    "exit",
    COUNT,
    "k: the answer has been stated k times; in `thought`, after its arrival k",
    unit="index",
)
_TRACES = Column("traces", COUNT, "traces behind the numbers", unit="traces")
_PROBLEMS = Column("problems", COUNT, "problems of these traces", unit="problems")


def _mean(
    name: str, meaning: str, unit: str, *, tested: bool = False
) -> tuple[Column, ...]:
    """A mean that may be missing, the ends of its interval, and its p-value."""
    columns = (
        Column(name, REAL, meaning, nullable=True, unit=unit),
        Column(f"{name}_low", REAL, LOW, nullable=True, unit=unit),
        Column(f"{name}_high", REAL, HIGH, nullable=True, unit=unit),
    )
    return (*columns, _p(f"{name}_p", P_ALONE)) if tested else columns


P_ALONE = (
    "p-value of this mean against 0, not corrected; null where there is no interval"
)


def _p(name: str, meaning: str) -> Column:
    return Column(name, REAL, meaning, nullable=True, unit="p")


REPETITION = Table(
    "repetition",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        _OUTCOME,
        Column(
            "arrivals",
            COUNT,
            "arrivals of the thought, in different sentences",
            unit="arrivals",
        ),
        _ARM,
        _EXIT,
        _ANSWER,
        Column("text", TEXT, "the scored answer as it is written"),
        Column(
            "added",
            COUNT,
            "tokens between the sentence of the first arrival and the exit",
            unit="tokens",
        ),
        Column(
            "logprob",
            REAL,
            "log-prob of the whole answer with its end, as `whole_logprob` of "
            "`early_exit`",
            unit="nats",
        ),
        Column(
            "logit",
            REAL,
            "mean raw logit of the answer's tokens, as `logit` of `early_exit`",
            unit="logit",
        ),
        Column("said", FLAG, "the model, greedy, gives this very answer at the exit"),
    ),
    holds="fixed answers scored at every exit of a thought and of its controls",
)

REPETITION_POINTS = Table(
    "repetition/points",
    (
        _OUTCOME,
        _ARM,
        _ANSWER,
        _EXIT,
        _TRACES,
        _PROBLEMS,
        Column("added", REAL, "mean of `added`", unit="tokens"),
        *_mean("logprob", "mean log-prob of the answer", "nats"),
        *_mean("log_odds", "mean log-odds of the answer, bounded at 1e-6", "nats"),
        *_mean("logit", "mean logit of the answer", "logit"),
        *_mean("said", "exits at which the model gives this answer", "share"),
    ),
    holds="mean log-prob of each answer, by outcome, arm and number of statements",
)

REPETITION_STEPS = Table(
    "repetition/steps",
    (
        _OUTCOME,
        Column("answer", TEXT, "`fixed` or `stated`", values=(FIXED, STATED)),
        Column(
            "measure",
            TEXT,
            "`logprob`, `log_odds` (no ceiling) or `logit`",
            values=MEASURES,
        ),
        Column("part", TEXT, "`first`: exit 1 to 2; `later`: the steps after it"),
        Column(
            "which",
            TEXT,
            "`all` steps, or those after which the thought `went_on`: the trace has a "
            "further arrival",
        ),
        Column("steps", COUNT, "number of steps", unit="steps"),
        _TRACES,
        _PROBLEMS,
        Column(
            "before",
            REAL,
            "mean of the measure before the step, in `thought`",
            nullable=True,
            unit="as the measure",
        ),
        *_mean("thought", "mean step of the real thought", "as the measure"),
        *_mean(
            "repeated",
            "mean step if the sentence is repeated",
            "as the measure",
            tested=True,
        ),
        *_mean(
            "filler",
            "mean step with neutral sentences",
            "as the measure",
            tested=True,
        ),
        *_mean(
            "more",
            "mean of `thought` minus `repeated`, paired",
            "as the measure",
            tested=True,
        ),
        *_mean(
            "share",
            "`repeated` over `thought`, of the mean steps; null unless the interval of "
            "`thought` lies above 0",
            "share",
        ),
    ),
    holds="how one answer's log-prob changes from exit to exit: thought and repetition",
)

REPETITION_PULL = Table(
    "repetition/pull",
    (
        _OUTCOME,
        Column("arm", TEXT, "`wrong_repeats` or `wrong_all`"),
        _EXIT,
        _TRACES,
        _PROBLEMS,
        *_mean(
            "pull",
            "log-prob of the drawn wrong number, minus the same where the thought's "
            "own sentence is repeated",
            "nats",
            tested=True,
        ),
        *_mean(
            "taken",
            "forced answers that are the wrong number",
            "share",
        ),
        *_mean(
            "lost",
            "log-prob of the fixed answer, minus the same where the thought's own "
            "sentence is repeated",
            "nats",
        ),
    ),
    holds="how far repeating a drawn wrong number pulls the model to it",
)

REPETITION_TESTS = Table(
    "repetition/tests",
    (
        _OUTCOME,
        Column(
            "answer",
            TEXT,
            "whose probability is tested: `fixed` after a right first arrival, "
            "`stated` after a wrong one; `other` for `pull`",
            values=(FIXED, STATED, OTHER),
        ),
        Column(
            "claim",
            TEXT,
            "`beyond`: first step of `thought` minus that of `repeated`; "
            "`beyond_later`: the same of later steps, of `all` and of `went_on`; "
            "`filler`, `repeated`: first step of this arm; these on the scales of "
            "log-prob and of log-odds. `pull`: `pull` of `wrong_repeats` at exit 2",
            values=CLAIMS,
        ),
        Column("problems", COUNT, "least problems of the means", unit="problems"),
        Column(
            "direction",
            COUNT,
            "sign of all means of the claim; 0 if they differ or are not tested",
            unit="sign",
        ),
        _p(
            "p", "largest p-value of the means, 1 if their signs differ; null: untested"
        ),
        _p("p_holm", "p, corrected for the number of tested claims (Holm)"),
    ),
    holds="whether thinking on, repeating and filler change an answer's probability",
)
