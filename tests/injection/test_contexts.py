"""Contexts lie on test problems, before a new sentence, with enough tokens after."""

from thought_edges import edges_of

from events.tables import EVENTS
from injection.contexts import drawn_contexts
from injection.tables import ARRIVAL, PROMPT_END
from traces.tables import TRACES

THOUGHT = "5 + 3 = 8. Wait, let me check. So it is 8. Done at last."
PROMPT = 4


def trace(problem, sample=0, thought=THOUGHT):
    """A token per character."""
    text = f"{thought}\n</think>\nIt is 8."
    return {
        "trace": f"{problem}/{sample}",
        "problem": problem,
        "sample": sample,
        "prompt_ids": list(range(100, 100 + PROMPT)),
        "completion_ids": [ord(letter) for letter in text],
        "logprobs": None,
        "text": text,
        "offsets": list(range(len(text))),
        "thought_end": PROMPT + len(thought),
        **edges_of(text),
        "finish": "stop",
        "answer": "8",
        "correct": True,
    }


def arrivals(name, thought=THOUGHT):
    ends = [k + 1 for k, letter in enumerate(thought) if letter == "8"]
    empty = dict.fromkeys(EVENTS.schema)
    return [
        empty
        | {"trace": name, "event": k, "kind": "arrival", "ordinal": k + 1}
        | {"start": end - 1, "end": end, "token": PROMPT + end - 1, "value": "8"}
        for k, end in enumerate(ends)
    ]


def contexts(names, problems, count=10, distance=5, seed=0):
    rows = [trace(*name) for name in names]
    events = [event for row in rows for event in arrivals(row["trace"])]
    return drawn_contexts(
        TRACES.frame(rows), EVENTS.frame(events), problems, count, distance, seed
    )


NAMES = [(f"p{k}", sample) for k in range(6) for sample in (0, 1)]


def test_only_problems_to_test_give_contexts_and_each_gives_one_thought():
    found = contexts(NAMES, {"p1", "p3", "p4"})
    assert sorted(c.problem for c in found) == sorted(2 * ["p1", "p3", "p4"])
    assert len({c.trace for c in found}) == 3
    assert len({c.problem for c in contexts(NAMES, {"p1", "p3", "p4"}, count=2)}) == 2
    assert contexts(NAMES, set()) == []


def test_the_token_is_the_last_before_the_sentence_after_an_arrival():
    texts = set()
    for seed in range(20):
        arrival, end = contexts(NAMES[:1], {"p0"}, seed=seed)
        assert (arrival.place, end.place) == (ARRIVAL, PROMPT_END)
        text = "".join(map(chr, arrival.ids[PROMPT : arrival.token + 1]))
        texts.add(text)
        assert end.token == PROMPT - 1
        assert {arrival.distance, end.distance} == {5}
    assert texts == {"5 + 3 = 8. ", "5 + 3 = 8. Wait, let me check. So it is 8. "}


def test_an_arrival_too_near_to_the_end_gives_no_context():
    """Tokens of the answer do not count."""
    after_first = len(THOUGHT) - len("5 + 3 = 8. ")
    found = contexts(NAMES[:1], {"p0"}, distance=after_first)
    assert found[0].token == PROMPT + len("5 + 3 = 8. ") - 1
    assert contexts(NAMES[:1], {"p0"}, distance=after_first + 1) == []


def test_draws_do_not_depend_on_the_order_of_the_traces():
    assert contexts(NAMES, {"p1", "p2"}) == contexts(NAMES[::-1], {"p1", "p2"})
