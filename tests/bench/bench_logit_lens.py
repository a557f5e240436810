"""Cost of target logits: a few rows of the unembedding against the whole matrix.

One thread. The residual states are random. The unembedding has the vocabulary of
DeepSeek-R1-Distill-Llama-8B (128,256) and a width of only 1,024, so that it fits into a
small machine.
"""

import argparse
import sys
from pathlib import Path

import torch

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "workflow/scripts"))

from comparison import Comparison, Other

from doubletake.model.lens import Lens

GOAL = 100
TARGETS = 24


@torch.inference_mode()
def main(vocabulary: int, width: int, rows: int, rounds: int) -> None:
    """Compare both ways."""
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
    Comparison("logit lens").add(
        f"{TARGETS} target rows of {vocabulary:,}, {rows} states of width {width}",
        target_rows,
        {"all rows of the unembedding": Other(whole_matrix, GOAL)},
        rounds,
    )


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--vocabulary", type=int, default=128_256)
    parser.add_argument("--width", type=int, default=1024)
    parser.add_argument("--rows", type=int, default=512)
    parser.add_argument("--rounds", type=int, default=5)
    main(**vars(parser.parse_args()))
