"""Tables of matched pairs: their members, what was dropped, and the balance."""

from doubletake.tables.table import COUNT, FLAG, REAL, TEXT, Column, Table

NUMBERS = ("since_arrival", "arrivals_before", "depth", "position")
"""Covariates that are numbers; a probe on them alone is the baseline of position."""
MATCHED = "matched"
"""Kind in summaries: the selected backtracks whose matched control is here too."""
DIFFERENCE = "difference"
"""Kind in summaries: of each such pair, the backtrack minus its control."""
CONTRAST = Column(
    "contrast",
    TEXT,
    "`backtrack_control`, `wrap_up_control`, `backtrack_wrap_up` or `right_arrival` "
    "(right against wrong arrivals)",
)

MATCHES = Table(
    "matches",
    (
        CONTRAST,
        Column("pair", COUNT, "number of the pair in the contrast", unit="index"),
        Column("label", FLAG, "the member belongs to the first class of the contrast"),
        Column("trace", TEXT, "id of the trace"),
        Column("problem", TEXT, "id of its problem"),
        Column("event", COUNT, "number of the event within the trace", unit="index"),
        Column(
            "position",
            COUNT,
            "the cached token: of an arrival its own, of a sentence the one before it",
            unit="token index",
        ),
        Column("line_start", FLAG, "the event starts a line; equal within a pair"),
        Column(
            "token_class",
            TEXT,
            "text of the token at the position, with `a` for letters and `0` for "
            "digits; equal within a pair",
        ),
        Column(
            "since_arrival",
            COUNT,
            "tokens from the last earlier arrival to the position; without an earlier "
            "arrival, from the start of the thought",
            unit="tokens",
        ),
        Column("arrivals_before", COUNT, "number of earlier arrivals", unit="arrivals"),
        Column(
            "depth", COUNT, "tokens of the thought up to the position", unit="tokens"
        ),
    ),
    holds="pairs of positions that stand alike, two rows a pair",
)

DROPPED = Table(
    "matches/dropped",
    (
        CONTRAST,
        Column("reason", TEXT, "why events of the first class have no partner"),
        Column("events", COUNT, "events of the first class", unit="events"),
    ),
    holds="events of the first class without a partner, by reason",
)

BALANCE = Table(
    "matches/balance",
    (
        CONTRAST,
        Column(
            "covariate",
            TEXT,
            "a column of the table of pairs; `token_class`: the class in which the "
            "two sides differ most",
        ),
        Column("first", COUNT, "events of the first class", unit="events"),
        Column("second", COUNT, "events of the second class", unit="events"),
        Column("pairs", COUNT, "pairs", unit="pairs"),
        *(
            Column(
                f"{side}_{when}",
                REAL,
                f"mean of the {side} class {text}",
                True,
                unit="that of the covariate",
            )
            for when, text in (("before", "before matching"), ("after", "in the pairs"))
            for side in ("first", "second")
        ),
        *(
            Column(
                f"difference_{when}",
                REAL,
                f"difference of the means {text}, first minus second class, divided "
                "by the standard deviation before matching (root of the mean of both "
                "variances)",
                True,
                unit="standard deviations",
            )
            for when, text in (("before", "before matching"), ("after", "in the pairs"))
        ),
    ),
    holds="how far the classes differ in each covariate, before and after matching",
)
