"""Names of the starts, the places and the actions, as the tables hold them."""

WRONG, RIGHT = "wrong", "right"
STARTS = (WRONG, RIGHT)
"""How the whole thought ends."""

LAST, FIRST = "last", "first"
PLACES = (LAST, FIRST)
"""The arrival from which a thought is continued."""

RESAMPLE, WAIT, STEER, STEER_WAIT = "resample", "wait", "steer", "steer_wait"
RANDOM, VOTE, AFRESH = "random", "vote", "afresh"
END, WRAP_UP = "end", "wrap_up"
ACTIONS = (RESAMPLE, WAIT, STEER, STEER_WAIT, RANDOM, VOTE, AFRESH, END, WRAP_UP)
"""All actions, in the order of tables and figures."""

GROUPS = ((WRONG, LAST), (RIGHT, LAST), (RIGHT, FIRST))
"""Starts and places that have continuations."""

STUDY, FURTHER = "study", "further"
SOURCES = (STUDY, FURTHER)
"""Where a thought comes from: the study, or sampled to find more wrong ones."""

TESTED = {
    "over_resample": (RESAMPLE, (WAIT, STEER, STEER_WAIT, END, WRAP_UP)),
    "over_vote": (VOTE, (WAIT, STEER, STEER_WAIT)),
    "over_random": (RANDOM, (STEER, WRAP_UP)),
}
"""By comparison: the control, and the actions that are tested against it."""
