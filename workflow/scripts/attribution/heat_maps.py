"""Heat maps: the tokens before a backtrack, each shaded by its score."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

from doubletake.page.sections import HeatMap, HeatToken
from doubletake.page.wording import listed, plural, real, significant

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

MOST_TOKENS = 600  # tokens of the thought that are shown: its last ones
# ASSUME: shares of the largest score at which shades begin, chosen by hand.
SHADE_STEPS = (0.05, 0.2, 0.5)
TITLE_CHARACTERS = 40  # of the sentence after the position, shown in the title


def heat_maps(data: StudyData, number: int) -> list[HeatMap]:
    """Heat maps of the backtracks with the largest metric, one per problem.

    Args:
        data: the study.
        number: how many heat maps are shown.
    """
    rows = (
        data.tables["attribution/tokens"]
        .filter(kind="backtrack")
        .sort(["metric_value", "trace"], descending=[True, False])
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
    """The heat map of one position.

    Args:
        row: row of `ATTRIBUTION_TOKENS`.
        trace: row of the traces table.
        prompt: row of `ATTRIBUTION_PROMPTS`.
    """
    scores, position = row["signed_max"], row["position"]
    prompt_length = len(trace["prompt_ids"])
    texts = [
        *_token_texts(prompt["text"], prompt["offsets"]),
        *_token_texts(trace["text"], trace["offsets"]),
    ]
    first = max(row["thought_start"], position - MOST_TOKENS)
    question = range(row["question_start"] or 0, row["question_end"] or 0)
    thought = range(first, position)
    scale = max((abs(scores[k]) for k in (*question, *thought)), default=0.0)
    left_out = first - row["thought_start"]
    cut = f" {plural(left_out, 'token')} of the thought not shown." if left_out else ""
    edges = listed([significant(step * scale) for step in SHADE_STEPS])
    next_start = trace["offsets"][position + 1 - prompt_length]
    sentence = trace["text"][next_start:][:TITLE_CHARACTERS].partition("\n")[0]
    return HeatMap(
        title=f"Trace {row['trace']}, before \u201c{sentence}\u2026\u201d",
        note=(
            f"The metric is {real(row['metric_value'], 2)} at the position, which is "
            "marked \u25b8. The largest |score| of the token at the position itself is "
            f"{significant(row['position_max_abs'])}; this token is not shaded. "
            f"Shades begin at {edges}.{cut}"
        ),
        question=tuple(_heat_token(texts[k], scores[k], scale) for k in question),
        thought=tuple(_heat_token(texts[k], scores[k], scale) for k in thought),
        decision=_visible(texts[position]),
    )


def _token_texts(text: str, offsets: list[int]) -> list[str]:
    """The text of every token; of tokens that share a character, one has it."""
    return [text[start:end] for start, end in pairwise([*offsets, len(text)])]


def _visible(text: str) -> str:
    return text.replace("\n", "\u21b5\n")


def _heat_token(text: str, score: float, scale: float) -> HeatToken:
    return HeatToken(_visible(text), f"{significant(score)}", shade_of(score, scale))


def shade_of(score: float, scale: float) -> int:
    """Shade of a score: 0, or 1 to 3 with the score's sign."""
    share = abs(score) / scale if scale else 0.0
    size = sum(share >= step for step in SHADE_STEPS)
    return -size if score < 0 else size
