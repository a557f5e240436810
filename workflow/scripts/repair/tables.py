"""Tables of repair: arrivals, and what thinking on does to the answer held there."""

from doubletake.tables.interval_ends import with_ends
from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

AHEAD, BEGUN, STRAIGHT = "ahead", "begun", "straight"
TURNS = (AHEAD, BEGUN, STRAIGHT)
DIFFERENCE = "difference"
"""In `repair/shifts`: the shift of `ahead` minus that of `straight`."""

REPAIR, DAMAGE = "repair", "damage"
NEXT, END = "next", "end"

ARRIVAL, POOLED, FORM = "arrival", "pooled", "form"
STARTS = (ARRIVAL, POOLED, FORM)

MANY_TURNS = 5
"""In `repair/lost` this number of turns stands for all higher ones too."""
NO_TURN = "no_turn"
"""In `repair/causes`: no planted turn follows the arrival."""

_PROBLEMS = Column("problems", COUNT, "their problems", unit="problems")


def _p(name: str, meaning: str) -> Column:
    return Column(name, REAL, meaning, nullable=True, unit="probability")


_TEST = (
    Column("changed", COUNT, "problems in which it is not 0", unit="problems"),
    _p(
        "p",
        "two-sided p-value against 0, from the same jackknife; null: no interval, or "
        "too few changed problems for any p below 1 - `intervals.confidence`",
    ),
)

ARRIVALS = Table(
    "repair/arrivals",
    (
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("point", COUNT, "trial point of the arrival", unit="index"),
        Column(
            "arrival",
            COUNT,
            "1, 2, ... as the causal detector counts them at the point",
            unit="index",
        ),
        Column(
            "known",
            COUNT,
            "arrivals that became known since the point of the row before; more than 1 "
            "if one sentence shows several",
            unit="arrivals",
        ),
        Column(
            "in_events",
            COUNT,
            "how many of these the detector of `events` finds too, in the whole "
            "thought",
            unit="arrivals",
        ),
        Column("answer", TEXT, "the answer forced there", nullable=True),
        Column("correct", FLAG, "it has the value of the reference answer"),
        Column(
            "next_answer",
            TEXT,
            "the answer forced at the next arrival, or at the end of the thought if "
            "there is none",
            nullable=True,
        ),
        Column("next_correct", FLAG, "it has the value of the reference answer"),
        Column(
            "forced_end_correct",
            FLAG,
            "so has the answer forced at the end of the thought",
        ),
        Column("end_correct", FLAG, "so has the thought's own answer"),
        Column(
            "tokens_next",
            COUNT,
            "thought tokens from the point to the next arrival, or to the end",
            unit="tokens",
        ),
        Column(
            "tokens_after",
            COUNT,
            "thought tokens after the point; 0: the arrival is known at the end only, "
            "and no summary counts it",
            unit="tokens",
        ),
        Column(
            "turn",
            TEXT,
            "`ahead`: the thought turns back after the point, before the next arrival "
            "or the end; `begun`: the point lies after the sentence that turns back; "
            "`straight`: it does not turn back",
            values=TURNS,
        ),
        Column(
            "turns", COUNT, "backtracks of the whole thought, causal", unit="backtracks"
        ),
        Column(
            "cause",
            TEXT,
            "planted cause of the planted turn that is ahead or begun; null without "
            "one, or without a planted language",
            nullable=True,
            values=("slip", "distractor", "open_word", "none"),
        ),
    ),
    holds="every arrival that a reader of the running thought knows, and what follows",
)

RATES = Table(
    "repair/rates",
    (
        Column(
            "arrival", COUNT, "number of the arrival; null: all", True, unit="index"
        ),
        Column(
            "until",
            TEXT,
            "`next`: the answer forced at the next arrival, or at the end if there is "
            "none; `end`: the thought's own answer",
            values=(NEXT, END),
        ),
        Column(
            "change",
            TEXT,
            "`repair`: wrong at the arrival, right later; `damage`: right, wrong later",
            values=(REPAIR, DAMAGE),
        ),
        *with_ends("rate", "share of the arrivals that could change so", "share"),
        Column(
            "n",
            COUNT,
            "arrivals that are wrong (repair) or right (damage)",
            unit="arrivals",
        ),
        _PROBLEMS,
    ),
    holds="how often a wrong answer at an arrival is repaired, and a right one damaged",
)

GAINS = Table(
    "repair/gains",
    (
        Column(
            "start",
            TEXT,
            "`arrival`: one number of arrivals; `pooled`: all arrivals, each a case; "
            "`form`: not an arrival but the end of the same thoughts, so the gain is "
            "what the form of the answer does",
            values=STARTS,
        ),
        Column(
            "arrival", COUNT, "number of the arrival; null: not one", True, unit="index"
        ),
        *with_ends("accuracy", "right forced answers at the start", "share"),
        *with_ends("end_accuracy", "right answers after the same thoughts", "share"),
        *with_ends("gain", "`end_accuracy` - `accuracy`", "share"),
        *_TEST,
        _p("p_holm", "p, corrected for the number of tested arrivals (Holm)"),
        Column("tokens_after", REAL, "mean thought tokens after it", unit="tokens"),
        *with_ends(
            "gain_per_100",
            "gain per 100 of these tokens; null: no token follows",
            "share per 100 tokens",
            nullable=True,
        ),
        Column("n", COUNT, "cases", unit="arrivals"),
        _PROBLEMS,
    ),
    holds="what thinking on after an arrival gains, and for how many tokens",
)

SHIFTS = Table(
    "repair/shifts",
    (
        Column(
            "turn",
            TEXT,
            "as in `repair/arrivals`; `difference`: ahead minus straight",
            values=(*TURNS, DIFFERENCE),
        ),
        *with_ends(
            "shift",
            "share of the steps, from an arrival to the next one or to the end, at "
            "which the forced answer changes",
            "share",
        ),
        Column("tokens", REAL, "mean thought tokens of a step", unit="tokens"),
        Column("n", COUNT, "steps", unit="steps"),
        Column(
            "problems",
            COUNT,
            "their problems; of the difference, the fewer of both sides",
            unit="problems",
        ),
    ),
    holds="how often the forced answer changes across a turn, and without one",
)

LOST = Table(
    "repair/lost",
    (
        Column(
            "turns",
            COUNT,
            f"backtracks of the thought, {MANY_TURNS} stands for all higher numbers "
            "too; null: any number",
            nullable=True,
            unit="backtracks",
        ),
        *with_ends("lost", "right at an arrival, wrong at the end", "share"),
        *with_ends("gained", "wrong at every arrival, right at the end", "share"),
        *with_ends("kept", "right at an arrival and at the end", "share"),
        Column(
            "n", COUNT, "thoughts with an arrival before their end", unit="thoughts"
        ),
        _PROBLEMS,
    ),
    holds="thoughts that were right at an arrival and end wrong, by number of turns",
)

BY_CAUSE = Table(
    "repair/causes",
    (
        Column(
            "cause",
            TEXT,
            "planted cause of the turn after the arrival: `slip`, `distractor`, "
            f"`open_word`, `none` (a turn without a cause); `{NO_TURN}`: no turn",
        ),
        Column("n", COUNT, "arrivals", unit="arrivals"),
        _PROBLEMS,
        Column(
            "begun",
            COUNT,
            "of these arrivals, those whose point lies after the sentence that turns",
            unit="arrivals",
        ),
        *with_ends("accuracy", "right forced answers at the arrival", "share"),
        *with_ends(
            "next_accuracy",
            "right forced answers at the next arrival, or at the end",
            "share",
        ),
        *with_ends("change", "`next_accuracy` - `accuracy`", "share"),
        *_TEST,
        _p("p_holm", "p, corrected for the number of tested causes (Holm)"),
        *with_ends("repair", "wrong answers that become right", "share", nullable=True),
        Column("wrong", COUNT, "wrong answers at the arrival", unit="arrivals"),
        *with_ends("damage", "right answers that become wrong", "share", nullable=True),
        *with_ends("shift", "forced answers that change", "share"),
        Column("tokens", REAL, "mean thought tokens of a step", unit="tokens"),
    ),
    holds="repair, damage and belief shift by the planted cause of the turn; empty "
    "without a planted language",
)
