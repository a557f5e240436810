"""Batches of every stage on a random Llama: what they are said to take, and the work.

A case gives the largest batch that a stage makes of sequences of one length, within a
budget.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import polars as pl
import torch
from transformers import DynamicCache, LlamaConfig, LlamaForCausalLM

import activations.forward_pass as activations_pass
import attention.forward_pass as attention_pass
import injection.forward_pass as injection_pass
import twins.forward_pass as twins_pass
from activations.trace_inputs import TraceInput
from attention.head_attribution import HeadReader
from attention.selected_turns import SelectedTurn, TraceTurns
from attention.tables import BINS
from attribution import gradients
from directions import class_sums
from directions.class_sums import ThoughtInput
from doubletake.model import branch_rows, patching
from doubletake.model.architectures import LAYOUTS
from doubletake.model.batch_memory import GIB, Widths, cache_bytes, forward_bytes
from doubletake.model.batches import batches_of
from doubletake.model.branches import Branch, Prefix
from doubletake.model.decoder import Decoder
from doubletake.model.lens import Lens
from doubletake.model.packed_queries import QUERIES_AT_ONCE
from doubletake.model.turn_metric import Decision, Metric
from doubletake.model.watched_places import Watch
from doubletake.study.settings import ModelSettings
from injection import attended
from injection.contexts import Context
from injection.injections import Injection
from logit_lens.cached_states import CachedStates, states_bytes
from logit_lens.measure import lens_table
from logit_lens.random_groups import RandomGroups
from logit_lens.sum_check import SumCheck
from turns.reading import BACKTRACK, GROUPS
from twins.turn_probability import FirstWords
from value_vectors import unit_zeroing

POSITIONS = 6  # of a trace, at which states or attention are kept
WORDS = {group: torch.arange(9 * k, 9 * k + 9) for k, group in enumerate(GROUPS)}


@dataclass(frozen=True)
class Case:
    """A batch."""

    need: float
    """Bytes that it takes, as the stage counts them."""
    work: Callable[[], object]
    """Runs it."""
    sequences: int


def random_llama(
    vocabulary: int = 1024,
    dtype: torch.dtype = torch.float32,
    device: str = "cpu",
    **sizes: int,
) -> Decoder:
    """A small Llama with grouped queries, and with the proportions of the 8B model."""
    torch.manual_seed(0)
    shape = {
        "hidden_size": 64,
        "intermediate_size": 224,
        "num_hidden_layers": 6,
        "num_attention_heads": 8,
        "num_key_value_heads": 2,
        "max_position_embeddings": 8192,
    }
    config = LlamaConfig(
        vocab_size=vocabulary, bos_token_id=None, eos_token_id=None, **(shape | sizes)
    )
    hf = LlamaForCausalLM._from_config(config, attn_implementation="sdpa")
    hf = hf.eval().requires_grad_(False).to(device, dtype)
    name = str(dtype).removeprefix("torch.")
    settings = ModelSettings("random", None, name, device, "</think>", {})
    return Decoder(hf, hf.config, LAYOUTS["llama"], settings)


def _case(items: list[Any], length: int, need: Any, run: Any, gib: float) -> Case:
    batch = batches_of(items, lambda _: length, need, gib * GIB)[0]
    return Case(need(batch), partial(run, batch), len(batch))


def _count(decoder: Decoder, length: int, gib: float) -> int:
    """More sequences than fit into the budget."""
    return 2 + int(gib * GIB / (length * decoder.d_model * decoder.dtype.itemsize))


def activations(decoder: Decoder, length: int, gib: float, replay: bool) -> Case:
    positions = [length - 1 - k for k in range(POSITIONS)]
    logprobs = [0.0] * (length - 20) if replay else None
    item = TraceInput("0/0", [5] * length, 20, (20, length), logprobs, positions, 0)
    need = partial(activations_pass.batch_bytes, decoder)
    run = partial(activations_pass.batch_activations, decoder)
    return _case([item] * _count(decoder, length, gib), length, need, run, gib)


def attention(decoder: Decoder, length: int, gib: float) -> Case:
    turns = [
        SelectedTurn(k, "backtrack", length - POSITIONS + k) for k in range(POSITIONS)
    ]
    bins = torch.zeros(POSITIONS, len(BINS), 2, dtype=torch.long)
    item = TraceTurns("0/0", "0", [5] * length, turns, bins)
    heads = HeadReader(decoder, list(WORDS.values()))
    need = partial(attention_pass.batch_bytes, decoder)
    run = partial(attention_pass.run_batch, decoder, heads, set())
    return _case([item] * _count(decoder, length, gib), length, need, run, gib)


def twins(decoder: Decoder, length: int, gib: float) -> Case:
    words = FirstWords(torch.arange(4), torch.arange(8))
    item = twins_pass.Context(0, [5] * length, 7, "context")
    need = partial(twins_pass.batch_bytes, decoder)
    run = partial(twins_pass.measured_batch, decoder, words=words)
    return _case([item] * _count(decoder, length, gib), length, need, run, gib)


def directions(decoder: Decoder, length: int, gib: float) -> Case:
    classes = 40
    members = torch.tensor([[k % classes, k % (length - 20)] for k in range(200)])
    item = ThoughtInput("0/0", [5] * length, 20, members, [length - 1])
    need = partial(class_sums.batch_bytes, decoder, classes)
    run = partial(class_sums.batch_sums, decoder, classes)
    return _case([item] * _count(decoder, length, gib), length, need, run, gib)


def injection_contexts(length: int) -> tuple[Context, list[Injection]]:
    """A context, and one injection more often than any budget allows."""
    vector = torch.ones(64)
    one = Injection("ward", None, 1, 0.3, 1.0, "always", 2.0, vector)
    context = Context("0/0", "0", "arrival", length - 1 - POSITIONS, (5,) * length)
    return context, [one] * 400


def injection(decoder: Decoder, length: int, gib: float) -> Case:
    context, several = injection_contexts(length)
    prefix = DynamicCache()
    ids = torch.tensor([context.ids[: context.token]])
    if decoder.device.type == "cpu":
        with torch.inference_mode():
            decoder.base(input_ids=ids, past_key_values=prefix, use_cache=True)
    widths = Widths.of(decoder)

    def need(batch: list[Injection]) -> float:
        return injection_pass.batch_bytes(widths, context, len(batch), 1)

    @torch.inference_mode()
    def run(batch: list[Injection]) -> object:
        return injection_pass._read(decoder, context, prefix, batch)

    return _case(several, length, need, run, gib)


def injection_attention(decoder: Decoder, length: int, gib: float) -> Case:
    context, several = injection_contexts(length)
    widths = Widths.of(decoder)

    def need(batch: list[Injection]) -> float:
        return attended.batch_bytes(widths, context, len(batch))

    @torch.inference_mode()
    def run(batch: list[Injection]) -> object:
        return attended._read(decoder, context, list(batch))

    return _case(several, length, need, run, gib)


def attribution(
    decoder: Decoder, length: int, gib: float, method: str, components: int
) -> Case:
    names = ("resid", "attn_out", "mlp_out")[:components]
    shape = (decoder.n_layers, decoder.d_model)
    means = {name: torch.zeros(shape, device=decoder.device) for name in names}
    metric = Metric(decoder, "log_odds", WORDS)
    need = partial(gradients.batch_bytes, decoder, method, means)
    item = Decision("0/0", 0, [5] * length, 7)

    def run(batch: list[Decision]) -> object:
        if method == "gradient":
            return gradients.attribute(decoder, metric, means, batch)
        return gradients.attribute_along_path(decoder, metric, means, batch, steps=2)

    return _case([item] * _count(decoder, length, gib), length, need, run, gib)


def patching_cells(decoder: Decoder, length: int, gib: float, share: float) -> Case:
    """Cells at this share of the sequence, all of one layer."""
    w = Widths.of(decoder)
    means = {"resid": torch.zeros(w.layers, w.d, device=decoder.device)}
    metric = Metric(decoder, "difference", WORDS)
    item = Decision("0/0", 0, [5] * length, 7)
    cell = patching.Cell("resid", 1, int(share * length))
    kept = cache_bytes(w, length) + length * w.d * w.size

    def need(batch: list[patching.Cell]) -> float:
        patched = patching.patched_bytes(w, length, batch)
        return kept + max(patched, forward_bytes(w, 1, length))

    def run(batch: list[patching.Cell]) -> object:
        budget = max(gib, need(batch) / GIB)
        return patching.exact_changes(decoder, metric, means, item, batch, budget)

    return _case([cell] * _count(decoder, length, gib), length, need, run, gib)


def early_exit(decoder: Decoder, length: int, gib: float, **watched: Any) -> Case:
    branches = [Branch(length * k // 10, (7,) * 12, 8, **watched) for k in range(1, 11)]
    (row,) = branch_rows._rows_of(0, Prefix("0/0", [5] * length, branches))
    run = partial(branch_rows._continue_rows, decoder)
    need = partial(branch_rows.batch_bytes, decoder)
    return _case([row] * _count(decoder, length, gib), length, need, run, gib)


def value_vectors(decoder: Decoder, length: int, gib: float) -> Case:
    w, most = Widths.of(decoder), QUERIES_AT_ONCE
    prefix = cache_bytes(w, length) + forward_bytes(w, 1, length)

    def need(batch: list[unit_zeroing.Zeroing]) -> float:
        return max(prefix, unit_zeroing.zeroing_bytes(w, length, batch))

    def run(batch: list[unit_zeroing.Zeroing]) -> object:
        budget = max(gib, need(batch) / GIB)
        ids = [5] * length
        return unit_zeroing.zeroed_states(decoder, ids, batch, budget, "trace 0/0")

    return _case([unit_zeroing.Zeroing(1, (3,))] * most, 1, need, run, gib)


def logit_lens(decoder: Decoder, length: int, gib: float, groups: int) -> Case:
    """`length` has no meaning here: a position has the same states anywhere."""
    lens, layers, d = Lens.of(decoder), decoder.n_layers, decoder.d_model
    vocabulary = len(lens.W_U)
    random = RandomGroups(WORDS[BACKTRACK], vocabulary, groups, seed=0)

    def need(batch: list[int]) -> float:
        return states_bytes(lens, layers, d, len(batch), groups)

    def run(batch: list[int]) -> None:
        count = len(batch)
        keys = {name: ["0"] * count for name in ("trace", "problem", "kind")}
        turns = pl.DataFrame(keys | {"event": pl.Series(batch, dtype=pl.Int32)})
        shapes = [(count, part, d) for part in (layers + 1, layers, layers)]
        states = CachedStates(*(torch.randn(s, device=decoder.device) for s in shapes))
        common = (WORDS, torch.arange(3), 5, SumCheck())
        lens_table(lens, turns, states, *common)
        random.add(lens, turns["kind"], states)

    return _case(list(range(400)), 1, need, run, gib)


CASES: dict[str, Callable[[Decoder, int, float], Case]] = {
    "activations": partial(activations, replay=False),
    "activations, log-probs replayed": partial(activations, replay=True),
    "attention": attention,
    "twins": twins,
    "directions": directions,
    "injection": injection,
    "injection, attention": injection_attention,
    "attribution, gradient": partial(attribution, method="gradient", components=1),
    "attribution, gradient, all parts": partial(
        attribution, method="gradient", components=3
    ),
    "attribution, integrated": partial(attribution, method="integrated", components=1),
    "attribution, integrated, all parts": partial(
        attribution, method="integrated", components=3
    ),
    "attribution, patching at 1/10": partial(patching_cells, share=0.1),
    "attribution, patching at 1/2": partial(patching_cells, share=0.5),
    "attribution, patching at 9/10": partial(patching_cells, share=0.9),
    "early_exit": early_exit,
    "trial_points": partial(
        early_exit,
        watched=tuple(Watch(place, 5) for place in range(4)),
        kept=(1, 3, 4, 6),
    ),
    "value_vectors": value_vectors,
    "logit_lens": partial(logit_lens, groups=10),
    "logit_lens, 100 random groups": partial(logit_lens, groups=100),
}
