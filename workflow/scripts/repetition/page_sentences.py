"""Sentences on the steps of an answer, a repeated wrong number, and filler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.wording import percent, plural, probability, significant
from repetition.page_tests import (
    Row,
    both_scales,
    claim_row,
    direction,
    has_room,
    only_scale,
)
from repetition.tables import (
    BEYOND,
    BEYOND_LATER,
    FILLER,
    FIXED,
    GOLD,
    LATER,
    LOG_ODDS,
    LOGPROB,
    PULL,
    REPEATED,
    STATED,
    TESTED,
    THOUGHT,
    WRONG,
    WRONG_REPEATS,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NAMES = {LOGPROB: "log-prob", LOG_ODDS: "log-odds"}
SUBJECTS = {
    FIXED: "the answer forced at exit 1",
    STATED: "the wrong number stated there",
}
AS_REPEATING = "than repeating the sentence of this arrival does"
VERDICTS = {
    None: "it is not checked whether thinking on changes the probability of {it} more "
    "than repeating the sentence of this arrival does",
    1: f"thinking on makes {{it}} more probable {AS_REPEATING}",
    -1: f"thinking on makes {{it}} less probable {AS_REPEATING}",
    0: "thinking on cannot be told from repeating the sentence of this arrival, by the "
    "probability of {it}",
}
MORE = {
    None: "Whether thinking on does more than repeating is not checked",
    1: "So thinking on adds confidence in it that repeating does not give",
    -1: "So thinking on leaves less confidence in it than repeating does",
    0: "So thinking on cannot be told from repeating",
}
LATER_MORE = {
    1: "Thinking on adds more",
    -1: "Thinking on adds less",
    0: "The two cannot be told apart",
}
CAVEAT = (
    "All tests of this section are corrected together (Holm). A step\u2019s direction "
    "is claimed only if log-prob and log-odds both show it: its p is the larger one of "
    "both. The pull of a repeated wrong number is tested by its log-prob."
)
LATER_CAVEAT = (
    "Whether a thought goes on after its second arrival may depend on how sure it is "
    "there. So a difference of later steps is claimed only if two means show it: that "
    "of all steps, and that of steps after which the thought went on."
)
MOVES = {1: "rises", -1: "falls", 0: "is not shown to change"}


def verdict(data: StudyData, outcome: str) -> str:
    """In a word, what thinking on does beyond repetition."""
    said = VERDICTS[direction(data, outcome, BEYOND)]
    return said.format(it=SUBJECTS[TESTED[outcome]])


def change(value: float) -> str:
    """A change with its sign."""
    text = significant(value)
    return text if text.startswith(("\u2212", "0")) and value <= 0 else f"+{text}"


def interval(row: Row, name: str, data: StudyData) -> str:
    """The interval of a mean in words, or why there is none."""
    words = data.between(row, significant, name)
    if row[f"{name}_low"] is None:
        return words
    return f"{data.confidence:.0%} interval {words}"


def corrected(data: StudyData, outcome: str, claim: str) -> str:
    """The corrected p-value of a claim, to follow on an interval; empty without one."""
    row = claim_row(data, outcome, claim)
    return "" if row is None else f"; corrected p {probability(row['p_holm'])}"


def other_scale(rows: list[Row], name: str) -> str:
    """That only one scale shows a change; empty if both do, or neither."""
    shown = only_scale(rows, name)
    if shown is None:
        return ""
    other = LOG_ODDS if shown == LOGPROB else LOGPROB
    return (
        f" The interval excludes 0 only on the scale of {NAMES[shown]}; that of "
        f"{NAMES[other]} does not show it, so no direction is claimed."
    )


def step_sentence(data: StudyData, outcome: str) -> str:
    """The first step of the tested answer, in both arms and on both scales."""
    row, odds = both_scales(data, outcome)
    text = (
        f"After a {outcome} first arrival ({plural(row['traces'], 'thought')}), the "
        f"log-prob of {SUBJECTS[row['answer']]} changes by {change(row[THOUGHT])} nats "
        f"up to the next arrival, and by {change(row[REPEATED])} if the arrival\u2019s "
        f"sentence is only repeated: a difference of {change(row['more'])} "
        f"({interval(row, 'more', data)})."
    )
    if not has_room(row):
        text += (
            f" The log-prob is at its ceiling: its mean is "
            f"{significant(row['before'])} before the step, so on this scale a rise "
            "can only be small."
        )
    text += (
        " On the scale of log-odds, which has no ceiling, the steps are "
        f"{change(odds[THOUGHT])} and {change(odds[REPEATED])}: a difference of "
        f"{change(odds['more'])} ({interval(odds, 'more', data)}"
        f"{corrected(data, outcome, BEYOND)}).{other_scale([row, odds], 'more')} "
        f"{MORE[direction(data, outcome, BEYOND)]}."
    )
    if row["share"] is not None and has_room(row):
        text += (
            f" Repeating gives {percent(row['share'], 0)} of the log-prob\u2019s rise "
            f"({_share_interval(row, data)})."
        )
    return text


def _share_interval(row: Row, data: StudyData) -> str:
    words = data.between(row, lambda value: percent(value, 0), "share")
    return words if row["share_low"] is None else f"interval {words}"


def later_sentence(data: StudyData, outcome: str) -> str:
    """What the steps after the second arrival say."""
    rows = both_scales(data, outcome, LATER)
    if not rows or not rows[0]["steps"]:
        return ""
    row, odds = rows
    sign = direction(data, outcome, BEYOND_LATER)
    n = f"{plural(row['steps'], 'step')} of {plural(row['traces'], 'thought')}"
    if sign is None:
        return (
            f"Later arrivals after a {outcome} first one are not checked ({n}): both "
            "means need enough problems, that of all steps and that of steps after "
            "which the thought went on."
        )
    return (
        f"From the second arrival on ({outcome} first arrival, {n}), the log-prob "
        f"changes by {change(row[THOUGHT])} nats with each further arrival, and by "
        f"{change(row[REPEATED])} if the first arrival\u2019s sentence is repeated: a "
        f"difference of {change(row['more'])} ({interval(row, 'more', data)}), and of "
        f"{change(odds['more'])} of the log-odds ({interval(odds, 'more', data)}"
        f"{corrected(data, outcome, BEYOND_LATER)}).{other_scale(rows, 'more')} "
        f"{LATER_MORE[sign]}."
    )


def stated_sentence(data: StudyData) -> str:
    """What repeating does to the stated number of a wrong first arrival."""
    rows = both_scales(data, WRONG)
    sign = direction(data, WRONG, REPEATED)
    if not rows:
        return ""
    given = (
        "After a wrong first arrival, the answer forced at exit 1 is the number that "
        f"the arrival states in {_given(data, STATED)}, and the right one in "
        f"{_given(data, GOLD)}. So not this answer is tested, but the stated number."
    )
    if sign is None:
        return f"{given} Whether repeating changes its probability is not checked."
    row, odds = rows
    return (
        f"{given} If its sentence is repeated, its probability {MOVES[sign]}: mean "
        f"step of the log-prob {change(row[REPEATED])} nats "
        f"({interval(row, REPEATED, data)}), of the log-odds {change(odds[REPEATED])} "
        f"({interval(odds, REPEATED, data)}{corrected(data, WRONG, REPEATED)})."
        f"{other_scale(rows, REPEATED)}"
    )


def _given(data: StudyData, answer: str) -> str:
    """At how many exits 1 after a wrong first arrival the model gives an answer."""
    points = data.tables["repetition/points"]
    found = points.filter(outcome=WRONG, arm=THOUGHT, answer=answer, exit=1)
    row = found.row(0, named=True)
    return f"{percent(row['said'], 0)} of {plural(row['traces'], 'thought')}"


def pull_sentence(data: StudyData, outcome: str) -> str:
    """How far one repeat with a drawn wrong number pulls the answer."""
    found = data.tables["repetition/pull"].filter(
        outcome=outcome, arm=WRONG_REPEATS, exit=2
    )
    if found.is_empty():
        return ""
    row = found.row(0, named=True)
    sign = direction(data, outcome, PULL)
    if sign is None:
        return (
            f"Whether a repeated wrong number pulls after a {outcome} first arrival is "
            f"not checked ({plural(row['problems'], 'problem')})."
        )
    does = {1: "raises", -1: "lowers", 0: "does not tellably change"}[sign]
    return (
        f"After a {outcome} first arrival, one repeat with a drawn wrong number {does} "
        f"this number\u2019s log-prob, compared with a true repeat: "
        f"{change(row['pull'])} nats ({interval(row, 'pull', data)}"
        f"{corrected(data, outcome, PULL)}). It becomes the forced answer in "
        f"{percent(row['taken'])} of {plural(row['traces'], 'thought')} "
        f"({_taken(row, data)})."
    )


def _taken(row: Row, data: StudyData) -> str:
    words = data.between(row, percent, "taken")
    return words if row["taken_low"] is None else f"interval {words}"


def filler_sentence(data: StudyData, outcome: str) -> str:
    """What neutral sentences of the thought's length do to the tested answer."""
    sign = direction(data, outcome, FILLER)
    if sign is None:
        return ""
    row, odds = rows = both_scales(data, outcome)
    return (
        "Neutral sentences of about the thought\u2019s length, without the answer "
        f"({outcome} first arrival): the probability of {SUBJECTS[row['answer']]} "
        f"{MOVES[sign]} (mean step of the log-prob {change(row[FILLER])} nats, "
        f"{interval(row, FILLER, data)}; of the log-odds {change(odds[FILLER])}, "
        f"{interval(odds, FILLER, data)}{corrected(data, outcome, FILLER)})."
        f"{other_scale(rows, FILLER)}"
    )
