"""What caching costs: one batch with and without hooks, and with replayed log-probs.

Runs a random Llama of 31.6 M parameters on one thread. The bare pass is the model's
forward up to the final norm; beside replayed log-probs it also computes all logits, as
other libraries (`peers.py`) always do.
"""

import argparse
import sys
from functools import partial
from pathlib import Path

import torch
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

import peers
from comparison import Comparison, Other
from random_llama import random_decoder

from activations.forward_pass import batch_activations
from activations.trace_inputs import TraceInput
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder

GOAL = 0.95
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


def peers_of(decoder: Decoder, inputs: list[TraceInput]) -> dict[str, Other]:
    """The installed libraries, caching the same activations."""
    print(peers.said())
    lacking = peers.missing()
    ids = padded([item.ids for item in inputs])
    rows = torch.tensor([k for k, item in enumerate(inputs) for _ in item.positions])
    tokens = torch.tensor([t for item in inputs for t in item.positions])
    found: dict[str, Other] = {}

    def fresh() -> object:
        return random_decoder().hf

    if "nnsight" not in lacking:
        wrapped = peers.nnsight(fresh)
        run = partial(peers.cache_with_nnsight, wrapped, ids, rows, tokens)
        agree("nnsight", decoder, inputs, run())
        found["nnsight, the same positions"] = Other(run)
    if "transformer-lens" not in lacking:
        bridge = peers.transformer_lens(fresh)
        for everything in (False, True):
            what = "full cache" if everything else "the same parts, all positions"
            found[f"TransformerLens, {what}"] = Other(
                partial(
                    peers.cache_with_transformer_lens,
                    bridge,
                    ids,
                    everything=everything,
                )
            )
    return found


def agree(
    name: str, decoder: Decoder, inputs: list[TraceInput], cached: list[torch.Tensor]
) -> None:
    """Print how far a peer's activations are from ours."""
    ours = batch_activations(decoder, inputs).rows
    theirs = torch.stack(cached[::3], 1)  # residual of every layer, and the last
    error = (ours["resid"] - theirs).abs().max().item()
    print(f"{name}: largest difference to our residual {error:.2g}")


@torch.inference_mode()
def main(sequences: int, tokens: int, rounds: int) -> None:
    """Compare."""
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    decoder = random_decoder()
    plain = random_inputs(sequences, tokens, replay=False)
    replay = random_inputs(sequences, tokens, replay=True)
    ids = padded([item.ids for item in plain])
    pass_to_norm = partial(decoder.base, input_ids=ids, use_cache=False)
    whole_pass = partial(decoder.hf, input_ids=ids, use_cache=False)
    others = peers_of(decoder, plain)
    table = Comparison("activations")
    size = f"{sequences} sequences of {tokens // 2} to {tokens} tokens"
    bare = {"a bare pass to the final norm": Other(pass_to_norm, GOAL)}
    cache = partial(batch_activations, decoder)
    table.add(f"{size}, cached", partial(cache, plain), bare | others, rounds)
    bare = {"a bare pass with its logits": Other(whole_pass, GOAL)}
    table.add(f"{size}, with log-probs", partial(cache, replay), bare, rounds)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=6)
    parser.add_argument("--tokens", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=25)
    main(**vars(parser.parse_args()))
