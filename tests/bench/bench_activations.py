"""What caching costs: one batch with and without hooks, and with replayed log-probs.

Runs a random Llama of about 30 M parameters on one thread and prints ratios, because
seconds on a shared machine mean little. Every ratio compares a cached pass with a bare
pass of the same run. The bare pass is the model's forward up to the final norm; beside
replayed log-probs and beside other libraries (`peers.py`) it also computes all logits.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

import peers
from random_llama import random_decoder

from activations.forward_pass import batch_activations
from activations.trace_inputs import TraceInput
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder

GOAL = 1.05
POSITIONS = 20  # cached in every sequence


def random_inputs(sequences: int, tokens: int, replay: bool) -> list[TraceInput]:
    """Sequences of tokens / 2 to tokens tokens; every fourth is for calibration."""
    generator = torch.Generator().manual_seed(0)
    inputs = []
    for number in range(sequences):
        length = tokens - number * tokens // (2 * sequences)
        ids = torch.randint(8192, (length,), generator=generator)
        positions = torch.randperm(length, generator=generator)[:POSITIONS]
        inputs.append(
            TraceInput(
                trace=str(number),
                ids=ids.tolist(),
                prompt_length=length // 8,
                thought=(length // 8, length) if number % 4 == 0 else None,
                logprobs=[0.0] * (length - length // 8) if replay else None,
                positions=sorted(positions.tolist()),
                first_row=0,
            )
        )
    return inputs


def compare_peers(decoder: Decoder, inputs: list[TraceInput], repeats: int) -> None:
    """Cache the same activations with the peers that are installed."""
    print(peers.said())
    lacking = peers.missing()
    ids = padded([item.ids for item in inputs])
    rows = torch.tensor([k for k, item in enumerate(inputs) for _ in item.positions])
    tokens = torch.tensor([t for item in inputs for t in item.positions])

    def bare() -> object:
        return decoder.hf(input_ids=ids, use_cache=False)

    def fresh() -> object:
        return random_decoder().hf

    if "nnsight" not in lacking:
        wrapped = peers.nnsight(fresh)
        cached = peers.cache_with_nnsight(wrapped, ids, rows, tokens)
        agree("nnsight", decoder, inputs, cached)
        compare(
            "nnsight, the same positions",
            lambda: peers.cache_with_nnsight(wrapped, ids, rows, tokens),
            bare,
            repeats,
            goal="",
        )
    if "transformer-lens" not in lacking:
        bridge = peers.transformer_lens(fresh)
        for everything in (False, True):
            what = "full cache" if everything else "the same parts, all positions"
            compare(
                f"TransformerLens, {what}",
                lambda everything=everything: peers.cache_with_transformer_lens(
                    bridge, ids, everything=everything
                ),
                bare,
                repeats,
                goal="",
            )


def agree(
    name: str, decoder: Decoder, inputs: list[TraceInput], cached: list[torch.Tensor]
) -> None:
    """Print how far a peer's activations are from ours."""
    ours = batch_activations(decoder, inputs).rows
    theirs = torch.stack(cached[::3], 1)  # residual of every layer, and the last
    error = (ours["resid"] - theirs).abs().max().item()
    print(f"{name}: largest difference to our residual {error:.2g}")


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call, which other jobs disturb less than wall time."""
    start = time.process_time()
    work()
    return time.process_time() - start


def compare(
    name: str,
    work: Callable[[], object],
    bare: Callable[[], object],
    repeats: int,
    goal: str = f"goal {GOAL}x; ",
) -> None:
    """Print the ratio of the fastest runs, and that of neighbouring runs."""
    work(), bare()
    times = [(seconds(bare), seconds(work)) for _ in range(repeats)]
    fastest = min(t for _, t in times) / min(t for t, _ in times)
    paired = statistics.median(cached / plain for plain, cached in times)
    print(
        f"{name}: {fastest:.3f}x a bare forward pass by the fastest of {repeats} runs, "
        f"{paired:.3f}x by the median of neighbours ({goal}bare "
        f"{min(t for t, _ in times):.2f} s)"
    )


@torch.inference_mode()
def main(sequences: int, tokens: int, repeats: int) -> None:
    """Compare and print."""
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    decoder = random_decoder()
    plain = random_inputs(sequences, tokens, replay=False)
    replay = random_inputs(sequences, tokens, replay=True)
    ids = padded([item.ids for item in plain])
    print(f"{sequences} sequences of {tokens // 2} to {tokens} tokens, torch threads 1")
    compare(
        "caching",
        lambda: batch_activations(decoder, plain),
        lambda: decoder.base(input_ids=ids, use_cache=False),
        repeats,
    )
    compare(
        "caching and replayed log-probs",
        lambda: batch_activations(decoder, replay),
        lambda: decoder.hf(input_ids=ids, use_cache=False),
        repeats,
    )
    compare_peers(decoder, plain, repeats)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--repeats", type=int, default=25)
    main(**vars(parser.parse_args()))
