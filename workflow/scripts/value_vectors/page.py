"""Section of the page: the listed value vectors, and what scaling them changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import listed, plural, real, significant
from doubletake.stats.contrasts import CONTRAST_BY_NAME

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

SIDE_WORDS = {"for": "largest", "against": "smallest"}


def vectors_of(data: StudyData) -> pl.DataFrame:
    """The listed vectors, by layer, side and rank."""
    return data.tables["value_vectors"].sort(
        "layer", "side", "rank", descending=[False, True, False]
    )


def contrast_of(data: StudyData) -> str:
    """The contrast whose direction the vectors are compared with, in words."""
    contrast = data.settings["value_vectors"]["contrast"]
    return CONTRAST_BY_NAME[contrast].description


def headline(data: StudyData) -> str:
    """The vector of largest cosine, and whether scaling the vectors has an effect."""
    vectors = vectors_of(data)
    if vectors.is_empty():
        return (
            "No value vectors were compared with a direction: either the model is a "
            "mixture of experts, which this experiment skips, or there is no probe of "
            f"{contrast_of(data)}. The notes on the run say which."
        )
    best = vectors.sort("cosine").row(-1, named=True)
    return (
        f"Closest to the direction of {contrast_of(data)} is {vector_name(best)} "
        f"(cosine {real(best['cosine'], 2)}); {_largest_effect(data)}."
    )


def vector_name(row: dict[str, Any], tokens: int = 3) -> str:
    """`layer 24 vec 11117: [' wait', ' waiting', ...]` with this number of tokens."""
    words = ", ".join(repr(text) for text in row["tokens_for"][:tokens])
    more = ", ..." if len(row["tokens_for"]) > tokens else ""
    return f"layer {row['layer']} vec {row['vector']}: [{words}{more}]"


def _largest_effect(data: StudyData) -> str:
    """The largest effect of scaling vectors that random vectors do not have."""
    effects = data.tables["value_vectors/effects"]
    if effects.is_empty():
        return "the causal check was not made, because no backtrack was selected"
    rows = effects.drop_nulls("logit_change_excess_low").to_dicts()
    if not rows:
        n = plural(effects["problems"][0], "problem")
        return f"what scaling them changes was not checked ({n})"
    beyond = [row for row in rows if row["logit_change_excess_low"] > 0]
    beyond += [row for row in rows if row["logit_change_excess_high"] < 0]
    if not beyond:
        return (
            "scaling such vectors does not move the backtrack words\u2019 logit "
            "further than scaling random vectors that write as much, in any of "
            f"{plural(len(rows), 'comparison')}"
        )
    largest = max(beyond, key=lambda row: abs(row["logit_change_excess"]))
    return (
        f"{_scaling(largest)} moves the backtrack words\u2019 logit by "
        f"{_signed(largest['logit_change'])} "
        f"({data.between(largest, _signed, 'logit_change')}), while random vectors "
        f"that write as much move it by {_signed(largest['logit_change_random'])}; "
        f"{len(beyond)} of {plural(len(rows), 'comparison')} differ from random vectors"
    )


def _scaling(row: dict[str, Any]) -> str:
    change = "zeroing" if row["factor"] == 0 else f"multiplying by {row['factor']:g}"
    return (
        f"{change} the {row['vectors']} vectors of {SIDE_WORDS[row['side']]} cosine of "
        f"layer {row['layer']}"
    )


def _signed(value: float) -> str:
    return significant(value) if value < 0 else f"+{significant(value)}"


def findings(data: StudyData) -> list[str]:
    """The layers, where the vectors are active, and what the check changes."""
    if vectors_of(data).is_empty():
        return []
    effects = data.tables["value_vectors/effects"].iter_rows(named=True)
    return [
        _layers(data),
        _activity(data),
        *(_zeroing_effect(row) for row in effects if row["factor"] == 0),
    ]


def _layers(data: StudyData) -> str:
    layers = sorted(set(vectors_of(data)["layer"].to_list()))
    why = (
        "after which the probe is most selective"
        if data.settings["value_vectors"]["layers"] is None
        else "which the config names"
    )
    names = listed([f"{layer}" for layer in layers])
    word = "layer" if len(layers) == 1 else "layers"
    return (
        f"Examined: the MLPs of {word} {names}, {why}. The MLP of layer l is compared "
        "with the probe at boundary l + 1, which it writes to."
    )


def _activity(data: StudyData) -> str:
    """How many listed vectors differ in activation between backtracks and controls."""
    both = vectors_of(data).drop_nulls(["at_backtrack_low", "at_control_low"])
    if both.is_empty():
        return (
            "Whether the listed vectors differ in activation between backtracks and "
            "controls was not checked: too few problems."
        )
    apart = both.filter(
        (both["at_backtrack_low"] > both["at_control_high"])
        | (both["at_backtrack_high"] < both["at_control_low"])
    )
    return (
        f"For {apart.height} of the {plural(both.height, 'listed vector')}, the "
        "intervals of mean activation at backtracks and at controls do not overlap."
    )


def _zeroing_effect(row: dict[str, Any]) -> str:
    return (
        f"{_scaling(row).capitalize()} changes the backtrack words\u2019 logit by "
        f"{_signed(row['logit_change'])}, and its margin over the wrap-up words\u2019 "
        f"logit by {_signed(row['margin_change'])}. Random vectors that write as much "
        f"change them by {_signed(row['logit_change_random'])} and "
        f"{_signed(row['margin_change_random'])} (n\u00a0=\u00a0{row['positions']:,})."
    )


COLUMNS = (
    "vector and the tokens it writes for",
    "tokens it writes against",
    "cosine",
    "at backtracks",
    "at controls",
)


def sheets(data: StudyData) -> list[Sheet]:
    """One table per side, one row per listed vector."""
    vectors = vectors_of(data)
    if vectors.is_empty():
        return []
    tables = []
    for side, word in SIDE_WORDS.items():
        rows = [_cells(row) for row in vectors.filter(side=side).iter_rows(named=True)]
        note = (
            "Tokens: by the logits that the vector writes through the final "
            "norm\u2019s gain and the unembedding. A unit of negative activation "
            "writes for the tokens in the second column. Activations are means; their "
            "intervals are in value_vectors.parquet."
        )
        title = f"Value vectors of {word} cosine with the probe\u2019s direction"
        tables.append(Sheet(title, COLUMNS, tuple(rows), (0, 1), note, folded=True))
    return tables


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    words_for, words_against = (
        ", ".join(repr(text) for text in row[name])
        for name in ("tokens_for", "tokens_against")
    )
    return (
        f"Layer {row['layer']} vec {row['vector']}: [{words_for}]",
        f"[{words_against}]",
        real(row["cosine"], 3),
        real(row["at_backtrack"], 2),
        real(row["at_control"], 2),
    )


def check_cases(data: StudyData) -> str:
    """Positions behind the causal check."""
    effects = data.tables["value_vectors/effects"]
    if effects.is_empty():
        return "No backtrack was checked."
    row = effects.row(0, named=True)
    return (
        f"{plural(row['positions'], 'backtrack')} on "
        f"{plural(row['problems'], 'problem')}, "
        f"{plural(row['vectors'], 'vector')} at a time. "
        f"{data.interval_note}"
    )


def unit_cases(data: StudyData) -> str:
    """Units in the figure."""
    units = data.tables["value_vectors/units"]
    layers = units["layer"].n_unique()
    return f"{plural(units.height, 'unit')} of {plural(layers, 'layer')}."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"effects": check_cases, "units": unit_cases},
)
