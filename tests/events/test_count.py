"""Events per detector, and why the string search finds more of them."""

from events.count import count_events
from events.tables import EARLY, GROUPS, NEW, PART, RESTATED, SAME_SENTENCE

QUESTION = "Tom has 5 boxes with 9 apples each. How many apples does Tom have?"
THOUGHT = (
    "The tag reads 450, then 45. 5 * 9 = 45. So 45 apples. "
    "Wait, let me check. 5 * 9 = 45, so 45. So the answer is 45."
)


def test_every_hit_of_the_string_search_has_one_group():
    counts = count_events(QUESTION, THOUGHT, "45", "45")
    assert [counts["string", group] for group in GROUPS] == [1, 1, 1, 2, 2]
    assert [counts["markers", group] for group in GROUPS] == [0, 1, 1, 2, 2]
    assert [counts["rules", group] for group in GROUPS] == [0, 0, 0, 0, 2]
    assert (PART, EARLY, SAME_SENTENCE, RESTATED, NEW) == GROUPS
    assert counts["rules", "backtrack"] == counts["string", "backtrack"] == 1


def test_a_thought_without_events_has_no_counts():
    assert not +count_events(QUESTION, "Let me think.", "45", None)


def test_a_number_beside_a_full_stop_or_comma_is_whole():
    thought = "It is 45. So 45, yes. 5 * 9 = 45.5? No, 1,45 is odd. The answer is 45."
    assert count_events(QUESTION, thought, "45", "45")["string", PART] == 2
