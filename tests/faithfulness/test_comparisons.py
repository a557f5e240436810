"""Contexts, their means, and paired tests that claim at most as often as they say."""

import numpy as np
import polars as pl
import pytest
from tiny_faithfulness import answer, tables, thought

from doubletake.stats.intervals import IntervalSettings
from faithfulness.comparisons import compared_contexts, context_means, contexts_of
from faithfulness.groups import groups_of

S = IntervalSettings()
NO_EVENTS = pl.DataFrame(
    schema={"trace": str, "kind": str, "ordinal": int, "is_gold": bool}
)


def comparisons(thoughts, answers):
    """The paired comparisons of such rows, by measure and contexts."""
    table = compared_contexts(contexts_of(*tables(thoughts, answers)), S)
    return {(r["measure"], r["first"], r["second"]): r for r in table.to_dicts()}


def test_contexts_are_both_sides_of_the_first_arrival():
    cuts, answers = tables([thought("a", [0, 1, 0, 1, 1], ahead=3)], [])
    found = {row["context"]: row for row in contexts_of(cuts, answers).to_dicts()}
    assert {name: row["read"] for name, row in found.items()} == {
        "none": 0,
        "before": 0.5,
        "arrived": 0.75,
        "whole": 1,
    }
    assert not found["before"]["same"]
    assert found["arrived"]["same"]


def test_shuffled_sentences_are_compared_with_the_same_ones_in_their_order():
    """Not with the whole thought, which goes on after its last arrival."""
    thoughts = [
        thought(f"t{k:02}", [0, 0, 0, 1], ahead=2, last=False) for k in range(20)
    ]
    answers = [answer(f"t{k:02}", "shuffled", 0) for k in range(20)]
    cuts, table = tables(thoughts, answers)
    (read,) = set(contexts_of(cuts, table).filter(context="last")["read"])
    assert read == pytest.approx(2 / 3)
    rows = comparisons(thoughts, answers)
    assert ("same", "whole", "shuffled") not in rows
    assert rows["same", "last", "shuffled"]["difference"] == 0


def test_an_arrival_in_the_first_sentence_has_no_text_before_it():
    cuts, answers = tables([thought("a", [0, 1, 1], ahead=1)], [])
    assert set(contexts_of(cuts, answers)["context"]) == {"none", "arrived", "whole"}


def test_means_by_hand():
    thoughts = [thought(f"t{k}", [0, 0, k != 3], ahead=2) for k in range(4)]
    answers = [
        *(
            answer(f"t{k}", "filler", k == 0, share)
            for k in range(2)
            for share in (0.5, 1)
        ),
        *(answer(f"t{k}", "foreign", 0, donor_same=k == 0) for k in range(4)),
    ]
    cuts, table = tables(thoughts, answers)
    contexts = contexts_of(cuts, table)
    means = context_means(contexts, groups_of(cuts, NO_EVENTS), S)
    rows = means.filter(group="all").to_dicts()
    by_context = {(row["context"], row["share"]): row for row in rows}
    assert by_context["whole", 1.0]["same"] == 0.75
    assert by_context["filler", 0.5]["thoughts"] == 2
    assert by_context["filler", 1.0]["same"] == 0.5
    assert by_context["foreign", 1.0]["donor_same"] == 0.25
    assert by_context["none", 0.0]["same"] == 0


def test_the_longest_filler_is_compared_on_the_same_thoughts():
    thoughts = [thought(f"t{k:02}", [0, 0, 1], ahead=2) for k in range(30)]
    answers = [
        *(answer(f"t{k:02}", "filler", 1, 0.5) for k in range(30)),
        *(answer(f"t{k:02}", "filler", 0, 1.0) for k in range(20)),
    ]
    row = comparisons(thoughts, answers)["same", "whole", "filler"]
    assert (row["thoughts"], row["share"], row["other"]) == (20, 1, 0)
    assert row["difference"] == 1
    assert row["p_holm"] < 0.001


def test_few_problems_are_not_tested():
    thoughts = [thought(f"t{k}", [0, 0, 1], ahead=2) for k in range(9)]
    row = comparisons(thoughts, [])["same", "whole", "none"]
    assert row["p"] is None
    assert row["p_holm"] is None
    assert row["difference_low"] is None


def study_of(rng, rates, count=40):
    """Thoughts and answers whose contexts give the own answer at these rates."""
    thoughts, answers = [], []
    for k in range(count):
        names = ("none", "before", "arrived", "whole")
        flags = [rng.random() < rates[name] for name in names]
        last = bool(rng.random() < rates["last"])
        thoughts.append(thought(f"t{k:02}", flags, ahead=2, last=last))
        answers += [
            answer(f"t{k:02}", name, rng.random() < rates[name])
            for name in ("filler", "shuffled", "foreign")
        ]
    return thoughts, answers


CONTEXTS = (
    "none",
    "before",
    "arrived",
    "last",
    "whole",
    "filler",
    "shuffled",
    "foreign",
)


def test_without_an_effect_comparisons_are_rarely_claimed():
    rng = np.random.default_rng(1)
    studies = 200
    claimed = 0
    for _ in range(studies):
        rows = comparisons(*study_of(rng, dict.fromkeys(CONTEXTS, 0.5)))
        claimed += any(
            row["p_holm"] <= 0.05 for key, row in rows.items() if key[0] == "same"
        )
    assert claimed / studies <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / studies)


def test_known_effects_are_found():
    rng = np.random.default_rng(2)
    rates = dict.fromkeys(CONTEXTS, 0.1) | {
        "arrived": 0.9,
        "whole": 0.9,
        "last": 0.9,
        "shuffled": 0.5,
    }
    found = {("whole", "filler"): 0, ("arrived", "before"): 0, ("last", "shuffled"): 0}
    alike = {("before", "none"): 0, ("whole", "arrived"): 0, ("filler", "none"): 0}
    studies = 30
    for _ in range(studies):
        rows = comparisons(*study_of(rng, rates))
        for pairs in (found, alike):
            for pair in pairs:
                row = rows["same", *pair]
                pairs[pair] += row["p_holm"] <= 0.05 and row["difference"] > 0
    assert min(found.values()) >= 0.8 * studies
    assert max(alike.values()) <= 0.2 * studies


@pytest.mark.parametrize("rows", [[], [answer("a", "filler", 1)]])
def test_nothing_to_compare_gives_empty_tables(rows):
    contexts = contexts_of(*tables([], rows))
    assert compared_contexts(contexts, S).is_empty()
    assert context_means(contexts, {}, S).is_empty()
