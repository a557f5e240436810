"""Points of a running thought, against those of the finished one."""

import json
import random
from itertools import pairwise

import pytest
from tiny_models import TEMPLATE, tokenizer_settings, write_tokenizer
from tiny_traces import QUESTION

from doubletake.exit_rules.places import Place, ThoughtPlaces, places_of
from doubletake.exit_rules.points import CUE, END, EVERY, KINDS, SENTENCE
from doubletake.text.tokenizer import load_tokenizer
from doubletake.text.trace_rows import Completion, TracePrompt, trace_row
from online_exit.running_places import RunningPlaces

ALL = [kind for kind in KINDS if kind != END]
THOUGHT = (
    "First, 12 + 7 = 19. Wait, let me check that.\n\n7 + 12 = 19, so it is 19. Is 3 < "
    "4 < 5 or </b> é?\n\n \nThen the answer is 19."
)
ENDS = ("", "\n</think>\n\nThe answer is 19.", "</think>19", " Or\n\n", "\n</thi")


@pytest.fixture(scope="module")
def tokenizer(model):
    return load_tokenizer(model)


@pytest.fixture(scope="module")
def spelled(tmp_path_factory):
    """A tokenizer that writes the end marker as several tokens."""
    folder = tmp_path_factory.mktemp("spelled")
    write_tokenizer(folder, TEMPLATE.replace("<think>", "<|t|>"))
    return load_tokenizer(
        tokenizer_settings(folder, start_of_thought="<|t|>", end_of_thought="</|t|>")
    )


def row_of(tokenizer, ids, question=QUESTION, finish="stop"):
    prompt = TracePrompt("0", 0, "19", tokenizer.prompt_ids(question), question)
    return trace_row(prompt, Completion("0/0", ids, None, finish), tokenizer)


def offline(tokenizer, row, question=QUESTION, every=7):
    marker = tokenizer.format.end
    places = ThoughtPlaces(row, tokenizer.stop_ids, marker)
    return places_of(places, question, ALL, every)


def live(tokenizer, row, question=QUESTION, every=7):
    """The last form of every place, and all forms in the order in which they came."""
    running = RunningPlaces(tokenizer, row["prompt_ids"], question, ALL, every)
    given = []
    for token in row["completion_ids"]:
        if not running.ended:
            given += [(running.tokens, place) for place in running.add(token)]
    if not running.ended:
        given += [(running.tokens, place) for place in running.finish(row)]
    last = {running.first: Place(running.first, running.first)}
    last |= {place.cut: place for _, place in given}
    return [last[cut] for cut in sorted(last)], given


def of_real_traces(data_folder, name, count, seed):
    lines = (data_folder / name).read_text().splitlines()
    drawn = random.Random(seed).sample(lines, min(count, len(lines)))
    for row in map(json.loads, drawn):
        yield row["question"], row["thought"]


@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("every", [1, 2, 3, 5, 1000])
def test_points_equal_those_of_the_finished_thought(tokenizer, end, every):
    row = row_of(tokenizer, tokenizer.encode(THOUGHT + end))
    places, given = live(tokenizer, row, every=every)
    assert places == offline(tokenizer, row, every=every)
    assert len(places) > 4
    for tokens, place in given:
        assert place.cut <= place.read == tokens


@pytest.mark.parametrize("end", ["", "\n</|t|>\n\nThe answer is 19.", "</|t|>19", " <"])
def test_an_end_marker_of_several_tokens(spelled, end):
    """No point lies inside it; all but the end may be known before it is complete."""
    assert len(spelled.encode("</|t|>")) > 2
    row = row_of(spelled, spelled.encode(THOUGHT + end))
    for every in range(1, 6):
        places, _ = live(spelled, row, every=every)
        whole = offline(spelled, row, every=every)
        assert [(p.cut, p.kinds, p.cues) for p in places] == [
            (p.cut, p.kinds, p.cues) for p in whole
        ]
        assert all(a.read <= b.read for a, b in zip(places, whole, strict=True))


def test_many_thoughts(tokenizer):
    """Among them open turns, in which "Wait," is no turn and "Wait, hold on" is one."""
    pieces = [
        *("12 + 7 = 19. ", "So the answer is 19. ", "So it is 19 pens.\n\n", "Yes. "),
        *("Wait, hold on. ", "Wait, does he buy 7 more? ", "Wait, but it is 19. "),
        *("Let me check again. ", "Hmm, maybe not. ", "Alternatively, 7 + 12 = 19.\n"),
        *("He has 12 pens. ", "Is that right? ", "But wait, ", "\\[ 7 + 12 = 19 \\] "),
        *("1.5 is half of 3. ", "Wait, wait. ", "No, that is wrong. ", "Actually, "),
    ]
    rng, cues = random.Random(0), 0
    for _ in range(400):
        thought = "".join(rng.choices(pieces, k=rng.randrange(3, 12)))
        row = row_of(tokenizer, tokenizer.encode(thought))
        places, _ = live(tokenizer, row, every=9)
        assert places == offline(tokenizer, row, every=9), thought
        cues += places[-1].cues
    assert cues > 300


@pytest.mark.parametrize("start", ["<think>\n", "<think>", " <think>\n", "Well."])
def test_a_thought_that_the_model_opens_again(tokenizer, start):
    row = row_of(tokenizer, tokenizer.encode(start + THOUGHT + "\n</think>19"))
    assert live(tokenizer, row)[0] == offline(tokenizer, row)


@pytest.mark.parametrize("text", ["", "</think>19", "\n</think>19", "x", "<think>"])
def test_short_thoughts(tokenizer, text):
    row = row_of(tokenizer, tokenizer.encode(text))
    assert live(tokenizer, row, every=1)[0] == offline(tokenizer, row, every=1)


def test_places_come_in_their_order(tokenizer):
    row = row_of(tokenizer, tokenizer.encode(THOUGHT + "\n</think>19"))
    again = 0
    for every in range(1, 12):
        _, given = live(tokenizer, row, every=every)
        assert all(a.cut <= b.cut for (_, a), (_, b) in pairwise(given))
        again += sum(a.cut == b.cut for (_, a), (_, b) in pairwise(given))
    assert again  # a sentence end, and the cue that shows there later


def test_a_sentence_end_is_given_before_the_cue_at_its_place(tokenizer):
    row = row_of(tokenizer, tokenizer.encode(THOUGHT))
    _, given = live(tokenizer, row, every=1000)
    forms = [place for _, place in given if CUE in place.kinds or place.cues == 0]
    first, second = forms[:2]
    assert first.cut == second.cut
    assert (SENTENCE in first.kinds, CUE in first.kinds) == (True, False)
    assert second.kinds > first.kinds
    assert first.read < second.read


def test_real_thoughts_token_by_token(data_folder, tokenizers_folder):
    folder = tokenizers_folder / "DeepSeek-R1-Distill-Qwen"
    tokenizer = load_tokenizer(tokenizer_settings(folder))
    kinds: dict[str, int] = dict.fromkeys(KINDS, 0)
    traces = [
        *of_real_traces(data_folder, "labels/labelled_traces.jsonl", 60, 1),
        *of_real_traces(data_folder, "r1_traces/gsm8k_test.jsonl", 60, 2),
    ]
    for question, thought in traces:
        ids = tokenizer.encode(thought[:4000] + "\n</think>\n\n19")
        row = row_of(tokenizer, ids, question)
        whole = offline(tokenizer, row, question, every=32)
        places, given = live(tokenizer, row, question, every=32)
        assert places == whole
        assert all(place.read == tokens for tokens, place in given)
        for place in places:
            for kind in place.kinds:
                kinds[kind] += 1
    assert min(kinds.values()) > 50


def test_the_comparison_can_fail(tokenizer):
    row = row_of(tokenizer, tokenizer.encode(THOUGHT))
    assert live(tokenizer, row, every=7)[0] != offline(tokenizer, row, every=8)
    assert EVERY in ALL


def test_most_of_the_text_is_read_once(tokenizer, monkeypatch):
    """What is read again grows like the text, not like its square."""
    from doubletake.detector import causal

    read = []
    real = causal.detect
    monkeypatch.setattr(
        causal, "detect", lambda q, text: read.append(len(text)) or real(q, text)
    )
    amounts = []
    for size in (20, 80):
        read.clear()
        ids = tokenizer.encode((THOUGHT + "\n") * size)
        live(tokenizer, row_of(tokenizer, ids))
        amounts.append(sum(read))
    assert amounts[1] < 4.5 * amounts[0]
