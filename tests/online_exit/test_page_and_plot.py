"""Sentences and figure of online exit, on hand-made tables."""

from types import SimpleNamespace

import pytest

from online_exit.page import SECTION
from online_exit.plot import draw_latency
from online_exit.reading import with_savings
from online_exit.tables import (
    ALONE,
    GREEDY,
    LATENCY,
    LATENCY_RULES,
    ONLINE_EXIT,
    ONLINE_RULES,
    SAMPLED,
    SHARED,
    TRIAL_ANSWER,
)


def run(rule, mode, *, equal=True, trace="0/0"):
    return {
        "rule": rule,
        "mode": mode,
        "trace": trace,
        "problem": "0",
        "kept": 10,
        "replay_kept": 10,
        "full": 40,
        "stopped": True,
        "equal": equal,
        "reason": None if equal else TRIAL_ANSWER,
        "first": None if equal else 7,
        "gap": None if equal else 2e-6,
        "read": 12,
        "points": 3,
        "looks": 2,
        "trials": 2,
        "trial_tokens": 6,
        "entropies": 0,
        "markers": 0,
        "probes": 0,
    }


def rule_row(rule, mode, *, why=None, equal=2):
    counts = ("token", "points", "trial", "score", "unexplained")
    numbers = {f"other_{name}": 0 for name in counts} | {
        "thoughts": 2,
        "equal": equal,
        "stopped": 2,
    }
    return {
        "rule": rule,
        "mode": mode,
        "why_not": why,
        "largest_gap": None,
        **(dict.fromkeys(numbers) if why else numbers),
    }


def seconds(rule, thinking, shared, alone):
    return {
        "rule": rule,
        "thoughts": 2,
        "to_the_end": 10.0,
        "thinking": thinking,
        "finding": 0.0,
        "looking_shared": shared,
        "looking_alone": alone,
        "deciding": 0.0,
    }


STEPS = [
    {"what": what, "prefix": prefix, "n": 9, "median": median, "high": 2 * median}
    for what, prefix, median in (
        ("prefill", None, 0.02),
        ("token", None, 0.004),
        ("points", None, 0.0001),
        ("trial", SHARED, 0.011),
        ("trial", ALONE, 0.021),
    )
]
SECONDS = [
    seconds("to_the_end", 10.0, 0.0, 0.0),
    seconds("deer", 4.0, 1.0, 7.0),
    seconds("slow", 10.0, 5.0, 90.0),
]


def data(online=(), rules=(), latency=(), latency_rules=()):
    tables = {
        "online_exit": ONLINE_EXIT.frame(list(online)),
        "online_exit/rules": ONLINE_RULES.frame(list(rules)),
        "online_exit/latency": LATENCY.frame(list(latency)),
        "online_exit/latency_rules": LATENCY_RULES.frame(list(latency_rules)),
    }
    return SimpleNamespace(model="m", dataset="d", tables=tables, settings={})


def both(*, equal=True):
    return [
        run("deer", mode, equal=equal or trace == "1/0", trace=trace)
        for mode in (GREEDY, SAMPLED)
        for trace in ("0/0", "1/0")
    ]


def test_equal_runs_are_counted():
    study = data(both(), [rule_row("deer", mode) for mode in (GREEDY, SAMPLED)])
    assert SECTION.headline(study) == (
        "Where the replay stops a thought, decoding stops it, too: equal in all 4 runs "
        "(1 rule on 2 thoughts, greedy and sampled)."
    )
    text = " ".join(SECTION.findings(study))
    assert "4 runs stopped before the end, 2.0 tokens read ahead" in text
    assert "Times: not checked" in text
    (sheet,) = SECTION.sheets(study)
    assert sheet.rows == (("deer", "2 of 2", "2", "2 of 2", "2"),)


def test_differences_are_told_with_their_reason():
    rules = [rule_row("deer", mode, equal=1) for mode in (GREEDY, SAMPLED)]
    study = data(both(equal=False), rules)
    assert "in 2 of 4 runs" in SECTION.headline(study)
    text = " ".join(SECTION.findings(study))
    assert "2 runs differ by another token of a trial answer (deer)" in text
    assert "0.000002" in text or "2.00 × 10⁻⁶" in text


def test_rules_that_were_not_run_are_named():
    rules = [
        *(rule_row("deer", mode) for mode in (GREEDY, SAMPLED)),
        *(
            rule_row("lynx", mode, why="lynx reads a probe")
            for mode in (GREEDY, SAMPLED)
        ),
    ]
    study = data(both(), rules)
    assert "Not checked (greedy, sampled): lynx reads a probe." in SECTION.findings(
        study
    )
    (sheet,) = SECTION.sheets(study)
    assert sheet.rows[1] == ("lynx", *4 * ("\u2013",))


def test_nothing_that_was_decoded_says_so():
    for rules, said in (
        ([], "Not checked: no rule was run."),
        ([rule_row("deer", GREEDY, why="thoughts from files")], "thoughts from files"),
    ):
        study = data(rules=rules)
        assert said in SECTION.headline(study)
        assert SECTION.findings(study) == []
        assert SECTION.sheets(study) == []
        assert "Not checked" in SECTION.cases["latency"](study)
    draw_latency(LATENCY_RULES.frame([]))


def test_times_and_what_rules_save():
    rules = [rule_row("deer", mode) for mode in (GREEDY, SAMPLED)]
    study = data(both(), rules, STEPS, SECONDS)
    text = " ".join(SECTION.findings(study))
    assert "a token takes 4\u202fms in the median" in text
    assert "a trial answer 11\u202fms (21\u202fms)" in text
    assert "1 of 2 rules take less time than the whole thoughts" in text
    assert "and 0 if each look" in text
    assert "deer saves most: 50.0%" in text
    assert len(SECTION.sheets(study)) == 3
    saved = with_savings(LATENCY_RULES.frame(SECONDS))
    assert saved["saved_shared"].to_list() == pytest.approx([0.0, 0.5, -0.5])
    assert saved["saved_alone"].to_list() == pytest.approx([0.0, -0.1, -9.0])


def test_the_figure_shows_every_rule_but_the_end():
    figure = draw_latency(LATENCY_RULES.frame(SECONDS))
    (panel,) = figure.axes
    labels = [label.get_text() for label in panel.get_yticklabels()]
    assert labels == ["slow", "deer"]
    assert panel.get_xlim()[0] > -150  # what lies beyond is an arrow
    assert "1 rule beyond -100%" in figure._supxlabel.get_text()
