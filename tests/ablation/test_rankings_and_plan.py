"""Rankings of fit problems, and the sets that follow from them."""

import dataclasses

import pytest
import torch
from tiny_ablation import attention_row
from tiny_directions import tiny_directions

from ablation.activity import FitThought, measured_activity
from ablation.arms import arms_of
from ablation.plan import (
    NO_DIRECTION,
    NO_EXPERTS,
    Planner,
    checked_directions,
)
from ablation.rankings import ranked, ranked_heads, ranked_support, ranked_units
from ablation.sets import PlanSettings
from ablation.targets import (
    ALIGNED,
    HEADS,
    LEADING,
    LOOKING,
    NAMED,
    RANDOM,
    SUPPORTING_HEADS,
    SUPPORTING_UNITS,
    UNITS,
    WITHIN,
    WRITING,
)
from attention.tables import ATTENTION
from doubletake.model.value_vectors import value_vectors
from doubletake.running.logs import Progress
from doubletake.stats.matched_sets import write_size_bins

SETTINGS = PlanSettings([6, 3], 6, 2, 1, 40, 0)
THOUGHTS = [FitThought("a/0", list(range(6, 30)), (5, 20), (8, 12, 17), (9, 14))]


@pytest.fixture(scope="module")
def activity(decoder):
    return measured_activity(decoder, THOUGHTS, 0.1, Progress(1, "thoughts"))


@pytest.fixture(scope="module")
def rankings(decoder, directions, activity):
    units = ranked_units(decoder, directions.vectors["probe"], activity)
    layers = range(decoder.n_layers)
    rows = [attention_row("f", k, [0.1 * k, 0.5 - 0.1 * k, 0.2, -0.1]) for k in layers]
    heads = ranked_heads(ATTENTION.frame(rows), ["f"])
    support = {("heads", k): torch.tensor([0.1 * k, -1, 0.3, 0]) for k in layers}
    support |= {("units", k): torch.linspace(-1, 1 + k, 64) for k in layers}
    return units | heads | ranked_support(support)


def test_members_with_a_positive_score_rank_from_the_largest():
    scores = [torch.tensor([0.1, -3.0]).numpy(), torch.tensor([0.7, 0.0]).numpy()]
    assert ranked(scores) == [(1, 0), (0, 0)]


def test_heads_rank_by_fit_problems_alone():
    fit = [attention_row("f", k, [0.1, 0.2 + k, 0.0, -1.0]) for k in range(2)]
    test = [attention_row("t", k, [9.0, 0.0, 9.0, 9.0]) for k in range(2)]
    control = attention_row("f", 0, [9.0] * 4) | {"kind": "control"}
    table = ATTENTION.frame([*fit, *test, control])
    found = ranked_heads(table, ["f"])
    assert found[WRITING] == found[LOOKING] == [(1, 1), (0, 1), (0, 0), (1, 0)]
    assert ranked_heads(table.clear(), ["f"]) == {WRITING: [], LOOKING: []}


def test_units_rank_by_cosine_and_by_what_they_write_along_the_probe(
    decoder, directions, activity, rankings
):
    probe = directions.vectors["probe"]
    cosine, written = {}, {}
    for layer in range(decoder.n_layers):
        for unit, vector in enumerate(value_vectors(decoder, layer)):
            along = float(vector @ probe[layer + 1])
            cosine[layer, unit] = along / float(vector.norm())
            written[layer, unit] = along * float(activity.at_backtracks(layer)[unit])
    for target, scores in ((ALIGNED, cosine), (LEADING, written)):
        best = sorted(scores, key=lambda member: -scores[member])
        assert rankings[target][:20] == best[:20]
        assert all(scores[member] > 0 for member in rankings[target])


def made(directions, activity, rankings, settings=SETTINGS):
    return Planner(directions, activity, rankings, settings).made()


def test_claimed_ablations_have_enough_random_sets_for_holm(
    directions, activity, rankings
):
    plan = made(directions, activity, rankings)
    claimed = [row["ablation"] for row in plan.versions if row["claimed"]]
    tests = 4 + len(UNITS) + len(HEADS)
    assert len(claimed) == tests
    for name in ("supporting_units/6/zero", "looking_heads/2/zero"):
        assert name in claimed
        assert len(plan.of(name, RANDOM)) == 40 * tests
    assert len(plan.of("supporting_units/6/mean", RANDOM)) == 40
    assert len(plan.of("supporting_units/3/zero", RANDOM)) == 40
    for null in (RANDOM, WITHIN):
        assert len(plan.of("directions/every/project", null)) == 40 * tests
        assert len(plan.of("directions/1/project", null)) == 40


def test_random_sets_write_as_much_in_the_same_layers(directions, activity, rankings):
    plan = made(directions, activity, rankings)
    (named,) = plan.of("leading_units/6/zero", NAMED)
    assert sorted(named.members) == sorted(rankings[LEADING][:6])
    bins = {
        (layer, int(unit)): number
        for layer in range(3)
        for number, units in enumerate(
            write_size_bins(activity.sizes("units", layer).numpy())
        )
        for unit in units
    }
    wanted = sorted((layer, bins[layer, unit]) for layer, unit in named.members)
    random_sets = plan.of("leading_units/6/zero", RANDOM)
    for one in random_sets:
        assert len(set(one.members)) == 6
        assert sorted((k, bins[k, unit]) for k, unit in one.members) == wanted
    assert len({one.members for one in random_sets}) > 20


def test_random_vectors_are_unit_and_lie_within_the_components(
    directions, activity, rankings
):
    plan = made(directions, activity, rankings)
    for null in (RANDOM, WITHIN):
        for one in plan.of("directions/every/project", null)[:5]:
            assert [item.layer for item in one.interventions] == [0, 1, 2, 3]
            for item in one.interventions:
                assert float(item.removed.norm()) == pytest.approx(1, abs=1e-5)
                basis = directions.components[item.layer]
                inside = (basis @ item.removed).norm()
                assert (float(inside) > 0.999) == (null == WITHIN)


def test_what_is_absent_has_a_reason(decoder, activity, rankings):
    experts = dataclasses.replace(activity, units=[])
    few = {target: rankings[target] for target in (WRITING, LOOKING)}
    few |= {SUPPORTING_HEADS: [], SUPPORTING_UNITS: []}
    plan = made(tiny_directions(decoder, ["ward"]), experts, few)
    reasons = {row["ablation"]: row["why_not"] for row in plan.versions}
    assert reasons["ward/every/project"] is None
    assert reasons["probe/every/project"] == NO_DIRECTION
    assert reasons["aligned_units/6/zero"] == NO_EXPERTS
    assert reasons["supporting_heads/2/zero"] == "no case in the fit problems"
    assert not any(row["claimed"] for row in plan.versions if row["why_not"])
    nothing = made(tiny_directions(decoder, []), experts, {})
    assert nothing.sets == []


def test_heads_that_no_others_equal_get_no_random_sets(directions, activity, rankings):
    sizes = dataclasses.replace(activity)
    sizes.heads = [dataclasses.replace(one) for one in activity.heads]
    for part in sizes.heads:
        part.at_boundaries = torch.tensor([1.0, 1.0, 1.0, 1.0]).double()
    sizes.heads[2].at_boundaries = torch.tensor([100.0, 100.0, 1.0, 1.0]).double()
    heads = rankings | {WRITING: [(2, 0), (2, 1)]}
    plan = made(directions, sizes, heads)
    (row,) = [row for row in plan.versions if row["ablation"] == "writing_heads/2/zero"]
    assert (row["replaceable"], row["claimed"]) == (0, False)
    assert plan.of("writing_heads/2/zero", RANDOM) == []
    assert len(plan.of("writing_heads/2/zero", NAMED)) == 1


def test_arms_are_the_claimed_ablations_and_their_random_sets(
    directions, activity, rankings
):
    plan = made(directions, activity, rankings)
    arms = arms_of(plan, random=True)
    claimed = [row["ablation"] for row in plan.versions if row["claimed"]]
    named = [arm for arm in arms if arm.null == NAMED]
    assert [arm.ablation for arm in named] == ["none", *claimed]
    assert named[0].set_of(3) is None
    directions_alike = [arm for arm in arms if arm.ablation.startswith("directions")]
    assert [arm.null for arm in directions_alike] == [RANDOM, WITHIN]
    assert [directions_alike[0].set_of(k).draw for k in (0, 1, 2)] == [1, 2, 3]
    assert [arm.name for arm in arms_of(plan, random=False)] == [
        arm.name for arm in named
    ]


def test_directions_of_another_shape_are_refused(directions):
    checked_directions(directions, 3, 32)
    with pytest.raises(ValueError, match="has the shape"):
        checked_directions(directions, 4, 32)
