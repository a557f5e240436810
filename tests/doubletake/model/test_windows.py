"""Branches and generation with attention windows, against plain passes."""

import pytest
import torch
from tiny_windows import (
    REACHES,
    WINDOWED,
    WINDOWS,
    plain_greedy,
    plain_logits,
    random_ids,
)

from doubletake.model import growing_cache
from doubletake.model.attention_weights import reading_rows
from doubletake.model.branch_rows import continue_branches, replay_unpacked
from doubletake.model.branches import Branch, Prefix
from doubletake.model.continuous_batching import GenerationRequest, generate
from doubletake.model.slots import Slots
from doubletake.model.token_sampling import Sampling

GREEDY = Sampling(temperature=0, top_p=1.0, seed=0)


@pytest.mark.parametrize("name", WINDOWED)
def test_the_windows_are_what_these_tests_meet(decoder_of, name):
    """Without this, the tests below would not test windows."""
    decoder = decoder_of(name, 5)
    ids = random_ids(70)
    seen = {}
    keep = lambda rows: seen.update({rows.layer: rows.window})  # noqa: E731
    with torch.inference_mode(), reading_rows(decoder, [[69]], keep):
        decoder.base(input_ids=torch.tensor([ids]), use_cache=False)
    assert [seen[layer] == 5 for layer in range(3)] == REACHES[name]
    wider = plain_logits(decoder_of(name, 512), ids)
    changed = (plain_logits(decoder, ids) - wider).abs().amax(-1)
    assert changed[:5].max() < 1e-4
    assert changed[10:].median() > 0.5


def said_beside_another(decoder, prefix, branches):
    """Continuations in a batch with a shorter prefix, whose branches end sooner."""
    shorter = prefix[: -(len(prefix) // 9) or None]
    beside = [Branch(len(shorter), branch.suffix, 3) for branch in branches]
    both = [Prefix("this", prefix, branches), Prefix("other", shorter, beside)]
    return dict(continue_branches(decoder, both, batch_memory=1.0))[0]


@pytest.mark.parametrize(("window", "length"), WINDOWS)
@pytest.mark.parametrize("name", WINDOWED)
def test_branches_equal_plain_passes(decoder_of, name, window, length):
    decoder, prefix = decoder_of(name, window), random_ids(length)
    cuts = range(1, length + 1) if length < 100 else (1, window, window + 3, length)
    branches = [
        Branch(cut, tuple(random_ids(1 + cut % 7, seed=cut)), 9) for cut in cuts
    ]
    said = said_beside_another(decoder, prefix, branches)
    for branch, continuation in zip(branches, said, strict=True):
        plain, choices = replay_unpacked(decoder, prefix, branch, continuation.tokens)
        assert choices == continuation.tokens
        assert continuation.logits == pytest.approx(plain.logits, abs=2e-4)
        assert continuation.entropies == pytest.approx(plain.entropies, abs=2e-4)


@pytest.mark.parametrize("name", WINDOWED)
def test_a_suffix_longer_than_the_window(decoder_of, name):
    decoder, prefix = decoder_of(name, 5), random_ids(20)
    branches = [Branch(cut, tuple(random_ids(17, seed=cut)), 12) for cut in (3, 20, 11)]
    said = said_beside_another(decoder, prefix, branches)
    for branch, continuation in zip(branches, said, strict=True):
        start = [*prefix[: branch.cut], *branch.suffix]
        assert continuation.tokens == plain_greedy(decoder, start, 12)


@pytest.mark.parametrize("size", [1, 3, 6])
@pytest.mark.parametrize("name", WINDOWED)
def test_a_branch_grows_past_the_window(decoder_of, name, size):
    """The first token with a cut-off view is in the suffix or in the answer."""
    decoder, prefix = decoder_of(name, 16), random_ids(12)
    branches = [Branch(cut, tuple(random_ids(size, seed=cut)), 9) for cut in (12, 4)]
    said = said_beside_another(decoder, prefix, branches)
    for branch, continuation in zip(branches, said, strict=True):
        plain, choices = replay_unpacked(decoder, prefix, branch, continuation.tokens)
        assert choices == continuation.tokens
        assert continuation.logits == pytest.approx(plain.logits, abs=2e-4)


def requests_of(lengths, news):
    return [
        GenerationRequest(f"{k:05d}/0", random_ids(length, seed=k), new)
        for k, (length, new) in enumerate(zip(lengths, news, strict=True))
    ]


def completions(decoder, requests, batch_size):
    done = generate(decoder.hf, requests, GREEDY, set(), batch_size)
    return {item.trace: item for item, _ in done if item is not None}


def check_generation(decoder, requests, batch_size):
    """Tokens and log-probs against one plain pass of prompt and completion.

    Tokens are from greedy decoding if and only if each is the most likely one.
    """
    done = completions(decoder, requests, batch_size)
    for request in requests:
        ids = done[request.trace].ids
        assert len(ids) == request.max_new_tokens
        logits = plain_logits(decoder, request.prompt_ids + ids)
        logits = logits[len(request.prompt_ids) - 1 : -1]
        assert logits.argmax(-1).tolist() == ids
        wanted = logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None])[:, 0]
        assert done[request.trace].logprobs == pytest.approx(wanted.tolist(), abs=2e-4)


@pytest.fixture
def shortened(monkeypatch):
    """Positions that `_shrink` dropped, with a cache that grows by 8."""
    monkeypatch.setattr(growing_cache, "BLOCK", 8)
    dropped = []
    shrink = Slots._shrink

    def watched(slots):
        before = slots.length
        shrink(slots)
        dropped.append(before - slots.length)

    monkeypatch.setattr(Slots, "_shrink", watched)
    return dropped


@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("window", [1, 5, 16])
@pytest.mark.parametrize("name", WINDOWED)
def test_generation_equals_plain_passes(
    decoder_of, shortened, name, window, batch_size
):
    """Rows shorter and longer than the window side by side, in reused slots."""
    lengths = (40, 3, 11, 1, 60, 22, 7, 5, 18, 2)
    news = (2, 50, 9, 45, 3, 14, 60, 1, 20, 30)
    check_generation(decoder_of(name, window), requests_of(lengths, news), batch_size)
    if batch_size > 1:
        assert max(shortened) > 0


@pytest.mark.parametrize("name", WINDOWED)
def test_long_generation_equals_plain_passes(decoder_of, name):
    """A cache of 1,500 positions; 700 are dropped when the longest row ends."""
    requests = requests_of((1490, 700, 5), (10, 30, 30))
    check_generation(decoder_of(name, 512), requests, 3)


@pytest.mark.parametrize("name", ["gemma2", "gemma3", "mistral", "qwen3"])
def test_generation_is_a_loop_of_plain_passes(decoder_of, name):
    decoder = decoder_of(name, 5)
    requests = requests_of((3, 30), (40, 12))
    done = completions(decoder, requests, 2)
    for request in requests:
        wanted = plain_greedy(decoder, request.prompt_ids, request.max_new_tokens)
        assert done[request.trace].ids == wanted
