"""Cost of attention rows: time and memory against a bare pass and eager attention.

A random Llama of 31.6 M parameters, one thread. Four passes are compared:
    bare: the model's own forward pass up to the final norm.
    whole: the pass of the experiment, with the rows of some positions summed over bins
        and the heads' direct logit attribution.
    rows: the rows alone.
    eager: the library's eager attention with all weights (`output_attentions`).

Peak memory is measured in a separate process, without the memory of the model, by the
number of tokens.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

import torch
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other
from random_llama import random_decoder

from attention.forward_pass import run_batch
from attention.head_attribution import HeadReader
from attention.selected_turns import SelectedTurn, TraceTurns
from attention.tables import BINS
from doubletake.model.attention_weights import eager_attention, reading_rows
from doubletake.model.batches import padded
from doubletake.model.decoder import Decoder

GOAL = 0.91  # 1 / 1.1: at most 1.1 times a bare pass
POSITIONS = 8  # rows per sequence
MEMORY_TOKENS = (512, 1024, 2048)
MIB = 2**20


def random_items(sequences: int, tokens: int) -> list[TraceTurns]:
    """Sequences of one length; positions in their second half and at the last token."""
    generator = torch.Generator().manual_seed(0)
    items = []
    for number in range(sequences):
        ids = torch.randint(8192, (tokens,), generator=generator).tolist()
        drawn = torch.randperm(tokens // 2 - 1, generator=generator)[: POSITIONS - 1]
        positions = [*sorted((drawn + tokens // 2).tolist()), tokens - 1]
        cuts = [torch.linspace(0, p + 1, len(BINS)).long() for p in positions]
        bins = torch.stack([torch.stack([c[:-1], c[1:]], 1) for c in cuts])
        bins = torch.cat([bins, bins[:, -1:]], 1)  # the last arrival's sentence
        turns = [SelectedTurn(k, "backtrack", p) for k, p in enumerate(positions)]
        items.append(TraceTurns(str(number), str(number), ids, turns, bins))
    return items


class Work:
    """The passes that are compared."""

    def __init__(self, decoder: Decoder, items: list[TraceTurns]) -> None:
        """Prepare what all passes share."""
        self.decoder, self.items = decoder, items
        self.ids = padded([item.ids for item in items])
        self.positions = [[turn.position for turn in item.turns] for item in items]
        self.heads = HeadReader(decoder, [torch.arange(8), torch.arange(8, 12)])

    def bare(self) -> None:
        """The model's own forward pass."""
        self.decoder.base(input_ids=self.ids, use_cache=False)

    def whole(self) -> None:
        """The pass of the experiment."""
        run_batch(self.decoder, self.heads, set(), self.items)

    def rows(self) -> None:
        """The rows alone, which are discarded."""
        with reading_rows(self.decoder, self.positions, lambda _: None):
            self.bare()

    def eager(self) -> None:
        """All weights by the library's eager attention."""
        with eager_attention(self.decoder):
            self.decoder.base(
                input_ids=self.ids, use_cache=False, output_attentions=True
            )


def compare(work: Work, size: str, rounds: int) -> None:
    """Compare the rows, alone and in bins, with bare and with eager passes."""
    table = Comparison("attention")
    others = {
        "a bare pass to the final norm": Other(work.bare, GOAL),
        "eager attention, all weights": Other(work.eager),
    }
    table.add(f"{size}, rows alone", work.rows, others, rounds)
    table.add(f"{size}, in bins, with heads' attribution", work.whole, others, rounds)


@torch.inference_mode()
def measure(name: str, tokens: int) -> None:
    """Print how much one pass over one sequence adds to the peak memory, in bytes."""
    decoder = random_decoder()
    work = Work(decoder, random_items(1, tokens))
    short = Work(decoder, random_items(1, 64))
    getattr(short, name)()
    Path("/proc/self/clear_refs").write_text("5")  # reset the peak
    before = peak_memory()
    getattr(work, name)()
    print(peak_memory() - before)


def peak_memory() -> int:
    """Largest resident memory of this process, in bytes; Linux only."""
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) * 1024  # type: ignore[index]


def compare_memory() -> None:
    """Print the peak memory by number of tokens, each measured in its own process."""
    # Return freed blocks at once, so that the peak is that of the pass.
    env = os.environ | {"MALLOC_MMAP_THRESHOLD_": "65536"}
    for name in ("bare", "whole", "eager"):
        peaks = []
        for tokens in MEMORY_TOKENS:
            command = [sys.executable, __file__, "--measure", name, str(tokens)]
            found = subprocess.run(
                command, env=env, check=True, capture_output=True, text=True
            )
            peaks.append(int(found.stdout) / MIB)
        shown = ", ".join(
            f"{tokens} tokens {peak:.0f} MiB"
            for tokens, peak in zip(MEMORY_TOKENS, peaks, strict=True)
        )
        growth = peaks[-1] / max(peaks[-2], 1e-9)
        print(f"peak memory, {name}: {shown}; twice the tokens: {growth:.1f}x")


@torch.inference_mode()
def main(sequences: int, tokens: int, rounds: int) -> None:
    """Compare time and memory of the passes and print the results."""
    work = Work(random_decoder(), random_items(sequences, tokens))
    size = f"{sequences} sequences of {tokens} tokens, {POSITIONS} positions each"
    compare(work, size, rounds)
    compare_memory()


if __name__ == "__main__":
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sequences", type=int, default=4)
    parser.add_argument("--tokens", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--measure", nargs=2, metavar=("PASS", "TOKENS"))
    arguments = vars(parser.parse_args())
    if (measured := arguments.pop("measure")) is not None:
        measure(measured[0], int(measured[1]))
    else:
        main(**arguments)
