"""Branches on a shared prefill against plain passes of one sequence at a time."""

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    LlamaConfig,
    Qwen2Config,
    Qwen3Config,
)

from early_exit.shared_prefill import (
    Branch,
    continue_branches,
    replay_unpacked,
    tokens_computed,
)

VOCABULARY = 97
SHAPE = {
    "vocab_size": VOCABULARY,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 256,
    "initializer_range": 0.3,
    "pad_token_id": 0,
}
CONFIGS = {
    "llama": LlamaConfig(**SHAPE, rope_theta=500.0),
    "llama-eager": LlamaConfig(**SHAPE, attn_implementation="eager"),
    "qwen2": Qwen2Config(**SHAPE, tie_word_embeddings=True),
    "qwen3": Qwen3Config(**SHAPE, head_dim=16),
    "gemma2": Gemma2Config(
        **SHAPE, head_dim=16, sliding_window=128, attn_implementation="eager"
    ),
}


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


def make_model(config):
    torch.manual_seed(3)
    return AutoModelForCausalLM.from_config(config).eval().requires_grad_(False)


@pytest.fixture(params=sorted(CONFIGS))
def model(request):
    return make_model(CONFIGS[request.param])


def random_ids(count, seed):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, VOCABULARY, (count,), generator=generator).tolist()


def random_branches(prefix, count, seed):
    generator = torch.Generator().manual_seed(seed)

    def draw(low, high):
        return int(torch.randint(low, high, (1,), generator=generator))

    return [
        Branch(draw(1, len(prefix) + 1), tuple(random_ids(draw(1, 6), seed + index)))
        for index in range(count)
    ]


def greedy(model, ids, count):
    """Token by token, the whole sequence every time."""
    ids, rows = list(ids), []
    for _ in range(count):
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, -1]
        rows.append(logits.float())
        ids.append(int(logits.argmax()))
    return ids[len(ids) - count :], rows


def never(branch, tokens):
    return False


def test_branches_equal_separate_sequences(model):
    prefix = random_ids(50, seed=1)
    branches = random_branches(prefix, 9, seed=2)
    branches += [Branch(50, (5,)), Branch(50, (5,)), Branch(1, (7, 8, 9))]
    continuations = continue_branches(model, prefix, branches, max_tokens=6, stop=never)
    for branch, continuation in zip(branches, continuations, strict=True):
        tokens, rows = greedy(model, prefix[: branch.cut] + list(branch.suffix), 6)
        assert continuation.tokens == tokens
        for step, (token, logits) in enumerate(zip(tokens, rows, strict=True)):
            double = logits.double()
            best = double.sort(descending=True).values
            p = double.softmax(-1)
            expected = [
                double[token],
                double.log_softmax(-1)[token],
                best[0] - best[1],
                -(p * p.log()).sum(),
            ]
            scores = [
                continuation.logits[step],
                continuation.logprobs[step],
                continuation.margins[step],
                continuation.entropies[step],
            ]
            assert scores == pytest.approx([float(x) for x in expected], abs=1e-4)


def test_replay_gives_the_same_numbers(model):
    prefix = random_ids(40, seed=4)
    branches = random_branches(prefix, 5, seed=5)
    continuations = continue_branches(model, prefix, branches, max_tokens=5, stop=never)
    for branch, continuation in zip(branches, continuations, strict=True):
        replayed, choices = replay_unpacked(model, prefix, branch, continuation.tokens)
        assert choices == replayed.tokens == continuation.tokens
        for name in ("logits", "logprobs", "margins", "entropies"):
            expected = pytest.approx(getattr(replayed, name), abs=1e-4)
            assert getattr(continuation, name) == expected


def test_other_branches_do_not_change_a_branch():
    model = make_model(CONFIGS["llama"])
    prefix = random_ids(30, seed=6)
    branches = random_branches(prefix, 4, seed=7)
    together = continue_branches(model, prefix, branches, max_tokens=4, stop=never)
    for branch, expected in zip(branches, together, strict=True):
        alone = continue_branches(model, prefix, [branch], max_tokens=4, stop=never)
        assert alone[0].tokens == expected.tokens
        assert alone[0].logits == pytest.approx(expected.logits, abs=1e-4)


def test_half_precision_runs_and_stays_close():
    model = make_model(CONFIGS["llama"]).to(torch.bfloat16)
    prefix = random_ids(40, seed=11)
    branches = random_branches(prefix, 6, seed=12)
    continuations = continue_branches(model, prefix, branches, max_tokens=4, stop=never)
    for branch, continuation in zip(branches, continuations, strict=True):
        replayed, _ = replay_unpacked(model, prefix, branch, continuation.tokens)
        # Eight bits of mantissa on logits of this size.
        assert continuation.logits == pytest.approx(replayed.logits, abs=0.2)


def test_each_branch_stops_by_itself():
    model = make_model(CONFIGS["llama"])
    prefix = random_ids(20, seed=8)
    branches = [Branch(cut, (3, 4)) for cut in (5, 10, 15, 20)]
    full = continue_branches(model, prefix, branches, max_tokens=5, stop=never)
    lengths = [3, 1, 5, 2]
    continuations = continue_branches(
        model,
        prefix,
        branches,
        max_tokens=5,
        stop=lambda branch, tokens: len(tokens) == lengths[branch],
    )
    for length, continuation, reference in zip(
        lengths, continuations, full, strict=True
    ):
        assert continuation.tokens == reference.tokens[:length]
        last = continuation.last_logprobs
        assert reference.last_logprobs is None
        assert float(last[continuation.tokens[-1]]) == continuation.logprobs[-1]
        assert float(last.exp().sum()) == pytest.approx(1, abs=1e-5)
        assert continuation.logits == pytest.approx(reference.logits[:length], abs=1e-4)
    assert tokens_computed(branches, continuations) == 20 + 4 * 2 + (2 + 0 + 4 + 1)


def test_no_branches_cost_nothing():
    model = make_model(CONFIGS["llama"])
    assert continue_branches(model, [1, 2], [], max_tokens=3, stop=never) == []
    assert tokens_computed([], []) == 0


@pytest.mark.parametrize("branch", [Branch(0, (1,)), Branch(4, (1,)), Branch(2, ())])
def test_impossible_branches_are_refused(branch):
    model = make_model(CONFIGS["llama"])
    with pytest.raises(ValueError, match="prefix of 3 tokens"):
        continue_branches(model, [1, 2, 3], [branch], max_tokens=3, stop=never)
