"""The printed tables on exit policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from doubletake.page.sections import Sheet
from doubletake.page.wording import NOTHING, count, percent, points, probability
from exit_policies.claims import Row, policies_of
from exit_policies.examples import examples_of
from exit_policies.examples_figure import answer_kind

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

POLICY_COLUMNS = (
    "policy",
    "asks for",
    "stopped",
    "able",
    "kept",
    "kept and trial",
    "accuracy",
    "change",
    "its interval",
    "p",
    "helped",
    "harmed",
    "fixed share",
    "over the share",
    "its interval",
    "p",
)
COST_COLUMNS = (
    "policy",
    "trials",
    "their tokens",
    "fed tokens",
    "entropies",
    "probe scores",
    "read ahead",
    "tokens over the oracle",
    "accuracy lost to it",
    "area",
)
EXAMPLE_COLUMNS = ("thought", "tokens kept", "of", "answer", "it is", "policies")


def sheets(data: StudyData) -> list[Sheet]:
    """All policies, their costs, and the example thoughts; empty without policies."""
    policies = policies_of(data)
    if policies.is_empty():
        return []
    rows = policies.to_dicts()
    tested = (
        "p: paired score test over problems, two-sided, corrected for the number of "
        f"rules that stop a thought (Holm). {data.interval_note}"
    )
    return [
        Sheet(
            "All policies",
            POLICY_COLUMNS,
            tuple(_policy_cells(data, row) for row in rows),
            words=(0, 1),
            note=(
                "Stopped and able: thoughts that are stopped, and that have enough "
                "points for it. Change: accuracy at the stops minus that of the whole "
                "thoughts, in points. Fixed share: the least share of each thought "
                "that keeps at least as many tokens as the policy keeps and spends. "
                f"{tested}"
            ),
        ),
        Sheet(
            "What the policies spend, and their regret",
            COST_COLUMNS,
            tuple(_cost_cells(row) for row in rows),
            note=(
                "Sums over all thoughts. The last columns are in points: kept and "
                "trial tokens minus those of the oracle, of the tokens of the whole "
                "thoughts; accuracy of the oracle minus that of the policy; area "
                "under the curve of accuracy against cost over all thresholds, in "
                "percent."
            ),
        ),
        *_example_sheets(data),
    ]


def _policy_cells(data: StudyData, row: Row) -> tuple[str, ...]:
    return (
        row["policy"],
        row["asks_for"] or "in hindsight",
        count(row["stopped"]),
        count(row["able"]),
        percent(row["kept_rate"]),
        percent(row["total_rate"]),
        percent(row["accuracy"]),
        points(row["change"]),
        data.between(row, points, "change"),
        probability(row["change_holm"]),
        count(row["helped"]),
        count(row["harmed"]),
        percent(row["matched_share"] / 100, 0),
        points(row["over_share"]),
        data.between(row, points, "over_share"),
        probability(row["over_share_holm"]),
    )


def _cost_cells(row: Row) -> tuple[str, ...]:
    spent = ("trials", "trial_tokens", "fed_tokens", "entropies", "probes")
    return (
        row["policy"],
        *(count(row[name]) for name in (*spent, "read_ahead")),
        points(row["tokens_over_oracle"]),
        points(row["lost_to_oracle"]),
        percent(row["area"]),
    )


def _example_sheets(data: StudyData) -> list[Sheet]:
    """One table of the thoughts of the figure; none without thoughts."""
    examples = examples_of(
        data.tables["trial_points"],
        data.tables["exit_policies/stops"],
        data.tables["exit_policies/policies"],
        data.settings["exit_policies"]["seed"],
    )
    rows = [
        (
            example.trace,
            f"{count(place.tokens)}{', the end' if place.is_end else ''}",
            count(example.tokens),
            place.answer or NOTHING,
            answer_kind(place.answer, place.correct),
            ", ".join(place.policies),
        )
        for example in examples
        for place in example.places
    ]
    if not rows:
        return []
    return [
        Sheet(
            "Where rules stop in example thoughts",
            EXAMPLE_COLUMNS,
            tuple(rows),
            words=(0, 3, 4, 5),
            note="The thoughts of the figure. The answer at the end is that of the "
            "whole thought.",
        )
    ]
