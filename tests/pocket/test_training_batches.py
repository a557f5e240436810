"""Training data of the pocket model."""

import random

from pocket.problems import sample_problem
from pocket.training_batches import all_facts


def test_drills_hold_every_fact_of_the_language():
    facts = set(map(str, all_facts()))
    rng = random.Random(0)
    for _ in range(300):
        assert {str(e) for e in sample_problem(rng).equations} <= facts
