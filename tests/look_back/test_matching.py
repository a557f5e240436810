"""Matches of an important word: place, frequency, class, and whether it recurs."""

import pytest

from look_back.matching import Occurrence, matched

POSITION = 100


def occurrence(
    word="red", token=60, part=3, occurrences=2, follows=True, tokens=1
) -> Occurrence:
    return Occurrence(word, range(token, token + tokens), part, occurrences, follows)


def names(important, candidates, ratio=1.5):
    found = matched(important, candidates, POSITION, ratio)
    return {name: [one.word for one in rows] for name, rows in found.items()}


def test_each_baseline_asks_for_more_than_the_one_before():
    candidates = [
        occurrence("all", 61),
        occurrence("new", 62, follows=False),
        occurrence("7", 63),
        occurrence("long", 58, tokens=2),
        occurrence("often", 59, occurrences=4),
        occurrence("thrice", 57, occurrences=3),
        occurrence("question", 61, part=0),
        occurrence("far", 30, part=3),
        occurrence("near", 80, part=3),
    ]
    found = names(occurrence(), candidates)
    assert found["place"] == ["all", "new", "7", "long", "thrice"]
    assert found["class"] == ["all", "new", "thrice"]
    assert found["again"] == ["all", "thrice"]


@pytest.mark.parametrize(
    ("token", "is_match"), [(40, True), (39, False), (74, False), (73, True)]
)
def test_distances_differ_at_most_by_the_ratio(token, is_match):
    """The important word stands 40 tokens before the position."""
    found = names(occurrence(), [occurrence("other", token)])
    assert (found["place"] == ["other"]) == is_match
    assert names(occurrence(), [occurrence("x", 61)], ratio=1.0)["place"] == []
    assert names(occurrence(), [occurrence("x", 60)], ratio=1.0)["place"] == ["x"]
