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
    return text if _one_sided(gain) else f"{text}, not told from 0"


def _one_sided(row: dict[str, Any]) -> bool:
    return bool(row["low"] > 0 or row["high"] < 0)


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
        (CAUSE, "tell backtracks with a planted cause from those without one"),
        (PROBABILITY, "follow the planted probability of turning"),
        (TWIN, "follow the effect of the cause by twins"),
    ):
        rows = table.filter(target=target).drop_nulls("p_holm")
        if rows.is_empty():
            most = table.filter(target=target)["fewer_problems"].max()
            n = plural(int(str(most or 0)), "problem")
            what = TARGETS[target].phrase
            sentences.append(f"Not checked against {what}: {n} at most.")
            continue
        sentences.append(_follow(data, rows, target, words))
    return sentences


def _follow(data: StudyData, rows: pl.DataFrame, target: str, words: str) -> str:
    no_relation = 0.5 if target == CAUSE else 0.0
    sure = rows.filter(holds(data)).sort(
        (pl.col("value") - no_relation).abs(), descending=True, maintain_order=True
    )
    sign = "AUROC" if target == CAUSE else "\u03c1"
    write = probability if target == CAUSE else lambda value: real(value, 2)
    texts = [
        f"{BY_COLUMN[row['method']].phrase} ({sign} {write(row['value'])}, "
        f"{count(row['n'])})"
        for row in sure.head(NAMED).to_dicts()
    ]
    if not texts:
        return f"None of {plural(rows.height, 'method')} is shown to {words}."
    more = sure.height - len(texts)
    rest = f", and {count(more)} more" if more > 0 else ""
    return (
        f"{count(sure.height)} of {plural(rows.height, 'method')} {words}: "
        f"{listed(texts) if not more else ', '.join(texts)}{rest}. The last number "
        "counts the backtracks."
    )
