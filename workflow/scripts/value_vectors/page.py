"""What the report says about MLP value vectors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section, Sheet
from doubletake.page.wording import listed, plural, real, significant
from doubletake.stats.contrasts import BY_NAME

if TYPE_CHECKING:
    import polars as pl

    from doubletake.page.study_data import StudyData

ENDS = {"for": "largest", "against": "smallest"}


def vectors_of(data: StudyData) -> pl.DataFrame:
    """The listed vectors, by layer, end and rank."""
    return data.tables["value_vectors"].sort(
        "layer", "end", "rank", descending=[False, True, False]
    )


def direction_of(data: StudyData) -> str:
    """Which direction the vectors are compared with."""
    return BY_NAME[data.settings["value_vectors"]["contrast"]].words


def headline(data: StudyData) -> str:
    """The vector of largest cosine, and whether scaling such vectors matters."""
    vectors = vectors_of(data)
    if vectors.is_empty():
        return (
            "No value vector was looked into: the model is a mixture of experts, which "
            f"this experiment skips, or there is no probe of {direction_of(data)}. The "
            "notes on the run say which."
        )
    best = vectors.sort("cosine").row(-1, named=True)
    return (
        f"Closest to the direction of {direction_of(data)} is {named(best)} (cosine "
        f"{real(best['cosine'], 2)}); {_verdict(data)}."
    )


def named(row: dict[str, Any], tokens: int = 3) -> str:
    """`layer 24 vec 11117: [' wait', ' waiting', ...]` with so many tokens."""
    words = ", ".join(repr(text) for text in row["tokens_for"][:tokens])
    more = ", ..." if len(row["tokens_for"]) > tokens else ""
    return f"layer {row['layer']} vec {row['vector']}: [{words}{more}]"


def _verdict(data: StudyData) -> str:
    """The largest effect of taking vectors away that random vectors do not have."""
    effects = data.tables["value_vectors/effects"]
    if effects.is_empty():
        return "the causal check was not made, for want of a selected backtrack"
    rows = effects.to_dicts()
    beyond = [row for row in rows if row["target_excess_low"] > 0]
    beyond += [row for row in rows if row["target_excess_high"] < 0]
    if not beyond:
        return (
            "scaling such vectors moves the backtrack words\u2019 logit no further "
            "than random vectors of like norm do, in any of "
            f"{plural(len(rows), 'comparison')}"
        )
    most = max(beyond, key=lambda row: abs(row["target_excess"]))
    return (
        f"{_set(most)} moves the backtrack words\u2019 logit by "
        f"{_signed(most['target'])} ({_signed(most['target_low'])} to "
        f"{_signed(most['target_high'])}), random vectors of like norm by "
        f"{_signed(most['target_random'])}; {len(beyond)} of "
        f"{plural(len(rows), 'comparison')} differ from random"
    )


def _set(row: dict[str, Any]) -> str:
    change = "zeroing" if row["factor"] == 0 else f"multiplying by {row['factor']:g}"
    return (
        f"{change} the {row['vectors']} vectors of {ENDS[row['end']]} cosine of layer "
        f"{row['layer']}"
    )


def _signed(value: float) -> str:
    return significant(value) if value < 0 else f"+{significant(value)}"


def findings(data: StudyData) -> list[str]:
    """Where the vectors are active, and what the check changes."""
    if vectors_of(data).is_empty():
        return []
    found = [_layers(data), _activity(data)]
    for row in data.tables["value_vectors/effects"].iter_rows(named=True):
        if row["factor"] == 0:
            found.append(_effect(row))
    return found


def _layers(data: StudyData) -> str:
    vectors = vectors_of(data)
    layers = sorted(set(vectors["layer"].to_list()))
    asked = data.settings["value_vectors"]["layers"]
    why = (
        "those after which the probe is most selective"
        if asked is None
        else "those that the config names"
    )
    names = listed([f"{layer}" for layer in layers])
    word = "layer" if len(layers) == 1 else "layers"
    return (
        f"Looked into: the MLPs of {word} {names}, {why}; the MLP of layer l is "
        "compared with the probe at boundary l + 1, which it writes to."
    )


def _activity(data: StudyData) -> str:
    """How many listed vectors are more active at backtracks than at controls."""
    known = vectors_of(data).drop_nulls(["at_backtrack", "at_control"])
    apart = known.filter(
        (known["at_backtrack_low"] > known["at_control_high"])
        | (known["at_backtrack_high"] < known["at_control_low"])
    )
    return (
        f"{apart.height} of the {plural(known.height, 'listed vector')} have "
        "activations at backtracks and at controls whose intervals do not meet."
    )


def _effect(row: dict[str, Any]) -> str:
    return (
        f"{_set(row).capitalize()} changes the backtrack words\u2019 logit by "
        f"{_signed(row['target'])} and its distance to the wrap-up words\u2019 by "
        f"{_signed(row['margin'])}; random vectors of like norm by "
        f"{_signed(row['target_random'])} and {_signed(row['margin_random'])} "
        f"(n\u00a0=\u00a0{row['positions']:,})."
    )


def sheets(data: StudyData) -> list[Sheet]:
    """One row per listed vector."""
    vectors = vectors_of(data)
    if vectors.is_empty():
        return []
    found = []
    for end, word in ENDS.items():
        rows = [_row(row) for row in vectors.filter(end=end).iter_rows(named=True)]
        columns = (
            "vector and the tokens it writes for",
            "tokens it writes against",
            "cosine",
            "at backtracks",
            "at controls",
        )
        note = (
            "Tokens by the logits that the vector writes through the final norm\u2019s "
            "gain and the unembedding; a unit of negative activation writes for those "
            "in the second column. Mean activations; their intervals are in "
            "value_vectors.parquet."
        )
        title = f"Value vectors of {word} cosine with the probe\u2019s direction"
        found.append(Sheet(title, columns, tuple(rows), (0, 1), note, folded=True))
    return found


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    for_, against = (
        ", ".join(repr(text) for text in row[name])
        for name in ("tokens_for", "tokens_against")
    )
    return (
        f"Layer {row['layer']} vec {row['vector']}: [{for_}]",
        f"[{against}]",
        real(row["cosine"], 3),
        real(row["at_backtrack"], 2),
        real(row["at_control"], 2),
    )


def checked_behind(data: StudyData) -> str:
    """Positions behind the causal check."""
    effects = data.tables["value_vectors/effects"]
    if effects.is_empty():
        return "No backtrack was checked."
    row = effects.row(0, named=True)
    return (
        f"{plural(row['positions'], 'backtrack')} on "
        f"{plural(row['problems'], 'problem')}, "
        f"{plural(row['vectors'], 'vector')} at a time. "
        f"Intervals: {data.confidence:.0%}, over problems."
    )


def units_behind(data: StudyData) -> str:
    """Units drawn."""
    units = data.tables["value_vectors/units"]
    layers = units["layer"].n_unique()
    return f"{plural(units.height, 'unit')} of {plural(layers, 'layer')}."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"effects": checked_behind, "units": units_behind},
)
