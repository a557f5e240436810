"""Interventions during decoding against plain hooks in passes of single sequences."""

import random
from dataclasses import replace

import pytest
import torch
from plain_interventions import acts, added, plain_decoding, vector
from tiny_architectures import ARCHITECTURES, DENSE, settings_of

from doubletake.model import slots
from doubletake.model.aligned_cache import AlignedCache
from doubletake.model.checkpoints import Checkpoint
from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import (
    Intervention,
    InterventionRecord,
    Positions,
    WordChange,
    model_name,
)
from doubletake.model.loading import load_decoder
from doubletake.model.token_sampling import Sampling
from doubletake.running.errors import InputError

SAMPLING = Sampling(temperature=0.8, top_p=0.95, seed=3)
WIDTH = 32
STOPS = {1, 7}


@pytest.fixture(scope="module")
def decoder_of(architectures):
    torch.set_num_threads(1)
    loaded = {}

    def get(name):
        if name not in loaded:
            loaded[name] = load_decoder(settings_of(architectures[name]))
        return loaded[name]

    return get


@pytest.fixture(scope="module")
def decoder(decoder_of):
    return decoder_of("llama")


def prompts(count, longest=12):
    rng = random.Random(0)
    lengths = [1, 2, *(rng.randrange(1, longest) for _ in range(count))]
    return [[rng.randrange(8, 96) for _ in range(length)] for length in lengths[:count]]


def decode(decoder, requests, batch_size=64, **options):
    """Completions by name and trace."""
    done = generate(
        decoder.hf,
        requests,
        SAMPLING,
        set(STOPS),
        batch_size,
        decoder=decoder,
        **options,
    )
    return {(one.name, one.trace): one for one, _ in done if one is not None}


def changes(decoder, *, units=True):
    """Interventions of all parts and operations, by name."""
    model, every = model_name(decoder.settings), Positions("every")
    heads = decoder.attention_out(0).in_features
    n_heads = decoder.config.num_attention_heads

    def one(part, layer, positions=every, **what):
        return Intervention("some", layer, part, positions, model, **what)

    unit = vector(WIDTH, 5, norm=1)
    made = {
        "first boundary": (added(model, "resid", 0, WIDTH),),
        "add": (added(model, "resid", 2, WIDTH),),
        "last boundary": (added(model, "resid", 3, WIDTH, seed=1),),
        "attention": (added(model, "attn_out", 1, WIDTH),),
        "remove": (one("resid", 2, removed=unit),),
        "half and add": (
            one("mlp_out", 1, removed=unit, share=0.5, added=vector(WIDTH, 8)),
        ),
        "no head 2": (one("heads", 1, factors=torch.tensor([1.0, 1, 0, 1])[:n_heads]),),
        "mean of heads": (
            one("heads", 0, factors=torch.zeros(heads), added=vector(heads, 3)),
        ),
        "one place twice": (
            one("resid", 1, factors=torch.full((WIDTH,), 1.5)),
            one("resid", 1, Positions("first", 4), added=vector(WIDTH, 9)),
            one("attn_out", 0, removed=unit),
        ),
        "prompt end": (added(model, "resid", 1, WIDTH, Positions("prompt_end")),),
        "first three": (added(model, "resid", 1, WIDTH, Positions("first", 3)),),
        "from two": (added(model, "mlp_out", 2, WIDTH, Positions("from", 2)),),
    }
    if units:
        inner = decoder.mlp_down(1).in_features
        kept = torch.ones(inner)
        kept[:20] = 0
        means = torch.where(kept == 0, vector(inner, 4), 0)
        made["units"] = (one("units", 1, factors=kept),)
        made["mean units"] = (one("units", 2, factors=kept, added=means),)
    return made


def requests_of(decoder, made, count=3, length=12):
    """Every prompt with each of the changes, and without any."""
    made = {"none": ()} | made
    return [
        GenerationRequest(
            f"{index}/0",
            prompt,
            length,
            name=name,
            interventions=interventions,
            stepwise=True,
        )
        for index, prompt in enumerate(prompts(count))
        for name, interventions in made.items()
    ]


def assert_is_reference(decoder, requests, found, chosen=acts):
    for request in requests:
        ids, logprobs = plain_decoding(decoder, request, SAMPLING, STOPS, chosen)
        one = found[request.name, request.trace]
        assert one.ids == ids, request.name
        assert one.logprobs == pytest.approx(logprobs, abs=1e-5), request.name


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_equals_plain_hooks(decoder_of, name):
    decoder = decoder_of(name)
    requests = requests_of(decoder, changes(decoder, units=name in DENSE))
    assert_is_reference(decoder, requests, decode(decoder, requests))


def test_every_change_has_an_effect(decoder):
    """Without this, the test above could compare completions that nothing changes."""
    made = changes(decoder)
    found = decode(decoder, requests_of(decoder, made, 6))
    for name in made:
        pairs = [(found[name, f"{k}/0"], found["none", f"{k}/0"]) for k in range(6)]
        assert any(one.logprobs[:1] != plain.logprobs[:1] for one, plain in pairs) or (
            name == "from two"
            and any(one.logprobs != plain.logprobs for one, plain in pairs)
        ), name


def zero(decoder):
    """Changes of strength zero, in all parts."""
    model, every = model_name(decoder.settings), Positions("every")
    heads = decoder.attention_out(0).in_features
    return (
        Intervention("zero", 1, "resid", every, model, added=torch.zeros(WIDTH)),
        Intervention("zero", 1, "attn_out", every, model, factors=torch.ones(WIDTH)),
        Intervention(
            "zero", 2, "mlp_out", every, model, removed=vector(WIDTH, 1, 1), share=0
        ),
        Intervention("zero", 0, "heads", every, model, added=torch.zeros(heads)),
        Intervention("zero", 1, "units", every, model, factors=torch.ones(64)),
    )


@pytest.mark.parametrize("name", DENSE)
def test_zero_strength_and_rows_beside_change_no_bit(decoder_of, name):
    decoder = decoder_of(name)
    plain = requests_of(decoder, {}, 8)
    base = decode(decoder, plain)
    nothing = [replace(one, interventions=zero(decoder)) for one in plain]
    for key, one in decode(decoder, nothing).items():
        assert one.ids == base[key].ids
        assert one.logprobs == base[key].logprobs
    strong = changes(decoder)["one place twice"]
    beside = [
        replace(one, interventions=strong) if row % 2 else one
        for row, one in enumerate(plain)
    ]
    lengths = {len(one.ids) for one in base.values()}
    mixed = decode(decoder, [replace(one, max_new_tokens=2) for one in beside])
    assert max(lengths) > 2
    different = 0
    for row, one in enumerate(plain):
        found, wanted = mixed[one.name, one.trace], base[one.name, one.trace]
        if row % 2:
            different += found.logprobs != wanted.logprobs[: len(found.logprobs)]
        else:
            assert found.ids == wanted.ids[:2]
            assert found.logprobs == wanted.logprobs[:2]
    assert different


def test_in_bfloat16_zero_strength_changes_no_bit(architectures):
    decoder = load_decoder(settings_of(architectures["qwen3"], "bfloat16"))
    plain = requests_of(decoder, {}, 8)
    base = decode(decoder, plain)
    nothing = [replace(one, interventions=zero(decoder)) for one in plain]
    for key, one in decode(decoder, nothing).items():
        assert (one.ids, one.logprobs) == (base[key].ids, base[key].logprobs)


@pytest.mark.parametrize("batch_size", [1, 3, 7])
def test_batch_size_and_order_change_nothing(decoder, batch_size):
    requests = requests_of(decoder, changes(decoder), 4)
    whole = decode(decoder, requests)
    shuffled = random.Random(batch_size).sample(requests, len(requests))
    for key, one in decode(decoder, shuffled, batch_size).items():
        assert one.ids == whole[key].ids
        assert one.logprobs == pytest.approx(whole[key].logprobs, abs=1e-5)


def test_plain_requests_beside_stepping_ones(decoder):
    requests = requests_of(decoder, changes(decoder), 5)
    plain = [replace(one, stepwise=False) for one in requests if one.name == "none"]
    alone = decode(decoder, plain)
    rest = [one for one in requests if one.name != "none"]
    mixed = random.Random(0).sample([*plain, *rest], len(plain) + len(rest))
    for size in (4, 64):
        found = decode(decoder, mixed, size)
        assert_is_reference(decoder, mixed, found)
        for key, one in alone.items():
            assert found[key].ids == one.ids


def test_the_same_random_numbers(decoder):
    """Where a change does not move the distribution, the tokens are the same."""
    model = model_name(decoder.settings)
    late = (added(model, "resid", 1, WIDTH, Positions("from", 6)),)
    found = decode(decoder, requests_of(decoder, {"late": late}, 8))
    for k in range(8):
        late, none = found["late", f"{k}/0"], found["none", f"{k}/0"]
        assert late.ids[:6] == none.ids[:6]


def test_the_first_tokens_of_a_completion_are_given(decoder):
    made = changes(decoder)
    requests = [
        replace(one, ids=[20, 30, 40], logprobs=[0.0] * 3)
        for one in requests_of(decoder, made)
    ]
    record = InterventionRecord()
    found = decode(decoder, requests, record=record)
    assert_is_reference(decoder, requests, found)
    assert record.positions["prompt end", "0/0"] == [0]


def test_the_record_says_where_states_were_changed(decoder):
    made = changes(decoder)
    record = InterventionRecord()
    requests = requests_of(decoder, made)
    found = decode(decoder, requests, 5, record=record)
    for request in requests:
        one = found[request.name, request.trace]
        read = len(one.ids) + (one.finish == "stop")  # passes that chose a token
        wanted = [
            p for p in range(read) if any(acts(i, p) for i in request.interventions)
        ]
        assert record.positions.get((request.name, request.trace), []) == wanted


def test_a_shared_prompt_is_read_once(decoder, monkeypatch):
    model = model_name(decoder.settings)
    prompt, other = list(range(10, 30)), list(range(50, 60))
    requests = [
        GenerationRequest(
            f"{trace}/0",
            ids,
            4,
            name=str(seed),
            interventions=(added(model, "resid", 1, WIDTH, seed=seed),),
        )
        for seed in range(9)
        for trace, ids in enumerate((prompt, other))
    ]
    lengths, forward = [], decoder.hf.forward

    def watched(*args, **named):
        lengths.append(int(named["attention_mask"].sum()))
        return forward(*args, **named)

    monkeypatch.setattr(decoder.hf, "forward", watched)
    for size in (2, 5, 64):
        tokens, chosen = 0, 0
        for done, new in generate(
            decoder.hf, requests, SAMPLING, set(), size, decoder=decoder
        ):
            tokens += new
            chosen += 0 if done is None else len(done.ids)
        assert tokens == 19 + 9 + chosen


def test_out_of_memory_loses_nothing(decoder, monkeypatch):
    requests = requests_of(decoder, changes(decoder), 4)
    wanted = decode(decoder, requests)
    positions = InterventionRecord()
    decode(decoder, requests, record=positions)
    forward, calls = decoder.hf.forward, []

    def failing(*args, **named):
        calls.append(named["input_ids"].shape)
        if len(calls) in (9, 12) or named["input_ids"].shape[0] > 20:
            raise torch.cuda.OutOfMemoryError("full")
        return forward(*args, **named)

    monkeypatch.setattr(decoder.hf, "forward", failing)
    record = InterventionRecord()
    found = decode(decoder, requests, record=record)
    assert len(calls) > 20
    for key, one in wanted.items():
        assert found[key].ids == one.ids
        assert found[key].logprobs == pytest.approx(one.logprobs, abs=1e-5)
    assert record.positions == positions.positions


def test_changed_words_keep_the_log_prob_of_the_model(decoder):
    requests = [
        replace(one, words=(WordChange((11, 12), 3.5), WordChange((13,), -torch.inf)))
        for one in requests_of(decoder, changes(decoder), length=20)
    ]
    found = decode(decoder, requests, 5)
    assert_is_reference(decoder, requests, found)
    free = decode(decoder, [replace(one, words=()) for one in requests])
    assert any(13 in one.ids for one in free.values())
    assert not any(13 in one.ids for one in found.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"layer": 4}, "intervention x: resid has no layer 4 .* 0 to 3"),
        ({"layer": -1}, "intervention x: resid has no layer -1"),
        ({"part": "mlp_out", "layer": 3}, "mlp_out has no layer 3 .* 0 to 2"),
        ({"model": "other@main"}, "belong to other@main, but the model is .*@$"),
        ({"added": torch.zeros(31)}, r"added has the shape \[31\], .* width 32"),
        ({"added": torch.zeros(2, 32)}, r"shape \[2, 32\]"),
        ({"factors": torch.zeros(4)}, "resid of layer 1 has the width 32"),
        ({"part": "heads", "factors": torch.zeros(3)}, "has the width 4 or 32"),
        ({"part": "units", "removed": torch.ones(32)}, "units of layer 1 .* width 64"),
        ({"removed": torch.ones(32)}, "norm 5.657 and is no unit vector"),
        ({"added": torch.full((32,), torch.nan)}, "added holds values .* not finite"),
        ({"positions": Positions("first", -1)}, "count of -1 positions"),
    ],
)
def test_what_the_model_cannot_do_is_refused(decoder, change, message):
    model = model_name(decoder.settings)
    plain = Intervention("x", 1, "resid", Positions("every"), model)
    request = GenerationRequest(
        "0/0", [9, 10], 4, interventions=(replace(plain, **change),)
    )
    with pytest.raises(InputError, match=message):
        decode(decoder, [request])


def test_units_of_a_mixture_of_experts_are_refused(decoder_of):
    decoder = decoder_of("mixtral")
    one = Intervention(
        "x", 1, "units", Positions("every"), model_name(decoder.settings)
    )
    request = GenerationRequest("0/0", [9, 10], 4, interventions=(one,))
    with pytest.raises(InputError, match="mixtral is a mixture of experts"):
        decode(decoder, [request])


def test_a_word_that_is_no_token_is_refused(decoder):
    request = GenerationRequest("0/0", [9], 4, words=(WordChange((96,), 1.0),))
    with pytest.raises(InputError, match=r"token 96, but .* has 96 tokens"):
        decode(decoder, [request])


def test_interventions_need_a_decoder(decoder):
    (request,) = requests_of(decoder, changes(decoder), 1)[1:2]
    with pytest.raises(ValueError, match="need the decoder"):
        list(generate(decoder.hf, [request], SAMPLING, STOPS, 4))


def test_checkpoints_refuse_interventions(decoder, tmp_path):
    requests = requests_of(decoder, changes(decoder), 1)
    with pytest.raises(ValueError, match="cannot hold"):
        Checkpoint(tmp_path / "checkpoint", "key", requests, 4)


def test_the_digest_of_a_request_covers_its_changes(decoder):
    made = changes(decoder)
    every = [one for one in requests_of(decoder, made, 1)]
    word = (WordChange((3,), 1.0),)
    every += [replace(every[0], words=word), replace(every[0], stepwise=False)]
    renamed = [replace(one, name="") for one in every]
    assert len({one.digest for one in renamed}) == len(renamed)
    again = [
        replace(one, interventions=tuple(replace(i) for i in one.interventions))
        for one in renamed
    ]
    assert [one.digest for one in again] == [one.digest for one in renamed]


def test_prompts_take_several_passes(decoder, monkeypatch):
    monkeypatch.setattr(slots, "PREFILL_TOKENS", 20)
    requests = requests_of(decoder, changes(decoder), 4)
    assert_is_reference(decoder, requests, decode(decoder, requests))


def test_prompts_of_one_token(decoder):
    """They have no keys before their first step, alone and beside other ones."""
    made = changes(decoder)
    requests = requests_of(decoder, made, 4)
    single = [one for one in requests if len(one.prompt_ids) == 1]
    assert_is_reference(decoder, single, decode(decoder, single))
    plain = GenerationRequest("9/0", list(range(20, 40)), 12)
    found = decode(decoder, [*single, plain], 64)
    assert_is_reference(decoder, [*single, plain], found)
    assert_is_reference(decoder, [*single, plain], decode(decoder, [plain, *single], 2))


def test_memory_that_runs_out_while_room_is_made_loses_nothing(decoder, monkeypatch):
    requests = requests_of(decoder, changes(decoder), 4)
    requests += [replace(requests[0], trace="9/0", stepwise=False)]
    wanted = decode(decoder, requests, 5)
    whole, calls = AlignedCache.make_room, []

    def failing(*args):
        calls.append(args)
        if len(calls) == 5:
            raise torch.cuda.OutOfMemoryError("full")
        return whole(*args)

    monkeypatch.setattr(AlignedCache, "make_room", failing)
    found = decode(decoder, requests, 5)
    assert len(calls) > 5
    assert {key: one.ids for key, one in found.items()} == {
        key: one.ids for key, one in wanted.items()
    }


def test_no_hook_stays(decoder):
    def count():
        return sum(
            len(module._forward_hooks) + len(module._forward_pre_hooks)
            for module in decoder.hf.modules()
        )

    before = count()
    requests = requests_of(decoder, changes(decoder), 3)
    abandoned = generate(decoder.hf, requests, SAMPLING, set(), 64, decoder=decoder)
    next(abandoned)
    assert count() == before
    abandoned.close()
    decode(decoder, requests)
    assert count() == before
