"""What a shard does with the score of the probe at a boundary."""

from dataclasses import MISSING, fields

import numpy as np
import pytest
import torch
from tiny_resampling import drawn_thought

from doubletake.stats.linear_probes import Probe
from resampling.boundaries import Boundary
from resampling.matched_probe import MatchedProbe
from resampling.shard import Shard
from resampling.signals import Signal


@pytest.mark.parametrize(("event", "compared"), [(0, 1), (3, 1), (2, 0), (None, 0)])
def test_the_score_of_every_case_of_probing_is_compared_that_of_event_0_too(
    event, compared
):
    scored = {("1/0", 0): 0.25, ("1/0", 3): 0.25, ("1/0", -1): 9.0}
    probe = MatchedProbe(1, {0: Probe(np.zeros(2), 0.5)}, {"1": 0}, scored)
    required = [one.name for one in fields(Shard) if one.default_factory is MISSING]
    work = Shard(**dict.fromkeys(required) | {"probe": probe})
    place = Boundary(drawn_thought("Two pears."), "control", event, 5, 3, False)
    columns = work._signal_columns(place, Signal(0.1, 0.1, torch.zeros(2)))
    assert columns["probe"] == 0.5
    assert work.checks.probe.n == compared
    assert work.checks.probe.value == (0.25 if compared else None)
