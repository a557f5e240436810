"""Steps, ratios, pulls and tests by hand; and whether simulated claims hold."""

import numpy as np
import polars as pl
import pytest

from doubletake.stats.intervals import IntervalSettings
from repetition.claims import agreed, corrected_claims
from repetition.estimates import compared_steps, step_rows, steps_of, with_log_odds
from repetition.summarise import points, pulls
from repetition.tables import REPETITION, REPETITION_STEPS

INTERVALS = IntervalSettings(0.95, 2)
STUDIES, THOUGHTS = 200, 20


def rows_of(values, *, answer="fixed", outcome="right", arrivals=None, said=False):
    """Rows of `REPETITION`: by trace and arm the log-probs of the exits 1, 2, ..."""
    rows = [
        {
            "trace": trace,
            "problem": trace.split("/")[0],
            "outcome": outcome,
            "arrivals": arrivals or max(len(each) for each in arms.values()),
            "arm": arm,
            "exit": k,
            "answer": answer,
            "text": "40",
            "added": 0,
            "logprob": value,
            "logit": 2 * value,
            "said": said,
        }
        for trace, arms in values.items()
        for arm, logprobs in arms.items()
        for k, value in enumerate(logprobs, 1)
    ]
    return with_log_odds(REPETITION.frame(rows))


BY_HAND = {
    "a/0": {
        "thought": [-2.0, -1.0, -0.5],
        "repeated": [-2.0, -1.5, -1.25],
        "filler": [-2.0, -3.0, -4.0],
    },
    "b/0": {
        "thought": [-4.0, -1.0],
        "repeated": [-4.0, -3.5],
        "filler": [-4.0, -4.0],
    },
}


def test_steps_are_paired_exit_by_exit():
    steps = steps_of(rows_of(BY_HAND).reverse(), "fixed", "logprob")
    names = ("trace", "part", "before", "thought", "repeated", "filler", "went_on")
    assert steps.select(names).rows() == [
        ("a/0", "first", -2.0, 1.0, 0.5, -1.0, True),
        ("a/0", "later", -1.0, 0.5, 0.25, -1.0, False),
        ("b/0", "first", -4.0, 3.0, 0.5, 0.0, False),
    ]
    assert steps_of(rows_of(BY_HAND), "fixed", "logit")["thought"][0] == 2.0
    assert steps_of(rows_of(BY_HAND), "stated", "logprob").is_empty()


def test_a_thought_with_arrivals_beyond_the_last_exit_went_on():
    steps = steps_of(rows_of(BY_HAND, arrivals=9), "fixed", "logprob")
    assert steps["went_on"].all()


def test_the_ratio_is_that_of_the_mean_steps_and_needs_a_rise():
    steps = steps_of(rows_of(BY_HAND), "fixed", "logprob").filter(part="first")
    few = compared_steps(steps, INTERVALS)
    assert (few["thought"], few["repeated"], few["more"]) == (2.0, 0.5, 1.5)
    assert few["share"] is None  # two thoughts do not show a rise
    values = {
        f"{k}/0": {
            "thought": [-2.0, -1.0 + 0.01 * k],
            "repeated": [-2.0, -1.5 + 0.02 * k],
            "filler": [-2.0, -2.0],
        }
        for k in range(4)
    }
    steps = steps_of(rows_of(values), "fixed", "logprob")
    row = compared_steps(steps, INTERVALS)
    assert row["share"] == pytest.approx(0.53 / 1.015)
    assert row["share_low"] < row["share"] < row["share_high"]


def test_log_odds_have_no_ceiling_and_end_where_float32_does():
    probabilities = [0.5, 0.9, 0.999, 1 - 1e-12]
    values = {"a/0": {"thought": np.log(probabilities).tolist()}}
    odds = rows_of(values)["log_odds"].to_list()
    assert odds[:3] == pytest.approx([0.0, np.log(9), np.log(999)])
    assert odds[3] == pytest.approx(np.log(1e6))


def test_points_and_pulls_by_hand():
    fixed = {
        f"{k}/0": {"repeated": [-1.0, -1.0], "wrong_repeats": [-1.0, -3.0 - k]}
        for k in range(2)
    }
    other = {
        f"{k}/0": {"repeated": [-9.0, -8.0], "wrong_repeats": [-9.0, -2.0 - 2 * k]}
        for k in range(2)
    }
    rows = pl.concat([rows_of(fixed), rows_of(other, answer="other", said=True)])
    (row,) = pulls(rows, INTERVALS).to_dicts()
    assert (row["arm"], row["exit"], row["traces"]) == ("wrong_repeats", 2, 2)
    assert (row["pull"], row["taken"], row["lost"]) == (5.0, 1.0, -2.5)
    assert row["pull_low"] < 5.0 < row["pull_high"]
    table = points(rows, INTERVALS)
    point = table.row(
        by_predicate=(pl.col("arm") == "wrong_repeats")
        & (pl.col("answer") == "other")
        & (pl.col("exit") == 2),
        named=True,
    )
    assert (point["logprob"], point["said"], point["problems"]) == (-3.0, 1.0, 2)
    assert table.height == 8


def test_a_claim_needs_all_means_on_one_side():
    """The larger p-value counts; 1 for means of different signs."""
    low, high = ({"problems": 12, "more": x, "more_p": x / 100} for x in (1.0, 4.0))
    assert agreed([low, high], "more") == {
        "problems": 12,
        "direction": 1,
        "p": 0.04,
        "p_holm": None,
    }
    other = agreed([low, high | {"more": -4.0}], "more")
    assert (other["direction"], other["p"]) == (0, 1.0)
    few = agreed([low, high | {"more_p": None}], "more")
    assert (few["direction"], few["p"]) == (0, None)


def claims_of(rows):
    """`REPETITION_TESTS` of rows of `REPETITION`, by outcome and claim."""
    steps = REPETITION_STEPS.frame(step_rows(rows, IntervalSettings()))
    made = corrected_claims(steps, pulls(rows, IntervalSettings())).to_dicts()
    return {(row["outcome"], row["claim"]): row for row in made}


def test_a_fall_of_the_log_prob_alone_is_not_claimed():
    """Half the answers become surer, by log-odds; the others become improbable."""
    random = np.random.default_rng(0)
    values = {}
    for k in range(20):
        start = -1.0 if k % 2 else -0.01
        step = -8.0 if k % 2 else 0.0099 + 1e-5 * random.random()
        step += 0.0 if k % 2 == 0 else random.normal()
        values[f"{k}/0"] = {
            "thought": [start, start + step],
            "repeated": [start, start + 1e-6 * random.random()],
            "filler": [start, start],
        }
    rows = rows_of(values)
    more = [
        compared_steps(steps_of(rows, "fixed", name), IntervalSettings())
        for name in ("logprob", "log_odds")
    ]
    assert more[0]["more_high"] < 0 < more[1]["more_high"]
    test = claims_of(rows)["right", "beyond"]
    assert test["p_holm"] > 0.05


def whole_study(random, effects=None):
    """A study with all arms of both outcomes; every mean step is 0 but for effects.

    Args:
        random: generator.
        effects: mean step by arm.
    """
    rows = []
    for outcome in ("right", "wrong"):
        for answer in ("fixed", "stated", "other")[:: 1 if outcome == "wrong" else 2]:
            values = {}
            for k in range(THOUGHTS):
                arms = {}
                first = random.normal() - 8.0
                for arm in ("thought", "repeated", "filler", "wrong_repeats"):
                    steps = random.normal(size=2) + (effects or {}).get(arm, 0.0)
                    arms[arm] = [first, *(first + steps.cumsum())]
                values[f"{outcome}{k}/0"] = arms
            rows.append(rows_of(values, answer=answer, outcome=outcome, arrivals=9))
    return pl.concat(rows)


def test_without_an_effect_few_whole_studies_claim_anything():
    """All claims of the section together; without the correction, far more do."""
    random = np.random.default_rng(0)
    found = [claims_of(whole_study(random)).values() for _ in range(100)]
    assert {len(rows) for rows in found} == {9}
    corrected, alone = (
        np.mean([any(row[name] <= 0.05 for row in rows) for rows in found])
        for name in ("p_holm", "p")
    )
    assert corrected < 0.09
    assert alone > 0.2


def test_known_effects_are_found_by_every_claim():
    random = np.random.default_rng(0)
    effects = {"thought": -3.0, "repeated": 1.2, "filler": -1.2, "wrong_repeats": 3.0}
    found = [claims_of(whole_study(random, effects)) for _ in range(20)]
    signs = {"beyond": -1, "beyond_later": -1, "filler": -1, "repeated": 1, "pull": 1}
    for (outcome, claim), row in found[0].items():
        assert row["direction"] == signs[claim]
        shown = [tests[outcome, claim]["p_holm"] <= 0.05 for tests in found]
        assert np.mean(shown) > 0.8


def side(row):
    """Where the interval of the difference lies: above 0, below, neither; or none."""
    if row["more_low"] is None:
        return None
    return int(row["more_low"] > 0) - int(row["more_high"] < 0)


def claims(make, part, which, measure="logprob"):
    """Share of simulated studies whose intervals show more, and less, than repetition.

    Args:
        make: from a generator, the rows of one study.
        part: of the steps.
        which: names of the means that must agree.
        measure: of the steps.
    """
    random = np.random.default_rng(0)
    signs = []
    for _ in range(STUDIES):
        steps = steps_of(make(random), "fixed", measure).filter(part=part)
        rows = [
            compared_steps(
                steps.filter(pl.col("went_on")) if name == "went_on" else steps,
                IntervalSettings(),
            )
            for name in which
        ]
        found = {side(row) for row in rows}
        signs.append(found.pop() if len(found) == 1 else 0)
    return [float(np.mean([sign == way for sign in signs])) for way in (1, -1)]


def simulated(effect=0.0, stops=False, walk=False, level=-6.0):
    """Studies of thoughts; `stops`: a thought stops after an exit that is high.

    Thought and repetition differ by independent noise, or are walks that go on from
    exit 1. The thought's steps have the effect in addition.
    """

    def make(random):
        flat = []
        for k in range(THOUGHTS):
            noise = random.normal(size=(2, 4))
            path = noise.cumsum(1) if walk else noise
            path[1, 0] = path[0, 0]
            if walk:
                path[1, 1:] = path[0, 0] + noise[1, 1:].cumsum()
            path[0] += effect * np.arange(4)
            last = 4
            if stops:
                last = next((e for e in (2, 3) if path[0, e - 1] > 0.3), 4)
            lines = (level + path[:, :last]).tolist()
            arms = {"thought": lines[0], "repeated": lines[1], "filler": lines[1]}
            flat += [
                (f"{k}/0", arm, exit_number, value)
                for arm, values in arms.items()
                for exit_number, value in enumerate(values, 1)
            ]
        names = ["trace", "arm", "exit", "logprob"]
        table = pl.DataFrame(flat, schema=names, orient="row")
        return with_log_odds(table).with_columns(
            problem="trace",
            answer=pl.lit("fixed"),
            arrivals=pl.col("exit").max().over("trace"),
        )

    return make


@pytest.mark.parametrize("walk", [False, True])
def test_without_an_effect_few_studies_claim_one_however_thoughts_stop(walk):
    null = simulated(stops=True, walk=walk)
    assert sum(claims(null, "first", ["all"])) < 0.09
    more, less = claims(null, "later", ["all", "went_on"])
    assert more < 0.06
    assert less < 0.06


def test_all_later_steps_alone_would_claim_what_stopping_makes():
    null = simulated(stops=True)
    assert claims(null, "later", ["all"])[0] > 0.2


def test_a_known_effect_is_found():
    effect = simulated(effect=1.2)
    assert claims(effect, "first", ["all"])[0] > 0.8
    assert claims(simulated(effect=-1.2), "first", ["all"])[1] > 0.8
    assert claims(simulated(effect=2.0), "later", ["all", "went_on"])[0] > 0.8
