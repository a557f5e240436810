"""Does the detectors' time grow in proportion to the text?

Runs the detector `rules` and its causal form on texts of 10 kB, 100 kB and 1 MB that
repeat an awkward piece.
Prints seconds and their ratios; a ratio of 10 is proportional.

Run: python tests/bench/bench_events.py
"""

import sys
import time
from itertools import pairwise
from pathlib import Path

sys.path.append(str(Path(__file__).parents[2] / "workflow/scripts"))

from doubletake.detector.causal import detect_causal
from doubletake.detector.rules_detector import detect

SIZES = (10_000, 100_000, 1_000_000)
DETECTORS = {"rules": detect, "causal": detect_causal}
PIECES = (
    *("a", "1", ".", "1,", "1/2 ", "{", "\\boxed{", "$ ", "let me ", "the answer is "),
    *("5 * 9 = 45. ", "Wait, is it 45? ", "So he has 45 apples. That is right.\n\n"),
)


def seconds(detector: str, piece: str, size: int) -> float:
    thought = f"5 * 9 = 45. So the answer is 45. {piece * (size // len(piece))}"
    started = time.process_time()
    DETECTORS[detector]("How many apples?", thought)
    return time.process_time() - started


def main() -> None:
    for detector in DETECTORS:
        for piece in PIECES:
            times = [seconds(detector, piece, size) for size in SIZES]
            ratios = [b / a for a, b in pairwise(times)]
            shown = " ".join(f"{time:7.3f} s" for time in times)
            print(
                f"{detector:7} {piece!r:45} {shown}   x{ratios[0]:.1f} x{ratios[1]:.1f}"
            )


if __name__ == "__main__":
    main()
