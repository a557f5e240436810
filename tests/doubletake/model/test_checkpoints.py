"""Interrupted generations against those that were never interrupted."""

import random
import resource
from contextlib import contextmanager

import pytest
import torch
from transformers import AutoModelForCausalLM

from doubletake.model import checkpoints, growing_cache
from doubletake.model.checkpoints import Checkpoint
from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.token_sampling import Sampling

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
            [0, *(rng.randrange(8, 300) for _ in range(rng.randrange(1, 30)))],
            rng.randrange(1, 80),
        )
        for index in range(20)
    ]


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    """Buffers grow, shrink and move often."""
    monkeypatch.setattr(growing_cache, "BLOCK", 16)


@pytest.fixture
def at_random(monkeypatch) -> random.Random:
    """Checkpoints are due at random steps; gives the generator."""
    draw = random.Random(1)
    due = property(lambda _: draw.random() < 0.1)
    monkeypatch.setattr(Checkpoint, "is_due", due)
    return draw


def uninterrupted(model, requests, batch_size):
    results = generate(model, requests, SAMPLING, STOPS, batch_size)
    return {done.trace: done for done, _ in results if done is not None}


def attempt(model, checkpoint, requests, batch_size, steps=None):
    """Generate, at most so many results long; the completions if it came to its end."""
    completions = {done.trace: done for done in checkpoint.state.finished}
    results = generate(model, requests, SAMPLING, STOPS, batch_size, checkpoint)
    for number, (done, _) in enumerate(results):
        if number == steps:
            return None
        if done is not None:
            completions[done.trace] = done
    return completions


def interrupted(model, path, requests, batch_size, draw):
    """Attempts that stop at random until one does not; gives their notes, too."""
    completions, notes = None, []
    while completions is None:
        checkpoint = Checkpoint(path, "key", requests, batch_size)
        notes.append(checkpoint.note)
        steps = draw.randrange(60)
        completions = attempt(model, checkpoint, requests, batch_size, steps)
    return completions, notes


@pytest.fixture
def half_done(model, requests, tmp_path, at_random):
    """The checkpoint of a generation with 4 slots, of which some are finished."""
    path = tmp_path / "folder" / "checkpoint"
    checkpoint = Checkpoint(path, "key", requests, 4)
    attempt(model, checkpoint, requests, 4, 150)
    return path


@pytest.mark.parametrize("batch_size", [1, 4, 64])
def test_interruptions_change_no_bit(model, requests, tmp_path, at_random, batch_size):
    expected = uninterrupted(model, requests, batch_size)
    path = tmp_path / "checkpoint"
    completions, notes = interrupted(model, path, requests, batch_size, at_random)
    assert completions == expected
    assert len(set(filter(None, notes))) > 1
    assert not any("other batches" in note for note in notes)


def test_no_bit_changes_after_the_batch_was_halved(
    model, requests, tmp_path, at_random, monkeypatch
):
    forward = model.forward

    def failing(*args, **kwargs):
        if kwargs["input_ids"].shape[0] > 4:
            raise torch.cuda.OutOfMemoryError("full")
        return forward(*args, **kwargs)

    monkeypatch.setattr(model, "forward", failing)
    expected = uninterrupted(model, requests, 16)
    path = tmp_path / "checkpoint"
    completions, _ = interrupted(model, path, requests, 16, at_random)
    assert completions == expected
    assert Checkpoint(path, "key", requests, 16).state.batch_size == 4


def assert_same_up_to_rounding(completions, expected):
    assert completions.keys() == expected.keys()
    for trace, done in completions.items():
        assert (done.ids, done.finish) == (expected[trace].ids, expected[trace].finish)
        assert done.logprobs == pytest.approx(expected[trace].logprobs, abs=1e-4)


def test_too_large_a_cache_is_computed_again(
    model, requests, tmp_path, at_random, monkeypatch, caplog
):
    caplog.set_level("INFO")
    monkeypatch.setattr(checkpoints, "CACHE_BYTES", 0)
    path = tmp_path / "checkpoint"
    completions, notes = interrupted(model, path, requests, 4, at_random)
    assert 0 < caplog.text.count("checkpoint without 0 MB of keys") <= len(notes)
    assert_same_up_to_rounding(completions, uninterrupted(model, requests, 4))
    assert any("as with other batches" in note for note in notes)


@pytest.mark.parametrize("batch_size", [2, 8])
def test_another_batch_size_keeps_all_tokens(model, requests, half_done, batch_size):
    before = Checkpoint(half_done, "key", requests, 4).state
    after = Checkpoint(half_done, "key", requests, batch_size)
    begun = [request for request in before.slots if request]
    assert begun
    assert after.state.finished == before.finished
    assert list(after.state.waiting)[: len(begun)] == begun
    completions = attempt(model, after, requests, batch_size)
    assert_same_up_to_rounding(completions, uninterrupted(model, requests, 4))


def test_fewer_or_other_requests_keep_those_that_are_the_same(
    model, requests, half_done
):
    finished = Checkpoint(half_done, "key", requests, 4).state.finished
    traces = [done.trace for done in finished]
    assert len(traces) > 2
    longer = [*requests[1].prompt_ids, 9]
    wanted = [
        GenerationRequest(request.trace, longer, request.max_new_tokens)
        if request.trace == traces[0]
        else request
        for request in requests
        if request.trace != traces[1]
    ]
    after = Checkpoint(half_done, "key", wanted, 4)
    assert [done.trace for done in after.state.finished] == traces[2:]
    completions = attempt(model, after, wanted, 4)
    assert_same_up_to_rounding(completions, uninterrupted(model, wanted, 4))


def cut(data):
    return data[:-20]


def cut_to_nothing(data):
    return b""


def flipped(data):
    return data[:-300] + bytes([data[-300] ^ 1]) + data[-299:]


@pytest.mark.parametrize("change", [cut, cut_to_nothing, flipped])
def test_a_damaged_checkpoint_is_removed(requests, half_done, caplog, change):
    half_done.write_bytes(change(half_done.read_bytes()))
    checkpoint = Checkpoint(half_done, "key", requests, 4)
    assert (checkpoint.state.finished, checkpoint.note) == ([], "")
    assert list(checkpoint.state.waiting) == requests
    assert "checkpoint is not used and is removed: it is damaged" in caplog.text
    assert not half_done.exists()


def test_a_checkpoint_of_another_key_is_removed(requests, half_done, caplog):
    checkpoint = Checkpoint(half_done, "other", requests, 4)
    assert list(checkpoint.state.waiting) == requests
    assert "other settings, model, code or versions made it" in caplog.text
    assert not half_done.exists()


@contextmanager
def largest_file(size: int):
    """No file can become larger than this, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_stops_no_generation(model, requests, half_done, caplog):
    before = half_done.read_bytes()
    checkpoint = Checkpoint(half_done, "key", requests, 4)
    with largest_file(1000):
        completions = attempt(model, checkpoint, requests, 4)
    assert "no checkpoint: " in caplog.text
    assert completions == uninterrupted(model, requests, 4)
    assert half_done.read_bytes() == before
    assert list(half_done.parent.iterdir()) == [half_done]


def test_a_checkpoint_is_due_within_a_minute(requests, tmp_path, monkeypatch):
    now = [1000.0]
    monkeypatch.setattr(checkpoints.time, "monotonic", lambda: now[0])
    checkpoint = Checkpoint(tmp_path / "checkpoint", "key", requests, 4)
    assert not checkpoint.is_due
    now[0] += 50
    assert checkpoint.is_due
    checkpoint.write(checkpoint.state)
    assert not checkpoint.is_due
