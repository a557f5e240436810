"""Writes directions of random numbers, and their tables, for tests of other stages."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from directions.reading import Directions, write_directions
from directions.tables import (
    DIRECTION_PROBLEMS,
    DIRECTION_UNITS,
    DIRECTIONS,
    FIT,
    TEST,
)
from doubletake.model.decoder import Decoder
from doubletake.model.interventions import model_name

NAMES = ("ward", "venhoff", "seal", "probe", "arrivals", "wrap_up")


def tiny_directions(
    decoder: Decoder, names: Sequence[str] = NAMES, draws: int = 5, seed: int = 0
) -> Directions:
    """Random directions for a model."""
    boundaries, width = decoder.n_layers + 1, decoder.d_model
    source = torch.Generator().manual_seed(seed)

    def units(*shape: int) -> torch.Tensor:
        values = torch.randn(*shape, width, generator=source)
        return values / values.norm(dim=-1, keepdim=True)

    square = torch.randn(boundaries, width, 4, generator=source)
    ones = torch.ones(boundaries)
    return Directions(
        model=model_name(decoder.settings),
        residual_norms=3 * ones,
        mean_norms=2 * ones,
        components=torch.linalg.qr(square).Q.mT,
        vectors={name: units(boundaries) for name in names},
        norms={name: ones for name in names},
        shuffled={name: units(draws, boundaries) for name in names},
        shuffled_norms={name: 0.5 * ones.expand(draws, -1) for name in names},
    )


def write_tiny_directions(
    folder: Path,
    decoder: Decoder,
    problems: Sequence[str],
    names: Sequence[str] = NAMES,
    why_not: str = "no case",
) -> dict[str, Path]:
    """Write directions and their tables, named as the study's files.

    Args:
        folder: of the study's results.
        decoder: the model.
        problems: every second one is a problem to fit, the others are to test.
        names: the directions that exist; the others of `NAMES` are absent.
        why_not: the reason for absent ones.

    Returns:
        Paths by argument of a script's `main`: `vectors`, `directions`, `problems`,
        `units`.
    """
    folder = folder / "directions"
    folder.mkdir(parents=True, exist_ok=True)
    paths = {
        "vectors": folder / "vectors.safetensors",
        "directions": folder.with_suffix(".parquet"),
        "problems": folder / "problems.parquet",
        "units": folder / "units.parquet",
    }
    write_directions(tiny_directions(decoder, names), paths["vectors"])
    rows = [
        _direction(name, boundary)
        if name in names
        else _absent(name, boundary, why_not)
        for name in NAMES
        for boundary in range(decoder.n_layers + 1)
    ]
    DIRECTIONS.write(DIRECTIONS.frame(rows), paths["directions"])
    parts = [
        {"problem": problem, "part": TEST if number % 2 else FIT}
        for number, problem in enumerate(problems)
    ]
    DIRECTION_PROBLEMS.write(DIRECTION_PROBLEMS.frame(parts), paths["problems"])
    units = DIRECTION_UNITS.frame(_units(decoder.n_layers))
    DIRECTION_UNITS.write(units, paths["units"])
    return paths


def _direction(name: str, boundary: int) -> dict[str, Any]:
    """Row of a direction that exists."""
    return {
        "direction": name,
        "boundary": boundary,
        "cases": 20,
        "problems": 12,
        "positions": 100,
        "why_not": None,
        "norm": 1.0,
        "residual_norm": 3.0,
        "mean_norm": 2.0,
        "separation": 1 / 3,
        "shuffled_separation": 1 / 6,
        "shuffled_highest": 1 / 6,
    }


def _absent(name: str, boundary: int, why_not: str) -> dict[str, Any]:
    """Row of a direction that does not exist: no counts, no numbers."""
    row = dict.fromkeys(_direction(name, boundary))
    counts = {"cases": 0, "problems": 0, "positions": 0}
    return row | counts | {"direction": name, "boundary": boundary, "why_not": why_not}


def _units(layers: int) -> list[dict[str, Any]]:
    """Rows of two hidden units on each side: of the last layer and of the first."""
    return [
        {
            "side": side,
            "rank": rank,
            "layer": layer,
            "unit": rank,
            "cosine": sign * (0.5 - 0.1 * rank),
            "norm": 1.0,
        }
        for side, sign in (("for", 1), ("against", -1))
        for rank, layer in ((1, layers - 1), (2, 0))
    ]
