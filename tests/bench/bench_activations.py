"""What caching costs: one batch with and without hooks, and with replayed log-probs.

Prints ratios of one run on a random Llama of about 30 M parameters, one thread; seconds
of a shared machine mean little, ratios of neighbouring runs do. The bare pass is the
model's own forward up to the final norm, or with all its logits where the cached one
replays log-probs or is another library's (`peers.py`), measured in the same run.
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

from activations.items import Item
from activations.passes import pass_through
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder

GOAL = 1.05
POSITIONS = 20  # cached per sequence


def random_items(sequences: int, tokens: int, replay: bool) -> list[Item]:
    """Sequences of tokens / 2 to tokens tokens; every fourth is for calibration."""
    generator = torch.Generator().manual_seed(0)
    items = []
    for number in range(sequences):
        length = tokens - number * tokens // (2 * sequences)
        ids = torch.randint(8192, (length,), generator=generator)
        positions = torch.randperm(length, generator=generator)[:POSITIONS]
        items.append(
            Item(
                trace=str(number),
                ids=ids.tolist(),
                prompt=length // 8,
                thought=(length // 8, length) if number % 4 == 0 else None,
                logprobs=[0.0] * (length - length // 8) if replay else None,
                positions=sorted(positions.tolist()),
                row=0,
            )
        )
    return items


def compare_peers(decoder: Decoder, items: list[Item], repeats: int) -> None:
    """Cache the same activations with the peers that are installed."""
    print(peers.said())
    lacking = peers.missing()
    ids = padded([item.ids for item in items])
    rows = torch.tensor([k for k, item in enumerate(items) for _ in item.positions])
    tokens = torch.tensor([t for item in items for t in item.positions])

    def bare() -> object:
        return decoder.hf(input_ids=ids, use_cache=False)

    def fresh() -> object:
        return random_decoder().hf

    if "nnsight" not in lacking:
        wrapped = peers.nnsight(fresh)
        found = peers.cache_with_nnsight(wrapped, ids, rows, tokens)
        agree("nnsight", decoder, items, found)
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
    name: str, decoder: Decoder, items: list[Item], found: list[torch.Tensor]
) -> None:
    """Print how far a peer's activations are from ours."""
    ours = pass_through(decoder, items).rows
    theirs = torch.stack(found[::3], 1)  # residual of every layer, and the last
    error = (ours["resid"] - theirs).abs().max().item()
    print(f"{name}: largest difference to our residual {error:.2g}")


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call: other jobs on the machine count less than on a clock."""
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
    plain = random_items(sequences, tokens, replay=False)
    replay = random_items(sequences, tokens, replay=True)
    ids = padded([item.ids for item in plain])
    print(f"{sequences} sequences of {tokens // 2} to {tokens} tokens, torch threads 1")
    compare(
        "caching",
        lambda: pass_through(decoder, plain),
        lambda: decoder.base(input_ids=ids, use_cache=False),
        repeats,
    )
    compare(
        "caching and replayed log-probs",
        lambda: pass_through(decoder, replay),
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
