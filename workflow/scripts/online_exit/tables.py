"""Tables of online exit: decoding against replay, and seconds."""

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

GREEDY, SAMPLED = "greedy", "sampled"
MODES = (GREEDY, SAMPLED)
"""How the tokens of the thoughts are chosen."""

TOKEN, OTHER_POINTS, TRIAL_ANSWER = "token", "points", "trial"
SCORE, UNEXPLAINED = "score", "unexplained"
REASONS = (TOKEN, OTHER_POINTS, TRIAL_ANSWER, SCORE, UNEXPLAINED)
"""Another token of the thought, other points, another trial answer, a score that
rounding puts on the other side of the threshold, and what none of these explains."""

PREFILL, THINKING, POINTS = "prefill", "token", "points"
SHARED, ALONE = "shared", "alone"

_RULE = Column("rule", TEXT, "exit rule, as in docs/exit_rules.md")
_MODE = Column(
    "mode",
    TEXT,
    "how tokens are chosen: `greedy`, or `sampled` with the random numbers of the "
    "study's traces",
    values=MODES,
)

ONLINE_EXIT = Table(
    "online_exit",
    (
        _RULE,
        _MODE,
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("kept", COUNT, "thought tokens up to the stop", unit="tokens"),
        Column(
            "replay_kept",
            COUNT,
            "thought tokens up to the stop of the replay on the finished thought",
            unit="tokens",
        ),
        Column("full", COUNT, "tokens of the finished thought", unit="tokens"),
        Column("stopped", FLAG, "the rule stopped the thought before its end"),
        Column("equal", FLAG, "same tokens, same looks, same trial answers, same stop"),
        Column(
            "reason",
            TEXT,
            "what differs first: a `token` of the thought, the `points`, the tokens of "
            "a `trial` answer, a `score` within rounding of the threshold, or "
            "`unexplained`; null: nothing",
            nullable=True,
            values=REASONS,
        ),
        Column(
            "first",
            COUNT,
            "thought tokens before the first difference",
            nullable=True,
            unit="tokens",
        ),
        Column(
            "gap",
            REAL,
            "how close the choice was there. `token` and `trial`: highest logit minus "
            "the second, in nats; for a sampled token the distance of the drawn number "
            "to the next token, in probability. `score`: distance to the threshold",
            nullable=True,
            unit="as the meaning says",
        ),
        Column(
            "read",
            COUNT,
            "thought tokens that were decoded, with those read ahead of the stop and "
            "the end marker",
            unit="tokens",
        ),
        Column("points", COUNT, "points that the rule was shown", unit="points"),
        Column("looks", COUNT, "points at which it looked", unit="looks"),
        Column("trials", COUNT, "trial answers", unit="trials"),
        Column("trial_tokens", COUNT, "tokens of these trials", unit="tokens"),
        Column(
            "entropies",
            COUNT,
            "looks at the entropy after the end marker",
            unit="looks",
        ),
        Column("markers", COUNT, "looks at the end marker", unit="looks"),
        Column("probes", COUNT, "scores of a probe", unit="looks"),
    ),
    holds="every rule that decided while the model decoded, against its replay",
)

ONLINE_RULES = Table(
    "online_exit/rules",
    (
        _RULE,
        _MODE,
        Column(
            "why_not",
            TEXT,
            "why the rule was not run; all numbers are null then",
            nullable=True,
        ),
        *(
            Column(name, COUNT, meaning, nullable=True, unit="thoughts")
            for name, meaning in (
                ("thoughts", "thoughts that were decoded"),
                ("equal", "those on which decoding and replay are equal"),
                ("stopped", "those that the rule stopped before their end"),
                *(
                    (f"other_{reason}", f"those with the reason `{reason}`")
                    for reason in REASONS
                ),
            )
        ),
        Column(
            "largest_gap",
            REAL,
            "the largest `gap` of the differences; null without one",
            nullable=True,
            unit="as in `gap`",
        ),
    ),
    holds="on how many thoughts each rule stops where its replay does, and why not",
)

LATENCY = Table(
    "online_exit/latency",
    (
        Column(
            "what",
            TEXT,
            "`prefill` of the prompt; one `token` of the thought; finding the `points` "
            "that a token shows; a look at the `marker`, the `entropy`, a `trial` "
            "answer or a `probe`",
        ),
        Column(
            "prefix",
            TEXT,
            "`shared`: a branch of the running cache; `alone`: the whole prefix is "
            "read again; null where there is no choice",
            nullable=True,
            values=(SHARED, ALONE),
        ),
        Column("n", COUNT, "measurements, each of one thought", unit="measurements"),
        Column("median", REAL, "median", unit="seconds"),
        Column("high", REAL, "90th percentile", unit="seconds"),
    ),
    holds="seconds of each step on this machine, one thought at a time",
)

LATENCY_RULES = Table(
    "online_exit/latency_rules",
    (
        _RULE,
        Column("thoughts", COUNT, "thoughts that were decoded", unit="thoughts"),
        Column(
            "to_the_end", REAL, "prompts and whole thoughts, in sum", unit="seconds"
        ),
        Column(
            "thinking",
            REAL,
            "prompts and the tokens that the rule lets the model read",
            unit="seconds",
        ),
        Column("finding", REAL, "finding the points", unit="seconds"),
        Column(
            "looking_shared", REAL, "looks on branches of the cache", unit="seconds"
        ),
        Column(
            "looking_alone",
            REAL,
            "looks that read the whole prefix again",
            unit="seconds",
        ),
        Column("deciding", REAL, "the rule's own arithmetic", unit="seconds"),
    ),
    holds="seconds of the thoughts under each rule, composed of counts and medians",
)
