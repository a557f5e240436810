"""Probes on disk, and whose score a point gets."""

import math

import numpy as np
import pytest

from doubletake.running.errors import InputError
from exit_probes.reading import (
    PointProbe,
    probability,
    read_probes,
    reported_scores,
    scores_by,
    write_probes,
)
from exit_probes.tables import EXIT_PROBE_SCORES

MODEL = {"source": "m", "revision": "", "dtype": "float32"}


def probe(rule="lynx", group=1, layers=(2, 4)):
    weight = np.random.default_rng(group).normal(size=(len(layers), 5))
    return PointProbe(rule, group, layers, weight, 0.25)


def test_what_is_written_is_read(tmp_path):
    written = [probe(), probe(group=0), probe("correctness_probe", 2, (4,))]
    write_probes(written, MODEL, tmp_path / "p")
    found = read_probes(tmp_path / "p", MODEL)
    keys = [("correctness_probe", 2), ("lynx", 0), ("lynx", 1)]
    assert list(found) == keys
    states = np.random.default_rng(9).normal(size=(2, 5)).astype(np.float32)
    for one in written:
        again = found[one.rule, one.trained_on]
        assert again.layers == one.layers
        seen = states[: len(one.layers)]
        assert again.score(seen) == one.score(seen)
    with pytest.raises(InputError, match="another model: source is 'm' instead of 'n'"):
        read_probes(tmp_path / "p", MODEL | {"source": "n"})


def test_no_probe_is_a_file_too(tmp_path):
    write_probes([], MODEL, tmp_path / "p")
    assert read_probes(tmp_path / "p") == {}


def test_a_score_by_hand():
    one = PointProbe("lynx", 0, (1, 2), np.array([[1.0, 0.0], [0.0, -2.0]]), 0.5)
    score = one.score(np.array([[2.0, 7.0], [7.0, 1.0]], dtype=np.float32))
    assert score == pytest.approx(1 / (1 + math.exp(-0.5)))  # 2 - 2 + 0.5
    assert probability(-800) == 0
    assert probability(800) == 1
    assert probability(-3) == pytest.approx(1 - probability(3))


def test_each_point_gets_the_score_of_its_training_group():
    rows = [
        {
            "rule": rule,
            "trace": f"{group}/0",
            "problem": f"{group}",
            "point": 3,
            "group": group,
            "trained_on": trained_on,
            "score": trained_on / 10 + (rule == "lynx"),
        }
        for rule in ("lynx", "correctness_probe")
        for group in range(3)
        for trained_on in range(3)
        if trained_on != group
    ]
    table = EXIT_PROBE_SCORES.frame(rows)
    assert reported_scores(table, "correctness_probe") == {
        ("0/0", 3): 0.2,
        ("1/0", 3): 0.0,
        ("2/0", 3): 0.1,
    }
    assert scores_by(table, "lynx", 1) == {("0/0", 3): 1.1, ("2/0", 3): 1.1}
