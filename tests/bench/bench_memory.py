"""Peak memory of every stage's batches, beside what `batch_memory` promises.

Runs small random Llamas: one as wide for its size as the 8B model, one with a wide
vocabulary. The peak counts torch's own allocations (`peak_memory`), so other jobs on
the machine do not disturb it. `--plan` prints instead what the stages need with a Llama
of 8B parameters, by the same counts and without running it.
"""

import argparse
import sys
from pathlib import Path

import torch
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parents[1]))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from memory_plan import print_plan
from peak_memory import peak_bytes
from tiny_memory import CASES, random_llama

MIB = 2**20
LENGTHS = (100, 400, 1600, 4096)
BUDGETS = (8, 32)  # MiB
MODELS = {"proportions of the 8B model": 1024, "wide vocabulary": 32768}


def print_check_of_method(device: str) -> None:
    """Print the measured peak of a known allocation."""

    def known() -> None:
        first = torch.empty(MIB, device=device)
        second = torch.empty(2 * MIB, device=device)
        del first, second
        torch.empty(MIB, device=device)

    print(f"12 MiB of known tensors: measured {peak_bytes(known, device) / MIB:g} MiB")


def print_stages(
    device: str, dtype: torch.dtype, lengths: list[int], budgets: list[int]
) -> None:
    """Print a table for every model."""
    for name, vocabulary in MODELS.items():
        decoder = random_llama(vocabulary, dtype, device)
        print(f"\n{name}, vocabulary of {vocabulary}, {dtype}, on {device}; MiB")
        print("| stage | tokens | budget | sequences | promised | measured | ratio |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        for stage, make in CASES.items():
            for length in lengths:
                for budget in budgets:
                    case = make(decoder, length, budget / 1024)
                    measured = peak_bytes(case.work, device)
                    ratio = measured / case.need
                    mark = "" if 0.8 <= ratio <= 1.2 else " (!)"
                    promised, peak = case.need / MIB, measured / MIB
                    print(
                        f"| {stage} | {length} | {budget} | {case.sequences} | "
                        f"{promised:.1f} | {peak:.1f} | {ratio:.2f}{mark} |",
                        flush=True,
                    )


def main(
    plan: bool, device: str, dtype: str, lengths: list[int], budgets: list[int]
) -> None:
    """Measure and print, or print the plan."""
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    if plan:
        print_plan()
        return
    print_check_of_method(device)
    print_stages(device, getattr(torch, dtype), lengths, budgets)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--plan", action="store_true")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--dtype", default="float32")
    parser.add_argument("--lengths", type=int, nargs="+", default=LENGTHS)
    parser.add_argument("--budgets", type=int, nargs="+", default=BUDGETS)
    main(**vars(parser.parse_args()))
