"""What every stage needs with a Llama of 8B parameters, without running it.

The counts are those of the stages. They are asked of a model of the exact shape whose
weights take no memory (the device `meta`).
"""

from collections.abc import Callable
from functools import partial

import torch
from tiny_memory import CASES, Case, random_llama

from doubletake.model.batch_memory import GIB, Widths, cache_bytes
from doubletake.model.decoder import Decoder

SHAPE = {
    "hidden_size": 4096,
    "intermediate_size": 14336,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 8,
}
VOCABULARY = 128256
LENGTHS = (250, 900, 4096)  # tokens
CARDS = (24, 80)  # GiB
# ASSUME: CUDA, its libraries and gaps between tensors take this much (GiB).
RESERVE = 1.5
LEFT_OUT = ("twins", "logit_lens", "logit_lens, 100 random groups")
"""`twins` reads only planted languages; `logit_lens` does not load the model."""


def eight_b() -> Decoder:
    """The shape of Llama 3.1 8B in bfloat16."""
    with torch.device("meta"):
        return random_llama(VOCABULARY, torch.bfloat16, "meta", **SHAPE)


def per_token(
    count: Callable[[Widths, int], float], decoder: Decoder, length: int, gib: float
) -> Case:
    """Sequences that take `count` bytes each."""
    need = count(Widths.of(decoder), length)
    return Case(need, lambda: None, max(1, int(gib * GIB / need)))


def print_plan() -> None:
    """Print the table: GiB of one trace, and how many fit at once."""
    decoder = eight_b()
    weights = sum(w.numel() for w in decoder.hf.parameters()) * decoder.dtype.itemsize
    rooms = [card - RESERVE - weights / GIB for card in CARDS]
    left = [
        f"{room:.1f} of {card} GiB" for room, card in zip(rooms, CARDS, strict=True)
    ]
    print(
        f"Weights {weights / GIB:.1f} GiB, reserve {RESERVE} GiB, left for a batch "
        f"{', '.join(left)}. GiB of one trace, then traces (of patching: cells; of "
        "value_vectors: sets of units) at once:"
    )
    cases = {name: make for name, make in CASES.items() if name not in LEFT_OUT}
    cases = {
        "generation: keys and values of a thought": partial(per_token, cache_bytes),
        **cases,
    }
    heads = [f"{length} tokens" for length in LENGTHS]
    heads += [f"{length} in {card} GiB" for card in CARDS for length in LENGTHS]
    print("| stage |" + "".join(f" {head} |" for head in heads))
    print("| --- |" + " ---: |" * len(heads))
    for name, make in cases.items():
        alone = [make(decoder, length, 0.0).need / GIB for length in LENGTHS]
        cells = [f"{need:.2f}" for need in alone]
        for room in rooms:
            for need, length in zip(alone, LENGTHS, strict=True):
                count = make(decoder, length, room).sequences if need <= room else 0
                cells.append(str(count) if count else "does not fit")
        print(f"| {name} |" + "".join(f" {cell} |" for cell in cells), flush=True)
