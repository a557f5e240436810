"""What do the stages of a study reach of a GPU, and how long does the study take?

A random Llama of the exact shape of DeepSeek-R1-Distill-Llama-8B is made on the device.
It generates, keeps activations, answers at exits and attributes, on random tokens in
traces of realistic lengths (`synthetic_study`). Printed for each stage:

    tokens/s      generation: tokens generated; other stages: tokens that are read
    TFLOP/s       useful operations per second, by the formulas of `llama_arithmetic`
    of products   their share of the speed of a large matrix product, measured here
    of bandwidth  decoding: the bytes of the weights at every step, and of the keys and
                  values that each token sees, per second, as a share of the bandwidth
                  of a large copy, measured here
    peak GiB      most memory at one time, weights included
    study, min    time of the stage on the whole study of the config at this speed

Times hold no start of a job, no loading of a model, no reading and writing of files.

Run: python tests/bench/gpu_study.py                       (on a GPU)
     python tests/bench/gpu_study.py --shape tiny          (on the CPU, in seconds)
     python tests/bench/gpu_study.py --plan config/r1-llama-8b-preview.yaml
                    (time and memory of a study by calculation; nothing is measured)
"""

import argparse
import math
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from device_speed import Measurement, measure, measured_ceilings
from llama_arithmetic import SHAPES, Arithmetic, config_of
from random_llama import decoder_of
from study_plan import CONFIGS, STAGES, Ceilings, StudyPlan, plan_lines, used_share
from synthetic_study import (
    PROMPT,
    SUFFIX,
    WORDS,
    Demand,
    SyntheticTrace,
    activation_demand,
    attribution_demand,
    exit_demand,
    generation_demand,
    synthetic_traces,
)

from activations.forward_pass import batch_activations
from activations.forward_pass import batch_bytes as activations_bytes
from activations.trace_inputs import TraceInput
from attribution.gradients import attribute
from attribution.gradients import batch_bytes as attribution_bytes
from doubletake.model.batches import in_batches
from doubletake.model.branch_rows import continue_branches
from doubletake.model.branches import Branch, Prefix
from doubletake.model.continuous_batching import GenerationRequest, generate
from doubletake.model.decoder import Decoder
from doubletake.model.devices import choose_device, device_name
from doubletake.model.token_sampling import Sampling
from doubletake.model.turn_metric import Decision, Metric
from doubletake.running.errors import InputError

FLAGSHIP = CONFIGS / "r1-llama-8b.yaml"
BATCHES = (64, 256)
TRACES = {"8b": 330, "tiny": 8}
"""Traces to measure on, by shape; 330 are a shard of the flagship."""
WARM_UP = 2  # traces that run before the clock starts
SAMPLED = Sampling(temperature=0.6, top_p=0.95, seed=0)

Traces = list[SyntheticTrace]
COLUMNS = (
    "stage",
    "tokens/s",
    "TFLOP/s",
    "of products",
    "of bandwidth",
    "peak GiB",
    "study, min",
)


@dataclass(frozen=True)
class Stage:
    """A stage that is measured."""

    title: str
    name: str
    """One of `STAGES`."""
    batch_size: int
    """Of generation."""
    run: Callable[[Traces], None]
    demand: Callable[[Traces], Demand]


def generate_traces(decoder: Decoder, batch_size: int, traces: Traces) -> None:
    """Completions of the wanted lengths; no token ends one."""
    requests = [
        GenerationRequest(trace.name, trace.ids[:PROMPT], trace.completion)
        for trace in traces
    ]
    for _ in generate(decoder.hf, requests, SAMPLED, set(), batch_size):
        pass


def keep_activations(decoder: Decoder, memory: float, traces: Traces) -> None:
    """One forward pass: residuals at all cuts, and sums over every fourth trace."""
    inputs = [
        TraceInput(
            trace=trace.name,
            ids=trace.ids,
            prompt_length=PROMPT,
            thought=None if trace.number % 4 else (PROMPT, trace.length),
            logprobs=None,
            positions=[cut - 1 for cut in trace.cuts],
            first_row=0,
        )
        for trace in traces
    ]
    for _ in in_batches(
        inputs,
        partial(batch_activations, decoder),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}",
        need=partial(activations_bytes, decoder),
        batch_memory=memory,
    ):
        pass


def answer_exits(
    decoder: Decoder, memory: float, answer_tokens: int, traces: Traces
) -> None:
    """Answers of the longest length at all cuts of every trace."""
    prefixes = [
        Prefix(
            trace.name,
            trace.ids,
            [Branch(cut, SUFFIX, answer_tokens) for cut in trace.cuts],
        )
        for trace in traces
    ]
    for _ in continue_branches(decoder, prefixes, memory):
        pass


def attribute_turns(decoder: Decoder, memory: float, traces: Traces) -> None:
    """Scores of the residual stream at the positions of every trace."""
    words = torch.arange(1, WORDS + 1, device=decoder.device)
    metric = Metric(decoder, "log_odds", {"backtrack": words, "wrap_up": words})
    shape = (decoder.n_layers, decoder.d_model)
    means = {"resid": torch.zeros(shape, device=decoder.device)}
    decisions = [
        Decision(trace.name, event, trace.ids[:length], 0)
        for trace in traces
        for event, length in enumerate(trace.turns)
    ]
    for _ in in_batches(
        decisions,
        partial(attribute, decoder, metric, means),
        length=lambda item: len(item.ids),
        name=lambda item: f"trace {item.trace}, event {item.event}",
        need=partial(attribution_bytes, decoder, "gradient", means),
        batch_memory=memory,
    ):
        pass


def stages_of(decoder: Decoder, model: Arithmetic, plan: StudyPlan) -> list[Stage]:
    """The stages with the settings of a study; generation with both batch sizes."""
    memory, answer = plan.batch_memory, plan.answer_tokens
    generation = [
        Stage(
            f"generation, batch {size}",
            "generation",
            size,
            partial(generate_traces, decoder, size),
            lambda traces, size=size: generation_demand(model, traces, size),
        )
        for size in BATCHES
    ]
    size = plan.batch_size
    return [
        *generation,
        Stage(
            "activations",
            "activations",
            size,
            partial(keep_activations, decoder, memory),
            partial(activation_demand, model),
        ),
        Stage(
            "exits",
            "exits",
            size,
            partial(answer_exits, decoder, memory, answer),
            lambda traces: exit_demand(model, traces, answer),
        ),
        Stage(
            "attribution",
            "attribution",
            size,
            partial(attribute_turns, decoder, memory),
            partial(attribution_demand, model),
        ),
    ]


@dataclass(frozen=True)
class Row:
    """A stage as it was measured. Without numbers if it did not finish."""

    stage: Stage
    demand: Demand
    measured: Measurement
    ceilings: Ceilings
    study_seconds: float
    """Time of the stage on the whole study."""

    @property
    def numbers(self) -> list[float | None]:
        """The columns after the stage; None: no number of this stage."""
        if self.measured.failure is not None:
            return [None] * (len(COLUMNS) - 1)
        flops = self.demand.flops / self.measured.seconds
        bandwidth = None
        if self.demand.bytes is not None:
            bandwidth = used_share(self.demand, self.measured.seconds, self.ceilings)
        return [
            self.demand.tokens / self.measured.seconds,
            flops / 1e12,
            flops / self.ceilings.flops,
            bandwidth,
            self.measured.peak_gib,
            self.study_seconds / 60,
        ]

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the numbers."""
        found = [f"{self.stage.title}: {text}" for text in self.measured.warnings]
        if self.measured.failure is not None:
            found.append(f"{self.stage.title} not finished: {self.measured.failure}")
        return found


def measured_rows(
    decoder: Decoder, plan: StudyPlan, traces: Traces, ceilings: Ceilings
) -> Iterator[Row]:
    """Measure every stage, after a short run that nobody times."""
    model = Arithmetic(decoder.config, decoder.dtype.itemsize)
    for stage in stages_of(decoder, model, plan):
        measure(decoder.device, lambda stage=stage: stage.run(traces[:WARM_UP]))
        measured = measure(decoder.device, lambda stage=stage: stage.run(traces))
        demand = stage.demand(traces)
        share = used_share(demand, measured.seconds, ceilings)
        whole = plan.demand(stage.name, model, stage.batch_size)
        study_seconds = plan.seconds(stage.name, whole, ceilings, share)
        yield Row(stage, demand, measured, ceilings, study_seconds)


def heading() -> str:
    """The columns as text."""
    return f"{COLUMNS[0]:<22}" + "".join(f"{name:>14}" for name in COLUMNS[1:])


def lines(row: Row) -> list[str]:
    """A row as text, with its notes below."""
    cells = ["-" if value is None else f"{value:.4g}" for value in row.numbers]
    text = f"{row.stage.title:<22}" + "".join(f"{cell:>14}" for cell in cells)
    return [text, *row.notes]


def total_line(rows: list[Row], plan: StudyPlan) -> str:
    """Time of the study, if every stage was measured."""
    used = [
        row
        for row in rows
        if row.stage.name != "generation" or row.stage.batch_size == plan.batch_size
    ]
    finished = {row.stage.name for row in used if row.measured.failure is None}
    missing = [name for name in STAGES if name not in finished]
    if missing:
        return f"time of the study: not known without {', '.join(missing)}"
    minutes = {row.stage.name: row.study_seconds / 60 for row in used}
    generation = minutes.pop("generation")
    return (
        f"time of the study: {generation:.4g} min of generation in batches of "
        f"{plan.batch_size}, {math.fsum(minutes.values()):.4g} min of "
        f"{', '.join(minutes)}; other stages are not measured"
    )


def main(shape: str, device_choice: str, dtype: str | None, count: int | None) -> None:
    """Measure and print."""
    plan, device = StudyPlan.of(FLAGSHIP), choose_device(device_choice)
    numbers = dtype or ("bfloat16" if device.type == "cuda" else "float32")
    kind = getattr(torch, numbers)
    ceilings = measured_ceilings(device, kind)
    decoder = decoder_of(config_of(shape), device, kind)
    traces = synthetic_traces(
        count or TRACES[shape], plan.longest, decoder.config.vocab_size
    )
    model = Arithmetic(decoder.config, kind.itemsize)
    print(
        f"{device_name(device)}, {numbers}: {ceilings.flops / 1e12:.4g} TFLOP/s in a "
        f"large product, {ceilings.bandwidth / 1e12:.4g} TB/s in a large copy\n"
        f"random Llama of {model.parameters / 1e9:.4g} billion parameters, "
        f"{len(traces)} traces of {sum(trace.length for trace in traces)} tokens; "
        f"the study: {plan.thoughts} thoughts ({FLAGSHIP.name}), a model of this shape"
    )
    print(heading())
    rows = []
    for row in measured_rows(decoder, plan, traces, ceilings):
        print("\n".join(lines(row)), flush=True)
        rows.append(row)
    print(total_line(rows, plan))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shape", choices=list(SHAPES), default="8b")
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--dtype", choices=["float32", "bfloat16", "float16"])
    parser.add_argument("--traces", type=int, help="number of traces to measure on")
    parser.add_argument("--plan", type=Path, metavar="CONFIG")
    chosen = parser.parse_args()
    try:
        if chosen.plan:
            print("\n".join(plan_lines(StudyPlan.of(chosen.plan))))
        else:
            main(chosen.shape, chosen.device, chosen.dtype, chosen.traces)
    except InputError as error:
        sys.exit(str(error))
