"""The bench of a study on a GPU, at a small shape on the CPU, and its arithmetic."""

import dataclasses
import math

import pytest
import torch
from checkouts import ROOT
from device_speed import measure, measured_ceilings
from gpu_study import COLUMNS, heading, lines, measured_rows, total_line
from llama_arithmetic import SHAPES, Arithmetic, Work, config_of, reading
from random_llama import decoder_of
from study_plan import (
    LOADING,
    LOADING_ONCE,
    Ceilings,
    StudyPlan,
    plan_lines,
    seconds_needed,
    used_share,
)
from synthetic_study import (
    PROMPT,
    Demand,
    SyntheticTrace,
    decoding_steps,
    exit_demand,
    generation_demand,
    synthetic_traces,
)
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode
from transformers import LlamaForCausalLM

from attribution.gradients import attribute
from doubletake.model.continuous_batching import GenerationRequest, generate
from doubletake.model.token_sampling import Sampling
from doubletake.model.turn_metric import Decision, Metric
from doubletake.running.errors import InputError
from doubletake.study.registry import sharded

CPU = torch.device("cpu")
FLAGSHIP = ROOT / "config/r1-llama-8b.yaml"
PREVIEW = ROOT / "config/r1-llama-8b-preview.yaml"
BATCH, LENGTH = 3, 20


@pytest.fixture(scope="module")
def decoder():
    return decoder_of(config_of("tiny"), CPU, torch.float32)


@pytest.fixture
def model(decoder):
    return Arithmetic(decoder.config, 4)


def counted(work) -> int:
    """Operations that torch counts."""
    counter = FlopCounterMode(display=False)
    # Attention as plain matrix products: the fused kernels of the CPU are not counted.
    with counter, sdpa_kernel(SDPBackend.MATH):
        work()
    return counter.get_total_flops()


def square(sequences: int, tokens: int, logits: int = 0) -> Work:
    """A causal pass as torch counts it: with the pairs that the mask hides."""
    return Work(sequences * tokens, sequences * tokens**2, logits)


def test_the_operations_of_a_forward_pass_are_those_that_torch_counts(decoder, model):
    ids = torch.randint(1, 512, (BATCH, LENGTH))
    found = counted(lambda: decoder.hf(ids, use_cache=False))
    assert found == model.forward_flops(square(BATCH, LENGTH, BATCH * LENGTH * 512))


def test_the_operations_of_decoding_are_those_that_torch_counts(decoder, model):
    new = 6
    ids = list(range(1, PROMPT + 1))
    requests = [GenerationRequest(str(k), ids, new) for k in range(BATCH)]
    greedy = Sampling(temperature=0, top_p=1.0, seed=0)
    found = counted(lambda: list(generate(decoder.hf, requests, greedy, set(), BATCH)))
    hidden = BATCH * PROMPT * (PROMPT - 1) // 2  # pairs of the prompts
    traces = [SyntheticTrace(k, new, 512) for k in range(BATCH)]
    demand = generation_demand(model, traces, BATCH)
    assert found == demand.flops + model.forward_flops(Work(pairs=hidden))
    keys = sum(PROMPT + step for step in range(1, new))
    steps = (new - 1) * model.step_bytes
    assert demand.bytes == steps + BATCH * keys * model.cache_bytes


def test_the_operations_of_attribution_are_those_that_torch_counts(decoder, model):
    words = torch.arange(1, 6)
    metric = Metric(decoder, "log_odds", {"backtrack": words, "wrap_up": words})
    means = {"resid": torch.zeros(decoder.n_layers, decoder.d_model)}
    decisions = [Decision(str(k), 0, list(range(1, LENGTH + 1)), 0) for k in range(3)]
    found = counted(lambda: attribute(decoder, metric, means, decisions))
    work = square(len(decisions), LENGTH)
    assert found == model.attribution_flops(work, len(words), len(decisions))


def test_the_8b_shape_has_the_parameters_of_the_published_model():
    config = config_of("8b")
    with torch.device("meta"):
        hf = LlamaForCausalLM(config)
    assert sum(weight.numel() for weight in hf.parameters()) == 8_030_261_248
    assert Arithmetic(config, 2).parameters == 8_030_261_248
    assert Arithmetic(config, 2).cache_bytes == 128 * 1024  # a token, all layers


def test_pairs_of_exits_are_those_that_each_token_sees(model):
    trace = SyntheticTrace(0, 230, 512)
    assert trace.cuts == [PROMPT, PROMPT + 115, PROMPT + 230]
    pairs = sum(range(1, trace.length + 1))
    pairs += sum(cut + k for cut in trace.cuts for k in range(1, 12 + 5))
    tokens = trace.length + 3 * (12 + 4)
    work = Work(tokens, pairs, 3 * 5 * 512)
    assert exit_demand(model, [trace], 5) == Demand(tokens, model.forward_flops(work))
    assert reading(3, before=10).pairs == 11 + 12 + 13


def test_lengths_have_the_stated_quantiles():
    lengths = sorted(t.completion for t in synthetic_traces(20_000, 4096, 512))
    assert lengths[10_000] == pytest.approx(250, rel=0.03)
    assert lengths[18_000] == pytest.approx(900, rel=0.03)
    assert lengths[-1] == 4096
    assert max(t.completion for t in synthetic_traces(100, 60, 512)) == 60


@pytest.mark.parametrize("batch_size", [2, 3, 8])
def test_steps_of_a_batch_are_those_of_generation(decoder, batch_size):
    lengths = [9, 2, 5, 14, 3, 3, 7]
    requests = [
        GenerationRequest(str(k), list(range(1, 5 + k)), length)
        for k, length in enumerate(lengths)
    ]
    greedy = Sampling(temperature=0, top_p=1.0, seed=0)
    done = generate(decoder.hf, requests, greedy, set(), batch_size)
    steps = sum(completion is None for completion, _ in done)
    assert decoding_steps(lengths, batch_size) == steps


def test_all_stages_are_measured(decoder):
    plan = StudyPlan.of(FLAGSHIP)
    ceilings = measured_ceilings(CPU, torch.float32)
    rows = list(measured_rows(decoder, plan, synthetic_traces(3, 12, 512), ceilings))
    titles = [row.stage.title for row in rows]
    assert titles == [
        *("generation, batch 64", "generation, batch 256"),
        *("activations", "exits", "attribution"),
    ]
    for row in rows:
        assert not row.notes
        numbers = dict(zip(COLUMNS[1:], row.numbers, strict=True))
        bandwidth = numbers.pop("of bandwidth")
        assert (bandwidth is None) == (row.stage.name != "generation")
        assert all(v > 0 and math.isfinite(v) for v in numbers.values())
        assert bandwidth is None or 0 < bandwidth < 1
        assert numbers["of products"] < 1
    texts = [line for row in rows for line in lines(row)]
    assert {len(line) for line in texts} == {len(heading())}
    assert "min of generation in batches of 64" in total_line(rows, plan)


def out_of_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate\nmore")


def refused() -> None:
    raise InputError("trace 3/0: out of memory for its 9 tokens alone")


@pytest.mark.parametrize(
    ("work", "words"), [(out_of_memory, "CUDA out of memory"), (refused, "trace 3/0")]
)
def test_a_stage_without_memory_has_no_numbers_and_the_study_no_time(
    decoder, monkeypatch, work, words
):
    monkeypatch.setattr("gpu_study.answer_exits", lambda *_: work())
    plan, ceilings = StudyPlan.of(PREVIEW), Ceilings(1e12, 1e12)
    traces = synthetic_traces(2, 4, 512)
    rows = list(measured_rows(decoder, plan, traces, ceilings))
    assert set(rows[3].numbers) == {None}
    note = lines(rows[3])[-1]
    assert note.startswith(f"exits not finished: {words}")
    assert "\n" not in note
    assert total_line(rows, plan) == "time of the study: not known without exits"


def test_another_fault_of_a_stage_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        measure(CPU, lambda: 1 // 0)
    with pytest.raises(RuntimeError, match="size"):
        measure(CPU, lambda: torch.zeros(2) @ torch.zeros(3))


def test_time_follows_from_the_ceiling_that_limits():
    ceilings = Ceilings(flops=100.0, bandwidth=10.0)
    assert seconds_needed(Demand(1, 200.0), ceilings, 0.5) == 4
    assert seconds_needed(Demand(1, 200.0, 50.0), ceilings, 0.5) == 10
    assert used_share(Demand(1, 200.0), 8, ceilings) == 0.25


def test_loading_counts_the_stages_that_load_the_model():
    scripts = ROOT / "workflow/scripts"
    # The twins are of models that plant causes, as the pocket model does.
    loading = {
        path.parent.name
        for path in scripts.glob("*/*.py")
        if "load_decoder(model)" in path.read_text()
    } - {"twins"}
    assert loading == {*LOADING, *LOADING_ONCE}
    sharded_stages = {stage.name for stage in sharded()}
    assert loading & sharded_stages == set(LOADING)
    model = StudyPlan.of(FLAGSHIP).arithmetic
    assert StudyPlan.of(FLAGSHIP).loaded_bytes(model) == 64 * 2 * 8_030_261_248


def test_actions_and_online_exits_are_decoded_again():
    plan = StudyPlan.of(PREVIEW)
    again = dataclasses.replace(plan, problems=plan.acted)
    model = plan.arithmetic
    batch = plan.batch_size
    assert plan.demand("actions", model, batch) == again.demand(
        "generation", model, batch
    )
    alone = dataclasses.replace(plan, online=0).demand("online exit", model, batch)
    both = plan.demand("online exit", model, batch)
    together = dataclasses.replace(plan, timed=0).demand("online exit", model, batch)
    assert both.tokens == alone.tokens + together.tokens
    # One at a time, every token reads all weights.
    assert alone.bytes / alone.tokens > 10 * together.bytes / together.tokens


def test_the_preview_is_the_flagship_on_fewer_problems():
    flagship, preview = StudyPlan.of(FLAGSHIP), StudyPlan.of(PREVIEW)
    assert (flagship.problems, flagship.shards) == (1319, 4)
    assert preview == dataclasses.replace(flagship, problems=50, shards=1, acted=4 * 50)
    bodies = [
        path.read_text().partition("\nstudies:")[2].replace("gsm8k-50", "gsm8k")
        for path in (FLAGSHIP, PREVIEW)
    ]
    changed = [
        pair
        for pair in zip(*(body.splitlines() for body in bodies), strict=True)
        if pair[0] != pair[1]
    ]
    assert changed == [
        ("    limit: null", "    limit: 50"),
        ("shards: 4", "shards: 1"),
    ]


def test_the_preview_states_the_calculated_time_and_memory():
    comment = PREVIEW.read_text().partition("\nstudies:")[0]
    assert "\n".join(f"#   {line}" for line in plan_lines(StudyPlan.of(PREVIEW))) in (
        comment
    )


def test_a_plan_needs_the_number_of_problems_and_a_known_shape(tmp_path):
    path = tmp_path / "other.yaml"
    path.write_text(PREVIEW.read_text().replace("openai/gsm8k", "openai/other"))
    assert StudyPlan.of(path).problems == 50
    path.write_text(path.read_text().replace("limit: 50", "limit: null"))
    with pytest.raises(InputError, match=r"datasets\.gsm8k-50\.limit"):
        StudyPlan.of(path)
    path.write_text(PREVIEW.read_text().replace("Distill-Llama-8B", "Distill-Llama-9B"))
    with pytest.raises(InputError, match="9B is not known"):
        plan_lines(StudyPlan.of(path))
    assert set(SHAPES) == {"8b", "tiny"}
