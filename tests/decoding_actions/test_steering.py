"""Certainty and suppression by hand and against plain passes; the answer stays free."""

import math
from collections import deque
from dataclasses import replace

import numpy as np
import pytest
import torch

from decoding_actions.certainty import Trial, certainty, trial_answers
from decoding_actions.keywords import PARAGRAPH, SENTENCE
from decoding_actions.steering import (
    Forbid,
    OpenThoughts,
    Suppress,
    Together,
    _Checked,
    forbidden,
    is_checkpoint,
)
from doubletake.model.forced_answers import AnswerPrompt
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.slots import Slots
from doubletake.model.token_sampling import GREEDY
from traces.tables import TRACES


@pytest.fixture(scope="module")
def prompt(tokenizer, decoder):
    text = "{closing}The answer is \\boxed{"
    return AnswerPrompt(tokenizer, text, "}", decoder.stop_ids)


def slots_at(decoder, traces, kept, steering=None):
    """Slots that hold the first tokens of these traces, all of them in the cache."""
    slots = Slots(decoder.hf, len(traces), GREEDY, set(), steering)
    requests = [
        GenerationRequest(
            row["trace"], row["prompt_ids"], 300, row["completion_ids"][:k], [0.0] * k
        )
        for row, k in zip(traces, kept, strict=True)
    ]
    with torch.inference_mode():
        slots.fill(deque(requests))
    for state, k in zip(slots.states, kept, strict=True):
        del state.ids[k:]
    return slots


def test_a_trial_equals_plain_passes_and_leaves_the_cache(
    study, decoder, tokenizer, prompt
):
    traces = TRACES.read(study / "traces.parquet").to_dicts()[:4]
    slots = slots_at(decoder, traces, (5, 20, 33, 12))
    before = {name: tensor.clone() for name, tensor in slots.tensors().items()}
    with torch.inference_mode():
        trials = trial_answers(slots, [3, 1, 2], prompt, 8)
    assert all(torch.equal(slots.tensors()[name], before[name]) for name in before)
    assert slots.length == before["keys.0"].shape[2]
    for row, trial in zip((3, 1, 2), trials, strict=True):
        state = slots.states[row]
        start = [*state.request.prompt_ids, *state.ids, *prompt.suffix("")]
        ids = torch.tensor([[*start, *trial.tokens]])
        with torch.inference_mode():
            logits = decoder.hf(input_ids=ids).logits[0, len(start) - 1 : -1]
        logprobs = logits.double().log_softmax(-1)
        assert trial.tokens == logits.argmax(-1).tolist()
        entropies = -(logprobs.exp() * logprobs).sum(-1)
        assert trial.entropies == pytest.approx(entropies.tolist(), abs=1e-4)
        assert prompt.ends(trial.tokens) or len(trial.tokens) == 8
        assert not prompt.ends(trial.tokens[:-1])


def test_certainty_by_hand(tokenizer, prompt):
    ids = tokenizer.encode("54}")
    half = Trial(ids, [math.log(670) / 2, 7.0][: len(ids)])
    length = prompt.read(ids).length
    mean = sum(half.entropies[:length]) / length
    assert certainty(half, prompt, 670) == pytest.approx(1 - mean / math.log(670))
    sure = Trial(tokenizer.encode("54 }"), [0.0, 0.0, 3.0])
    assert certainty(sure, prompt, 670) == 1  # the closing bracket is no answer token
    open_one = Trial(tokenizer.encode("54"), [0.0])
    empty = Trial(tokenizer.encode("}"), [0.0])
    assert certainty(open_one, prompt, 670) == certainty(empty, prompt, 670) == 0


def test_suppression_has_the_published_probability(tokenizer, decoder, prompt):
    steering = Suppress(OpenThoughts(tokenizer), [3], prompt, 0.9, SENTENCE, 8, 0, 2048)
    uniform = np.random.default_rng(0).random(4000)
    for value, expected in ((0.95, 0.5), (1.0, 1.0), (0.9, 0.0), (0.2, 0.0)):
        steering.checked["a/0"] = _Checked(uniform, certainty=value)
        slots = Slots(decoder.hf, 1, GREEDY, set())
        state = type("State", (), {"ids": []})()
        slots.states = [state]
        hits = []
        for k in range(4000):
            state.ids = range(k)
            hits.append(steering._suppresses(slots, 0, "a/0"))
        assert np.mean(hits) == pytest.approx(expected, abs=0.03)


def test_checkpoints():
    for text in (b"= 19.", b"right?", b"19.\n", b"So. ", "\u3002".encode()):
        assert is_checkpoint(text, SENTENCE)
        assert not is_checkpoint(text, PARAGRAPH)
    assert is_checkpoint(b"19.\n\n", PARAGRAPH)
    for text in (b"", b"So the", b"19,"):
        assert not is_checkpoint(text, SENTENCE)


def test_tokens_are_forbidden_until_the_marker_and_free_after_it(
    study, decoder, tokenizer
):
    (row,) = TRACES.read(study / "traces.parquet").to_dicts()[:1]
    end = row["thought_end"] - len(row["prompt_ids"])
    after = row["completion_ids"][end + 1]
    seen = []
    for kept in (end, end + 1):
        forbid = Forbid(OpenThoughts(tokenizer), {row["trace"]: [after, 7]})

        def steer(slots, rows, logits, forbid=forbid):
            changed = forbid(slots, rows, logits)
            seen.append(changed[0, [after, 7]].isinf().tolist())
            return changed

        slots_at(decoder, [row], [kept], steer)
    assert seen == [[True, True], [False, False]]


def test_other_rows_and_tokens_keep_their_logits():
    logits = torch.arange(12.0).reshape(3, 4)
    changed = forbidden(logits, [(0, [1, 2]), (2, [0])])
    expected = logits.clone()
    expected[0, 1] = expected[0, 2] = expected[2, 0] = -torch.inf
    assert torch.equal(changed, expected)
    assert logits.isfinite().all()
    assert forbidden(logits, []) is logits
    assert forbidden(logits, [(1, [])]) is logits


def test_a_marker_of_several_tokens_closes_a_thought(tokenizer):
    thoughts = OpenThoughts(tokenizer)
    pieces = [tokenizer.encode(text) for text in ("So", "<", "/", "t", "h", "i", "nk")]
    ids = [token for piece in pieces for token in piece]
    assert all(thoughts.is_open("a/0", ids[:k]) for k in range(len(ids) + 1))
    ids += tokenizer.encode(">")
    assert not thoughts.is_open("a/0", ids)
    assert not thoughts.is_open("a/0", [*ids, ids[0]])
    assert thoughts.is_open("b/0", ids[:2])


def test_completions_are_steered_by_their_names(study, decoder):
    rows = TRACES.read(study / "traces.parquet").to_dicts()[:3]
    slots = slots_at(decoder, rows, (4, 5, 6))
    for state, name in zip(slots.states, ("a", "", "b"), strict=True):
        state.request = replace(state.request, name=name)
    asked = []

    def add(amount):
        def steering(_, rows, logits):
            asked.append((amount, rows))
            return logits + amount

        return steering

    logits = torch.zeros(2, 3)
    changed = Together({"a": add(1), "b": add(2)})(slots, [2, 1], logits)
    assert changed.tolist() == [[2, 2, 2], [0, 0, 0]]
    assert asked == [(2, [2])]
    assert not logits.any()
