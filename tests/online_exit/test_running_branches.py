"""Branches of running completions: as if computed apart, and without a trace."""

from collections import deque
from dataclasses import replace

import pytest
import torch
from tiny_architectures import settings_of
from tiny_branches import ids_of

from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.loading import load_decoder
from doubletake.model.slots import Slots
from doubletake.model.token_sampling import GREEDY, Sampling
from doubletake.model.watched_places import Watch
from online_exit.running_branches import Look, continue_running

SOME = ["llama", "gemma3_text", "gpt_oss", "exaone4"]
SUFFIX = (5, 9, 11)
GIB = 0.01


def branch_at(cut, **changes):
    def ends(tokens):
        return len(tokens) == 1 + cut % 5

    watched = (Watch(0, 7), Watch(1, 3), Watch(3, 7))
    branch = Branch(cut, SUFFIX, 6, ends, watched=watched, kept=(0, 2))
    return replace(branch, **changes)


def slots_of(decoder, steps, sampling=GREEDY):
    """Slots with three completions of different lengths, and a free one."""
    slots = Slots(decoder.hf, 4, sampling, set())
    waiting = deque(
        GenerationRequest(str(k), ids_of(size, k), limit)
        for k, (size, limit) in enumerate([(5, 30), (3, 2), (9, 30), (4, 30)])
    )
    with torch.inference_mode():
        slots.fill(waiting)
        for _ in range(steps):
            slots.step()
    return slots


def texts(slots):
    """Slot and tokens of prompt and completion of all completions under way."""
    return [
        (slot, [*state.request.prompt_ids, *state.ids])
        for slot, state in enumerate(slots.states)
        if state is not None
    ]


def alone(decoder, ids, branch):
    ((_, (said,)),) = continue_branches(decoder, [Prefix("", ids, [branch])], GIB)
    return said


def assert_same(said, expected):
    assert said.tokens == expected.tokens
    assert said.logprobs == pytest.approx(expected.logprobs, abs=1e-4)
    assert len(said.watched) == len(expected.watched)
    for one, other in zip(said.watched, expected.watched, strict=True):
        assert one.logprob == pytest.approx(other.logprob, abs=1e-4)
        assert one.entropy == pytest.approx(other.entropy, abs=1e-4)
        assert one.rank == other.rank
    assert torch.allclose(said.states, expected.states, atol=1e-4)


@pytest.mark.parametrize("name", SOME)
def test_branches_equal_those_of_the_text(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    slots = slots_of(decoder, 9)
    looks = [
        Look(slot, ids, branch_at(cut))
        for slot, ids in texts(slots)
        for cut in (2, len(ids) - 4, len(ids))
    ]
    assert len(looks) == 9
    for memory in (GIB, 1e-9):
        said = continue_running(decoder, slots, looks, memory)
        for look, one in zip(looks, said, strict=True):
            assert_same(one, alone(decoder, look.ids, look.branch))
    lengths = {len(one.tokens) for one in said}
    assert len(lengths) > 1  # some end before others


@pytest.mark.parametrize("name", ["llama", "gemma3_text"])
def test_looks_leave_no_trace(architectures, name):
    decoder = load_decoder(settings_of(architectures[name]))
    sampling = Sampling(1.0, 1.0, 3)
    plain, looked_at = (slots_of(decoder, 2, sampling) for _ in range(2))
    with torch.inference_mode():
        for _ in range(12):
            looks = [
                Look(slot, ids, branch_at(len(ids) - 1))
                for slot, ids in texts(looked_at)
            ]
            assert len(continue_running(decoder, looked_at, looks, GIB)) == 3
            plain.step()
            looked_at.step()
    assert texts(plain) == texts(looked_at)
    for name, tensor in plain.tensors().items():
        assert torch.equal(tensor, looked_at.tensors()[name])


def test_looks_of_all_forms_together(architectures):
    decoder = load_decoder(settings_of(architectures["llama"]))
    slots = slots_of(decoder, 6)
    forms = [
        {},
        {"suffix": (), "watched": (Watch(0, 7),), "max_tokens": 0, "kept": ()},
        {"watched": (Watch(0, 7), Watch(3, 7)), "max_tokens": 0},
    ]
    looks = [
        Look(slot, ids, branch_at(len(ids) - 2, **form))
        for form in forms
        for slot, ids in texts(slots)
    ]
    said = continue_running(decoder, slots, looks, GIB)
    for look, one in zip(looks, said, strict=True):
        whole = alone(decoder, look.ids, branch_at(look.branch.cut))
        assert bool(one.tokens) == bool(look.branch.max_tokens)
        places = [watch.place for watch in look.branch.watched]
        expected = {0: whole.watched[0], 1: whole.watched[1], 3: whole.watched[2]}
        for place, seen in zip(places, one.watched, strict=True):
            assert seen.logprob == pytest.approx(expected[place].logprob, abs=1e-4)
        if look.branch.kept:
            assert torch.allclose(one.states, whole.states, atol=1e-4)
        else:
            assert one.states is None
    assert continue_running(decoder, slots, [], GIB) == []
