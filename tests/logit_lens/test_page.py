"""The report's sentences on the lens, from tables with known numbers."""

import numpy as np
import polars as pl
import pytest

from doubletake.page.study_data import StudyData
from doubletake.stats.intervals import IntervalSettings, cluster_means
from logit_lens.page import SECTION, headline, middle_boundary
from logit_lens.page_pairs import control_sentence, pair_parts_sentence
from logit_lens.page_parts import (
    is_random,
    larger_part,
    layer_sentence,
    order_sentence,
)
from logit_lens.summarise import random_range
from logit_lens.tables import (
    LOGIT_LENS_LEADING,
    LOGIT_LENS_PARTS,
    LOGIT_LENS_SUMMARY,
    LOGIT_LENS_WORDS,
)
from turns.tables import TURN_WORDS, TURNS

RANDOM = {"random": 0.5, "random_low": -1.0, "random_high": 2.0}
COUNTS = {"positions": 40, "problems": 30}


def part_row(part, logit, mean, low=None, high=None, kind="backtrack"):
    row = {"kind": kind, "part": part, "logit": logit, **COUNTS, "mean": mean}
    row |= {"low": mean - 0.5 if low is None else low}
    return row | {"high": mean + 0.5 if high is None else high} | RANDOM


def parts(centred, raw):
    """Rows of all parts; `centred` and `raw`: low and high end of the difference."""
    return LOGIT_LENS_PARTS.frame(
        [
            part_row(part, logit, mean)
            for logit in ("centred", "equal", "raw", "equal_raw")
            for part, mean in (("embed", 0.25), ("attn_out", 3.5), ("mlp_out", 2.5))
        ]
        + [part_row("difference", "centred", sum(centred) / 2, *centred)]
        + [part_row("difference", "equal", -0.25, -0.375, -0.125)]
        + [part_row("difference", "equal_raw", -8.0)]
        + [part_row("difference", "raw", sum(raw) / 2, *raw)]
    )


def leading(shares, to_the_end, kind="backtrack"):
    return LOGIT_LENS_LEADING.frame(
        [
            {"kind": kind, "boundary": boundary, **COUNTS, "share_leading": share}
            | {"low": share, "high": share, "leading_to_the_end": begins}
            for boundary, (share, begins) in enumerate(
                zip(shares, to_the_end, strict=True)
            )
        ]
    )


def pair_tables(ends, problems):
    """Rows at 14 pairs, of two tables."""
    counts = {"positions": 14, "problems": problems}
    interval = dict(zip(("low", "high"), ends, strict=True))
    rows = [
        {"kind": kind, "boundary": boundary, **counts, "share_leading": share}
        | (interval if kind == "difference" else {"low": 0.25, "high": 0.75})
        | {"leading_to_the_end": None if kind == "difference" else 7}
        for kind, share in (("matched", 0.875), ("control", 0.5), ("difference", 0.375))
        for boundary in (0, 3)
    ]
    means = {"embed": 0.0, "attn_out": 2.25, "mlp_out": -0.25, "difference": 2.5}
    parts = [
        part_row(part, "centred", mean, kind="difference") | counts
        for part, mean in means.items()
    ]
    return {
        "logit_lens/leading": LOGIT_LENS_LEADING.frame(rows),
        "logit_lens/parts": LOGIT_LENS_PARTS.frame(parts),
    }


def summary():
    """The MLP of layer 1 leads raw, attention of layer 0 leads centred."""
    means = {
        ("attn_out", 0): (3.0, 2.0),
        ("mlp_out", 1): (1.5, 15.0),
        ("embed", 0): (0.25, 0.25),
    }
    return LOGIT_LENS_SUMMARY.frame(
        [
            {"kind": "backtrack", "component": component, "layer": layer}
            | {"group": "backtrack", "logit": logit, **COUNTS, "mean": mean}
            | {"low": mean - 1, "high": mean + 1, **RANDOM}
            for (component, layer), both in means.items()
            for logit, mean in zip(("centred", "raw"), both, strict=True)
        ]
    )


def turn(event):
    row = {"trace": "a/0", "problem": "a", "event": event, "kind": "backtrack"}
    row |= {"ordinal": event, "position": 19, "next_id": 5, "logprob": -0.1}
    row |= {"predicted_id": 5, "predicted_text": "Wait", "is_word": event == 1}
    return row | {"selected": True}


def data_of(
    predicted_only=False,
    centred=(0.5, 1.5),
    raw=(-25.0, -21.0),
    shares=(0.0, 0.6, 0.25, 0.3),
    to_the_end=(0, 2, 4, 6),
    ends=(0.25, 0.5),
    problems=12,
):
    """A study; `ends` and `problems`: of the difference from controls, None: no pair.

    At the last boundary the word leads at 87.5% of 14 backtracks and at 50% of their
    controls.
    """
    word = {"group": "backtrack", "word": "Wait", "token_id": 1, "text": "Wait"}
    tables = {
        "turns": TURNS.frame([turn(1), turn(2)]),
        "turns/words": TURN_WORDS.frame([word]),
        "logit_lens/parts": parts(centred, raw),
        "logit_lens/leading": leading(shares, to_the_end),
        "logit_lens/summary": summary(),
        "logit_lens/words": LOGIT_LENS_WORDS.frame([]),
    }
    if ends is not None:
        for name, rows in pair_tables(ends, problems).items():
            tables[name] = pl.concat([tables[name], rows])
    settings = {
        "turns": {"predicted_only": predicted_only},
        "intervals": {"confidence": 0.95, "least_problems": 10},
    }
    return StudyData("tiny", "data", tables, settings)


def test_the_headline_counts_words_that_lead_to_the_end():
    """60% lead at boundary 1, but only for a moment."""
    text = headline(data_of())
    assert "At 30.0% of 40 backtracks" in text
    assert "from boundary 2 of 3 or earlier" in text
    assert "60" not in text
    assert "attention adds +3.50 (random tokens: +0.50)" in text
    assert "turns.predicted_only" not in text
    assert "keeps only these" in headline(data_of(predicted_only=True))


def test_where_no_word_leads_at_the_end_the_headline_names_no_boundary():
    text = headline(data_of(shares=(0.0, 0.6, 0.25, 0.0), to_the_end=(0, 0, 0, 0)))
    assert "At none of 40 backtracks" in text
    assert "boundary" not in text


def test_words_that_lead_at_the_last_boundary_only():
    text = headline(data_of(to_the_end=(0, 2, 3, 7)))
    assert "at 7 of these it leads only at the last boundary, 3" in text


@pytest.mark.parametrize(
    ("to_the_end", "middle"), [((0, 0, 0, 9), 3), ((5, 0, 0, 5), 0), ((1, 1, 1, 0), 1)]
)
def test_the_boundary_by_which_half_lead(to_the_end, middle):
    assert middle_boundary(leading((0.5,) * 4, to_the_end)) == middle


@pytest.mark.parametrize(
    ("centred", "raw", "change"),
    [
        ((0.5, 1.5), (-25.0, -21.0), "reverses"),
        ((-0.5, 1.5), (-25.0, -21.0), "changes what can be said of"),
        ((-1.5, -0.5), (-25.0, -21.0), "does not change"),
        ((-0.5, 1.5), (-1.0, 1.0), "does not change"),
    ],
)
def test_the_order_of_attention_and_mlps_centred_and_raw(centred, raw, change):
    text = order_sentence(data_of(centred=centred, raw=raw))
    assert f"the mean {change} the order with the model" in text
    assert "and does not change it with equal weights" in text
    assert ("attention adds more" in text) == (centred[0] > 0)
    assert ("does not tell" in text) == (centred[0] < 0 < centred[1])
    assert "\u22120.25 (\u22120.38 to \u22120.12), the MLPs add more" in text
    assert ("depends on the weights" in text) == (centred != (-1.5, -0.5))
    # The range of random tokens is -1 to 2.
    assert "lies within this range. So random words with such weights" in text


def test_a_difference_outside_the_range_of_random_tokens():
    text = order_sentence(data_of(centred=(2.5, 3.5)))
    assert "lies outside this range. Words of large logits lie outside" in text
    assert "this says nothing of turning back" in text


def test_the_largest_layer_is_named_for_both():
    text = layer_sentence(data_of())
    assert "attention of layer 0: +3.00 (2.00 to 4.00; random tokens: +0.50" in text
    assert "Raw, it is that of the MLP of layer 1: +15.00" in text


def test_no_number_is_missing():
    data = data_of()
    text = "\n".join([headline(data), *SECTION.findings(data)])
    text += "\n".join(cases(data) for cases in SECTION.cases.values())
    assert "nan" not in text.lower()
    assert "None" not in text
    assert "40 backtracks of 30 problems" in text


@pytest.mark.parametrize(("effect", "lowest", "highest"), [(0, 0, 0.09), (1, 0.9, 1)])
def test_false_orders_come_at_the_nominal_rate(effect, lowest, highest):
    """500 studies of 30 problems with two backtracks each, a column per study."""
    rng = np.random.default_rng(3)
    of_problem = rng.normal(effect, 1.0, size=(30, 1, 500))
    values = (of_problem + rng.standard_t(5, size=(30, 2, 500))).reshape(60, 500)
    means = cluster_means(values, np.repeat(np.arange(30), 2), IntervalSettings())
    parts = [larger_part({"low": mean.low, "high": mean.high}) for mean in means]
    assert lowest <= sum(part is not None for part in parts) / 500 <= highest
    if effect:
        assert "mlp_out" not in parts


@pytest.mark.parametrize("draws", [39, 100])
@pytest.mark.parametrize(("effect", "lowest", "highest"), [(0, 0.02, 0.08), (40, 1, 1)])
def test_random_words_lie_outside_the_range_at_the_nominal_rate(
    draws, effect, lowest, highest
):
    """500 studies; the values of groups are skewed, as weighted logits are."""
    values = np.random.default_rng(1).gamma(2, size=(500, draws + 1))
    outside = 0
    for own, *others in values:
        row = {"mean": own + effect} | random_range(pl.Series(others), 0.95)
        outside += not is_random(row)
    assert lowest <= outside / 500 <= highest


def test_without_an_interval_nothing_is_told():
    data = data_of()
    table = data.tables["logit_lens/parts"].with_columns(
        low=pl.lit(None, pl.Float64), high=pl.lit(None, pl.Float64), problems=pl.lit(4)
    )
    data.tables["logit_lens/parts"] = table
    text = order_sentence(data)
    assert larger_part({"low": None, "high": None}) is None
    assert "(not checked: 4 problems), no interval tells which adds more" in text
    assert "adds more." not in text.replace("tells which adds more.", "")
    assert "order depends on the mean is not checked" in text


NONE = (None, None)


@pytest.mark.parametrize(
    ("ends", "interval", "verdict"),
    [
        ((0.25, 0.5), "(+25.0 to +50.0)", "leads more often where"),
        ((-0.5, -0.25), "(\u221250.0 to \u221225.0)", "leads less often where"),
        ((-0.25, 0.5), "(\u221225.0 to +50.0)", "is not told"),
        (NONE, "(none: equal on all 12 problems)", "is not told"),
    ],
)
def test_controls_are_compared_within_pairs(ends, interval, verdict):
    text = control_sentence(data_of(ends=ends))
    assert "14 pairs of a backtrack and its matched control" in text
    assert "(on 12 problems)" in text
    assert "at 87.5% of the backtracks and at 50.0% of the controls" in text
    assert "(25.0% to 75.0%)" in text  # of the controls alone
    assert f"a difference of +37.5 percentage points {interval}." in text
    assert verdict in text
    assert "predicted_only" not in text


def test_backtracks_that_were_chosen_by_the_criterion_are_no_finding():
    data = data_of(predicted_only=True)
    text = control_sentence(data)
    assert "chose the backtracks by this very criterion" in text
    assert "100% by construction, and only the share at controls is a finding" in text
    assert "where the thought turns back" not in text
    assert "turns.predicted_only keeps only" in pair_parts_sentence(data)
    assert "turns.predicted_only" not in pair_parts_sentence(data_of())


def test_pairs_of_too_few_problems_are_not_checked():
    text = control_sentence(data_of(ends=NONE, problems=4))
    assert "percentage points (not checked: 4 problems)." in text
    assert "is not told" in text
    assert "leads more often where" not in text.replace("whether it leads more", "")


def test_without_pairs_nothing_is_compared():
    data = data_of(ends=None)
    assert "Not checked against controls: no selected backtrack" in (
        control_sentence(data)
    )
    assert pair_parts_sentence(data) == ""
    assert "" not in SECTION.findings(data)
    text = SECTION.cases["layers"](data)
    assert text.startswith("40 backtracks on 30 problems; none has its matched")


def test_parts_at_backtracks_less_at_controls():
    text = pair_parts_sentence(data_of())
    assert "Over 14 pairs of a backtrack and its matched control" in text
    assert "differs from that at the control by +2.00: +0.00 (" in text
    assert "+2.25 (1.75 to 2.75) from attention" in text
    assert "\u22120.25 (\u22120.75 to 0.25) from the MLPs" in text


def test_figures_count_backtracks_and_pairs_once():
    texts = {SECTION.cases[name](data_of()) for name in ("layers", "leading")}
    (text,) = texts
    assert text.startswith("40 backtracks on 30 problems; 14 pairs of a backtrack")
    assert "(on 12 problems)." in text
