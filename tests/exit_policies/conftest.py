"""Tables of a small study of exit policies, and its data for the page."""

import pytest
from tiny_exits import random_thoughts
from tiny_policies import study_of


@pytest.fixture(scope="session")
def study():
    """60 random thoughts with cues, arrivals and trials."""
    return study_of(random_thoughts(60, 12, seed=0))
