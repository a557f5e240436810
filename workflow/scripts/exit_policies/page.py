"""The page's section on exit policies: headline, tiles, notes on figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from doubletake.page.reader import is_reader, whose
from doubletake.page.sections import Section, Tile
from doubletake.page.wording import percent, plural, points
from exit_policies.claims import (
    best_rule,
    harmless,
    is_tested,
    policies_of,
    rate,
    rules_of,
    tolerance_of,
    with_interval,
)
from exit_policies.examples import examples_of
from exit_policies.page_findings import findings, saving, stopped
from exit_policies.page_sheets import sheets

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def headline(data: StudyData) -> str:
    """Could thoughts be stopped early, without the right answer?"""
    text = answer(data)
    if is_reader(data) or not rules_of(data):
        return text
    return f"Could thoughts be stopped early, without the right answer? {text}"


def answer(data: StudyData) -> str:
    """The answer in one sentence."""
    policies, rules = policies_of(data), rules_of(data)
    if policies.is_empty():
        return "Not checked: no thought has trial points."
    replayed = int((policies["family"] == "rule").sum())
    thoughts = f"{plural(policies['thoughts'][0], 'thought')} {whose(data)}"
    if not rules:
        return f"None of {plural(replayed, 'rule')} stops any of {thoughts}."
    if is_reader(data):
        return reader_headline(data, replayed, thoughts)
    if not is_tested(data):
        problems = plural(policies["problems"][0], "problem")
        return f"Not checked: {thoughts} on {problems}."
    allowed = f"at most {100 * tolerance_of(data):g} points of accuracy"
    best = best_rule(data)
    if best is None:
        return (
            f"Not shown: none of {plural(len(rules), 'rule')} that stop a thought is "
            f"shown to save tokens and to lose {allowed}, on {thoughts}."
        )
    number = sum(harmless(data, row) for row in rules)
    return (
        f"Yes: {best['policy']} stops {best['stopped']:,} of {thoughts} and spends "
        f"{rate(data, best)} of their tokens, and the accuracy changes by "
        f"{with_interval(data, best, 'change')}; of {plural(len(rules), 'rule')}, "
        f"{number:,} {'is' if number == 1 else 'are'} shown to lose {allowed} "
        "(corrected for their number), and this one saves most."
    )


def reader_headline(data: StudyData, replayed: int, thoughts: str) -> str:
    """Answers of the reader at the first backtrack cue, or the number of rules."""
    stops = data.tables["exit_policies/stops"]
    at_cue = stops.filter(pl.col("point").is_not_null(), policy="cue_1")
    if at_cue.is_empty():
        return f"{plural(replayed, 'rule')} replayed on {thoughts}."
    right, end = (
        percent(int(at_cue[name].sum()) / at_cue.height)
        for name in ("correct", "end_correct")
    )
    return (
        f"{plural(replayed, 'rule')} replayed on {thoughts}: stopped at the first "
        f"backtrack cue, which {at_cue.height:,} of them have, {data.model}, as a "
        f"reader, gives the right answer in {right}; as they are written, these "
        f"thoughts end right in {end}."
    )


def tiles(data: StudyData) -> list[Tile]:
    """Savings of the best rule and of the oracle; none of a reader."""
    if is_reader(data) or policies_of(data).is_empty():
        return []
    shown = []
    best = best_rule(data)
    if best is not None:
        lost = f"{100 * tolerance_of(data):g} points"
        shown.append(
            Tile(
                saving(best),
                f"of the tokens saved by {best['policy']}, with at most {lost} lost",
                f"stops {stopped(best)}; accuracy {points(best['change'])} points",
            )
        )
    for oracle in policies_of(data).filter(policy="oracle").iter_rows(named=True):
        shown.append(
            Tile(
                saving(oracle),
                "of the tokens would be saved if the right answer were known",
                f"stops {stopped(oracle)}",
            )
        )
    return shown


def drawn(data: StudyData) -> str:
    """Policies and thoughts behind a figure."""
    policies = policies_of(data)
    if policies.is_empty():
        return "No thought has trial points."
    thoughts = plural(policies["thoughts"][0], "thought")
    problems = plural(policies["problems"][0], "problem")
    stopping = int((policies["stopped"] > 0).sum())
    text = (
        f"{thoughts} on {problems}; {plural(stopping, 'policy', 'policies')} of "
        f"{policies.height} stop a thought. {data.interval_note}"
    )
    if is_reader(data):
        text += (
            " The whole thoughts end with their writer\u2019s answers; answers at "
            "stops are the reader\u2019s."
        )
    return text


def example_cases(data: StudyData) -> str:
    """How many thoughts are drawn."""
    examples = examples_of(
        data.tables["trial_points"],
        data.tables["exit_policies/stops"],
        data.tables["exit_policies/policies"],
        data.settings["exit_policies"]["seed"],
    )
    if not examples:
        return "No thought has trial points."
    total = plural(policies_of(data)["thoughts"][0], "thought")
    return f"{len(examples)} of {total}."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    tiles=tiles,
    cases={"frontier": drawn, "leaderboard": drawn, "examples": example_cases},
)
