"""Continuous batching against the model run one thought at a time."""

import random
from dataclasses import replace

import pytest
import torch
from transformers import AutoModelForCausalLM

from doubletake.model import slots
from doubletake.model.continuous_batching import GenerationRequest, generate
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError

SAMPLING = Sampling(temperature=0.8, top_p=0.95, seed=3)
STOPS = {1, 7}


@pytest.fixture(scope="module")
def model(tiny_model):
    return AutoModelForCausalLM.from_pretrained(tiny_model).eval()


@pytest.fixture(scope="module")
def requests():
    rng = random.Random(0)
    return [
        GenerationRequest(
            f"{index:05d}/0",
            [0, *(rng.randrange(6, 300) for _ in range(rng.randrange(1, 30)))],
            rng.randrange(1, 60),
        )
        for index in range(20)
    ]


def run(model, requests, batch_size, sampling=SAMPLING, stops=frozenset(STOPS)):
    results = generate(model, requests, sampling, set(stops), batch_size)
    return {done.trace: done for done, _ in results if done is not None}


@pytest.fixture(scope="module")
def reference(model, requests):
    return run(model, requests, 1)


@pytest.mark.parametrize("batch_size", [2, 5, 16, 64])
def test_batch_size_changes_nothing(model, requests, reference, batch_size):
    results = run(model, requests, batch_size)
    assert results.keys() == reference.keys()
    for trace, completion in results.items():
        assert completion.ids == reference[trace].ids
        assert completion.finish == reference[trace].finish
        assert completion.logprobs == pytest.approx(reference[trace].logprobs, abs=1e-4)


def test_order_of_requests_changes_nothing(model, requests, reference):
    results = run(model, requests[::-1], 4)
    assert {trace: done.ids for trace, done in results.items()} == {
        trace: done.ids for trace, done in reference.items()
    }


def test_logprobs_are_those_of_a_plain_forward_pass(model, requests, reference):
    for request in requests:
        done = reference[request.trace]
        ids = torch.tensor([request.prompt_ids + done.ids])
        with torch.inference_mode():
            logits = model(ids).logits[0, len(request.prompt_ids) - 1 : -1]
        plain = logits.double().log_softmax(-1)
        chosen = [plain[index, token].item() for index, token in enumerate(done.ids)]
        assert done.logprobs == pytest.approx(chosen, abs=1e-4)


def test_greedy_is_transformers_greedy(model, requests):
    ours = run(model, requests, 8, Sampling(0, 1.0, 0))
    for request in requests[:6]:
        prompt = torch.tensor([request.prompt_ids])
        theirs = model.generate(
            prompt,
            attention_mask=torch.ones_like(prompt),
            do_sample=False,
            max_new_tokens=request.max_new_tokens,
            eos_token_id=list(STOPS),
            pad_token_id=0,
        )[0, len(request.prompt_ids) :].tolist()
        cut = [index for index, token in enumerate(theirs) if token in STOPS]
        assert ours[request.trace].ids == theirs[: cut[0] if cut else None]


def test_finish_says_how_it_ended(requests, reference):
    for request in requests:
        done = reference[request.trace]
        full = len(done.ids) == request.max_new_tokens
        assert done.finish == ("length" if full else "stop")
        assert not set(done.ids) & STOPS
    assert {done.finish for done in reference.values()} == {"stop", "length"}


def test_out_of_memory_halves_the_batch_and_loses_nothing(
    model, requests, reference, monkeypatch
):
    forward, calls = model.forward, []

    def failing(*args, **kwargs):
        calls.append(kwargs["input_ids"].shape[0])
        if kwargs["input_ids"].shape[0] > 4:
            raise torch.cuda.OutOfMemoryError("full")
        return forward(*args, **kwargs)

    monkeypatch.setattr(model, "forward", failing)
    results = run(model, requests, 16)
    assert {trace: done.ids for trace, done in results.items()} == {
        trace: done.ids for trace, done in reference.items()
    }
    assert max(calls) > 4


def test_out_of_memory_keeps_the_tokens_of_all_completions(
    model, requests, reference, monkeypatch
):
    forward, widths = model.forward, []

    def failing(*args, **kwargs):
        widths.append(kwargs["input_ids"].shape[1])
        if len(widths) == 20:
            raise torch.cuda.OutOfMemoryError("full")
        return forward(*args, **kwargs)

    long = [request for request in requests if len(reference[request.trace].ids) > 25]
    monkeypatch.setattr(model, "forward", failing)
    results = run(model, long, 64)
    assert {trace: done.ids for trace, done in results.items()} == {
        request.trace: reference[request.trace].ids for request in long
    }
    # Prompt and 18 tokens or more, read in one pass, and not a step for each again.
    longest = max(len(request.prompt_ids) for request in long)
    assert widths[20] >= longest + 18
    steps = max(len(reference[request.trace].ids) for request in long)
    assert widths.count(1) <= steps + 1


def test_many_prompts_take_several_passes(model, requests, reference, monkeypatch):
    monkeypatch.setattr(slots, "PREFILL_TOKENS", 60)
    sizes, forward = [], model.forward

    def watched(*args, **kwargs):
        sizes.append(kwargs["input_ids"].shape)
        return forward(*args, **kwargs)

    monkeypatch.setattr(model, "forward", watched)
    results = run(model, requests, 16)
    assert {trace: done.ids for trace, done in results.items()} == {
        trace: done.ids for trace, done in reference.items()
    }
    prefills = [rows * width for rows, width in sizes if width > 1]
    assert max(prefills) <= 60
    assert max(rows for rows, width in sizes if width == 1) > 4


def test_a_completion_that_never_fits_is_named(model, requests, monkeypatch):
    def failing(*args, **kwargs):
        raise torch.cuda.OutOfMemoryError("full")

    monkeypatch.setattr(model, "forward", failing)
    with pytest.raises(InputError, match=f"trace {requests[0].trace}"):
        run(model, requests, 4)


def test_steering_changes_what_is_chosen_and_nothing_else(model, requests, reference):
    written = {token for done in reference.values() for token in done.ids}
    forbidden = sorted(written)[::2]
    seen: dict[str, int] = {}

    def steering(slots, rows, logits):
        for row in rows:
            state = slots.states[row]
            seen[state.request.trace] = seen.get(state.request.trace, 0) + 1
        changed = logits.clone()
        changed[:, forbidden] = -torch.inf
        return changed

    results = generate(model, requests, SAMPLING, set(STOPS), 5, steering=steering)
    steered = {done.trace: done for done, _ in results if done is not None}
    assert not {t for done in steered.values() for t in done.ids} & set(forbidden)
    for request in requests:
        done = steered[request.trace]
        assert seen[request.trace] == len(done.ids) + (done.finish == "stop")
        with torch.inference_mode():
            ids = torch.tensor([request.prompt_ids + done.ids])
            logits = model(ids).logits[0, len(request.prompt_ids) - 1 : -1]
        plain = logits.double().log_softmax(-1)
        chosen = [plain[index, token].item() for index, token in enumerate(done.ids)]
        assert done.logprobs == pytest.approx(chosen, abs=1e-4)  # of the model itself
    same = generate(model, requests, SAMPLING, set(STOPS), 5, steering=lambda *a: a[2])
    assert {d.trace: d.ids for d, _ in same if d} == {
        trace: done.ids for trace, done in reference.items()
    }


def test_a_halved_batch_is_still_steered(model, requests, monkeypatch):
    forward = model.forward

    def failing(*args, **kwargs):
        if kwargs["input_ids"].shape[0] > 4:
            raise torch.cuda.OutOfMemoryError("full")
        return forward(*args, **kwargs)

    def steering(slots, rows, logits):
        changed = logits.clone()
        changed[:, 100:] = -torch.inf
        return changed

    monkeypatch.setattr(model, "forward", failing)
    results = generate(model, requests, SAMPLING, set(STOPS), 16, steering=steering)
    assert max(t for done, _ in results if done for t in done.ids) < 100


def test_names_tell_completions_of_one_trace_apart(model, requests, reference):
    named = [replace(one, name=name) for name in ("a", "b") for one in requests]
    results = generate(model, named, SAMPLING, set(STOPS), 7)
    done = {(one.name, one.trace): one.ids for one, _ in results if one}
    assert done == {
        (name, trace): one.ids
        for name in ("a", "b")
        for trace, one in reference.items()
    }
