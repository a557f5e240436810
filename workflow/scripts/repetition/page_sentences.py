"""Sentences on the steps of an answer, a repeated wrong number, and filler."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.wording import percent, plural, significant
from repetition.page_tests import (
    Row,
    direction,
    has_room,
    headline_step,
    later_direction,
    step_row,
)
from repetition.tables import (
    GOLD,
    LOG_ODDS,
    LOGPROB,
    RIGHT,
    STATED,
    THOUGHT,
    WRONG,
    WRONG_REPEATS,
)
from repetition.tables import (
    LATER as LATER_STEPS,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NAMES = {LOGPROB: "log-prob", LOG_ODDS: "log-odds score"}
VERDICTS = {
    None: "it is not checked whether thinking on does more than stating it once more",
    1: "thinking on makes the first answer surer than stating it once more does",
    -1: "thinking on makes the first answer less sure than stating it once more does",
    0: "thinking on cannot be told from stating the first answer once more",
}
MORE = {
    None: "This is not checked",
    1: "So thinking on adds confidence that stating the answer again does not give",
    -1: "So thinking on gives less confidence in this answer than stating it again",
    0: "So thinking on cannot be told from stating the answer again",
}
LATER = {
    1: "Thinking on adds more",
    -1: "Thinking on adds less",
    0: "The two cannot be told apart",
}
LATER_CAVEAT = (
    "Whether a thought goes on after its second arrival may depend on how sure it is "
    "there. So a difference of later steps is claimed only if two means show it: that "
    "of all steps, and that of steps after which the thought went on."
)
MOVES = {1: "rises", -1: "falls", 0: "is not shown to change"}


def verdict(row: Row) -> str:
    """In a word, what thinking on does beyond repetition."""
    return VERDICTS[direction(row)]


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


def step_sentence(row: Row, data: StudyData) -> str:
    """The first step of the answer that the model gives at exit 1, in both arms."""
    outcome, measure = row["outcome"], row["measure"]
    n = plural(row["traces"], "thought")
    start = (
        f"After a {outcome} first arrival ({n}), the log-prob of the answer given there"
        if measure == LOGPROB
        else "On the scale of log-odds, which has no ceiling, it"
    )
    text = (
        f"{start} changes by "
        f"{change(row['thought'])} nats up to the next arrival, and by "
        f"{change(row['repeated'])} if its sentence is only stated again: a difference "
        f"of {change(row['more'])} ({interval(row, 'more', data)})."
    )
    if measure == LOGPROB and not has_room(row):
        return (
            f"{text} The log-prob is at its ceiling: its mean is "
            f"{significant(row['before'])} before the step, so this scale can hardly "
            "show a rise."
        )
    text += f" {MORE[direction(row)]}."
    if row["share"] is not None:
        text += (
            f" Stating it again gives {percent(row['share'], 0)} of the rise "
            f"({_share_interval(row, data)})."
        )
    return text


def _share_interval(row: Row, data: StudyData) -> str:
    words = data.between(row, lambda value: percent(value, 0), "share")
    return words if row["share_low"] is None else f"interval {words}"


def is_later_tested(data: StudyData, outcome: str) -> bool:
    """Whether both means of the later steps have an interval."""
    first = headline_step(data, outcome)
    if first is None:
        return False
    return later_direction(data, outcome, first["measure"]) is not None


def later_sentence(data: StudyData, outcome: str) -> str:
    """What the steps after the second arrival say."""
    first = headline_step(data, outcome)
    assert first is not None
    measure = first["measure"]
    row = step_row(data, outcome, measure=measure, part=LATER_STEPS)
    if row is None or not row["steps"]:
        return ""
    sign = later_direction(data, outcome, measure)
    n = f"{plural(row['steps'], 'step')} of {plural(row['traces'], 'thought')}"
    if sign is None:
        return (
            f"Later arrivals after a {outcome} first one are not checked ({n}): both "
            "means need enough problems, that of all steps and that of steps after "
            "which the thought went on."
        )
    return (
        f"From the second arrival on ({outcome} first arrival, {n}), the "
        f"{NAMES[measure]} changes by {change(row['thought'])} nats with each further "
        f"arrival, and by {change(row['repeated'])} if the first sentence is stated "
        f"again: a difference of {change(row['more'])} "
        f"({interval(row, 'more', data)}). {LATER[sign]}."
    )


def stated_sentence(data: StudyData, outcome: str) -> str:
    """What repeating does to the stated number of a wrong first arrival."""
    row = step_row(data, outcome, answer=STATED)
    if outcome == RIGHT or row is None:
        return ""
    sign = direction(row, "repeated")
    if sign is None:
        return ""
    return (
        f"After a wrong first arrival the model\u2019s answer is the number that it "
        f"states in {_given(data, STATED)}, and the right one in {_given(data, GOLD)}. "
        "If the sentence is stated again, the log-prob of the stated number "
        f"{MOVES[sign]} (mean step {change(row['repeated'])} nats, "
        f"{interval(row, 'repeated', data)}); up to the next arrival of the thought it "
        f"changes by {change(row['thought'])} ({interval(row, 'thought', data)})."
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
    sign = direction(row, "pull")
    if sign is None:
        return (
            f"Whether a repeated wrong number pulls after a {outcome} first arrival is "
            f"not checked ({plural(row['problems'], 'problem')})."
        )
    does = {1: "raises", -1: "lowers", 0: "does not tellably change"}[sign]
    return (
        f"After a {outcome} first arrival, one repeat with a drawn wrong number {does} "
        f"this number\u2019s log-prob, compared with a true repeat: "
        f"{change(row['pull'])} nats ({interval(row, 'pull', data)}). It becomes the "
        f"forced answer in {percent(row['taken'])} of "
        f"{plural(row['traces'], 'thought')} ({_taken(row, data)})."
    )


def _taken(row: Row, data: StudyData) -> str:
    words = data.between(row, percent, "taken")
    return words if row["taken_low"] is None else f"interval {words}"


def filler_sentence(data: StudyData, outcome: str) -> str:
    """What neutral sentences of the thought's length do to the fixed answer."""
    row = headline_step(data, outcome)
    if row is None or direction(row, "filler") is None:
        return ""
    sign = direction(row, "filler")
    assert sign is not None
    return (
        "Neutral sentences of about the thought\u2019s length, without the answer: "
        f"the {NAMES[row['measure']]} {MOVES[sign]} (mean step {change(row['filler'])} "
        f"nats, {interval(row, 'filler', data)})."
    )
