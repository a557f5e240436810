"""The page's sentences on what embedding, attention and MLPs add to backtrack words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import polars as pl

from doubletake.page.wording import listed, plural, real

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData

PART_NAMES = {"embed": "the embedding", "attn_out": "attention", "mlp_out": "the MLPs"}
VERDICTS: dict[str | None, str] = {
    "attn_out": "attention adds more",
    "mlp_out": "the MLPs add more",
    None: "the interval does not tell which adds more",
}


def parts_of(data: StudyData, logit: str) -> dict[str, dict[str, Any]]:
    """Rows of `logit_lens.tables.LOGIT_LENS_PARTS` at backtracks, by part."""
    table = data.tables["logit_lens/parts"].filter(kind="backtrack", logit=logit)
    return table.rows_by_key("part", named=True, unique=True)


def added_in_short(data: StudyData) -> str:
    """What attention and MLPs add, beside random groups of tokens."""
    rows = parts_of(data, "centred")
    return listed(
        [
            f"{PART_NAMES[part]} add{'s' if part == 'attn_out' else ''} "
            f"{signed(rows[part]['mean'])} (random tokens: "
            f"{signed(rows[part]['random'])})"
            for part in ("attn_out", "mlp_out")
        ]
    )


def parts_sentence(data: StudyData) -> str:
    """What the parts add to the backtrack words, and to random groups of tokens."""
    rows = parts_of(data, "centred")
    parts = [
        f"{signed(rows[part]['mean'])} ({interval(data, rows[part])}; random tokens: "
        f"{_random(rows[part])}) from {name}"
        for part, name in PART_NAMES.items()
    ]
    total = sum(rows[part]["mean"] for part in PART_NAMES)
    number = data.tables["turns/words"].filter(group="backtrack").height
    return (
        f"At {_cases(rows['embed'])} the logit of the backtrack words minus the mean "
        f"of the vocabulary is {signed(total)}: {listed(parts)}. The words are "
        "weighted by their probabilities at the position. Random tokens: groups of "
        f"{plural(number, 'token')} of the vocabulary, weighted alike. They show how "
        "much the weighting alone gives."
    )


def order_sentence(data: StudyData) -> str:
    """Whether attention or the MLPs add more: centred and raw, with both weights."""
    centred, raw, equal, equal_raw = (
        parts_of(data, logit)["difference"]
        for logit in ("centred", "raw", "equal", "equal_raw")
    )
    inside = is_random(centred)
    text = (
        f"Attention minus MLPs, over {_cases(centred)}: {_compared(data, centred)}. "
        f"Random tokens give {signed(centred['random'])} ({data.confidence:.0%} of "
        f"groups: {_range(centred)}); the difference lies "
        f"{'within' if inside else 'outside'} this range. {_of_random(inside)} Raw, "
        "without subtracting the mean of the vocabulary, as in published "
        f"figures: {_compared(data, raw)}. With equal weights of all spellings: "
        f"{_compared(data, equal)}; raw: {_compared(data, equal_raw)}. "
    )
    if None in (row["low"] for row in (centred, raw, equal, equal_raw)):
        return f"{text}Whether the order depends on the mean is not checked."
    text += (
        f"Subtracting the mean {_change(centred, raw)} the order with the "
        f"model\u2019s weights, and {_change(equal, equal_raw)} it with equal weights. "
        "What is added to every token alike changes no probability."
    )
    if larger_part(equal) != larger_part(centred):
        text += " The order depends on the weights of the spellings."
    return text


def _of_random(inside: bool) -> str:
    """What it says that a difference lies within or outside the random range."""
    if inside:
        return "So random words with such weights would do as well."
    return (
        "Words of large logits lie outside wherever they are likely, also where the "
        "thought goes on, so this says nothing of turning back."
    )


def _compared(data: StudyData, difference: dict[str, Any]) -> str:
    """A difference with its interval, and which part adds more."""
    verdict = VERDICTS[larger_part(difference)]
    if difference["low"] is None:
        verdict = "no interval tells which adds more"
    return f"{signed(difference['mean'])} ({interval(data, difference)}), {verdict}"


def _change(centred: dict[str, Any], raw: dict[str, Any]) -> str:
    """What subtracting the mean does to the order of the two parts."""
    found, before = larger_part(centred), larger_part(raw)
    if found == before:
        return "does not change"
    return "changes what can be said of" if None in (found, before) else "reverses"


def is_random(row: dict[str, Any]) -> bool:
    """Whether a mean lies within the range of the random groups.

    Args:
        row: of `LOGIT_LENS_PARTS`, centred.
    """
    return bool(row["random_low"] <= row["mean"] <= row["random_high"])


def larger_part(difference: dict[str, Any]) -> str | None:
    """The part that adds more; None where the interval holds 0 or is missing.

    Args:
        difference: attention minus MLPs, a row of `LOGIT_LENS_PARTS`.
    """
    low, high = difference["low"], difference["high"]
    if low is not None and low > 0:
        return "attn_out"
    return "mlp_out" if high is not None and high < 0 else None


def layer_sentence(data: StudyData) -> str:
    """The layer whose attention or MLP adds most, centred and raw."""
    rows = data.tables["logit_lens/summary"].filter(
        pl.col("component") != "resid", kind="backtrack", group="backtrack"
    )
    centred, raw = (
        rows.filter(logit=logit).sort("mean", "layer").row(-1, named=True)
        for logit in ("centred", "raw")
    )
    is_same = _layer_name(centred) == _layer_name(raw)
    return (
        f"The largest single mean is that of {_layer_name(centred)}: "
        f"{signed(centred['mean'])} ({interval(data, centred)}; random tokens: "
        f"{_random(centred)}). Raw, it is that of "
        f"{'the same part' if is_same else _layer_name(raw)}: {signed(raw['mean'])} "
        f"({interval(data, raw)})."
    )


def _layer_name(row: dict[str, Any]) -> str:
    if row["component"] == "embed":
        return PART_NAMES["embed"]
    name = {"attn_out": "attention", "mlp_out": "the MLP"}[row["component"]]
    return f"{name} of layer {row['layer']}"


def _cases(row: dict[str, Any]) -> str:
    backtracks = plural(row["positions"], "backtrack")
    return f"{backtracks} of {plural(row['problems'], 'problem')}"


def interval(data: StudyData, row: dict[str, Any]) -> str:
    """The interval of a row in logits, or why there is none."""
    return data.between(row, lambda value: real(value, 2))


def _random(row: dict[str, Any]) -> str:
    """Mean and range of the random groups."""
    return f"{signed(row['random'])}, {_range(row)}"


def _range(row: dict[str, Any]) -> str:
    return f"{real(row['random_low'], 2)} to {real(row['random_high'], 2)}"


def signed(value: float | None) -> str:
    """A number of logits with its sign."""
    text = real(value, 2)
    return text if value is None or text.startswith("\u2212") else f"+{text}"
