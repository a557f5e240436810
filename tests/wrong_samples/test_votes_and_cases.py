"""Which thoughts are continued, what a vote decides, and what a forced word follows."""

import polars as pl

from doubletake.text.trace_rows import Completion
from wrong_samples.cases import Case, Wanted, ordered, planned
from wrong_samples.continuing import Continuation, further_votes
from wrong_samples.forced_tokens import with_end, with_word
from wrong_samples.rows import vote_row


class Thought:
    """A thought that is nothing but a row."""

    def __init__(self, trace, correct=False, text="", offsets=(), ids=()):
        self.name = trace
        self.trace = {
            "trace": trace,
            "problem": trace.split("/")[0],
            "correct": correct,
            "text": text,
            "offsets": list(offsets),
            "completion_ids": list(ids),
            "answer": "3",
        }


def table(rights):
    """Traces: whether each thought of each problem is right."""
    rows = [
        {"trace": f"{problem}/{k}", "problem": problem, "correct": flag}
        for problem, flags in rights.items()
        for k, flag in enumerate(flags)
    ]
    return pl.DataFrame(rows)


def case(trace, correct=False):
    return Case(Thought(trace, correct), 1, 2, 3)


def plan(rights, test=None, arrived=lambda name: True, **changes):
    traces = table(rights)
    right = dict(traces.select("trace", "correct").iter_rows())
    values = {"thoughts": None, "wanted": 0, "further": 0, "seed": 0} | changes

    def read(name):
        return case(name, right[name]) if arrived(name) else None

    return planned(traces, test or set(rights), read, Wanted(**values))


def test_no_problem_has_a_second_thought_before_all_have_one():
    rights = {name: [False] * 3 for name in "abcde"}
    names = ordered(table(rights), 0)
    assert len(set(names)) == 15
    for k in range(0, 15, 5):
        assert {name[0] for name in names[k : k + 5]} == set("abcde")
    assert ordered(table(rights), 1) != names


def test_as_many_right_thoughts_as_wrong_ones_on_test_problems():
    rights = {f"{k}": [k % 3 > 0] for k in range(30)}
    test = {f"{k}" for k in range(15)}
    found = plan(rights, test)
    assert {one.name for one, _ in found.pairs} == {f"{k}/0" for k in range(0, 15, 3)}
    others = [other.name for _, other in found.pairs]
    assert len(set(others)) == 5
    assert {name.split("/")[0] for name in others} <= test
    assert found.further == []
    assert len(plan(rights, test, thoughts=2).pairs) == 2


def test_thoughts_without_an_arrival_are_left_out():
    rights = {f"{k}": [k % 2 > 0] for k in range(8)}
    found = plan(rights, arrived=lambda name: name not in ("0/0", "1/0"))
    assert {one.name for one, _ in found.pairs} == {"2/0", "4/0", "6/0"}
    assert "1/0" not in {other.name for _, other in found.pairs}
    few = plan(rights, arrived=lambda name: name in ("0/0", "2/0", "3/0"))
    assert [other and other.name for _, other in few.pairs] == ["3/0", None]


def test_further_thoughts_only_where_too_few_problems_have_a_wrong_one():
    rights = {f"{k}": [k > 1] for k in range(12)}
    enough = plan(rights, wanted=2, further=5)
    assert enough.further == []
    few = plan(rights, wanted=3, further=5)
    problems = [problem for problem, _ in few.further]
    assert len(set(problems)) == 5
    assert not {"0", "1"} & set(problems)
    own = {other.name for _, other in few.pairs}
    assert not own & {other.name for _, other in few.further}
    capped = plan(rights, wanted=3, further=5, thoughts=2)
    assert capped.further == []


def member(answer, correct, tokens=10):
    return {
        "answer": answer,
        "correct": correct,
        "tokens": tokens,
        "closed": answer is not None,
        "limited": answer is None,
        "looped": False,
        "backtracks": 1,
    }


def test_the_most_frequent_answer_wins_and_ties_go_to_the_first():
    first = Continuation(case("a/0"), "last", "resample", 0)

    def vote(*members):
        row = vote_row(first, members)
        return row["answer"], row["correct"], row["tokens"], row["votes"]

    assert vote(member("3", False), member("4", True), member("4", True)) == (
        *("4", True),
        *(30, 3),
    )
    assert vote(member("3", False), member("4", True))[:2] == ("3", False)
    assert vote(member(None, False, 50), member("4", True)) == ("4", True, 60, 2)
    assert vote(member(None, False), member(None, False))[:2] == (None, False)
    assert vote_row(first, [member("3", True)])["action"] == "vote"


def test_a_vote_gets_the_tokens_of_the_dearest_action():
    one = case("a/0")
    sizes = {"resample": (10, 30), "wait": (50, 61), "steer": (90, 20)}
    done = {
        Continuation(one, "last", action, draw): Completion(
            "a/0", [0] * (3 + size), [], "stop"
        )
        for action, both in sizes.items()
        for draw, size in enumerate(both)
    }
    further = further_votes(done, [one], 2, 8)
    # A resampled draw costs 20 on average: 90 / 20 and 61 / 20 are 5 and 4 draws.
    assert [(o.draw, o.vote) for o in further] == [
        *((0, 1), (0, 2), (0, 3), (0, 4)),
        *((1, 1), (1, 2), (1, 3)),
    ]
    assert len({o.key for o in further}) == 7
    assert further_votes(done, [one], 2, 2) == [o for o in further if o.vote == 1]
    assert further_votes({}, [one], 2, 8) == []


def test_a_forced_word_stands_after_the_white_space_of_the_thought(tokenizer):
    text = "5 + 2 = 7.\n</think>\n\n7"
    ids = tokenizer.encode(text)
    offsets = tokenizer.decode(ids)[1]
    one = Case(Thought("a/0", text=text, offsets=offsets, ids=ids), 1, 0, 0)
    kept = next(k for k, start in enumerate(offsets) if start == 10)

    def text_of(tokens):
        return tokenizer.decode(tokens)[0]

    assert text_of(with_word(one, kept, "Wait", tokenizer)) == "5 + 2 = 7.\nWait"
    assert text_of(with_end(one, kept, tokenizer)) == "5 + 2 = 7.\n</think>"
    assert text_of(with_end(one, kept + 1, tokenizer)) == "5 + 2 = 7.\n</think>"
    bare = Thought("a/0", text=text[:10], offsets=offsets[:kept], ids=ids)
    bare = Case(bare, 1, 0, 0)
    assert text_of(with_word(bare, kept, "Wait", tokenizer)) == "5 + 2 = 7. Wait"
