"""Which thoughts are drawn, and a thought that goes on with a word."""

import polars as pl
import pytest
from checkouts import ROOT
from tiny_models import tokenizer_settings

from doubletake.text.drawn_thoughts import DrawnThought, drawn_thoughts
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_rows import Completion, TracePrompt, trace_row

NAMES = [f"{problem:05d}/{sample}" for problem in range(6) for sample in range(3)]


def table():
    rows = [{"trace": name, "problem": name.split("/")[0]} for name in NAMES]
    problems = [
        {"problem": f"{k:05d}", "gold": str(k), "question": f"{k}?"} for k in range(6)
    ]
    return pl.DataFrame(rows), pl.DataFrame(problems)


def names(count, shard="1-of-1", seed=0):
    return [one.name for one in drawn_thoughts(*table(), count, seed, shard)]


def test_shards_share_the_drawn_thoughts():
    whole = names(9)
    assert len(whole) == 9
    assert sorted(names(9, "1-of-2") + names(9, "2-of-2")) == whole == sorted(whole)
    assert set(names(5)) < set(whole)
    assert names(9, seed=1) != whole
    assert names(None) == NAMES


def test_a_drawn_thought_has_its_problem():
    for one in drawn_thoughts(*table(), 4, 0, "1-of-1"):
        assert one.name.startswith(f"{int(one.gold):05d}/")
        assert one.question == f"{one.gold}?"


@pytest.fixture(scope="module")
def tokenizer():
    return load_tokenizer(tokenizer_settings(ROOT / "resources/pocket"))


def thought(tokenizer, text):
    prompt = TracePrompt("00000", 0, "7", tokenizer.prompt_ids("What?"), "What?")
    done = Completion("00000/0", tokenizer.encode(text), [0.0], "stop")
    row = trace_row(prompt, done, tokenizer)
    return DrawnThought(row, "7", "What?")


def test_a_word_in_place_of_the_end(tokenizer):
    end = tokenizer.format.end
    one = thought(tokenizer, f"3 plus 4 is 7.\n{end}\n\nThe answer is 7.")
    ids = one.prolonged(tokenizer, "Wait")
    assert tokenizer.decode(ids)[0] == "3 plus 4 is 7.\nWait"
    assert one.before_end(end) == "3 plus 4 is 7.\n"
    assert ids[:3] == one.trace["completion_ids"][:3]


def test_an_open_thought_has_no_end(tokenizer):
    one = thought(tokenizer, "3 plus 4")
    assert one.before_end(tokenizer.format.end) is None
    assert one.prolonged(tokenizer, "Wait") is None
