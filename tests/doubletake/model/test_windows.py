"""Layers that see a window: every computation against plain passes far beyond it.

A plain pass is one sequence without padding, mask or cache, as the library computes it.
"""

import pytest
import torch
from tiny_windows import REACHES, windowed_decoder

from attention.rows import reading
from attribution.gradients import Decision, Metric, attribute
from attribution.patching import Cell, patched
from doubletake.model.batches import padded
from doubletake.model.hooks import record
from early_exit.branches import Branch, continue_branches, replay
from traces import generation
from traces.generation import Request, Slots, generate
from traces.sampling import Sampling
from value_vectors.interventions import Scaling, plain_states, scaled_states

ARCHITECTURES = sorted(REACHES)
DENSE = [name for name in ARCHITECTURES if not name.endswith(("moe", "mixtral"))]
REACH = [(1, 30), (5, 70), (64, 150), (512, 1500)]  # window and length, in tokens
GROUPS = {"backtrack": torch.tensor([3, 17]), "wrap_up": torch.tensor([5])}
GREEDY = Sampling(temperature=0, top_p=1.0, seed=0)


@pytest.fixture(scope="module")
def decoder_of(tmp_path_factory):
    """Models by architecture and window, each made once."""
    torch.set_num_threads(1)
    made = {}

    def get(name, window):
        if (name, window) not in made:
            folder = tmp_path_factory.mktemp(f"{name}-{window}")
            made[name, window] = windowed_decoder(name, window, folder)
        return made[name, window]

    return get


def random_ids(count, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(1, 96, (count,), generator=generator).tolist()


@torch.inference_mode()
def plain_logits(decoder, ids):
    """[token, vocabulary], float32."""
    return decoder.hf(torch.tensor([ids]), use_cache=False).logits[0].float()


@torch.inference_mode()
def plain_greedy(decoder, ids, count):
    """Token by token, the whole sequence every time."""
    ids = list(ids)
    for _ in range(count):
        ids.append(int(plain_logits(decoder, ids)[-1].argmax()))
    return ids[len(ids) - count :]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_the_windows_are_what_these_tests_meet(decoder_of, name):
    """Else the tests below would show nothing about them."""
    decoder = decoder_of(name, 5)
    ids = random_ids(70)
    seen = {}
    keep = lambda rows: seen.update({rows.layer: rows.reach})  # noqa: E731
    with torch.inference_mode(), reading(decoder, [[69]], keep):
        decoder.base(input_ids=torch.tensor([ids]), use_cache=False)
    assert [seen[layer] == 5 for layer in range(3)] == REACHES[name]
    wider = plain_logits(decoder_of(name, 512), ids)
    changed = (plain_logits(decoder, ids) - wider).abs().amax(-1)
    assert changed[:5].max() < 1e-4
    assert changed[10:].median() > 0.5


@pytest.mark.parametrize(("window", "length"), REACH)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_branches_equal_plain_passes(decoder_of, name, window, length):
    decoder, prefix = decoder_of(name, window), random_ids(length)
    cuts = range(1, length + 1) if length < 100 else (1, window, window + 3, length)
    branches = [Branch(cut, tuple(random_ids(1 + cut % 7, seed=cut))) for cut in cuts]
    said = continue_branches(
        decoder.hf, prefix, branches, max_tokens=9, stop=lambda *_: False
    )
    for branch, continuation in zip(branches, said, strict=True):
        plain, choices = replay(decoder.hf, prefix, branch, continuation.tokens)
        assert choices == continuation.tokens
        assert continuation.logits == pytest.approx(plain.logits, abs=2e-4)
        assert continuation.entropies == pytest.approx(plain.entropies, abs=2e-4)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_suffix_longer_than_the_window(decoder_of, name):
    decoder, prefix = decoder_of(name, 5), random_ids(20)
    branches = [Branch(cut, tuple(random_ids(17, seed=cut))) for cut in (3, 20, 11)]
    said = continue_branches(
        decoder.hf, prefix, branches, max_tokens=12, stop=lambda *_: False
    )
    for branch, continuation in zip(branches, said, strict=True):
        start = [*prefix[: branch.cut], *branch.suffix]
        assert continuation.tokens == plain_greedy(decoder, start, 12)


@pytest.mark.parametrize("size", [1, 3, 6])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_a_branch_grows_past_the_window(decoder_of, name, size):
    """The first token that no longer sees all is one of the suffix or of the answer."""
    decoder, prefix = decoder_of(name, 16), random_ids(12)
    branches = [Branch(cut, tuple(random_ids(size, seed=cut))) for cut in (12, 4)]
    said = continue_branches(
        decoder.hf, prefix, branches, max_tokens=9, stop=lambda *_: False
    )
    for branch, continuation in zip(branches, said, strict=True):
        plain, choices = replay(decoder.hf, prefix, branch, continuation.tokens)
        assert choices == continuation.tokens
        assert continuation.logits == pytest.approx(plain.logits, abs=2e-4)


def requests_of(lengths, news):
    return [
        Request(f"{k:05d}/0", random_ids(length, seed=k), new)
        for k, (length, new) in enumerate(zip(lengths, news, strict=True))
    ]


def completions(decoder, requests, batch_size):
    done = generate(decoder.hf, requests, GREEDY, set(), batch_size)
    return {item.key: item for item, _ in done if item is not None}


def check_generation(decoder, requests, batch_size):
    """Tokens and log-probs against one plain pass of prompt and completion.

    Greedy decoding gives the tokens if and only if each is the most likely one there.
    """
    done = completions(decoder, requests, batch_size)
    for request in requests:
        ids = done[request.key].ids
        assert len(ids) == request.max_new_tokens
        logits = plain_logits(decoder, request.prompt_ids + ids)
        logits = logits[len(request.prompt_ids) - 1 : -1]
        assert logits.argmax(-1).tolist() == ids
        wanted = logits.log_softmax(-1).gather(1, torch.tensor(ids)[:, None])[:, 0]
        assert done[request.key].logprobs == pytest.approx(wanted.tolist(), abs=2e-4)


@pytest.fixture
def shortened(monkeypatch):
    """Positions that `_tidy` dropped, with a cache that grows by 8."""
    monkeypatch.setattr(generation, "BLOCK", 8)
    dropped = []
    tidy = Slots._tidy

    def watched(slots):
        before = slots.length
        tidy(slots)
        dropped.append(before - slots.length)

    monkeypatch.setattr(Slots, "_tidy", watched)
    return dropped


@pytest.mark.parametrize("batch_size", [1, 3, 8])
@pytest.mark.parametrize("window", [1, 5, 16])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_generation_equals_plain_passes(
    decoder_of, shortened, name, window, batch_size
):
    """Rows shorter and longer than the window side by side, slots filled again."""
    lengths = (40, 3, 11, 1, 60, 22, 7, 5, 18, 2)
    news = (2, 50, 9, 45, 3, 14, 60, 1, 20, 30)
    check_generation(decoder_of(name, window), requests_of(lengths, news), batch_size)
    if batch_size > 1:
        assert max(shortened) > 0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_long_generation_equals_plain_passes(decoder_of, name):
    """A cache of 1,500 positions; 700 of them dropped when the longest row ends."""
    requests = requests_of((1490, 700, 5), (10, 30, 30))
    check_generation(decoder_of(name, 512), requests, 3)


@pytest.mark.parametrize("name", ["gemma2", "gemma3", "mistral", "qwen3"])
def test_generation_is_a_loop_of_plain_passes(decoder_of, name):
    decoder = decoder_of(name, 5)
    requests = requests_of((3, 30), (40, 12))
    done = completions(decoder, requests, 2)
    for request in requests:
        wanted = plain_greedy(decoder, request.prompt_ids, request.max_new_tokens)
        assert done[request.key].ids == wanted


@pytest.mark.parametrize(("window", "length"), REACH)
@pytest.mark.parametrize("name", DENSE)
def test_scaled_units_equal_plain_passes(decoder_of, name, window, length):
    decoder = decoder_of(name, window)
    scalings = [
        Scaling(0, (), 1.0),
        Scaling(0, (3, 9), 0.0),
        Scaling(1, (5,), 2.0),
        Scaling(2, (1, 2, 60), 0.0),
    ]
    near = range(max(1, window - 1), window + 3) if length < 1000 else ()
    for count in (*near, length):
        ids = random_ids(count)
        shared = scaled_states(decoder, ids, scalings, 0.1, "x")
        plain = plain_states(decoder, ids, scalings, 0.1, "x")
        torch.testing.assert_close(shared, plain, atol=5e-5, rtol=1e-4)
        with torch.inference_mode():
            wanted = decoder.base(torch.tensor([ids]), use_cache=False)
        torch.testing.assert_close(
            shared[0], wanted.last_hidden_state[0, -1], atol=5e-5, rtol=1e-4
        )


@pytest.mark.parametrize(("window", "length"), REACH)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_attention_rows_equal_eager_weights(decoder_of, name, window, length):
    decoder = decoder_of(name, window)
    sequences = [random_ids(length, seed=1), random_ids(length // 2, seed=2)]
    positions = [[0, length // 3, length - 1], [length // 2 - 1]]
    found = {}

    def see(rows):
        for place, weights in enumerate(rows.weights, start=rows.wanted.start):
            found[rows.layer, place] = weights.clone()

    with torch.inference_mode(), reading(decoder, positions, see):
        logits = decoder.hf(padded(sequences), use_cache=False).logits
    place = 0
    for k, (ids, wanted) in enumerate(zip(sequences, positions, strict=True)):
        weights = eager_weights(decoder, ids)
        for position in wanted:
            for layer in range(decoder.n_layers):
                row = torch.zeros(decoder.config.num_attention_heads, len(ids))
                ours = found[layer, place]
                row[:, : ours.shape[1]] = ours
                assert (row - weights[layer][:, position]).abs().max() < 1e-5
            place += 1
        assert (logits[k, : len(ids)] - plain_logits(decoder, ids)).abs().max() < 2e-4


@torch.inference_mode()
def eager_weights(decoder, ids):
    """What the library's eager attention gives out: by layer, [head, query, key]."""
    decoder.hf.set_attn_implementation("eager")
    output = decoder.hf(torch.tensor([ids]), use_cache=False, output_attentions=True)
    decoder.hf.set_attn_implementation(decoder.layout.attention_kernel)
    return [layer[0] for layer in output.attentions]


@pytest.mark.parametrize(("window", "length"), REACH)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_padded_batches_equal_plain_passes(decoder_of, name, window, length):
    """As activations are cached: what every part gives, sequence by sequence."""
    decoder = decoder_of(name, window)
    sequences = [random_ids(n, seed=n) for n in (length, length - 7, length // 2, 2)]
    with torch.inference_mode(), record(decoder) as together:
        decoder.base(input_ids=padded(sequences), use_cache=False)
    for k, ids in enumerate(sequences):
        with torch.inference_mode(), record(decoder) as alone:
            decoder.base(input_ids=torch.tensor([ids]), use_cache=False)
        for part, states in alone.items():
            for ours, wanted in zip(together[part], states, strict=True):
                size = wanted.abs().max()
                assert (ours[k, : len(ids)] - wanted[0]).abs().max() < 1e-4 * size


def means_of(decoder):
    generator = torch.Generator().manual_seed(0)
    shape = (decoder.n_layers, decoder.d_model)
    return {
        part: torch.randn(shape, generator=generator)
        for part in ("resid", "attn_out", "mlp_out")
    }


def plain_scores(decoder, item, means):
    """Autograd of the library's model and its logits: [layer, token]."""
    ids = torch.tensor([item.ids])
    start = decoder.hf.get_input_embeddings()(ids).detach().requires_grad_()
    with torch.enable_grad():
        output = decoder.hf(
            inputs_embeds=start, output_hidden_states=True, use_cache=False
        )
        states = output.hidden_states[: decoder.n_layers]
        value = difference(output.logits[0, -1].float())
        gradients = torch.autograd.grad(value, states)
    pairs = zip(means["resid"], states, gradients, strict=True)
    return torch.stack([((m - x) * g)[0].sum(-1).detach() for m, x, g in pairs])


def difference(logits):
    """The metric by its definition, on all logits of a position."""
    logprobs = logits.log_softmax(-1)
    back, wrap = (logprobs[GROUPS[group]].logsumexp(0) for group in GROUPS)
    return back - wrap


@pytest.mark.parametrize(("window", "length"), REACH)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_attribution_equals_autograd_of_plain_passes(decoder_of, name, window, length):
    decoder = decoder_of(name, window)
    means, metric = means_of(decoder), Metric(decoder, "difference", GROUPS)
    items = [
        Decision(f"{n}/0", n, random_ids(n, seed=n), 3) for n in (length, length // 2)
    ]
    found = attribute(decoder, metric, means, items)
    for k, item in enumerate(items):
        wanted = plain_scores(decoder, item, means)
        scores = found.scores["resid"][k, :, : len(item.ids)]
        assert (scores - wanted).abs().max() < 3e-4 * wanted.abs().max()
        value = difference(plain_logits(decoder, item.ids)[-1]).item()
        assert found.values[k].item() == pytest.approx(value, abs=2e-4)


@pytest.mark.parametrize(("window", "length"), REACH)
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_patching_equals_plain_passes(decoder_of, name, window, length):
    """One residual state replaced by hand, inside and outside the last one's window."""
    decoder = decoder_of(name, window)
    means, metric = means_of(decoder), Metric(decoder, "difference", GROUPS)
    item = Decision("a/0", 0, random_ids(length), 3)
    cells = [
        Cell("resid", layer, token)
        for layer in ((0, 2) if length < 1000 else (1,))
        for token in (length - window, length - window - 1, 0)
    ]
    changes, clean = patched(decoder, metric, means, item, cells, 4 * length)
    assert clean == pytest.approx(
        difference(plain_logits(decoder, item.ids)[-1]).item(), abs=2e-4
    )
    for cell, change in zip(cells, changes, strict=True):

        def overwrite(_, inputs, cell=cell):
            inputs[0][0, cell.token] = means["resid"][cell.layer]

        handle = decoder.layers[cell.layer].register_forward_pre_hook(overwrite)
        wanted = difference(plain_logits(decoder, item.ids)[-1]).item()
        handle.remove()
        assert change == pytest.approx(wanted - clean, abs=3e-4)
