"""Printed tables: effects and cosines beside their nulls, and the listed vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Sheet
from doubletake.page.wording import percent, plural, probability, real
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from value_vectors.set_sentences import (
    EXPECTED_WORDS,
    SIDE_WORDS,
    as_expected,
    signed,
)

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

SIGN_WORDS = {True: "as expected", False: "opposite", None: "cannot be told"}
EFFECT_COLUMNS = (
    "zeroed",
    "writes along the direction",
    "change of log-odds",
    "of their spread",
    "expected",
    "sign",
    "random sets, 95%",
    "p",
    "corrected p",
)
ALIGNMENT_COLUMNS = (
    "vectors",
    "most extreme cosine",
    "shuffled labels, median",
    "95%",
    "corrected p",
    "share of the direction",
    "shuffled labels, median",
    "95%",
)
VECTOR_COLUMNS = (
    "vector and the tokens it writes for",
    "tokens it writes against",
    "cosine",
    "shuffled labels, 95%",
)


def sheets(data: StudyData) -> list[Sheet]:
    """Effects and cosines beside their nulls, and the listed vectors of each side."""
    vectors = vectors_of(data)
    if vectors.is_empty():
        return []
    tables = [_effect_sheet(data)] if is_checked(data) else []
    tables.append(_alignment_sheet(data))
    return [*tables, *(_vector_sheet(data, side) for side in SIDE_WORDS)]


def _vector_sheet(data: StudyData, side: str) -> Sheet:
    """The listed vectors of a side, with their activations within pairs."""
    listed = vectors_of(data).filter(side=side).to_dicts()
    contrast = CONTRAST_BY_NAME[data.settings["value_vectors"]["contrast"]]
    activations = (f"at {contrast.positive}s", f"at {contrast.negative}s", "difference")
    first = listed[0]
    note = (
        "Tokens: by the logits that the vector writes through the final "
        "norm\u2019s gain and the unembedding. A unit of negative activation "
        "writes for the tokens in the second column. Activations are means over "
        f"{plural(first['pairs'], 'matched pair')} of {contrast.positive} and "
        f"{contrast.negative}, in which the {contrast.positive}s are of "
        f"{plural(first['problems'], 'problem')}. The probe was fitted to these pairs, "
        f"so their difference is no test of the cosine. {data.interval_note} Shuffled "
        "labels (each pair\u2019s are swapped or kept at random): 95% of their "
        "directions have a less extreme cosine of this rank. This limit is for one "
        "vector alone."
    )
    title = (
        f"Value vectors of {SIDE_WORDS[side]} cosine with the probe\u2019s direction"
    )
    rows = tuple(_cells(data, row) for row in listed)
    return Sheet(title, VECTOR_COLUMNS + activations, rows, (0, 1), note, folded=True)


def _effect_sheet(data: StudyData) -> Sheet:
    rows = [
        (
            f"layer {row['layer']}, {SIDE_WORDS[row['side']]} cosines",
            signed(row["along"]),
            signed(row["log_odds_change"]),
            real(row["relative_change"], 3),
            EXPECTED_WORDS.get(row["expected"], "\u2013"),
            SIGN_WORDS[as_expected(row)] if row["expected"] else "\u2013",
            f"{signed(row['random_low'])} to {signed(row['random_high'])}",
            probability(row["p"]),
            probability(row["p_holm"]),
        )
        for row in effects_of(data)
    ]
    first = effects_of(data)[0]
    note = (
        f"{plural(first['random_sets'], 'random set')} for each row, with units of the "
        "same layer that write as much, the same units at all backtracks. p: rank of "
        "the listed set by its distance from the median of all sets. Expected: from "
        "what the set writes along the probe\u2019s direction at these positions, mean "
        "in units of the residual stream; zeroing removes it. Sign: whether the mean "
        "change is 0, by flipping the signs of problems. Both are corrected for the "
        "number of rows (Holm)."
    )
    return Sheet("Zeroed sets", EFFECT_COLUMNS, tuple(rows), (0, 4, 5), note)


def _alignment_sheet(data: StudyData) -> Sheet:
    rows = [
        (
            f"layer {row['layer']}, {SIDE_WORDS[row['side']]} cosines",
            real(row["cosine"], 3),
            real(row["cosine_null"], 3),
            real(row["cosine_limit"], 3),
            probability(row["p_holm"]),
            percent(row["share"]),
            percent(row["share_null"]),
            percent(row["share_limit"]),
        )
        for row in alignment_of(data)
    ]
    note = (
        "Shuffled labels: the probe\u2019s fit on the same states, "
        f"{plural(alignment_of(data)[0]['directions'], 'time')}; each matched pair "
        "keeps its labels or swaps them, at random. Share: part "
        "of the direction\u2019s squared norm in the span of the vectors that are "
        "zeroed together; for shuffled labels, of the vectors closest to their "
        "direction."
    )
    return Sheet("Cosines beside chance", ALIGNMENT_COLUMNS, tuple(rows), (0,), note)


def _cells(data: StudyData, row: dict[str, Any]) -> tuple[str, ...]:
    words_for, words_against = (
        ", ".join(repr(text) for text in row[name])
        for name in ("tokens_for", "tokens_against")
    )
    ends = data.between(row, lambda value: real(value, 2), "difference")
    return (
        f"Layer {row['layer']} vec {row['vector']}: [{words_for}]",
        f"[{words_against}]",
        real(row["cosine"], 3),
        real(row["cosine_limit"], 3),
        real(row["at_first"], 2),
        real(row["at_second"], 2),
        f"{real(row['difference'], 2)} ({ends})",
    )


def vectors_of(data: StudyData) -> pl.DataFrame:
    """The listed vectors, by layer, side and rank."""
    return data.tables["value_vectors"].sort(
        "layer", "side", "rank", descending=[False, True, False]
    )


def effects_of(data: StudyData) -> list[dict[str, Any]]:
    """Effects of the listed sets, by layer and side."""
    effects = data.tables["value_vectors/effects"]
    return effects.sort("layer", "side", descending=[False, True]).to_dicts()


def is_checked(data: StudyData) -> bool:
    """Whether vectors were zeroed, on enough problems."""
    rows = effects_of(data)
    return bool(rows) and data.is_enough(rows[0]["problems"])


def alignment_of(data: StudyData) -> list[dict[str, Any]]:
    """Cosines beside their null, by layer and side."""
    alignment = data.tables["value_vectors/alignment"]
    return alignment.sort("layer", "side", descending=[False, True]).to_dicts()
