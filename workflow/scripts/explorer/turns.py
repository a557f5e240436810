"""Records of selected turns: attribution, attention of leading heads, logit lens."""

from collections.abc import Callable, Collection
from math import isfinite
from typing import Any

import polars as pl

from explorer.part import DIGITS, Rows, rounded
from explorer.parts import (
    ATTENTION_PART,
    ATTRIBUTION_PART,
    EFFECTS_PART,
    EXACT_PART,
    LENS_PART,
)

PROFILES = 64
"""Tokens of a turn whose scores are shown layer by layer: those that score highest."""
HEADS = 6
"""Leading heads that are shown, by each measure."""
MEASURES = ("dla_backtrack", "arrival_sentence")
BINS = (
    *("bos", "question", "part_1", "part_2", "part_3", "part_4", "part_5"),
    *("current_sentence", "arrival_sentence"),
)
"""Bins of tokens that attention is shown for."""

Key = tuple[object, ...]


def turn_records(
    tables: Any, parts: Collection[str], text_of: Callable[[int], str]
) -> dict[Key, dict[str, Any]]:
    """Records by (trace, event); what a study has not measured is absent.

    Args:
        tables: of the study.
        parts: names of the parts that are shown.
        text_of: the text of a token id.
    """
    found: dict[Key, dict[str, Any]] = {}

    def add(name: str, part: dict[Key, Any]) -> None:
        for key, rows in part.items():
            found.setdefault(key, {})[name] = rows

    if ATTRIBUTION_PART.name in parts:
        scores = ATTRIBUTION_PART.rows(tables["attribution/tokens"])
        add("attribution", {key: rows[0] for key, rows in scores.items()})
        add("profiles", profiles(tables["attribution"], scores))
    if EXACT_PART.name in parts:
        add("exact", EXACT_PART.rows(tables[EXACT_PART.table]))
    if ATTENTION_PART.name in parts:
        add("attention", head_rows(tables["attention"], tables["attention/heads"]))
    if LENS_PART.name in parts:
        add("lens", lens_rows(tables["logit_lens"], text_of))
    if EFFECTS_PART.name in parts:
        rows = EFFECTS_PART.rows(tables[EFFECTS_PART.table])
        add("effects", {key: row[0] for key, row in rows.items()})
    order = {name: k for k, name in enumerate(tables["traces"]["trace"])}
    return dict(sorted(found.items(), key=lambda one: (order[one[0][0]], one[0][1])))


def profiles(attribution: pl.DataFrame, scores: Rows) -> dict[Key, dict[str, Any]]:
    """Scores by layer of the tokens with the highest `max_abs`, as tokens and layers.

    Args:
        attribution: `ATTRIBUTION`.
        scores: rows of `ATTRIBUTION_PART`.
    """
    place = ATTRIBUTION_PART.columns.index("max_abs")
    layers = attribution.filter(component="resid").sort("trace", "event", "layer")
    by_turn = layers.partition_by("trace", "event", as_dict=True, maintain_order=True)
    found = {}
    for key, rows in by_turn.items():
        largest: list[float] = scores[key][0][place]  # type: ignore[assignment]
        ranked = sorted(range(len(largest)), key=lambda k: (-largest[k], k))
        tokens = sorted(ranked[:PROFILES])
        shown = rows.select(rounded("scores", rows.schema["scores"]))["scores"]
        found[key] = {
            "tokens": tokens,
            "layers": [[values[k] for k in tokens] for values in shown.to_list()],
        }
    return found


def head_rows(attention: pl.DataFrame, heads: pl.DataFrame) -> dict[Key, Any]:
    """Where the leading heads look, and what they write.

    Returns:
        By turn one list per head: layer, head, attention by bin (`BINS`), what it
        writes toward backtrack words and toward wrap-up words (logit).
    """
    leading = heads.filter(
        pl.col("measure").is_in(MEASURES)
        & (pl.col("kind") == "backtrack")
        & (pl.col("rank") <= HEADS)
    )
    chosen = sorted(set(leading.select("layer", "head").iter_rows()))
    found: dict[Key, Any] = {}
    wanted = attention.filter(pl.col("layer").is_in({layer for layer, _ in chosen}))
    for row in wanted.iter_rows(named=True):
        rows = found.setdefault((row["trace"], row["event"]), [])
        for layer, head in chosen:
            if layer == row["layer"]:
                shares = [row[name][head] if row[name] else None for name in BINS]
                writes = [row["dla_backtrack"][head], row["dla_wrap_up"][head]]
                rows.append(
                    [layer, head, [_digits(v) for v in shares], *map(_digits, writes)]
                )
    return found


def lens_rows(lens: pl.DataFrame, text_of: Callable[[int], str]) -> dict[Key, Any]:
    """The residual stream through the lens, layer by layer, with its top tokens' texts.

    Args:
        lens: `LOGIT_LENS`.
        text_of: the text of a token id.
    """
    rows = lens.filter(component="resid").sort("trace", "event", "layer")
    texts: dict[int, str] = {}

    def with_texts(row: list[Any]) -> list[Any]:
        for token in row[-1]:
            if token not in texts:
                texts[token] = text_of(token)
        return [*row[:-1], [texts[token] for token in row[-1]]]

    return {
        key: [with_texts(row) for row in part]
        for key, part in LENS_PART.rows(rows).items()
    }


def _digits(value: float | None) -> float | None:
    """A number with the digits that are shown; None if it is not finite."""
    if value is None or not isfinite(value):
        return None
    return float(f"{value:.{DIGITS}g}")
