"""The page's sentences on interventions, answers and planted causes at the events."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import count, listed, percent, plural, probability, real
from loop.methods import BY_COLUMN, CAUSE, PROBABILITY, TARGETS, TWIN

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

NAMED = 4
"""Most methods or pairs that a sentence names."""


def holds(data: StudyData) -> pl.Expr:
    """Whether a relation holds after the correction."""
    return pl.col("p_holm") <= 1 - data.confidence


def mean_of(data: StudyData, column: str) -> dict[str, Any]:
    """A row of `loop/means`."""
    return data.tables["loop/means"].filter(column=column).row(0, named=True)


def effects(data: StudyData) -> list[str]:
    """What the interventions do at these events, beside random ones."""
    found = []
    for name, column, words, other in (
        ("steering", "steering", "The added direction raises", "random vectors"),
        ("units", "units_support", "Units at 0 lower", "random units"),
        ("heads", "heads_support", "Heads at 0 lower", "random heads"),
    ):
        row, gain = mean_of(data, column), mean_of(data, f"{name}_gain")
        if not row["n"]:
            continue
        found.append(
            f"{words} the log-odds of a turn by {real(row['mean'], 2)} nats at the "
            f"token before it, {other} by {real(row['mean'] - gain['mean'], 2)}; "
            f"{_against_random(data, gain)} ({plural(row['n'], 'backtrack')} of test "
            "problems)."
        )
    return found


def _against_random(data: StudyData, gain: dict[str, Any]) -> str:
    if gain["low"] is None:
        return f"the difference is {data.why_no_interval(gain['problems'])}"
    ends = f"{real(gain['low'], 2)} to {real(gain['high'], 2)}"
    text = f"the difference is {real(gain['mean'], 2)} ({ends})"
    is_told = gain["p_holm"] is not None and gain["p_holm"] <= 1 - data.confidence
    return text if is_told else f"{text}, not told from 0"


def answers(data: StudyData) -> list[str]:
    """How often the turn changes, mends or spoils the answer."""
    shifted = mean_of(data, "shifted")
    if not shifted["n"]:
        return []
    parts = [
        f"{verb} in {percent(row['mean'])} ({data.between(row, percent)})"
        for verb, row in (
            ("mends a wrong answer", mean_of(data, "mended")),
            ("spoils a right one", mean_of(data, "spoiled")),
        )
    ]
    return [
        f"The forced answer differs before and after {percent(shifted['mean'])} of "
        f"{plural(shifted['n'], 'turn')} ({data.between(shifted, percent)}); the "
        f"thought {' and '.join(parts)}."
    ]


def planted(data: StudyData) -> list[str]:
    """Which methods follow what was planted."""
    table = data.tables["loop/planted"]
    if table.is_empty():
        return []
    sentences = []
    for target, words in (
        (CAUSE, "are higher at backtracks with a planted cause than without one"),
        (PROBABILITY, "follow the planted probability of turning"),
        (TWIN, "follow the effect of the cause by twins within kinds of causes"),
    ):
        rows = table.filter(target=target).drop_nulls("p_holm")
        if rows.is_empty():
            most = table.filter(target=target)["fewer_problems"].max()
            n = plural(int(str(most or 0)), "problem")
            what = TARGETS[target].phrase
            sentences.append(f"Not checked against {what}: {n} at most.")
            continue
        sentences += _follow(data, rows, target, words)
        if target == PROBABILITY:
            sentences.append(probabilities(data))
    return sentences


def probabilities(data: StudyData) -> str:
    """How many values the planted probability takes, and what they stand for."""
    known = data.tables["loop"].drop_nulls("planted")
    values, kinds = known["planted"].n_unique(), known["cause"].n_unique()
    each = known.select("cause", "planted").n_unique() == kinds
    per = "kind of cause" if each else "kind of cause and number of turns before"
    return (
        f"The planted probability takes {plural(values, 'value')} at these backtracks, "
        f"one for each {per}. So it tells kinds of causes apart, and not backtracks "
        "with the same kind of cause."
    )


def _follow(data: StudyData, rows: pl.DataFrame, target: str, words: str) -> list[str]:
    """Methods that are higher with more of what was planted, then those that are lower.

    Args:
        data: the study.
        rows: of `LOOP_PLANTED`, the tested ones of the target.
        target: what was planted.
        words: what the first ones do.
    """
    no_relation = 0.5 if target == CAUSE else 0.0
    sure = rows.filter(holds(data)).sort(
        (pl.col("value") - no_relation).abs(), descending=True, maintain_order=True
    )
    of = plural(rows.height, "method")
    along = sure.filter(pl.col("value") > no_relation)
    against = sure.filter(pl.col("value") < no_relation)
    sentences = [f"None of {of} is shown to {words.replace('are', 'be', 1)}."]
    if along.height:
        text = _named(along, target)
        if along.height == 1:
            words = words.replace("are", "is", 1).replace("follow", "follows", 1)
        sentences = [f"{count(along.height)} of {of} {words}: {text}."]
    if against.height:
        opposite = "lower at backtracks with a cause"
        if target != CAUSE:
            opposite = "lower where it is higher"
        text = _named(against, target)
        n = count(against.height)
        verb = "goes" if against.height == 1 else "go"
        sentences.append(f"{n} of {of} {verb} the opposite way, {opposite}: {text}.")
    return sentences


def _named(sure: pl.DataFrame, target: str) -> str:
    """Methods with their statistic and number of backtracks."""
    sign = "AUROC" if target == CAUSE else "\u03c1"
    write = probability if target == CAUSE else _two
    texts = [
        f"{BY_COLUMN[row['method']].phrase} ({sign} {write(row['value'])}, "
        f"{plural(row['n'], 'backtrack')})"
        for row in sure.head(NAMED).to_dicts()
    ]
    more = sure.height - len(texts)
    if not more:
        return listed(texts)
    return f"{', '.join(texts)}, and {count(more)} more"


def _two(value: float) -> str:
    return real(value, 2)
