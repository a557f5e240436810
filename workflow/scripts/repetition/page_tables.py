"""The report's printed tables on repetition."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, percent, significant
from repetition.tables import (
    ALL,
    ANSWERS,
    FIRST,
    FIXED,
    REPEATED,
    STATED,
    THOUGHT,
    UNITS,
    WRONG,
)

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

MEASURE_NAMES = {"logprob": "log-prob", "log_odds": "log-odds", "logit": "mean logit"}
PARTS = {FIRST: "exit 1 to 2", "later": "later steps"}
ARM_NAMES = {"wrong_repeats": "repeats wrong", "wrong_all": "all wrong"}
ANSWER_NAMES = {
    FIXED: "answer forced at exit 1",
    STATED: "stated number",
    "other": "drawn wrong number",
    "final": "final answer",
    "gold": "reference answer",
}
SHOWN_EXITS = (1, 2)


def sheets(data: StudyData) -> list[Sheet]:
    """Steps, pulls and the log-probs of all answers; an empty list without rows."""
    if data.tables["repetition/points"].is_empty():
        return []
    made = [_steps_sheet(data), _answers_sheet(data)]
    pulls = data.tables["repetition/pull"].to_dicts()
    return made + ([_pull_sheet(data, pulls)] if pulls else [])


def _number(value: float | None) -> str:
    return NOTHING if value is None else significant(value)


def _steps_sheet(data: StudyData) -> Sheet:
    steps = data.tables["repetition/steps"].filter(which=ALL)
    cells = [
        (
            row["outcome"],
            ANSWER_NAMES[row["answer"]],
            f"{MEASURE_NAMES[row['measure']]} ({UNITS[row['measure']]})",
            PARTS[row["part"]],
            count(row["steps"]),
            *(_number(row[name]) for name in (THOUGHT, REPEATED, "filler", "more")),
            data.between(row, significant, "more"),
        )
        for row in steps.to_dicts()
        if row["answer"] == FIXED or row["outcome"] == WRONG
    ]
    columns = (
        "first arrival",
        "answer",
        "measure",
        "step",
        "steps",
        "thought",
        "repeated",
    )
    return Sheet(
        "Steps of the answer forced at exit 1, and of the stated number",
        (*columns, "filler", "thought \u2212 repeated", "interval"),
        tuple(cells),
        note="Mean steps from exit to exit. All arms share exit 1. After a wrong first "
        "arrival, the answer forced at exit 1 may be right, this number, or another "
        f"one, so its mean step mixes them and is not tested. {data.interval_note}",
    )


def _answers_sheet(data: StudyData) -> Sheet:
    points = {
        tuple(row[name] for name in ("outcome", "answer", "arm", "exit")): row
        for row in data.tables["repetition/points"].to_dicts()
    }
    keys = dict.fromkeys((outcome, answer) for outcome, answer, _, _ in points)
    cells = []
    for outcome, answer in sorted(
        keys, key=lambda key: (key[0], ANSWERS.index(key[1]))
    ):
        at = {
            (arm, k): points.get((outcome, answer, arm, k), {})
            for arm in (THOUGHT, REPEATED)
            for k in SHOWN_EXITS
        }
        shown: list[dict[str, Any]] = [at[THOUGHT, 1], at[THOUGHT, 2], at[REPEATED, 2]]
        cells.append(
            (
                outcome,
                ANSWER_NAMES[answer],
                count(shown[0].get("traces")),
                *(_number(row.get("logprob")) for row in shown),
                *(percent(row.get("said"), 0) for row in shown),
            )
        )
    columns = ("first arrival", "answer", "thoughts", "exit 1", "exit 2", "repeated")
    return Sheet(
        "Log-probs of all scored answers",
        (*columns, "given at exit 1", "given at exit 2", "given if repeated"),
        tuple(cells),
        note="Mean log-prob in nats, and the share of exits at which the model gives "
        "the answer. Exit 2 is that of the real thought; repeated: the first "
        "arrival\u2019s sentence stated twice. Answers are scored in one spelling "
        "each.",
    )


def _pull_sheet(data: StudyData, rows: list[dict[str, Any]]) -> Sheet:
    cells = [
        (
            row["outcome"],
            ARM_NAMES[row["arm"]],
            count(row["exit"]),
            count(row["traces"]),
            _number(row["pull"]),
            data.between(row, significant, "pull"),
            percent(row["taken"], 0),
            data.between(row, lambda value: percent(value, 0), "taken"),
            _number(row["lost"]),
        )
        for row in rows
    ]
    columns = ("first arrival", "arm", "k", "thoughts", "pull (nats)", "interval")
    return Sheet(
        "A repeated wrong number",
        (*columns, "given", "interval", "fixed answer (nats)"),
        tuple(cells),
        note="Pull: log-prob of the wrong number, minus the same with true repeats. "
        "Given: share of forced answers that are the wrong number. Fixed answer: how "
        f"its log-prob changes against true repeats. {data.interval_note}",
    )
