"""Token heat maps: the context of a decision, each token shaded by its score."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from doubletake.page.sections import HeatMap, HeatToken
from doubletake.page.wording import listed, plural, real, significant

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

LONGEST = 600  # tokens of the thought that are shown, the last ones
STEPS = (0.05, 0.2, 0.5)  # shares of the largest score at which shades begin
NEXT = 40  # characters of the sentence behind the decision


def heat_maps(data: StudyData, number: int) -> list[HeatMap]:
    """The backtracks with the largest metric, one per problem.

    Args:
        data: of the study.
        number: how many are shown.
    """
    rows = (
        data.tables["attribution/tokens"]
        .filter(kind="backtrack")
        .sort(["value", "trace"], descending=[True, False])
        .unique("problem", keep="first", maintain_order=True)
        .head(number)
    )
    traces = data.tables["traces"].rows_by_key("trace", named=True, unique=True)
    prompts = data.tables["attribution/prompts"].rows_by_key(
        "trace", named=True, unique=True
    )
    return [
        heat_map(row, traces[row["trace"]], prompts[row["trace"]])
        for row in rows.iter_rows(named=True)
    ]


def heat_map(
    row: dict[str, Any], trace: dict[str, Any], prompt: dict[str, Any]
) -> HeatMap:
    """One decision.

    Args:
        row: of `schemas.ATTRIBUTION_TOKENS`.
        trace: of the traces table.
        prompt: of `schemas.ATTRIBUTION_PROMPTS`.
    """
    scores, position = row["strongest"], row["position"]
    length = len(trace["prompt_ids"])
    pieces = [
        *_pieces(prompt["text"], prompt["offsets"]),
        *_pieces(trace["text"], trace["offsets"]),
    ]
    first = max(row["thought_start"], position - LONGEST)
    question = range(row["question_start"] or 0, row["question_end"] or 0)
    shown = [*question, *range(first, position)]
    scale = max((abs(scores[token]) for token in shown), default=0.0)
    left_out = first - row["thought_start"]
    cut = f" {plural(left_out, 'token')} of the thought not shown." if left_out else ""
    edges = listed([significant(step * scale) for step in STEPS])
    behind = trace["text"][trace["offsets"][position + 1 - length] :][:NEXT]
    sentence = behind.partition("\n")[0]
    return HeatMap(
        title=f"Trace {row['trace']}, before \u201c{sentence}\u2026\u201d",
        note=(
            f"The metric is {real(row['value'], 2)} at the decision, marked \u25b8; "
            f"the deciding token\u2019s own score is {significant(row['own_max_abs'])} "
            f"(largest size), and is not shaded. Shades begin at {edges}.{cut}"
        ),
        question=tuple(_token(pieces[k], scores[k], scale) for k in question),
        thought=tuple(
            _token(pieces[k], scores[k], scale) for k in range(first, position)
        ),
        decision=_visible(pieces[position]),
    )


def _pieces(text: str, offsets: list[int]) -> list[str]:
    """The text of every token; empty for the rest of a split character."""
    return [text[start:end] for start, end in pairwise([*offsets, len(text)])]


def _visible(text: str) -> str:
    return text.replace("\n", "\u21b5\n")


def _token(text: str, score: float, scale: float) -> HeatToken:
    return HeatToken(_visible(text), f"{significant(score)}", shade_of(score, scale))


def shade_of(score: float, scale: float) -> int:
    """Shade of a score: 0, or 1 to 3 with the score's sign."""
    share = abs(score) / scale if scale else 0.0
    size = sum(share >= step for step in STEPS)
    return -size if score < 0 else size
