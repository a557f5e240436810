"""Captured steps: their code, run without a graph, against the plain step."""

import logging
import random
from collections import deque
from dataclasses import replace

import pytest
import torch
from plain_interventions import added
from tiny_architectures import configurations, settings_of
from transformers import AutoModelForCausalLM

from doubletake.model import slots
from doubletake.model.captured_step import CapturedStep, StepRunner, can_be_captured
from doubletake.model.continuous_batching import GenerationRequest, generate
from doubletake.model.interventions import Positions, model_name
from doubletake.model.loading import load_decoder
from doubletake.model.slots import Slots
from doubletake.model.token_sampling import Sampling

SAMPLING = Sampling(temperature=0.8, top_p=0.95, seed=3)
CAPTURED = ("llama", "llama-biases", "qwen2", "qwen3")


class Uncaptured(CapturedStep):
    """Runs the step where the other one repeats its graph."""

    made = 0

    def __init__(self, *args):
        super().__init__(*args)
        Uncaptured.made += 1

    def __call__(self, tokens, starts, position):
        self.step.set(tokens, starts, position)
        return self.step.run()


class OnGpu(StepRunner):
    """Believes that the model is on a GPU."""

    def __init__(self, model):
        super().__init__(model)
        self.captures = can_be_captured(model)


@pytest.fixture
def on_gpu(monkeypatch):
    monkeypatch.setattr(slots, "StepRunner", OnGpu)
    monkeypatch.setattr("doubletake.model.captured_step.CapturedStep", Uncaptured)
    monkeypatch.setattr(Uncaptured, "made", 0)


@pytest.fixture(scope="module", params=CAPTURED)
def model(request):
    torch.manual_seed(0)
    config = configurations()[request.param]
    made = AutoModelForCausalLM.from_config(config, attn_implementation="sdpa")
    return made.double().eval()


def requests():
    rng = random.Random(0)
    return [
        GenerationRequest(
            f"{number}/0",
            [rng.randrange(96) for _ in range(rng.randrange(1, 30))],
            rng.randrange(1, 60),
        )
        for number in range(20)
    ]


def run(model, batch_size):
    results = generate(model, requests(), SAMPLING, {1, 7}, batch_size)
    return {done.trace: done for done, _ in results if done is not None}


@pytest.mark.parametrize("batch_size", [1, 5, 16])
def test_captured_steps_generate_the_same(model, batch_size, on_gpu, monkeypatch):
    found = run(model, batch_size)
    assert Uncaptured.made > 0
    monkeypatch.undo()
    plain = run(model, batch_size)
    assert found.keys() == plain.keys()
    for trace, completion in found.items():
        assert completion.ids == plain[trace].ids
        assert completion.finish == plain[trace].finish
        assert completion.logprobs == pytest.approx(plain[trace].logprobs, abs=1e-4)


def test_the_step_is_captured_again_only_where_the_buffers_change(model, on_gpu):
    steps = sum(done is None for done, _ in generate(model, *_arguments(16)))
    assert 1 < Uncaptured.made < steps / 3


def _arguments(batch_size):
    return requests(), SAMPLING, {1, 7}, batch_size


def test_a_step_with_other_logits_is_not_used(model, on_gpu, monkeypatch, caplog):
    class Wrong(Uncaptured):
        def __call__(self, *args):
            return super().__call__(*args) * 1.01

    monkeypatch.setattr("doubletake.model.captured_step.CapturedStep", Wrong)
    with caplog.at_level(logging.WARNING, "doubletake"):
        found = run(model, 4)
    assert "decoding without CUDA graphs: logits differ" in caplog.text
    monkeypatch.undo()
    plain = run(model, 4)
    assert {k: v.ids for k, v in found.items()} == {k: v.ids for k, v in plain.items()}


@pytest.mark.parametrize("name", sorted(configurations()))
def test_models_whose_steps_differ_are_not_captured(name):
    config = configurations()[name]
    config._attn_implementation = "sdpa"
    model = type("Model", (), {"config": config})()
    layers = getattr(config.get_text_config(), "sliding_window", None)
    if name in CAPTURED:
        assert can_be_captured(model)
    elif layers or "moe" in name or "mixtral" in name:
        assert not can_be_captured(model)


def test_other_kernels_and_growing_frequencies_are_not_captured(model):
    config = model.config
    assert can_be_captured(model)
    config._attn_implementation = "eager"
    assert not can_be_captured(model)
    config._attn_implementation = "sdpa"
    kept = config.rope_parameters
    config.rope_parameters = kept | {"rope_type": "dynamic"}
    assert not can_be_captured(model)
    config.rope_parameters = kept


def test_the_cpu_captures_nothing(model):
    assert not StepRunner(model).captures


@pytest.fixture(scope="module")
def decoder(architectures):
    torch.set_num_threads(1)
    return load_decoder(settings_of(architectures["llama"]))


def steered(decoder, batch_size):
    """Completions with other interventions side by side, some of which end early."""
    model, width = model_name(decoder.settings), decoder.d_model
    kinds = [Positions("every"), Positions("first", 3), Positions("from", 2)]
    rows = []
    for number, request in enumerate(requests()):
        changes = [
            added(model, "resid", layer, width, kinds[number % 3], seed=number)
            for layer in range(number % 3)
        ]
        made = replace(request, interventions=tuple(changes), stepwise=True)
        rows.append(made)
    done = generate(decoder.hf, rows, SAMPLING, {1, 7}, batch_size, decoder=decoder)
    return {one.trace: one for one, _ in done if one is not None}


@pytest.mark.parametrize("batch_size", [3, 16])
def test_interventions_act_in_captured_steps(decoder, batch_size, on_gpu, monkeypatch):
    found = steered(decoder, batch_size)
    assert Uncaptured.made > 0
    monkeypatch.undo()
    plain = steered(decoder, batch_size)
    for trace, completion in found.items():
        assert completion.ids == plain[trace].ids
        assert completion.logprobs == pytest.approx(plain[trace].logprobs, abs=1e-4)


def test_a_step_is_captured_again_where_the_hooks_change(decoder, on_gpu):
    buffers = [(torch.zeros(2, 2, 256, 8), torch.zeros(2, 2, 256, 8))] * 3
    runner, tensor = OnGpu(decoder.hf), torch.zeros(3)
    hooks = (("resid.1.0.added", tensor),)
    first = runner.step(buffers, hooks)
    assert runner.step(buffers, hooks) is first
    # The same tensor in another place of the model, or with another meaning.
    for name in ("resid.2.0.added", "resid.1.0.removed"):
        assert runner.step(buffers, ((name, tensor),)) is not first
    first = runner.step(buffers, hooks)
    alike = tensor.view(3)  # another tensor with the same address
    assert alike.data_ptr() == tensor.data_ptr()
    assert runner.step(buffers, (("resid.1.0.added", alike),)) is not first
    others = [(torch.zeros(2, 2, 256, 8), torch.zeros(2, 2, 256, 8))] * 3
    last = runner.step(buffers, hooks)
    assert runner.step(others, hooks) is not last


def test_a_captured_step_is_forgotten_before_new_buffers_are_made(decoder, on_gpu):
    batch = Slots(decoder.hf, 4, SAMPLING, {1, 7})
    batch.fill(deque(requests()[:4]))
    batch.step()
    for change in (
        lambda: batch.cache.keep_slots(torch.arange(len(batch.states))),
        lambda: batch.cache.reserved(10_000),
    ):
        batch.step()
        assert batch.runner.captured is not None
        change()
        assert batch.runner.captured is None
