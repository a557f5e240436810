"""Branches of many prefixes against plain passes of one sequence at a time."""

from dataclasses import replace

import pytest
import torch
from tiny_architectures import ARCHITECTURES, settings_of, write_architecture
from tiny_branches import ids_of, pairs, said_by
from tiny_windows import plain_greedy, plain_logits
from transformers import LlamaConfig

from doubletake.model import branch_rows
from doubletake.model.branch_rows import replay_unpacked, tokens_computed
from doubletake.model.branches import Branch, Prefix, longest_sequence
from doubletake.model.loading import load_decoder
from doubletake.model.packed_rows import PackedRows
from doubletake.model.token_sampling import Sampling, choose_tokens
from doubletake.running.errors import InputError
from doubletake.stats.draws import uniforms

SCORES = ("logits", "logprobs", "margins", "entropies")
SAMPLED = Sampling(temperature=0.9, top_p=0.8, seed=5)


@pytest.fixture(autouse=True, scope="module")
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture(scope="module")
def loaded(architectures):
    """Gives the decoder of an architecture; each is loaded once."""
    decoders = {}

    def get(name):
        if name not in decoders:
            decoders[name] = load_decoder(settings_of(architectures[name]))
        return decoders[name]

    return get


@pytest.fixture
def decoder(loaded):
    return loaded("llama")


def drawn_branches(length, count, seed, **keys):
    generator = torch.Generator().manual_seed(seed)

    def draw(low, high):
        return int(torch.randint(low, high, (1,), generator=generator))

    return [
        Branch(
            draw(1, length + 1),
            tuple(ids_of(draw(1, 6), seed + index)),
            draw(1, 8),
            name=f"{seed}/{index}",
            **keys,
        )
        for index in range(count)
    ]


@pytest.mark.parametrize("name", ["llama", "gemma2", "qwen3_moe", "gemma3"])
def test_kept_states_are_those_of_a_plain_pass(loaded, name):
    decoder = loaded(name)
    kept = (0, 1, decoder.n_layers)
    prefixes = drawn_prefixes(kept=kept)
    for prefix, branch, one in pairs(prefixes, said_by(decoder, prefixes)):
        ids = torch.tensor([prefix.ids[: branch.cut]])
        with torch.inference_mode():
            plain = decoder.hf(input_ids=ids, output_hidden_states=True).hidden_states
            # The library gives the last state after the norm.
            found = [*one.states[:2], decoder.final_norm(one.states[2])]
        for state, boundary in zip(found, kept, strict=True):
            assert torch.allclose(state, plain[boundary][0, -1], atol=1e-4)


def test_branches_keep_what_each_wants(decoder):
    ids = ids_of(9, 1)
    wants = [(), (1,), (0, decoder.n_layers), (1,)]
    branches = [Branch(4 + k, (5,), 2, kept=kept) for k, kept in enumerate(wants)]
    (ones,) = said_by(decoder, [Prefix("0/0", ids, branches)])
    assert ones[0].states is None
    assert [len(one.states) for one in ones[1:]] == [1, 2, 1]
    replayed, _ = replay_unpacked(decoder, ids, branches[3], ones[3].tokens)
    assert torch.allclose(replayed.states, ones[3].states, atol=1e-5)
    with pytest.raises(ValueError, match="no branch"):
        said_by(decoder, [Prefix("0/0", ids, [Branch(4, (5,), 2, kept=(1, 0))])])


def drawn_prefixes(**keys):
    """Prefixes of mixed length, with very different numbers of branches."""
    shapes = [(50, 9), (3, 1), (31, 4), (50, 1), (12, 7), (49, 2), (1, 3)]
    return [
        Prefix(
            f"{k}/0", ids_of(length, k), drawn_branches(length, count, 100 * k, **keys)
        )
        for k, (length, count) in enumerate(shapes)
    ]


def start_of(prefix, branch):
    return [*prefix.ids[: branch.cut], *branch.suffix]


def assert_close(one, other, tolerance=1e-4):
    assert one.tokens == other.tokens
    for name in SCORES:
        expected = pytest.approx(getattr(other, name), abs=tolerance)
        assert getattr(one, name) == expected


@pytest.fixture
def widths(monkeypatch):
    """Shapes of the passes: rows, columns."""
    seen = []
    real = PackedRows._pass

    def watched(self, ids, *others, **keys):
        seen.append(tuple(ids.shape))
        return real(self, ids, *others, **keys)

    monkeypatch.setattr(PackedRows, "_pass", watched)
    return seen


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_branches_equal_separate_sequences(loaded, name, widths):
    decoder, prefixes = loaded(name), drawn_prefixes()
    said = said_by(decoder, prefixes)
    assert max(rows for rows, _ in widths) > 1  # without this, nothing was batched
    for prefix, branch, one in pairs(prefixes, said):
        start = start_of(prefix, branch)
        assert one.tokens == plain_greedy(decoder, start, branch.max_tokens)
        logits = plain_logits(decoder, start + one.tokens)[len(start) - 1 : -1].double()
        logprobs = logits.log_softmax(-1)
        best = logits.sort(-1, descending=True).values
        index = torch.tensor(one.tokens)[:, None]
        expected = {
            "logits": logits.gather(1, index)[:, 0],
            "logprobs": logprobs.gather(1, index)[:, 0],
            "margins": best[:, 0] - best[:, 1],
            "entropies": -(logprobs.exp() * logprobs).sum(-1),
        }
        for score, values in expected.items():
            assert getattr(one, score) == pytest.approx(values.tolist(), abs=1e-4)


def test_replay_gives_the_same_numbers(decoder):
    prefixes = drawn_prefixes()
    for prefix, branch, one in pairs(prefixes, said_by(decoder, prefixes)):
        replayed, choices = replay_unpacked(decoder, prefix.ids, branch, one.tokens)
        assert choices == one.tokens
        assert_close(one, replayed)


@pytest.mark.parametrize("gib", [1e-9, 0.0005, 1.0])
def test_the_batch_changes_nothing(decoder, gib, widths):
    prefixes = drawn_prefixes(sampling=SAMPLED)
    together = said_by(decoder, prefixes, gib)
    assert (max(rows for rows, _ in widths) == 1) == (gib == 1e-9)
    for prefix, branch, one in pairs(prefixes, together):
        ((alone,),) = said_by(decoder, [replace(prefix, branches=[branch])])
        assert_close(one, alone)


def test_a_prefix_with_many_branches_takes_many_rows(decoder, monkeypatch, widths):
    prefixes = drawn_prefixes(sampling=SAMPLED)
    whole = said_by(decoder, prefixes)
    widest = max(columns for _, columns in widths)
    widths.clear()
    monkeypatch.setattr(branch_rows, "ROW_TOKENS", 12)
    split = said_by(decoder, prefixes)
    assert max(columns for _, columns in widths) <= 12 < widest
    for (_, _, one), (_, _, other) in zip(
        pairs(prefixes, whole), pairs(prefixes, split), strict=True
    ):
        assert_close(one, other)


def test_each_branch_stops_by_itself(decoder, widths):
    lengths = iter([3, 1, 5, 2, 8])
    stops = [lambda tokens, n=n: len(tokens) == n for n in lengths]
    ids = ids_of(20, 8)
    branches = [
        Branch(cut, (3, 4), 5, stop)
        for cut, stop in zip((5, 10, 15, 20, 20), stops, strict=True)
    ]
    full = [replace(branch, stop=lambda _: False) for branch in branches]
    said, reference = said_by(
        decoder, [Prefix("a", ids, branches), Prefix("b", ids, full)]
    )
    for length, one, other in zip((3, 1, 5, 2, 5), said, reference, strict=True):
        assert one.tokens == other.tokens[:length]
        assert one.logits == pytest.approx(other.logits[:length], abs=1e-4)
        assert other.last_logprobs is None
    assert said[4].last_logprobs is None  # at its limit before the stop
    for one in said[:4]:
        last = one.last_logprobs
        assert float(last[one.tokens[-1]]) == one.logprobs[-1]
        assert float(last.exp().sum()) == pytest.approx(1, abs=1e-5)
    assert tokens_computed(branches, said) == 20 + 5 * 2 + (2 + 0 + 4 + 1 + 4)
    assert longest_sequence(branches) == 27


def test_ended_branches_and_rows_leave(decoder, monkeypatch, widths):
    monkeypatch.setattr(branch_rows, "PADDING", 1.0)
    ids = ids_of(20, 9)
    short, long = Branch(20, (3,), 2), Branch(20, (4,), 6)
    branches = [[short, short, long], [short], [short] * 2, [short]]
    said_by(decoder, [Prefix(f"{k}", ids, its) for k, its in enumerate(branches)])
    assert widths == [(4, 3), (4, 3), (1, 1), (1, 1), (1, 1), (1, 1)]


def test_samples_depend_on_seed_and_name_alone(decoder):
    ids = ids_of(15, 4)
    names = [f"5/{k}" for k in range(6)]
    branches = [Branch(15, (7,), 12, sampling=SAMPLED, name=name) for name in names]
    greedy = Branch(15, (7,), 12)
    cold = replace(branches[0], sampling=Sampling(0.3, 1.0, 5))
    other_seed = replace(branches[0], sampling=replace(SAMPLED, seed=6))
    mixed = [*branches, greedy, cold, other_seed]
    (said,) = said_by(decoder, [Prefix("a", ids, mixed)])
    assert len({tuple(one.tokens) for one in said}) == len(mixed)
    assert said[6].tokens == plain_greedy(decoder, [*ids, 7], 12)
    for branch, one in zip(mixed, said, strict=True):
        if branch is not greedy:
            random = uniforms(branch.sampling.seed, branch.name, 12)
            text = [*ids, 7]
            for token, number in zip(one.tokens, random, strict=True):
                logits = plain_logits(decoder, text)[-1:]
                uniform = torch.tensor([number])
                assert choose_tokens(logits, uniform, branch.sampling).tolist() == [
                    token
                ]
                text.append(token)
    shorter = replace(branches[2], max_tokens=5)
    ((one,),) = said_by(decoder, [Prefix("b", ids, [shorter])])
    assert one.tokens == said[2].tokens[:5]


def test_samples_are_what_the_model_expects(decoder):
    """Frequencies of the first token of 2,000 resamples against its probabilities."""
    sampling = Sampling(temperature=1.0, top_p=1.0, seed=1)
    ids, n = ids_of(10, 3), 2000
    branches = [Branch(10, (7,), 1, sampling=sampling, name=f"{k}") for k in range(n)]
    (said,) = said_by(decoder, [Prefix("a", ids, branches)])
    p = plain_logits(decoder, [*ids, 7])[-1].softmax(-1)
    counts = torch.bincount(torch.tensor([one.tokens[0] for one in said]), minlength=96)
    errors = (counts / n - p).abs() / (p * (1 - p) / n).sqrt().clamp(min=1e-3)
    assert errors.max() < 4.5


@pytest.mark.parametrize("name", ["llama", "gemma2", "qwen3_moe"])
def test_bfloat16_stays_close(architectures, name, widths):
    """Largest difference to plain passes, in units of what bfloat16 itself costs."""
    exact = load_decoder(settings_of(architectures[name]))
    coarse = load_decoder(settings_of(architectures[name], "bfloat16"))
    prefixes, packed_errors, plain_errors = drawn_prefixes(), [], []
    for prefix, branch, one in pairs(prefixes, said_by(coarse, prefixes)):
        wanted, _ = replay_unpacked(exact, prefix.ids, branch, one.tokens)
        plain, _ = replay_unpacked(coarse, prefix.ids, branch, one.tokens)
        true = torch.tensor(wanted.logits)
        packed_errors.append((torch.tensor(one.logits) - true).abs())
        plain_errors.append((torch.tensor(plain.logits) - true).abs())
    packed_error, plain_error = map(torch.cat, (packed_errors, plain_errors))
    assert packed_error.mean() < 1.3 * plain_error.mean()
    assert packed_error.max() < 2 * plain_error.max()


def test_a_batch_that_does_not_fit_is_halved(decoder, monkeypatch, widths):
    prefixes = drawn_prefixes()
    expected = said_by(decoder, prefixes)
    real = PackedRows.read

    def scarce(self, numbers, tokens):
        if self.key_positions.shape[0] > limit:
            raise torch.OutOfMemoryError("out of memory")
        return real(self, numbers, tokens)

    monkeypatch.setattr(PackedRows, "read", scarce)
    limit = 1
    for (_, _, one), (_, _, other) in zip(
        pairs(prefixes, expected),
        pairs(prefixes, said_by(decoder, prefixes)),
        strict=True,
    ):
        assert_close(one, other)
    limit = 0
    with pytest.raises(InputError, match="5/0: out of memory: its 53 tokens"):
        said_by(decoder, prefixes[5:6])


def test_no_branches_cost_nothing(decoder, widths):
    assert said_by(decoder, [Prefix("a", [1, 2], [])]) == [[]]
    assert widths == []
    assert said_by(decoder, []) == []
    assert tokens_computed([], []) == 0


@pytest.mark.parametrize(
    "branch",
    [Branch(0, (1,), 3), Branch(4, (1,), 3), Branch(2, (), 3), Branch(2, (1,), 0)],
)
def test_impossible_branches_are_refused(decoder, branch):
    with pytest.raises(ValueError, match="3/1: no branch of a prefix of 3 tokens"):
        said_by(decoder, [Prefix("3/1", [1, 2, 3], [branch])])


def test_a_head_width_of_its_own(tmp_path):
    """Sdpa and eager attention on one checkpoint give the same continuations."""
    config = LlamaConfig(
        vocab_size=96,
        hidden_size=32,
        intermediate_size=48,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=1,
        head_dim=16,
        initializer_range=0.3,
        rope_theta=500.0,
    )
    write_architecture(config, tmp_path)
    decoder, prefixes = load_decoder(settings_of(tmp_path)), drawn_prefixes()
    sdpa = said_by(decoder, prefixes)
    decoder.hf.set_attn_implementation("eager")
    for (_, _, one), (_, _, other) in zip(
        pairs(prefixes, sdpa), pairs(prefixes, said_by(decoder, prefixes)), strict=True
    ):
        assert_close(one, other)
