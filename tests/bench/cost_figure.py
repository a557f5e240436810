"""Cost by length of a trace, by number of exits and by batch: a figure.

A random Llama of 31.6 M parameters, one thread, CPU seconds, the smallest of some runs.
Prints the numbers and, for each line, the power of its growth between the two largest
sizes (1: in proportion). Each token attends to all earlier ones, so the cost of a long
trace grows faster than its length; everything else is in proportion.

Run: python tests/bench/cost_figure.py docs/cost.svg
"""

import argparse
import math
import sys
from collections.abc import Callable
from pathlib import Path

import torch
from transformers.utils import logging as hf_logging

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from bench_activations import random_inputs
from bench_attribution import own_scores
from bench_early_exit import TRACE, prefix_of, together
from bench_generation import COUNT, own_loop, requests
from comparison import cpu_seconds
from random_llama import random_decoder

from activations.forward_pass import batch_activations
from doubletake.model.decoder import Decoder
from doubletake.page.plots import (
    DASHED,
    FAINT,
    new_figure,
    ordered_colours,
    save_figure,
)

LENGTHS = (128, 256, 512, 1024, 2048, 4096)
EXITS = (1, 5, 10, 20, 40, 80)
BATCHES = (1, 4, 16, 64)
RUNS = 3
Line = dict[int, float]
"""CPU seconds by size."""


def measured(
    sizes: tuple[int, ...], work: Callable[[int], Callable[[], object]]
) -> Line:
    """Smallest CPU seconds of some runs of the work at each size."""
    line = {}
    for size in sizes:
        run = work(size)
        line[size] = min(cpu_seconds(run) for _ in range(RUNS))
    return line


def growth(line: Line) -> float:
    """Power of the growth between the two largest sizes."""
    (a, before), (b, after) = list(line.items())[-2:]
    return math.log(after / before) / math.log(b / a)


def lines_by_length(decoder: Decoder) -> dict[str, Line]:
    """One trace of each length."""
    means = torch.randn(decoder.n_layers, decoder.d_model)

    def activations(length: int) -> Callable[[], object]:
        inputs = random_inputs(1, length, replay=False)
        return lambda: batch_activations(decoder, inputs)

    def attribution(length: int) -> Callable[[], object]:
        return own_scores(decoder, torch.randint(8192, (1, length)), means)

    return {
        "activations": measured(LENGTHS, activations),
        "attribution": measured(LENGTHS, attribution),
    }


def line_by_exits(decoder: Decoder) -> Line:
    """A trace of one length with more and more exits."""

    def work(exits: int) -> Callable[[], object]:
        prefix = prefix_of("trace", TRACE, exits)
        return lambda: together(decoder, [prefix])

    return measured(EXITS, work)


def line_by_batch(decoder: Decoder) -> Line:
    """All completions of the generation bench, by number of slots."""
    wanted = requests()
    return measured(BATCHES, lambda slots: lambda: own_loop(decoder.hf, wanted, slots))


def draw(lengths: dict[str, Line], exits: Line, batches: Line, path: Path) -> None:
    """Three panels: by length, by exits, by slots."""
    figure, axes = new_figure(columns=3, height=3.2, extra_width=1.5)
    by_length, by_exits, by_batch = axes[0]
    for (name, line), colour in zip(lengths.items(), ordered_colours(2), strict=True):
        by_length.loglog(line.keys(), line.values(), "o-", color=colour, label=name)
        first = line[LENGTHS[0]] / LENGTHS[0]
        straight = [first * length for length in LENGTHS]
        by_length.loglog(LENGTHS, straight, color=FAINT, ls=DASHED)
    by_length.legend(loc="upper left")
    by_length.set_xticks(LENGTHS, map(str, LENGTHS))
    by_length.minorticks_off()
    by_length.set(title="One trace", xlabel="tokens", ylabel="CPU seconds")
    colour = ordered_colours(2)[0]
    by_exits.plot(exits.keys(), exits.values(), "o-", color=colour)
    by_exits.set(title=f"Exits of {TRACE} tokens", xlabel="exits", ylim=(0, None))
    by_batch.plot(batches.keys(), batches.values(), "o-", color=colour)
    by_batch.set(title=f"{COUNT} completions", xlabel="slots", ylim=(0, None))
    by_batch.set_xscale("log", base=2)
    by_batch.set_xticks(BATCHES, map(str, BATCHES))
    save_figure(figure, path)


def main(path: Path) -> None:
    """Measure, print, draw."""
    torch.set_num_threads(1)
    hf_logging.set_verbosity_error()
    decoder = random_decoder()
    lengths = lines_by_length(decoder)
    exits, batches = line_by_exits(decoder), line_by_batch(decoder)
    for name, line in {**lengths, "early exit": exits, "generation": batches}.items():
        shown = ", ".join(f"{size}: {seconds:.2f} s" for size, seconds in line.items())
        print(f"{name}: {shown}; power {growth(line):.2f}")
    draw(lengths, exits, batches, path)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    main(**vars(parser.parse_args()))
