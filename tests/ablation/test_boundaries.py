"""Boundaries: the token before the sentence after an arrival."""

import pytest
from tiny_traces import arrivals_of, make_trace

from ablation.boundaries import boundaries_in, boundaries_of, drawn_boundaries
from events.tables import EVENTS
from traces.tables import TRACES

END = "\n</think>\n\nThe answer is 19."


def after(tokenizer, text):
    """What follows each boundary of a thought, and the boundaries."""
    trace = make_trace(tokenizer, text)
    events = EVENTS.frame(arrivals_of(trace))
    places = boundaries_of(trace, events)
    ids, prompt = trace["completion_ids"], len(trace["prompt_ids"])
    rest = [tokenizer.decode(ids[one.position + 1 - prompt :])[0] for one in places]
    return rest, places


@pytest.mark.parametrize(
    ("thought", "following"),
    [
        ("12 + 7 = 19. Wait, no.", [" Wait, no."]),
        ("12 + 7 = 19.\n\nWait, no.", ["Wait, no."]),
        ("12 + 7 = 19. So it is 19. Wait.", [" So it is 19. Wait.", " Wait."]),
        ("12 + 7 = 19, so 19. Wait.", [" Wait."]),  # two arrivals in one sentence
        ("12 + 7 = 19.", []),  # the thought ends
        ("12 + 7 = 19", []),
    ],
)
def test_a_boundary_predicts_the_first_token_of_the_next_sentence(
    tokenizer, thought, following
):
    rest, _ = after(tokenizer, thought + END)
    assert [text.split("\n</think>")[0] for text in rest] == following


def test_the_end_of_an_open_thought_is_no_boundary(tokenizer):
    assert after(tokenizer, "12 + 7 = 19.")[0] == []


def test_only_thoughts_on_the_given_problems_are_read_and_draws_are_nested(tokenizer):
    text = "12 + 7 = 19. Wait. It is 19. So." + END
    traces = [make_trace(tokenizer, text, f"{k}/0") for k in range(6)]
    events = EVENTS.frame([row for one in traces for row in arrivals_of(one)])
    every = boundaries_in(TRACES.frame(traces), events, ["1", "3"])
    assert {one.problem for one in every} == {"1", "3"}
    assert len(every) == 4
    few, more = (drawn_boundaries(every, n, 5) for n in (2, 3))
    assert len(few) == 2
    assert {one.name for one in few} < {one.name for one in more}
    assert drawn_boundaries(every[::-1], None, 5) == sorted(
        every, key=lambda one: one.name
    )
