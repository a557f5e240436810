"""Scores the answers of all cases at the exits of all arms."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from doubletake.model.branch_rows import continue_branches, tokens_computed
from doubletake.model.branches import Branch, Prefix, longest_sequence
from doubletake.model.continuations import Continuation
from doubletake.model.decoder import Decoder
from doubletake.model.exit_points import ExitPoint
from doubletake.model.forced_answers import AnswerPrompt, whole_logprob
from doubletake.running.errors import InputError
from doubletake.running.logs import Progress
from doubletake.stats.verification import Case as CheckedCase
from doubletake.stats.verification import Verification, drawn
from repetition.arms import Arm, arms_of
from repetition.cases import Case
from repetition.scoring import Answer, answer_of, score_of, scored_branch
from repetition.tables import (
    ANSWERS,
    FILLER,
    FINAL,
    FIXED,
    GOLD,
    OTHER,
    REPEATED,
    STATED,
    THOUGHT,
    WRONG_ALL,
    WRONG_REPEATS,
)
from repetition.verification_figures import Checks
from repetition.wrong_number import drawn_wrong_number

SCORED = {
    THOUGHT: ANSWERS,
    REPEATED: ANSWERS,
    FILLER: (FIXED, STATED),
    WRONG_REPEATS: (FIXED, OTHER),
    WRONG_ALL: (FIXED, OTHER),
}
"""The answers that are scored in each arm."""


@dataclass(frozen=True, eq=False)
class PlannedArm:
    """An arm with the answers that are scored at its exits."""

    case: Case
    arm: Arm
    answers: dict[str, Answer]
    """By name; names of one text share an answer."""
    scored: list[tuple[ExitPoint, Answer]]
    """Every exit with every answer that is scored there."""
    branches: list[Branch]
    """One for each of `scored`."""
    decoded: float
    """Log-prob of the fixed answer at exit 1, from its decoding."""

    @property
    def name(self) -> tuple[str, str]:
        """Trace and arm."""
        return self.case.name, self.arm.name

    @property
    def cost(self) -> int:
        """Tokens that the model reads for the arm."""
        return max(b.cut for b in self.branches) + sum(b.tokens for b in self.branches)


def forced_first_answers(
    decoder: Decoder,
    prompt: AnswerPrompt,
    cases: Sequence[Case],
    max_tokens: int,
    gib: float,
    progress: Progress,
) -> tuple[dict[str, tuple[Answer, float]], list[str]]:
    """The answer that the model gives at exit 1 of each case, and its log-prob.

    Returns:
        By trace; and what was left out: thoughts that are too long for the model, and
        those whose answer is empty or does not end.
    """
    prefixes, kept, notes = [], [], []
    for case in cases:
        first, trace = case.points[0], case.thought.trace
        branch = Branch(first.cut, first.suffix, max_tokens, prompt.ends)
        if longest_sequence([branch]) > decoder.max_positions:
            notes.append(f"{case.name}: too long for the model")
            continue
        ids = [*trace["prompt_ids"], *trace["completion_ids"]]
        prefixes.append(Prefix(case.name, ids, [branch]))
        kept.append(case)
    answers: dict[str, tuple[Answer, float]] = {}
    for number, (read,) in continue_branches(decoder, prefixes, gib):
        said = prompt.read(read.tokens)
        if said.ended and said.length:
            answer = Answer(said.text, tuple(read.tokens))
            answers[kept[number].name] = answer, whole_logprob(read, prompt)
        else:
            notes.append(f"{kept[number].name}: its answer at exit 1 has no end")
        progress.update(0, tokens_computed(prefixes[number].branches, [read]))
    return answers, sorted(notes)


def planned(
    case: Case,
    fixed: Answer,
    decoded: float,
    prompt: AnswerPrompt,
    settings: Any,
) -> list[PlannedArm]:
    """The arms of a case, with every answer at every exit.

    Args:
        case: of a thought.
        fixed: the answer that the model gives at exit 1.
        decoded: its log-prob there, from its decoding.
        prompt: the answer prompt.
        settings: of `measure.py`.

    Raises:
        InputError: the tokenizer changes a text.
    """
    trace, gold = case.thought.trace, case.thought.gold
    known = [trace["text"], case.thought.question, gold, fixed.text]
    wrong = drawn_wrong_number(case.number, known, settings.seed, case.name)
    texts = {FIXED: fixed.text, STATED: case.stated, OTHER: wrong}
    texts |= {FINAL: trace["answer"], GOLD: gold}
    by_text = {fixed.text: fixed}
    for text in texts.values():
        if text and text not in by_text:
            by_text[text] = answer_of(text, prompt)
    answers = {name: by_text[text] for name, text in texts.items() if text}
    plans = []
    for arm in arms_of(case, wrong, settings.most, settings.filler, prompt):
        own = {name: answers[name] for name in SCORED[arm.name] if name in answers}
        scored = [
            (point, answer)
            for point in arm.points
            for answer in dict.fromkeys(own.values())
        ]
        branches = [scored_branch(*each) for each in scored]
        plans.append(PlannedArm(case, arm, own, scored, branches, decoded))
    return plans


def all_plans(
    cases: Sequence[Case],
    answers: dict[str, tuple[Answer, float]],
    decoder: Decoder,
    prompt: AnswerPrompt,
    settings: Any,
) -> tuple[list[PlannedArm], list[str]]:
    """The arms of all cases, and notes on cases that are left out."""
    plans: list[PlannedArm] = []
    notes: list[str] = []
    for case in cases:
        if case.name not in answers:
            continue
        try:
            own = planned(case, *answers[case.name], prompt, settings)
        except InputError as error:
            notes.append(str(error))
            continue
        longest = max(longest_sequence(plan.branches) for plan in own)
        if longest > decoder.max_positions:
            notes.append(f"{case.name}: its arms are too long for the model")
        else:
            plans += own
    return plans, notes


def measured(
    decoder: Decoder,
    prompt: AnswerPrompt,
    plans: Sequence[PlannedArm],
    gib: float,
    verification: Verification,
    progress: Progress,
) -> tuple[list[dict[str, Any]], Checks]:
    """Rows of `REPETITION`, and what was checked."""
    checks = Checks()
    cases = [
        CheckedCase((*plan.name, k), branch.cut + branch.tokens)
        for plan in plans
        for k, branch in enumerate(plan.branches)
    ]
    work = sum(plan.cost for plan in plans)
    replayed = {case.name for case in drawn(cases, work, verification)}
    rows: list[dict[str, Any]] = []
    prefixes = [Prefix("/".join(p.name), p.arm.ids, p.branches) for p in plans]
    for number, reads in continue_branches(decoder, prefixes, gib):
        plan = plans[number]
        checks.read_back(plan.arm, prompt)
        for k, ((_, answer), read) in enumerate(zip(plan.scored, reads, strict=True)):
            if (*plan.name, k) in replayed:
                branch = plan.branches[k]
                checks.replay(decoder, prompt, plan.arm.ids, branch, read, answer)
        rows += arm_rows(plan, reads, prompt, checks)
        progress.update(1, tokens_computed(plan.branches, reads))
    return rows, checks


def arm_rows(
    plan: PlannedArm,
    reads: Iterable[Continuation],
    prompt: AnswerPrompt,
    checks: Checks,
) -> list[dict[str, Any]]:
    """Rows of `REPETITION` of the exits of an arm that are its own."""
    case = plan.case
    scores = {
        (point.number, answer.text): score_of(answer, read, prompt)
        for (point, answer), read in zip(plan.scored, reads, strict=True)
    }
    if plan.arm.name == THOUGHT:
        checks.compare_decoded(plan.decoded, scores[1, plan.answers[FIXED].text])
    first = case.points[0].tokens_before
    return [
        {
            "trace": case.name,
            "problem": case.thought.trace["problem"],
            "outcome": case.outcome,
            "arrivals": len(case.points),
            "arm": plan.arm.name,
            "exit": point.number,
            "answer": name,
            "text": answer.text,
            "added": max(point.tokens_before - first, 0),
            "logprob": scores[point.number, answer.text].logprob,
            "logit": scores[point.number, answer.text].logit,
            "said": scores[point.number, answer.text].said,
        }
        for point in plan.arm.points
        for name, answer in plan.answers.items()
    ]


def with_shared_exits(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The rows of all arms, exit 1 of the real thought also in arms that share it."""
    arms: dict[str, dict[str, None]] = {}
    for row in rows:
        arms.setdefault(row["trace"], {})[row["arm"]] = None
    shared = [
        row | {"arm": arm}
        for row in rows
        if row["arm"] == THOUGHT and row["exit"] == 1
        for arm in arms[row["trace"]]
        if arm not in (THOUGHT, WRONG_ALL) and row["answer"] in SCORED[arm]
    ]
    return rows + shared
