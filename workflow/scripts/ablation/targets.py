"""What is taken away: names of targets, modes and null distributions."""

PROBE, WARD, VENHOFF, ARRIVALS = "probe", "ward", "venhoff", "arrivals"
DIRECTIONS = (PROBE, WARD, VENHOFF, ARRIVALS)
"""Directions of the stage `directions` that are projected out."""
ALIGNED, LEADING = "aligned_units", "leading_units"
SUPPORTING_UNITS = "supporting_units"
UNITS = (ALIGNED, LEADING, SUPPORTING_UNITS)
WRITING, LOOKING = "writing_heads", "looking_heads"
SUPPORTING_HEADS = "supporting_heads"
HEADS = (WRITING, LOOKING, SUPPORTING_HEADS)
TARGETS = (*DIRECTIONS, *UNITS, *HEADS)

PROJECT, ZERO, MEAN = "project", "zero", "mean"
MODES = (PROJECT, ZERO, MEAN)

EVERY = "every"
"""A direction is projected out at every boundary."""

NAMED, RANDOM, WITHIN = "named", "random", "within"
NULLS = (RANDOM, WITHIN)
NONE = "none"
"""The name of what is measured without an ablation."""

SHORT, LONG = "continuation", "thought"
LENGTHS = (SHORT, LONG)
"""What is decoded: short continuations after an arrival, or whole thoughts."""

LEVEL = 0.05
"""Largest corrected p-value of a claim."""

PUBLISHED = {"targeted": 0.028, "random": 0.549, "none": 0.681}
"""Shares of a public run with R1-Distill-Qwen-1.5B on GSM8K: a targeted ablation, a
random one, and none."""


def version(target: str, what: str, mode: str) -> str:
    """Name of one ablation of a target: `leading_units/20/zero`, `probe/every/project`.

    Args:
        target: of `TARGETS`.
        what: number of units or heads, `EVERY`, or a boundary.
        mode: of `MODES`.
    """
    return f"{target}/{what}/{mode}"


def null_name(target: str, ablation: str) -> str:
    """Name of an ablation's random sets: directions of one reach share theirs.

    Args:
        target: of the ablation.
        ablation: its name.
    """
    if target not in DIRECTIONS:
        return ablation
    return f"directions/{ablation.partition('/')[2]}"
