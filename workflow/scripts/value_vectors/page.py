"""Section of the page: the listed value vectors, and what zeroing them changes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from doubletake.page.sections import Section
from doubletake.page.wording import listed, percent, plural, real
from doubletake.stats.contrasts import CONTRAST_BY_NAME
from value_vectors.set_sentences import (
    SIDE_WORDS,
    change_words,
    differs,
    in_expected_direction,
    probability_of,
    set_name,
    signed,
    zeroing_sentence,
)
from value_vectors.sheets import (
    alignment_of,
    effects_of,
    is_checked,
    sheets,
    vectors_of,
)
from value_vectors.tables import LEVEL

if TYPE_CHECKING:
    from doubletake.page.study_data import StudyData


def contrast_of(data: StudyData) -> str:
    """The contrast whose direction the vectors are compared with, in words."""
    contrast = data.settings["value_vectors"]["contrast"]
    return CONTRAST_BY_NAME[contrast].description


def headline(data: StudyData) -> str:
    """The most extreme cosine with its null, and whether zeroing has an effect."""
    vectors = vectors_of(data)
    if vectors.is_empty():
        return (
            "No value vectors were compared with a direction: either the model is a "
            "mixture of experts, which this experiment skips, or there is no probe of "
            f"{contrast_of(data)}. The notes on the run say which."
        )
    return f"{_least_by_chance(data)}. {_needed(data)}."


def vector_name(row: dict[str, Any], tokens: int = 3) -> str:
    """`layer 24 vec 11117: [' wait', ' waiting', ...]` with this number of tokens."""
    words = ", ".join(repr(text) for text in row["tokens_for"][:tokens])
    more = ", ..." if len(row["tokens_for"]) > tokens else ""
    return f"layer {row['layer']} vec {row['vector']}: [{words}{more}]"


def _least_by_chance(data: StudyData) -> str:
    """The cosine of smallest p, and whether it is more than shuffled labels give."""
    rows = alignment_of(data)
    row = min(rows, key=lambda row: (row["p_holm"], -abs(row["cosine"])))
    first = vectors_of(data).filter(layer=row["layer"], side=row["side"], rank=1)
    name = vector_name(first.row(0, named=True))
    is_more = row["p_holm"] <= LEVEL
    verdict = "more extreme than" if is_more else "not told apart from"
    bound = "below" if row["side"] == "for" else "above"
    return (
        "The most extreme cosines with the direction of "
        f"{contrast_of(data)} were compared with those that the probe\u2019s fit gives "
        "on shuffled labels (each pair\u2019s are swapped or kept at random). The one "
        f"of smallest p, that of {name}, is {real(row['cosine'], 2)}: {verdict} those "
        f"of shuffled labels (rank among {plural(row['directions'], 'direction')}; "
        f"corrected p\u00a0{probability_of(row['p_holm'])}, given "
        f"{plural(len(rows), 'test')}; in one test alone, 95% of shuffled labels stay "
        f"{bound} {real(row['cosine_limit'], 2)})"
    )


def _needed(data: StudyData) -> str:
    """Whether zeroing the listed sets does something else than zeroing random sets."""
    rows = effects_of(data)
    if not rows:
        return "The causal check was not made, because no backtrack was selected"
    if not is_checked(data):
        n = plural(rows[0]["problems"], "problem")
        return f"What zeroing them changes was not checked ({n})"
    beyond = [row for row in rows if differs(row)]
    if not beyond:
        smallest = min(row["p_holm"] for row in rows)
        return (
            f"Of {plural(len(rows), 'set')} of such vectors that were zeroed, none is "
            "told apart from sets of random vectors that write as much by what it "
            f"changes in turning back (rank among {rows[0]['random_sets']:,}; smallest "
            f"corrected p\u00a0{probability_of(smallest)})"
        )
    largest = max(
        beyond, key=lambda row: abs(row["log_odds_change"] - row["random_middle"])
    )
    wanted = sum(map(in_expected_direction, beyond))
    direction = (
        f", {wanted} of them in the direction expected from what they write"
        if any(row["expected"] for row in rows)
        else ""
    )
    return (
        f"Zeroing {set_name(largest)} changes the backtrack words\u2019 log-odds "
        f"{change_words(largest)}, while 95% of {largest['random_sets']:,} sets of "
        "random vectors that write as much change them by "
        f"{signed(largest['random_low'])} to {signed(largest['random_high'])}; "
        f"{len(beyond)} of {plural(len(rows), 'set')} "
        f"{'differs' if len(beyond) == 1 else 'differ'} from random sets{direction}"
    )


def findings(data: StudyData) -> list[str]:
    """The layers, the share of the direction, and what zeroing changes."""
    if vectors_of(data).is_empty():
        return []
    sentences = [_layers(data), _cosines(data), _shares(data)]
    if is_checked(data):
        sentences += map(zeroing_sentence, effects_of(data))
    return sentences


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


def _cosines(data: StudyData) -> str:
    """How many of the most extreme cosines are beyond those of shuffled labels."""
    rows = alignment_of(data)
    beyond = sum(row["p_holm"] <= LEVEL for row in rows)
    return (
        f"{beyond} of {plural(len(rows), 'most extreme cosine')} (one for each layer "
        f"and side) {'is' if beyond == 1 else 'are'} beyond those with directions that "
        "the probe\u2019s fit gives on shuffled labels, where each pair\u2019s labels "
        "are swapped or kept at random (rank among "
        f"{plural(rows[0]['directions'], 'direction')}, corrected p at most {LEVEL})."
    )


def _shares(data: StudyData) -> str:
    """How much of the direction the checked vectors of a set can make together."""
    best = max(alignment_of(data), key=lambda row: row["share"])
    return (
        f"A set of {plural(best['vectors'], 'vector')} holds at most "
        f"{percent(best['share'])} of the direction\u2019s squared norm (layer "
        f"{best['layer']}, {SIDE_WORDS[best['side']]} cosines). For directions of "
        f"shuffled labels, the vectors closest to each hold "
        f"{percent(best['share_null'])} at the median and up to "
        f"{percent(best['share_limit'])} in 95% of "
        f"{plural(best['directions'], 'case')}."
    )


def check_cases(data: StudyData) -> str:
    """Positions behind the causal check."""
    rows = effects_of(data)
    if not rows:
        return "No backtrack was checked."
    row = rows[0]
    return (
        f"{plural(row['positions'], 'backtrack')} on "
        f"{plural(row['problems'], 'problem')}, "
        f"{plural(row['vectors'], 'vector')} at a time, beside "
        f"{plural(row['random_sets'], 'random set')}. "
        f"{data.interval_note}"
    )


def unit_cases(data: StudyData) -> str:
    """Units in the figure."""
    units, vectors = (data.tables[f"value_vectors{name}"] for name in ("/units", ""))
    layers = units["layer"].n_unique()
    text = f"{plural(units.height, 'unit')} of {plural(layers, 'layer')}"
    if vectors.is_empty():
        return f"{text}."
    pairs = plural(vectors.row(0, named=True)["pairs"], "matched pair")
    return f"{text}; {pairs} of {contrast_of(data)}."


SECTION = Section(
    headline=headline,
    findings=findings,
    sheets=sheets,
    cases={"effects": check_cases, "units": unit_cases},
)
