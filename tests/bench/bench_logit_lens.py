"""Cost of target logits: a few rows of the unembedding against the whole matrix.

Prints the ratio of one run on one thread. The residual states are random. The
unembedding has the vocabulary of DeepSeek-R1-Distill-Llama-8B (128,256) and a width of
only 1,024, so that it fits into a small machine.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from doubletake.model.lens import Lens

GOAL = 100
TARGETS = 24


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds of one call; other jobs disturb them less than wall time."""
    start = time.process_time()
    work()
    return time.process_time() - start


@torch.inference_mode()
def main(vocabulary: int, width: int, rows: int, repeats: int) -> None:
    """Compare both ways and print the ratio."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(vocabulary, width, generator=generator) / width**0.5
    lens = Lens(torch.ones(width), weight, 1e-6, None)
    states = torch.randn(rows, width, generator=generator)
    tokens = torch.randint(vocabulary, (TARGETS,), generator=generator)

    def target_rows() -> torch.Tensor:
        return lens.logits(lens.normed(states), tokens)

    def whole_matrix() -> torch.Tensor:
        return torch.cat([part[:, tokens] for part in lens.chunks(states)])

    torch.testing.assert_close(target_rows(), whole_matrix(), rtol=1e-4, atol=1e-4)
    times = [(seconds(target_rows), seconds(whole_matrix)) for _ in range(repeats)]
    ratio = statistics.median(full / few for few, full in times)
    print(
        f"{TARGETS} target rows of {vocabulary:,}, {rows} states of width {width}: "
        f"{ratio:.0f}x faster than the full unembedding (goal {GOAL}x; "
        f"{1e3 * min(few for few, _ in times):.1f} ms against "
        f"{1e3 * min(full for _, full in times):.0f} ms)"
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vocabulary", type=int, default=128_256)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--repeats", type=int, default=5)
    main(**vars(parser.parse_args()))
