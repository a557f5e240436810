"""What attribution costs: scores of all layers and tokens against a bare forward pass.

One core, a random Llama of 31.6 M parameters, sequences of one length, the metric
at the last token of each. The bare pass is the model's own forward pass with all its
logits, because TransformerLens and nnsight place their hooks on this pass; a pass up to
the final norm stands beside it. Where TransformerLens and nnsight can be imported, they
compute the same scores. Memory: `bench_memory.py`.

Run: python tests/bench/bench_attribution.py
"""

import argparse
import importlib.util
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other
from random_llama import random_decoder

from attribution.gradients import attribute
from doubletake.model.decoder import Decoder
from doubletake.model.patching import Cell, exact_changes
from doubletake.model.turn_metric import Decision, Metric

GOAL = 0.45  # 1 / 2.2: at most 2.2 times a bare pass
GROUPS = {"backtrack": torch.arange(10, 26), "wrap_up": torch.arange(40, 48)}
CELLS = 12
TOKENIZER = Path(__file__).parents[2] / "resources/pocket"
Scores = Callable[[], torch.Tensor]
"""Computes [layer, sequence, token]."""


def group_difference(logits: torch.Tensor) -> torch.Tensor:
    """The metric from full logits, [sequence, vocabulary]."""
    backtrack, wrap_up = (logits[:, GROUPS[name]].logsumexp(1) for name in GROUPS)
    return (backtrack - wrap_up).sum()


def own_scores(decoder: Decoder, ids: torch.Tensor, means: torch.Tensor) -> Scores:
    """The scores of this package."""
    decisions = [Decision(str(k), 0, row.tolist(), 0) for k, row in enumerate(ids)]
    metric = Metric(decoder, "difference", GROUPS)

    def run() -> torch.Tensor:
        found = attribute(decoder, metric, {"resid": means}, decisions)
        return found.scores["resid"].transpose(0, 1)

    return run


def transformer_lens(
    decoder: Decoder, ids: torch.Tensor, means: torch.Tensor, frozen: bool
) -> Scores:
    """TransformerLens: hooks on resid_pre, forward and backward, full logits."""
    from transformer_lens.model_bridge import TransformerBridge
    from transformers import AutoTokenizer

    with tempfile.TemporaryDirectory() as folder:  # a copy: the bridge wraps modules
        decoder.hf.save_pretrained(folder)
        tokenizer = AutoTokenizer.from_pretrained(TOKENIZER)  # the bridge requires one
        model: Any = TransformerBridge.boot_transformers(folder, tokenizer=tokenizer)
    model.requires_grad_(not frozen)

    def run() -> torch.Tensor:
        scores = torch.zeros(len(means), *ids.shape)
        states: dict[str, torch.Tensor] = {}

        def forward(value: torch.Tensor, hook: Any) -> torch.Tensor:
            if frozen and hook.layer() == 0:
                value = value.detach().requires_grad_()
            states[hook.name] = value.detach()
            return value

        def backward(gradient: torch.Tensor, hook: Any) -> None:
            layer = hook.layer()
            change = means[layer] - states[hook.name]
            scores[layer] = (change * gradient).sum(-1)

        names = [f"blocks.{layer}.hook_resid_pre" for layer in range(len(means))]
        with model.hooks(
            fwd_hooks=[(name, forward) for name in names],
            bwd_hooks=[(name, backward) for name in names],
        ):
            group_difference(model(ids)[:, -1]).backward()
        model.zero_grad(set_to_none=True)
        return scores

    return run


def nn_sight(
    decoder: Decoder, ids: torch.Tensor, means: torch.Tensor, frozen: bool
) -> Scores:
    """Nnsight: traced inputs of the layers and their gradients, full logits."""
    from nnsight import NNsight

    model: Any = NNsight(decoder.hf)

    def run() -> torch.Tensor:
        decoder.hf.requires_grad_(not frozen)
        embedded = decoder.embed(ids).detach().requires_grad_()
        states: list[Any] = []
        gradients: list[Any] = []
        with model.trace(inputs_embeds=embedded, use_cache=False):
            for layer in model.model.layers:
                states.append(layer.input.save())
            total = group_difference(model.output.logits[:, -1])
            with total.backward():
                for state in reversed(states):
                    gradients.append(state.grad.save())
        decoder.hf.requires_grad_(False).zero_grad(set_to_none=True)
        pairs = zip(means, states, reversed(gradients), strict=True)
        return torch.stack(
            [((mean - state.detach()) * grad).sum(-1) for mean, state, grad in pairs]
        )

    return run


def other_tools(
    decoder: Decoder, ids: torch.Tensor, means: torch.Tensor
) -> dict[str, Scores]:
    """The other tools that can be imported, with the difference of their scores."""
    builders = {"transformer_lens": transformer_lens, "nnsight": nn_sight}
    wanted = own_scores(decoder, ids, means)()
    found: dict[str, Scores] = {}
    for module, build in builders.items():
        if importlib.util.find_spec(module) is None:
            print(f"{module}: not installed, not compared")
            continue
        for frozen in (False, True):
            name = f"{module}, parameters {'frozen' if frozen else 'with gradients'}"
            try:
                run = build(decoder, ids, means, frozen)
                error = (run() - wanted).abs().max() / wanted.abs().max()
            except Exception as problem:  # the failure of another tool is a result
                print(f"{name}: failed with {type(problem).__name__}: {problem}")
                continue
            print(f"{name}: scores differ by {error:.1e} of the largest")
            found[name] = run
    return found


def main(sequences: int, tokens: int, rounds: int) -> None:
    """Compare."""
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    decoder = random_decoder()
    ids = torch.randint(8192, (sequences, tokens))
    means = torch.randn(decoder.n_layers, decoder.d_model)
    item = Decision("0", 0, ids[0].tolist(), 0)
    cells = [Cell("resid", k % decoder.n_layers, 7 * k) for k in range(CELLS)]
    metric = Metric(decoder, "difference", GROUPS)

    def bare() -> None:
        with torch.inference_mode():
            decoder.hf(input_ids=ids, use_cache=False)

    def bare_base() -> None:
        with torch.inference_mode():
            decoder.base(input_ids=ids, use_cache=False)

    tools = other_tools(decoder, ids, means)
    table = Comparison("attribution")
    table.add(
        f"scores of all layers and tokens, {sequences} sequences of {tokens} tokens",
        own_scores(decoder, ids, means),
        {
            "a bare pass with its logits": Other(bare, GOAL),
            "a bare pass to the final norm": Other(bare_base),
            **{name: Other(tool) for name, tool in tools.items()},
        },
        rounds,
    )
    table.add(
        f"exact patching of {CELLS} cells of one sequence",
        lambda: exact_changes(decoder, metric, {"resid": means}, item, cells, 1.0),
        {f"a bare pass of {sequences} sequences": Other(bare)},
        rounds,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=256)
    parser.add_argument("--rounds", type=int, default=9)
    main(**vars(parser.parse_args()))
