"""Replayed log-probs against those of the sampling itself."""

import random

import pytest
import torch
from plain_interventions import added
from tiny_architectures import ARCHITECTURES, settings_of

from doubletake.model.continuous_batching import generate
from doubletake.model.generation_state import GenerationRequest
from doubletake.model.interventions import model_name
from doubletake.model.loading import load_decoder
from doubletake.model.replayed_logprobs import replayed
from doubletake.model.token_sampling import Sampling


def sampled(decoder, requests):
    sampling = Sampling(temperature=1.0, top_p=0.95, seed=0)
    done = generate(decoder.hf, requests, sampling, {1, 7}, 64, decoder=decoder)
    found = {(one.name, one.trace): one for one, _ in done if one is not None}
    return [found[one.name, one.trace] for one in requests]


def requests_of(count=12, **options):
    """Two of three requests share their prompt with others."""
    rng = random.Random(0)
    shared = [8, *(rng.randrange(8, 96) for _ in range(9))]
    return [
        GenerationRequest(
            f"{k}/0",
            shared if k % 3 else [rng.randrange(8, 96) for _ in range(1 + k)],
            1 + 3 * k,
            **options,
        )
        for k in range(count)
    ]


@pytest.mark.parametrize("memory", [1e-4, 1.0], ids=["small", "large"])
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_they_are_those_of_the_sampling(architectures, name, memory):
    torch.set_num_threads(1)
    decoder = load_decoder(settings_of(architectures[name]))
    requests = requests_of()
    done = sampled(decoder, requests)
    pairs = [(r.prompt_ids, one.ids) for r, one in zip(requests, done, strict=True)]
    pairs += [*pairs[:2], ([9, 9], [])]
    said = replayed(decoder, pairs, memory)
    assert any(len(one.ids) > 10 for one in done)
    for one, own in zip([*done, *done[:2]], said[:-1], strict=True):
        assert own.tolist() == pytest.approx(one.logprobs, abs=2e-5)
    assert said[-1].tolist() == []


def test_of_steered_completions_they_are_those_of_the_plain_model(architectures):
    decoder = load_decoder(settings_of(architectures["llama"]))
    one = added(model_name(decoder.settings), "resid", 1, 32)
    requests = requests_of(interventions=(one,))
    done = sampled(decoder, requests)
    pairs = [(r.prompt_ids, c.ids) for r, c in zip(requests, done, strict=True)]
    for (prompt, ids), own in zip(pairs, replayed(decoder, pairs, 1.0), strict=True):
        with torch.inference_mode():
            logits = decoder.hf(torch.tensor([[*prompt, *ids]])).logits[0].double()
        plain = logits.log_softmax(-1)[len(prompt) - 1 :]
        wanted = [plain[k, token].item() for k, token in enumerate(ids)]
        assert own.tolist() == pytest.approx(wanted, abs=1e-5)
    means = [own.mean() for own in replayed(decoder, pairs, 1.0) if len(own)]
    steered = [sum(c.logprobs) / len(c.logprobs) for c in done if c.ids]
    assert torch.stack(means).mean() < sum(steered) / len(steered)
